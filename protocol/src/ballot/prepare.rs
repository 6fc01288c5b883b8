//! Preparing a ballot (spec 5): from choices and a seed to commitments, shares and proof.
//!
//! Everything random in a ballot comes from one 64-byte seed, expanded together with the whole
//! context and the choices, so that an auditor can rebuild the ballot from seed and choices, and
//! so that one seed used with other choices gives unrelated values.

use alloc::vec::Vec;
use bounded_collections::BoundedVec;
use codec::Encode;
use curve25519_dalek::scalar::Scalar;
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{AuditOpening, Ballot, BallotError, Committed, Layout, SignedBallot, Statement, TrackingCode};
use crate::{
    contest::{Contest, VoteError},
    election::Election,
    group::{commit, Point},
    ids::{Anchor, BallotHash},
    keys::{PublicKey, SigningKey},
    range_proof::{prove, Generators},
    shares::{deal, Dealing, Share},
    transcript::{self, Expander},
};

/// The seed of one ballot: 64 fresh bytes from the operating system, used once. Prints nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed(pub(super) [u8; 64]);

impl Seed {
    /// A fresh seed.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0u8; 64];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// A seed that was revealed for an audit.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

/// The values that a voter gives: per contest of the style, per option. Prints nothing.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Choices(pub Vec<Vec<u32>>);

/// What a ballot is prepared for: everything public but the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, codec::Decode)]
pub struct Ballotpaper {
    /// The index of the ballot style.
    pub style: u16,
    /// The voter's credential.
    pub credential: PublicKey,
    /// The ballot's sequence number, more than that of the voter's last ballot.
    pub sequence: u32,
    /// A recent finalized block.
    pub anchor: Anchor,
    /// The last block that may accept the ballot.
    pub expiry: u32,
}

/// Why a ballot can't be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The manifest has no such style.
    #[error("the manifest has no ballot style {0}")]
    Style(u16),
    /// Votes for another number of contests.
    #[error("the ballot style has {contests} contests and votes are given for {votes}")]
    Contests {
        /// Contests of the style.
        contests: usize,
        /// Votes given.
        votes: usize,
    },
    /// A vote does not fit its contest.
    #[error("contest {contest} of the ballot: {error}")]
    Vote {
        /// The contest's place on the ballot, counted from 0.
        contest: usize,
        /// What is wrong.
        error: VoteError,
    },
    /// The ballot that was made does not verify: a fault of this device or software.
    #[error("the ballot that this device made does not verify ({0}); nothing was sent: try another device")]
    SelfCheck(BallotError),
}

/// A prepared ballot with its secrets. It is consumed by [`Self::cast`] or by [`Self::audit`], so
/// that no ballot can be both revealed and sent.
pub struct Prepared {
    built: Built<Expander>,
    hash: BallotHash,
    opening: AuditOpening,
}

/// All that randomness and choices determine.
pub(super) struct Built<R> {
    pub(super) ballot: Ballot,
    pub(super) dealing: Dealing,
    pub(super) shares: Vec<Share>,
    /// What is left of the randomness: it seals the envelopes.
    pub(super) randomness: R,
}

/// Prepares a ballot. Constant time in the choices, up to their rejection.
///
/// # Errors
/// [`PrepareError`], naming the contest and the limit.
pub fn prepare(
    election: &Election,
    generators: &Generators,
    paper: Ballotpaper,
    choices: Choices,
    seed: Seed,
) -> Result<Prepared, PrepareError> {
    let built = build(election, generators, &paper, &choices, &seed)?;
    let hash = built.ballot.verify(election, generators).map_err(PrepareError::SelfCheck)?.hash;
    Ok(Prepared { built, hash, opening: AuditOpening { eid: election.eid, paper, choices, seed } })
}

/// Builds the ballot that seed and choices determine.
pub(super) fn build(
    election: &Election,
    generators: &Generators,
    paper: &Ballotpaper,
    choices: &Choices,
    seed: &Seed,
) -> Result<Built<Expander>, PrepareError> {
    let context = (crate::VERSION, election.eid, paper).encode();
    let encoded_choices = Zeroizing::new(choices.0.encode());
    let randomness = transcript::ballot_randomness(&seed.0, &context, &encoded_choices);
    build_from(election, generators, paper, choices, randomness)
}

/// Builds the ballot that randomness and choices determine. What of it is public is independent of the choices if the
/// randomness is uniform (spec 11; the tests of `hiding`).
pub(super) fn build_from<R: RngCore + CryptoRng>(
    election: &Election,
    generators: &Generators,
    paper: &Ballotpaper,
    choices: &Choices,
    mut rng: R,
) -> Result<Built<R>, PrepareError> {
    let manifest = &election.manifest;
    let style = manifest.style(paper.style).ok_or(PrepareError::Style(paper.style))?;
    let contests = manifest.style_contests(style);
    check_choices(&contests, choices)?;

    let layout = Layout::of(&contests);
    let (values, slack) = committed_values(&contests, choices, layout.slack > 0);
    let options = Opened::commit(values, &mut rng);
    let (threshold, trustees) = (manifest.threshold, manifest.trustees.len() as u8);
    let (dealing, shares) = deal(&options.scalars(), &options.blindings(), threshold, trustees, &mut rng);
    let slack = Opened::commit(slack, &mut rng);

    let shape_error = || PrepareError::SelfCheck(BallotError::Shape);
    let statement = Statement {
        version: crate::VERSION,
        eid: election.eid,
        style: paper.style,
        credential: paper.credential,
        sequence: paper.sequence,
        anchor: paper.anchor,
        expiry: paper.expiry,
        commitments: BoundedVec::try_from(options.encodings()).map_err(|_| shape_error())?,
        slack: BoundedVec::try_from(slack.encodings()).map_err(|_| shape_error())?,
        dealing: dealing.digest(),
    };
    let ranges = layout.commitments(&options.commitments, &slack.commitments).ok_or_else(shape_error)?;
    let openings = layout.openings(&options.openings, &slack.openings).ok_or_else(shape_error)?;
    let openings = Zeroizing::new(openings);
    let proof = prove(
        generators,
        layout.shape,
        &mut transcript::range_proof(&statement.encode()),
        &ranges,
        &openings,
        &mut rng,
    )
    .and_then(|proof| BoundedVec::try_from(proof).ok())
    .ok_or_else(shape_error)?;
    let ballot = Ballot { statement, width: layout.shape.width, proof };
    Ok(Built { ballot, dealing, shares, randomness: rng })
}

/// Values, their blindings and their commitments.
struct Opened {
    openings: Zeroizing<Vec<(u32, Scalar)>>,
    commitments: Vec<Committed>,
}

impl Opened {
    fn commit(values: Zeroizing<Vec<u32>>, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let openings: Zeroizing<Vec<(u32, Scalar)>> =
            Zeroizing::new(values.iter().map(|value| (*value, Scalar::random(rng))).collect());
        let commitments = openings
            .iter()
            .map(|(value, blinding)| {
                let point = commit(Scalar::from(*value), *blinding);
                Committed { encoding: Point::of(&point), point }
            })
            .collect();
        Self { openings, commitments }
    }

    fn encodings(&self) -> Vec<Point> {
        self.commitments.iter().map(|committed| committed.encoding).collect()
    }

    fn scalars(&self) -> Zeroizing<Vec<Scalar>> {
        Zeroizing::new(self.openings.iter().map(|(value, _)| Scalar::from(*value)).collect())
    }

    fn blindings(&self) -> Zeroizing<Vec<Scalar>> {
        Zeroizing::new(self.openings.iter().map(|(_, blinding)| *blinding).collect())
    }
}

fn check_choices(contests: &[&Contest], choices: &Choices) -> Result<(), PrepareError> {
    if contests.len() != choices.0.len() {
        return Err(PrepareError::Contests { contests: contests.len(), votes: choices.0.len() });
    }
    contests.iter().zip(&choices.0).enumerate().try_for_each(|(index, (contest, vote))| {
        contest.check(vote).map_err(|error| PrepareError::Vote { contest: index, error })
    })
}

/// The values of the committed options and, if the ballot has slack bits, theirs, in ballot order.
pub(super) fn committed_values(
    contests: &[&Contest],
    choices: &Choices,
    has_slack: bool,
) -> (Zeroizing<Vec<u32>>, Zeroizing<Vec<u32>>) {
    let (mut options, mut slack) = (Zeroizing::new(Vec::new()), Zeroizing::new(Vec::new()));
    for (contest, vote) in contests.iter().zip(&choices.0) {
        options.extend(vote.iter().take(contest.committed()));
        if has_slack {
            slack.extend(contest.slack(vote));
        }
    }
    (options, slack)
}

impl Prepared {
    /// The tracking code, to be shown before the voter decides between audit and cast.
    #[must_use]
    pub fn tracking_code(&self) -> TrackingCode {
        TrackingCode::of(&self.hash)
    }

    /// The ballot hash: all 256 bits, for QR codes and checkers.
    #[must_use]
    pub fn hash(&self) -> BallotHash {
        self.hash
    }

    /// The ballot as the public will see it.
    #[must_use]
    pub fn ballot(&self) -> &Ballot {
        &self.built.ballot
    }

    /// Reveals the ballot for an audit (Benaloh challenge). It can't be cast any more.
    #[must_use]
    pub fn audit(self) -> AuditOpening {
        self.opening
    }

    /// Signs the ballot. Seed and choices are destroyed; what is left goes to the trustees.
    #[must_use]
    pub fn cast(
        self,
        election: &Election,
        credential: &SigningKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Signed {
        let signature = credential.sign(&Ballot::signable(election, &self.hash), rng);
        Signed {
            ballot: SignedBallot { ballot: self.built.ballot, signature },
            hash: self.hash,
            dealing: self.built.dealing,
            shares: self.built.shares,
            randomness: self.built.randomness,
        }
    }
}

/// A signed ballot with what its trustees need.
pub struct Signed {
    /// The signed ballot.
    pub ballot: SignedBallot,
    /// Its hash.
    pub hash: BallotHash,
    /// The commitments to the sharing polynomials, for all trustees.
    pub dealing: Dealing,
    /// Each trustee's share, trustee 1 first; secret.
    pub shares: Vec<Share>,
    /// What is left of the seed's stream, for [`crate::envelope::seal`].
    pub randomness: Expander,
}
