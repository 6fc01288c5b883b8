//! Ballots and what goes with them (spec 5 and 6), of the test vectors' election.

use std::sync::Arc;

use codec::{Decode, Encode};
use psephos_protocol::{
    ballot::{AuditOpening, Ballot, CastBallot, Layout, SignedBallot},
    election::Election,
    envelope::{Deposit, Envelope, KemKey},
    ids::{BallotHash, Genesis},
    keys::{verify_signature, Signature},
    manifest::{Manifest, Style},
    range_proof::{Generators, RangeProof, Shape},
    receipt::Receipt,
    shares::{Dealing, Share},
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};

use super::scale;
use crate::{
    corpus::{bytes, decoded, list, vectors},
    Target,
};

/// The trustee whose part the targets take.
const TRUSTEE: u8 = 2;

/// A ballot of the vectors with all that belongs to it.
struct Cast {
    signed: SignedBallot,
    hash: BallotHash,
    dealing: Dealing,
    envelope: Envelope,
    share: Vec<u8>,
    receipt: Receipt,
    opening: Vec<u8>,
}

struct Context {
    election: Election,
    generators: Generators,
    kem: KemKey,
    /// One of each style.
    ballots: Vec<Cast>,
}

impl Context {
    fn new() -> Self {
        let file = vectors("election.json");
        let genesis: Genesis = decoded(&file["genesis"]);
        let election = Election::new(genesis, 1, decoded::<Manifest>(&file["manifest"])).expect("valid");
        let generators = Generators::covering(election.manifest.shapes());
        let file = vectors("ballot.json");
        let ballots = list(&file).iter().map(|file| {
            let trustee = &file["trustees"][usize::from(TRUSTEE) - 1];
            Cast {
                signed: SignedBallot {
                    ballot: decoded(&file["ballot"]),
                    signature: decoded(&file["signature"]),
                },
                hash: decoded(&file["hash"]),
                dealing: decoded(&file["dealing"]),
                envelope: Envelope(bytes(&trustee["envelope"]).try_into().expect("an envelope")),
                share: bytes(&trustee["share"]),
                receipt: decoded(&trustee["receipt"]),
                opening: bytes(&file["audit opening"]),
            }
        });
        let ballots: Vec<Cast> = ballots.collect();
        let kem = KemKey::from_seed(decoded(&file[0]["trustees"][usize::from(TRUSTEE) - 1]["kem seed"]));
        Self { election, generators, kem, ballots }
    }

    fn shape(&self, style: &Style) -> Shape {
        Layout::of(&self.election.manifest.style_contests(style)).shape
    }

    /// Whether a share is the trustee's share of that ballot with this dealing.
    fn is_share(&self, share: &Share, ballot: &Ballot, dealing: &Dealing) -> bool {
        let statement = &ballot.statement;
        let points: Result<Vec<_>, _> =
            statement.commitments.iter().map(|point| point.decompress()).collect();
        let threshold = self.election.manifest.threshold;
        let mut rng = ChaCha20Rng::seed_from_u64(0);
        points.is_ok_and(|points| {
            share.verify(TRUSTEE, threshold, &points, &statement.dealing, dealing, &mut rng).is_ok()
        })
    }

    /// What a trustee does with a deposit before it vouches for it.
    fn takes(&self, deposit: &Deposit) -> bool {
        let Deposit { ballot: signed, dealing, envelope } = deposit;
        let (hash, options) = (signed.ballot.hash(), signed.ballot.statement.commitments.len());
        let share = self.kem.open(envelope, &self.election.eid, &hash, TRUSTEE, options);
        share.is_ok_and(|share| self.is_share(&share, &signed.ballot, dealing))
            && signed.verify(&self.election, &self.generators, verify_signature).is_ok()
    }
}

pub(super) fn all() -> Vec<Target> {
    let context = Arc::new(Context::new());
    let each = |part: fn(&Cast) -> Vec<u8>| context.ballots.iter().map(part).collect::<Vec<_>>();
    let tally = vectors("tally.json");
    let cast: Vec<Vec<u8>> = list(&tally["ballots"]).iter().map(|ballot| bytes(&ballot["cast"])).collect();
    let manifest = context.election.manifest.encode();
    let deposits: Vec<Vec<u8>> = context.ballots.iter().map(deposit).collect();
    vec![
        Target::new("ballot", each(|cast| cast.signed.ballot.encode()), scale::<Ballot>)
            .signed(with(&context, |context, ballot: &Ballot| {
                ballot.verify(&context.election, &context.generators).is_ok()
            })),
        range_proof(&context),
        Target::new("signed-ballot", each(|cast| cast.signed.encode()), |bytes| {
            SignedBallot::from_bytes(bytes).ok().map(|item| item.encode())
        })
        .signed(with(&context, |context, signed: &SignedBallot| {
            signed.verify(&context.election, &context.generators, verify_signature).is_ok()
        })),
        Target::new("cast-ballot", cast, |bytes| {
            CastBallot::from_bytes(bytes).ok().map(|item| item.encode())
        })
        .signed(with(&context, |context, cast: &CastBallot| {
            cast.verify(&context.election, &context.generators, verify_signature).is_ok()
        })),
        Target::new("receipt", each(|cast| cast.receipt.encode()), scale::<Receipt>).signed(with(
            &context,
            |context, receipt: &Receipt| {
                let mut hashes = context.ballots.iter().map(|cast| cast.hash);
                hashes.any(|hash| receipt.verify(&context.election, &hash, verify_signature))
            },
        )),
        Target::new("deposit", deposits, |bytes| Deposit::from_bytes(bytes).ok().map(|item| item.encode()))
            .signed(with(&context, Context::takes)),
        envelope(&context),
        share(&context),
        Target::new("dealing", each(|cast| cast.dealing.encode()), scale::<Dealing>).signed(with(
            &context,
            |context, dealing: &Dealing| {
                let mut ballots = context.ballots.iter();
                ballots.any(|cast| cast.signed.ballot.statement.dealing == dealing.digest())
            },
        )),
        audit_opening(&context),
        Target::new("manifest", vec![manifest], scale::<Manifest>).signed(with(
            &context,
            |context, manifest: &Manifest| {
                Election::new(context.election.genesis, 1, manifest.clone())
                    .is_ok_and(|election| election.eid == context.election.eid)
            },
        )),
        Target::new("signature", each(|cast| cast.signed.signature.encode()), scale::<Signature>).signed(
            with(&context, |context, signature: &Signature| {
                context.ballots.iter().any(|cast| {
                    let signed = SignedBallot { signature: *signature, ..cast.signed.clone() };
                    signed.verify_signature(&context.election, &cast.hash, verify_signature).is_ok()
                })
            }),
        ),
    ]
}

/// Whether the object that bytes encode is accepted in this election.
fn with<T: Decode + 'static>(
    context: &Arc<Context>,
    accepts: fn(&Context, &T) -> bool,
) -> impl Fn(&[u8]) -> bool + Send + Sync + 'static {
    let context = context.clone();
    move |mut bytes| T::decode(&mut bytes).is_ok_and(|item| accepts(&context, &item))
}

fn deposit(cast: &Cast) -> Vec<u8> {
    let (ballot, dealing) = (cast.signed.clone(), cast.dealing.clone());
    Deposit { ballot, dealing, envelope: cast.envelope.clone() }.encode()
}

/// Proofs alone. There is no writer of them: that none has a second encoding shows when it stands in its ballot.
fn range_proof(context: &Arc<Context>) -> Target {
    let corpus = context.ballots.iter().map(|cast| cast.signed.ballot.proof.to_vec()).collect();
    let shapes: Vec<Shape> =
        context.election.manifest.styles.iter().map(|style| context.shape(style)).collect();
    let read = move |bytes: &[u8]| {
        shapes.iter().any(|shape| RangeProof::from_bytes(bytes, *shape).is_some()).then(|| bytes.to_vec())
    };
    let context = context.clone();
    Target::new("range-proof", corpus, read).signed(move |bytes| {
        let fits = context.ballots.iter().filter(|cast| cast.signed.ballot.proof.len() == bytes.len());
        let mut ballots = fits.map(|cast| {
            let proof = bytes.to_vec().try_into().expect("as long as a proof");
            Ballot { proof, ..cast.signed.ballot.clone() }
        });
        ballots.any(|ballot| ballot.verify(&context.election, &context.generators).is_ok())
    })
}

fn envelope(context: &Arc<Context>) -> Target {
    let corpus = context.ballots.iter().map(|cast| cast.envelope.0.to_vec()).collect();
    let read = |bytes: &[u8]| Some(Envelope(bytes.to_vec().try_into().ok()?).0.into_inner());
    let context = context.clone();
    Target::new("envelope", corpus, read).signed(move |bytes| {
        let Ok(envelope) = bytes.to_vec().try_into().map(Envelope) else { return false };
        let mut fits = context.ballots.iter().filter(|cast| cast.envelope.0.len() == bytes.len());
        fits.any(|cast| {
            let options = cast.signed.ballot.statement.commitments.len();
            context.kem.open(&envelope, &context.election.eid, &cast.hash, TRUSTEE, options).is_ok()
        })
    })
}

/// The shares of all ballots, each read for as many options as its length says.
fn share(context: &Arc<Context>) -> Target {
    let corpus = context.ballots.iter().map(|cast| cast.share.clone()).collect();
    let read = |bytes: &[u8]| {
        let share = Share::from_bytes(bytes, bytes.len() / 64).ok()?;
        Some(share.to_bytes().to_vec())
    };
    let context = context.clone();
    Target::new("share", corpus, read).signed(move |bytes| {
        let Ok(share) = Share::from_bytes(bytes, bytes.len() / 64) else { return false };
        context.ballots.iter().any(|cast| context.is_share(&share, &cast.signed.ballot, &cast.dealing))
    })
}

/// Rebuilding a ballot takes as long as making it.
fn audit_opening(context: &Arc<Context>) -> Target {
    let corpus = context.ballots.iter().map(|cast| cast.opening.clone()).collect();
    let read = |bytes: &[u8]| AuditOpening::from_bytes(bytes).ok().map(|opening| opening.to_bytes());
    let context = context.clone();
    Target::new("audit-opening", corpus, read).one_in(10).signed(move |bytes| {
        let Ok(opening) = AuditOpening::from_bytes(bytes) else { return false };
        let Ok(ballot) = opening.rebuild(&context.election, &context.generators) else { return false };
        context.ballots.iter().any(|cast| cast.hash == ballot.hash())
    })
}
