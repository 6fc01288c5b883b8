//! The voter's story: register, prepare a ballot, then audit it or cast it (spec 4.3, 5 and 6).
//!
//! [`Voting`] holds what all voters of an election share in one process; it is cheap to clone. A
//! prepared ballot is the protocol's own [`Prepared`]: it shows its tracking code, and is consumed by
//! `audit` or by [`Voting::cast`], so that none is both revealed and sent. Who must not lose a ballot in a
//! crash uses [`Voting::seal`], keeps what that gives on disk, and hands it to [`Voting::send`].

mod cast;
mod receipt;
mod register;
mod sealed;

pub use cast::{Delivered, Deliveries, RecordedVote};
pub use receipt::{ReceiptError, Verdict, VoterReceipt};
pub use register::{register, Registered};
pub use sealed::{SealedBallot, MAX_SEALED_BYTES};

use psephos_protocol::{
    ballot::{prepare, Ballotpaper, Choices, PrepareError, Prepared, Seed},
    bounds::MAX_LIFETIME,
    election::Election,
    envelope::EnvelopeError,
    ids::{BallotHash, Eid},
    invitation::{InvitationCode, InvitationError},
    keys::{PublicKey, SigningKey},
    range_proof::Generators,
};
use rand_core::OsRng;
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::{
    chain::Chain,
    election::{open_election, ElectionError},
    endpoints::{EndpointsError, TrusteeClient, TrusteeEndpoints, TrusteeError},
    error::ChainError,
};

/// For how many blocks a ballot may be accepted after it was prepared: 20 minutes at 2 s a block.
pub const LIFETIME: u32 = 600;

/// Why a voter's act did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoterError {
    /// The chain could not be asked, or did not take the message.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The election can't be worked with.
    #[error(transparent)]
    Election(#[from] ElectionError),
    /// The trustees' addresses can't be used.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// An invitation code gave no key.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// No code was given, or more than two.
    #[error("an invitation has one code or two, and {0} are given")]
    Codes(usize),
    /// The codes are on no roll entry of this election.
    #[error("no entry of the electoral roll has this invitation: check the code, and that it is for election {0}; if both are right, ask the registrar whether its batch is confirmed")]
    NotInvited(Eid),
    /// The entry needs other codes.
    #[error("roll entry {entry} needs {needed} invitation codes, and {given} are given: use those of all letters together")]
    OtherCodes {
        /// The roll entry.
        entry: u32,
        /// Codes that it needs.
        needed: usize,
        /// Codes given.
        given: usize,
    },
    /// Somebody has claimed the entry.
    #[error("roll entry {entry} was claimed already, by credential {credential}, as the node says: if that is not yours, ask another node, and tell the election board at once")]
    Claimed {
        /// The roll entry.
        entry: u32,
        /// The credential that claimed it.
        credential: PublicKey,
    },
    /// The message is in a block, and the chain did not act on it, or the node made the block up.
    #[error("block {block} holds the registration, but the roll, as it is proved, does not have the credential: the phase ended just then, or another credential was faster; look at roll entry {entry}")]
    NotRegistered {
        /// The block.
        block: u32,
        /// The roll entry.
        entry: u32,
    },
    /// The credential is not on the roll.
    #[error("credential {0} is not on the electoral roll of this election: register first, and check that it is this election's credential")]
    NotOnRoll(PublicKey),
    /// The choices are no valid vote, or the device failed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A share could not be sealed.
    #[error("a share could not be sealed: {0}")]
    Seal(#[from] EnvelopeError),
    /// The computation was cut off.
    #[error("the computation on this device was cut off, for want of memory or because the program ends: try again")]
    Device,
    /// The ballot belongs to another credential.
    #[error("the ballot was prepared for credential {prepared} and can't be signed by {given}")]
    OtherCredential {
        /// The ballot's credential.
        prepared: PublicKey,
        /// The credential given.
        given: PublicKey,
    },
    /// Too few trustees gave a receipt.
    #[error("{got} of the {quorum} receipts needed came; nothing was cast. {}. Try again when they are back", list(.failures))]
    TooFewReceipts {
        /// Receipts that came.
        got: usize,
        /// Receipts needed.
        quorum: u8,
        /// Why each of the others gave none.
        failures: Vec<TrusteeError>,
    },
    /// The ballot was not recorded and can't be any more.
    #[error("{0}; this ballot is not recorded and can't be any more, because it expired or a later one of this credential is: vote anew")]
    Lapsed(Box<VoterError>),
    /// The chain has another ballot.
    #[error("block {block} is final, but the ballot recorded for this credential is {recorded:?} and not {cast}: another device may have cast with this credential; prepare and cast again")]
    NotRecorded {
        /// The ballot that was cast.
        cast: BallotHash,
        /// The ballot that counts, if any.
        recorded: Option<BallotHash>,
        /// The block that the proof is of.
        block: u32,
    },
}

fn list(failures: &[TrusteeError]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What all voters of an election share: the election, its generators, the chain, the trustees.
#[derive(Clone)]
pub struct Voting {
    shared: Arc<Shared>,
}

struct Shared {
    chain: Chain,
    election: Arc<Election>,
    generators: Generators,
    trustees: Vec<TrusteeClient>,
    /// One computation per core at a time, so that many voters don't slow each other down.
    cores: Semaphore,
}

impl Voting {
    /// Reads the election from the chain, checks its identifier, and derives its generators once. The trustees are
    /// where they say on the chain.
    ///
    /// # Errors
    /// [`VoterError::Election`], or [`VoterError::Endpoints`] when fewer than q trustees have stated an address.
    pub async fn open(chain: &Chain, eid: &Eid) -> Result<Self, VoterError> {
        let election = open_election(chain, eid).await?;
        let endpoints = TrusteeEndpoints::stated(chain, eid).await?;
        Self::new(chain.clone(), election, &endpoints)
    }

    /// As [`Self::open`], with an election that was opened before, and trustees' addresses.
    ///
    /// # Errors
    /// [`VoterError::Endpoints`].
    pub fn new(chain: Chain, election: Election, endpoints: &TrusteeEndpoints) -> Result<Self, VoterError> {
        let trustees = endpoints.clients(&election)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            shared: Arc::new(Shared {
                chain,
                generators: generators(&election),
                election: Arc::new(election),
                trustees,
                cores: Semaphore::new(cores),
            }),
        })
    }

    /// The election.
    #[must_use]
    pub fn election(&self) -> &Election {
        &self.shared.election
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.shared.chain
    }

    /// The generators that serve every style.
    #[must_use]
    pub fn generators(&self) -> &Generators {
        &self.shared.generators
    }

    /// The trustees that can be called.
    #[must_use]
    pub fn trustees(&self) -> &[TrusteeClient] {
        &self.shared.trustees
    }

    /// Registers a credential with the codes of an invitation; see [`register`].
    ///
    /// # Errors
    /// As there.
    pub async fn register(
        &self,
        codes: &[InvitationCode],
        credential: &SigningKey,
    ) -> Result<Registered, VoterError> {
        register(self.chain(), self.election(), codes, credential).await
    }

    /// Prepares a ballot for a voter on the roll: with the roll's style, the next sequence number and the
    /// last finalized block, to be accepted within [`LIFETIME`] blocks.
    ///
    /// # Errors
    /// [`VoterError::NotOnRoll`], or [`VoterError::Prepare`] naming contest and limit.
    pub async fn prepare(&self, credential: &PublicKey, choices: Choices) -> Result<Prepared, VoterError> {
        self.prepare_within(credential, choices, LIFETIME).await
    }

    /// As [`Self::prepare`], to be accepted within `lifetime` blocks, at most [`MAX_LIFETIME`].
    ///
    /// # Errors
    /// As there.
    pub async fn prepare_within(
        &self,
        credential: &PublicKey,
        choices: Choices,
        lifetime: u32,
    ) -> Result<Prepared, VoterError> {
        let eid = self.election().eid;
        let voter = self
            .chain()
            .at_best()
            .voter(&eid, credential)
            .await?
            .ok_or(VoterError::NotOnRoll(*credential))?;
        let anchor = self.chain().finalized().await?;
        let paper = Ballotpaper {
            style: voter.style,
            credential: *credential,
            sequence: voter.sequence.saturating_add(1),
            anchor,
            expiry: anchor.number.saturating_add(lifetime.min(MAX_LIFETIME)),
        };
        let prepared = self
            .compute(move |shared| {
                prepare(&shared.election, &shared.generators, paper, choices, Seed::generate(&mut OsRng))
            })
            .await??;
        Ok(prepared)
    }

    /// Runs a computation on a thread of its own, at most one per core.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, VoterError> {
        let _permit = self.shared.cores.acquire().await.map_err(|_| VoterError::Device)?;
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| VoterError::Device)
    }
}

/// The generators that serve every style of an election.
#[must_use]
pub fn generators(election: &Election) -> Generators {
    Generators::covering(election.manifest.shapes())
}
