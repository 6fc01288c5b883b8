//! The door: what clients really call, over HTTP.

use codec::{DecodeAll, Encode};
use jsonrpsee::{
    core::client::{ClientT, Error},
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
    server::ServerHandle,
};
use psephos_client::trustee_api::{error_to_refusal, TrusteeApiClient};
use psephos_protocol::{
    keys::verify_signature,
    receipt::Receipt,
    refusal::Refusal,
    testing::{Fixture, Params},
};
use tempfile::TempDir;

use super::*;
use crate::{
    help::Helper,
    inbox::Inbox,
    rpc::{serve, Rpc, MAX_REQUEST},
};

/// A trustee of an open election, and the folder of its store.
pub fn rpc(fixture: &Fixture) -> (Rpc<Answers>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = store(fixture, folder.path());
    let elections = elections(&served(fixture, Phase::Open), 20);
    let chain = Answers::of(fixture);
    let inbox =
        Arc::new(Inbox::new(chain.clone(), keys(fixture), store.clone(), elections.clone(), metrics()));
    let helper = Helper::new(chain, keys(fixture), store.clone(), elections.clone());
    (Rpc { name: "Two".into(), inbox, helper, store, elections, tls: None, metrics: metrics() }, folder)
}

async fn door(fixture: &Fixture) -> (HttpClient, ServerHandle, TempDir) {
    let (rpc, folder) = rpc(fixture);
    let (address, server) = serve(([127, 0, 0, 1], 0).into(), 8, rpc).await.unwrap();
    let client = HttpClientBuilder::default()
        .max_request_size(10 * MAX_REQUEST)
        .build(format!("http://{address}"))
        .unwrap();
    (client, server, folder)
}

fn refusal(error: Error) -> Option<Refusal> {
    match error {
        Error::Call(error) => error_to_refusal(&error),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_deposit_over_http_gets_its_receipt() {
    let mut fixture = Fixture::new(&Params::default());
    let (client, _server, _folder) = door(&fixture).await;
    let mut signed = fixture.sign(0, 1, &[vec![0, 1, 0]]);
    let deposit = fixture.deposits(&mut signed).swap_remove(usize::from(INDEX) - 1);
    let answer = client.deposit(hex::encode(deposit.encode())).await.unwrap();
    let receipt = Receipt::decode_all(&mut hex::decode(answer).unwrap().as_slice()).unwrap();
    assert!(receipt.verify(&fixture.election, &signed.hash, verify_signature));

    let status = client.status().await.unwrap();
    assert_eq!((status.name.as_str(), status.finalized), ("Two", 20));
    let [served] = status.served.as_slice() else { panic!("{status:?}") };
    assert_eq!((served.eid.clone(), served.index), (fixture.election.eid.to_string(), INDEX));
    assert_eq!((served.deposits, served.phase.as_str()), (1, "Open"));
}

#[tokio::test]
async fn refusals_come_with_their_code_and_floods_are_cut() {
    let mut fixture = Fixture::new(&Params::default());
    let (client, _server, _folder) = door(&fixture).await;
    for junk in ["", "zz", "0x00", "00"] {
        assert_eq!(refusal(client.deposit(junk.into()).await.unwrap_err()), Some(Refusal::MalformedBallot));
    }
    let mut signed = fixture.sign(0, 1, &[vec![0, 1, 0]]);
    let deposits = fixture.deposits(&mut signed);
    let error = client.deposit(hex::encode(deposits[0].encode())).await.unwrap_err();
    assert!(error.to_string().contains("envelope"), "{error}");
    assert_eq!(refusal(error), Some(Refusal::BadShare));

    let huge = "0".repeat(MAX_REQUEST as usize + 1);
    assert!(client.deposit(huge).await.is_err());
    let unknown = client.request::<String, _>("trustee_nothing", rpc_params![]).await;
    assert!(matches!(unknown, Err(Error::Call(_))));
}
