//! What trustees say to each other (spec 5.9): trustee 2 repairs a share with the help of 1 and 3.

use std::sync::Arc;

use codec::{DecodeAll, Encode};
use psephos_protocol::{
    ballot::Signed,
    keys::verify_signature,
    repair::{join, split, sum, Ask, DealtBallot, Part, PeerRequest, Sealed},
    testing::{Fixture, Params, TrusteeKeys},
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use super::scale;
use crate::Target;

const ASKS: u8 = 2;
const HELPERS: [u8; 2] = [1, 3];

struct Context {
    fixture: Fixture,
    request: PeerRequest,
    /// The parts for the first helper, one of each.
    parts: Vec<Part>,
    /// One of each helper.
    sums: Vec<Sealed>,
    /// Commitments of each ballot.
    options: Vec<usize>,
}

impl Context {
    fn new() -> (Self, Vec<Signed>, Vec<PeerRequest>) {
        let mut fixture = Fixture::new(&Params::default());
        let ballots: Vec<Signed> = (0..2).map(|voter| fixture.sign(voter, 1, &[vec![0, 1, 0]])).collect();
        let hashes = || ballots.iter().map(|ballot| ballot.hash).collect::<Vec<_>>().try_into().expect("two");
        let asks = [
            Ask::Split { ballots: hashes(), helpers: HELPERS.to_vec().try_into().expect("two") },
            Ask::Kept { arrived: hashes() },
            Ask::Dealt { ballots: hashes() },
        ];
        let key = keys(&fixture, ASKS).signing.clone();
        let (election, rng) = (&fixture.election, &mut fixture.rng);
        let requests: Vec<PeerRequest> =
            asks.into_iter().map(|ask| PeerRequest::sign(election, ASKS, &key, ask, rng)).collect();
        let request = requests[0].clone();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let sent = HELPERS.map(|helper| {
            let shares: Vec<_> =
                ballots.iter().map(|ballot| ballot.shares[usize::from(helper) - 1].clone()).collect();
            let key = &keys(&fixture, helper).signing;
            split(&fixture.election, &request, helper, key, &shares, &mut rng).expect("a helper")
        });
        let received = [0, 1].map(|to: usize| sent.iter().map(|parts| parts[to].clone()).collect::<Vec<_>>());
        let sums = HELPERS.iter().zip(&received).map(|(helper, parts)| {
            let kem = &keys(&fixture, *helper).kem;
            sum(&fixture.election, &request, *helper, kem, parts, &mut rng).expect("parts")
        });
        let sums = sums.collect();
        let [parts, _] = received;
        let options = vec![ballots[0].shares[0].pairs().len(); ballots.len()];
        (Self { fixture, request, parts, sums, options }, ballots, requests)
    }

    /// Whether the first helper adds this part to the others, in the place of whom it says that it is from.
    fn adds(&self, part: &Part) -> bool {
        let (kem, mut rng) = (&keys(&self.fixture, HELPERS[0]).kem, ChaCha20Rng::seed_from_u64(2));
        let Some(place) = HELPERS.iter().position(|helper| *helper == part.from) else { return false };
        let mut parts = self.parts.clone();
        parts[place] = part.clone();
        sum(&self.fixture.election, &self.request, HELPERS[0], kem, &parts, &mut rng).is_ok()
    }

    /// Whether the trustee that asked joins this sum with the others.
    fn joins(&self, one: &Sealed) -> bool {
        let kem = &keys(&self.fixture, ASKS).kem;
        (0..self.sums.len()).any(|place| {
            let mut sums = self.sums.clone();
            sums[place] = one.clone();
            join(&self.fixture.election, &self.request, kem, &sums, &self.options).is_ok()
        })
    }
}

fn keys(fixture: &Fixture, trustee: u8) -> &TrusteeKeys {
    &fixture.trustees[usize::from(trustee) - 1]
}

pub(super) fn all() -> Vec<Target> {
    let (context, ballots, requests) = Context::new();
    let context = Arc::new(context);
    let dealt = ballots.iter().map(|signed| {
        DealtBallot { ballot: signed.ballot.clone(), dealing: signed.dealing.clone() }.encode()
    });
    let requests = requests.iter().map(Encode::encode).collect();
    let parts = context.parts.iter().map(Encode::encode).collect();
    let sums = context.sums.iter().map(Encode::encode).collect();
    vec![
        Target::new("peer-request", requests, scale::<PeerRequest>)
            .signed(with(&context, |context, request: &PeerRequest| {
                request.verify(&context.fixture.election)
            })),
        Target::new("dealt-ballot", dealt.collect(), scale::<DealtBallot>)
            .signed(with(&context, |context, dealt: &DealtBallot| is_dealt(dealt, &context.fixture))),
        Target::new("repair-part", parts, scale::<Part>).signed(with(&context, Context::adds)),
        Target::new("repair-sum", sums, scale::<Sealed>).signed(with(&context, Context::joins)),
    ]
}

/// Whether a ballot is signed and valid, and this its dealing.
fn is_dealt(dealt: &DealtBallot, fixture: &Fixture) -> bool {
    let (election, generators) = (&fixture.election, &fixture.generators);
    dealt.dealing.digest() == dealt.ballot.ballot.statement.dealing
        && dealt.ballot.verify(election, generators, verify_signature).is_ok()
}

fn with<T: DecodeAll + 'static>(
    context: &Arc<Context>,
    accepts: fn(&Context, &T) -> bool,
) -> impl Fn(&[u8]) -> bool + Send + Sync + 'static {
    let context = context.clone();
    move |mut bytes| T::decode_all(&mut bytes).is_ok_and(|item| accepts(&context, &item))
}
