//! Connections, with TLS and without: which keys are exchanged, which certificate is believed, and who has to go.

use codec::Encode;
use jsonrpsee::server::ServerHandle;
use psephos_client::{
    endpoints::{TrusteeClient, TrusteeError},
    keystore::{create_private, KeyError},
    tls::{client_config, provider, Pin},
};
use psephos_protocol::testing::{Fixture, Params};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    crypto::{aws_lc_rs::kx_group::X25519, CryptoProvider},
    pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer, ServerName},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
    ClientConfig, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig,
};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{client::TlsStream, TlsAcceptor, TlsConnector};

use super::{rpc::rpc, *};
use crate::{
    rpc::serve,
    tls::{own, url, Tls, TlsError},
};

const MOST: u32 = 4;
/// Longer than a connection may be silent in these tests, and far less than outside of them.
const SILENCE: Duration = Duration::from_secs(6);

struct Door {
    address: SocketAddr,
    pin: Option<Pin>,
    server: ServerHandle,
    folder: TempDir,
}

impl Door {
    async fn open(fixture: &Fixture, tls: bool) -> Self {
        let (mut rpc, folder) = rpc(fixture);
        rpc.tls = tls.then(|| own(folder.path()).unwrap());
        let pin = rpc.tls.as_ref().map(|shown| shown.pin);
        let (address, server) = serve(([127, 0, 0, 1], 0).into(), MOST, rpc).await.unwrap();
        Self { address, pin, server, folder }
    }

    fn client(&self) -> TrusteeClient {
        client(&url(self.address, self.pin))
    }

    async fn silent(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn client(url: &str) -> TrusteeClient {
    TrusteeClient::new(INDEX, "Two", url).unwrap()
}

fn fixture() -> Fixture {
    Fixture::new(&Params::default())
}

async fn handshake(address: SocketAddr, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("psephos-trustee").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    // What the server refuses of the client's last words is only seen when reading.
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await?;
    stream.read_u8().await?;
    Ok(stream)
}

fn group(stream: &TlsStream<TcpStream>) -> NamedGroup {
    stream.get_ref().1.negotiated_key_exchange_group().unwrap().name()
}

/// Whether the other side closes within that time, whatever it says before.
async fn closes(stream: &mut TcpStream, within: Duration) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(within, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn keys_are_exchanged_with_x25519_and_ml_kem_together() {
    let door = Door::open(&fixture(), true).await;
    let stream = handshake(door.address, client_config(door.pin).unwrap()).await.unwrap();
    assert_eq!(group(&stream), NamedGroup::X25519MLKEM768);
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(provider().kx_groups[0].name(), NamedGroup::X25519MLKEM768);
    // Without a pin, too.
    assert_eq!(
        client_config(None).unwrap().crypto_provider().kx_groups[0].name(),
        NamedGroup::X25519MLKEM768
    );
}

#[tokio::test]
async fn a_program_without_ml_kem_is_served_and_one_without_tls_1_3_is_not() {
    let door = Door::open(&fixture(), true).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(door.folder.path().join("tls.pem")).unwrap()).unwrap();
    let old = |version| {
        let provider = CryptoProvider { kx_groups: vec![X25519], ..(*provider()).clone() };
        let builder = ClientConfig::builder_with_provider(provider.into()).with_protocol_versions(&[version]);
        builder.unwrap().with_root_certificates(roots.clone()).with_no_client_auth()
    };
    assert_eq!(group(&handshake(door.address, old(&TLS13)).await.unwrap()), NamedGroup::X25519);
    let error = handshake(door.address, old(&TLS12)).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn a_deposit_over_tls_gets_its_receipt() {
    let mut fixture = fixture();
    let door = Door::open(&fixture, true).await;
    let mut signed = fixture.sign(0, 1, &[vec![0, 1, 0]]);
    let deposit = fixture.deposits(&mut signed).swap_remove(usize::from(INDEX) - 1);
    let client = door.client();
    client.deposit(&fixture.election, &signed.hash, &hex::encode(deposit.encode())).await.unwrap();
    let status = client.status().await.unwrap();
    assert_eq!((status.served[0].deposits, status.tls), (1, Some(door.pin.unwrap().to_string())));
    assert_eq!(Door::open(&fixture, false).await.client().status().await.unwrap().tls, None);
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_refused() {
    let (door, other) = (Door::open(&fixture(), true).await, Door::open(&fixture(), true).await);
    let error = client(&url(door.address, other.pin)).status().await.unwrap_err();
    let TrusteeError::WrongKey { trustee: INDEX, shown, .. } = &error else { panic!("{error}") };
    assert_eq!(Some(*shown), door.pin);
    assert!(!error.is_passing());
    let text = error.to_string();
    assert!(text.contains("trustee 2 (Two) at https://") && text.contains("ask the board"), "{text}");
}

#[tokio::test]
async fn the_pinned_certificate_without_its_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pin = own(folder.path()).unwrap().pin;
    let certificate = CertificateDer::from_pem_file(folder.path().join("tls.pem")).unwrap();
    let thief = PrivateKeyDer::try_from(KeyPair::generate().unwrap().serialize_der()).unwrap();
    let key = provider().key_provider.load_private_key(thief).unwrap();
    let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]).unwrap();
    let config = config.with_no_client_auth().with_cert_resolver(Arc::new(shown));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move { acceptor.accept(listener.accept().await.unwrap().0).await.map(drop) });
    let error = client(&url(address, Some(pin))).status().await.unwrap_err();
    assert!(error.to_string().contains("BadSignature"), "{error}");
}

#[tokio::test]
async fn without_a_pin_an_unknown_certificate_is_refused() {
    let door = Door::open(&fixture(), true).await;
    let error = client(&format!("https://{}", door.address)).status().await.unwrap_err();
    assert!(matches!(error, TrusteeError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("#sha256="), "{error}");
}

#[tokio::test]
async fn tls_on_one_side_alone_is_told() {
    let (plain, tls) = (Door::open(&fixture(), false).await, Door::open(&fixture(), true).await);
    let error = client(&url(tls.address, None)).status().await.unwrap_err();
    assert!(error.to_string().contains("begins with https://"), "{error}");
    let error = client(&url(plain.address, tls.pin)).status().await.unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn stalled_handshakes_hold_up_nobody_and_are_cut_off() {
    let door = Door::open(&fixture(), true).await;
    let mut silent = door.silent().await;
    // One that begins and goes no further.
    let mut half = door.silent().await;
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.unwrap();
    let begun = Instant::now();
    door.client().status().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(closes(&mut silent, SILENCE).await);
    assert!(closes(&mut half, SILENCE).await);
}

#[tokio::test]
async fn stalled_handshakes_count_as_connections() {
    for tls in [true, false] {
        let door = Door::open(&fixture(), tls).await;
        let mut silent = Vec::new();
        for _ in 0..MOST {
            silent.push(door.silent().await);
        }
        let begun = Instant::now();
        assert!(closes(&mut door.silent().await, SILENCE).await);
        assert!(begun.elapsed() < Duration::from_secs(1), "one too many is closed at once");
        for stream in &mut silent {
            assert!(closes(stream, SILENCE).await);
        }
        door.client().status().await.unwrap();
    }
}

#[tokio::test]
async fn who_has_an_answer_makes_room() {
    let door = Door::open(&fixture(), false).await;
    let mut idle = door.silent().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    assert!(closes(&mut idle, SILENCE).await);
    assert!(begun.elapsed() > Duration::from_secs(1), "there is room, so it may ask again for a while");
    let _others = [door.silent().await, door.silent().await];
    let mut last = door.silent().await;
    last.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(closes(&mut last, Duration::from_secs(1)).await, "others need the room");
}

#[tokio::test]
async fn a_daemon_stops_in_the_midst_of_handshakes() {
    let door = Door::open(&fixture(), true).await;
    let _silent = door.silent().await;
    door.client().status().await.unwrap();
    door.server.stop().unwrap();
    tokio::time::timeout(Duration::from_secs(1), door.server.stopped()).await.unwrap();
}

#[test]
fn a_certificate_of_its_own_is_made_once_and_kept_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let pin = Tls::SelfSigned.load(folder.path()).unwrap().pin;
    assert_eq!(Tls::SelfSigned.load(folder.path()).unwrap().pin, pin);
    let path = folder.path().join("tls.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Tls::SelfSigned.load(folder.path()).err().unwrap();
    assert!(matches!(error, TlsError::Private(KeyError::Mode { mode: 0o640, .. })), "{error}");
}

#[test]
fn a_given_certificate_must_fit_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (pair(folder.path(), "first"), pair(folder.path(), "second"));
    let load = |certificate: &Path, key: &Path| {
        Tls::Files { certificate: certificate.into(), key: key.into() }.load(folder.path())
    };
    assert!(load(&first.0, &first.1).is_ok());
    let error = load(&first.0, &second.1).err().unwrap();
    assert!(matches!(error, TlsError::Pair { .. }), "{error}");
    assert!(error.to_string().contains("second.key"), "{error}");
    for (certificate, key, what) in [(&first.1, &first.1, "certificate"), (&first.0, &first.0, "key")] {
        let error = load(certificate, key).err().unwrap();
        assert!(matches!(error, TlsError::Pem { what: found, .. } if found == what), "{error}");
    }
}

/// Files with a new certificate and with its key.
fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let path = |ending| folder.join(format!("{name}.{ending}"));
    create_private(&path("crt"), certificate.pem().as_bytes()).unwrap();
    create_private(&path("key"), key.serialize_pem().as_bytes()).unwrap();
    (path("crt"), path("key"))
}
