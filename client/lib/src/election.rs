//! An election as a client works with it: read from the chain, its identifier derived again.

use psephos_protocol::{
    election::Election,
    ids::Eid,
    manifest::ManifestError,
    refusal::{PhaseMismatch, Refusal},
    state::Phase,
};

use crate::{chain::Chain, error::ChainError};

/// Why an election can't be worked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElectionError {
    /// The chain could not be asked, or has no such election.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The manifest breaks a rule of the protocol, which no chain lets through.
    #[error("election {eid}: its manifest breaks a rule, {error}; don't trust this node, ask another")]
    Manifest {
        /// The election.
        eid: Eid,
        /// The rule.
        error: ManifestError,
    },
    /// The manifest is another election's.
    #[error("the manifest that the node gives for election {asked} is that of {found}; don't trust this node, ask another")]
    Mismatch {
        /// The election asked for.
        asked: Eid,
        /// The election that chain, number and manifest make.
        found: Eid,
    },
}

/// Reads an election from the chain and derives its identifier again from chain, number and manifest.
///
/// # Errors
/// [`ElectionError::Mismatch`] when they make another identifier, [`ChainError::UnknownElection`].
pub async fn open_election(chain: &Chain, eid: &Eid) -> Result<Election, ElectionError> {
    let view = chain.election(eid).await?;
    let election = Election::new(chain.genesis(), view.state.number, view.manifest)
        .map_err(|error| ElectionError::Manifest { eid: *eid, error })?;
    if election.eid != *eid {
        return Err(ElectionError::Mismatch { asked: *eid, found: election.eid });
    }
    Ok(election)
}

/// Checks that an election is in one of these phases before anything is prepared for it.
///
/// # Errors
/// [`ChainError::WrongPhase`] naming both, [`ChainError::UnknownElection`].
pub async fn require_phase(
    chain: &Chain,
    eid: &Eid,
    needs: &'static str,
    is_right: impl Fn(Phase) -> bool,
) -> Result<(), ChainError> {
    let is = chain.at_best().election(eid).await?.state.phase;
    if is_right(is) {
        return Ok(());
    }
    Err(ChainError::WrongPhase(PhaseMismatch { needs, is }))
}

/// A refusal for the phase, with the phase that the election needs and the one that it is in.
pub(crate) async fn explain_phase(
    chain: &Chain,
    eid: &Eid,
    needs: &'static str,
    error: ChainError,
) -> ChainError {
    if error != ChainError::Refused(Refusal::WrongPhase) {
        return error;
    }
    match chain.at_best().election(eid).await {
        Ok(view) => ChainError::WrongPhase(PhaseMismatch { needs, is: view.state.phase }),
        Err(_) => error,
    }
}
