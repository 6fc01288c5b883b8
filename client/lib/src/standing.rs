//! How a voter stands in an election, proved: nothing of it is a node's word (spec 8.4, 9.3).

use psephos_protocol::{
    declaration::{Declarations, Missing},
    election::Election,
    ids::Anchor,
    keys::PublicKey,
    state::{ElectionState, RecordedBallot, RegisteredVoter, Voter},
};

use crate::{error::ChainError, finality::FinalBlock, proof};

/// How a credential stands in an election, by the state of a block that is proved to be final. Only that it is the
/// *last* final block can't be proved: see [`Self::time`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The block.
    pub block: Anchor,
    /// The block's time in ms since the Unix epoch: what came later is not known.
    pub time: u64,
    /// The election's state.
    pub election: ElectionState,
    /// The voter, if the credential is on the roll.
    pub voter: Option<Voter>,
    /// The last ballot of this credential that the chain accepted.
    pub ballot: Option<RecordedBallot>,
    /// Whether that ballot is excluded from the set, because too few trustees can serve it (spec 7.2).
    pub excluded: bool,
}

impl FinalBlock {
    /// How a credential stands at this block.
    ///
    /// # Errors
    /// [`ChainError::UnknownElection`] when the chain has no such election; [`ChainError::Inconsistent`].
    pub async fn standing(
        &self,
        election: &Election,
        credential: &PublicKey,
    ) -> Result<Standing, ChainError> {
        let (eid, chain) = (&election.eid, &self.chain);
        let keys = [
            proof::election_key(eid),
            proof::voter_key(eid, credential),
            proof::ballot_key(eid, credential),
            proof::time_key(),
        ];
        let mut values = self.values(&keys).await?.into_iter();
        let mut next = || values.next().flatten();
        let state: ElectionState = chain.decoded(next())?.ok_or(ChainError::UnknownElection(*eid))?;
        let registered = chain.decoded::<RegisteredVoter>(next())?;
        let ballot = chain.decoded::<RecordedBallot>(next())?;
        let voter = registered.map(|registered| Voter::of(&registered, ballot.as_ref()));
        let time = chain.decoded(next())?.unwrap_or_default();
        let excluded = state.excluded > 0 && self.excludes(election, credential).await?;
        Ok(Standing { block: self.anchor(), time, election: state, voter, ballot, excluded })
    }

    /// Whether the ballot of a credential is excluded by what the trustees declared.
    async fn excludes(&self, election: &Election, credential: &PublicKey) -> Result<bool, ChainError> {
        let trustees: Vec<u8> = (1u8..).take(election.manifest.trustees.len()).collect();
        let keys: Vec<_> =
            trustees.iter().map(|trustee| proof::missing_key(&election.eid, *trustee)).collect();
        let mut declarations = Declarations::default();
        for (trustee, value) in trustees.into_iter().zip(self.values(&keys).await?) {
            if let Some(missing) = self.chain.decoded::<Missing>(value)? {
                declarations.add(trustee, missing);
            }
        }
        Ok(declarations.excluded(&election.manifest).binary_search(credential).is_ok())
    }
}
