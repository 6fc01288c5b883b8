//! Following (spec 7.2): the accepted set, rebuilt from finalized block bodies that this trustee has read
//! itself, and the signatures of the other trustees.
//!
//! Nothing that the chain says about its own state enters the set but voters' weights and units; its count and
//! log of ballots are compared with what the blocks hold, and a difference stops this trustee.

use psephos_client::{ChainBlock, ChainError};
use psephos_protocol::{
    agreement::{Accepted, AcceptedSet, Agreement, SetStatement},
    ballot::{batch, BallotError, CastBallot, TrackingCode},
    board::{Action, Board},
    bounds::LOWERED_QUORUM_WAIT,
    cells::{Cells, Groups},
    declaration::{Declaration, Declarations},
    election::Election,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::{verify_signature, PublicKey},
    manifest::Manifest,
    state::{ElectionState, LoweredQuorum, RegisteredVoter},
    tally::Contribution,
    transcript,
    wire::Message,
};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    elections::{Proved, Served},
    store::{Store, StoreError},
};

/// Why the set can't be rebuilt, or is not the chain's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The chain could not be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A block is not the next one.
    #[error("block {found} ({hash}) came where the child of block {last} was due: the node gives another chain than before; ask another node")]
    Gap {
        /// The last block that was read.
        last: u32,
        /// The block that came.
        found: u32,
        /// Its hash, in hexadecimal.
        hash: String,
    },
    /// The blocks that were read do not lead to one that is proved to be final.
    #[error("the blocks that the node gave lead to {ours}, and block {number} that is proved to be final is {proved}: the node gives another chain; ask another node, nothing is signed")]
    Unproved {
        /// The block's number.
        number: u32,
        /// Its hash, as proved.
        proved: String,
        /// The hash of the block that was read.
        ours: String,
    },
    /// A block holds a ballot that no chain may accept.
    #[error("block {block} holds ballot {code}, which does not verify ({error}): validators have accepted what they must not; nothing is signed")]
    Ballot {
        /// The block.
        block: u32,
        /// The ballot.
        code: TrackingCode,
        /// What is wrong.
        error: BallotError,
    },
    /// A ballot does not come after the last one of its credential.
    #[error("block {block} holds ballot {code} with sequence {sequence} after {last} of the same credential: nothing is signed")]
    Sequence {
        /// The block.
        block: u32,
        /// The ballot.
        code: TrackingCode,
        /// Its sequence number.
        sequence: u32,
        /// The last one before.
        last: u32,
    },
    /// A counted ballot's voter is not on the frozen roll, has another style, or a unit that there is not.
    #[error("ballot {code} counts, but the roll has its credential {credential} not at all, with another style, or in a unit that the manifest does not have: nothing is signed")]
    Voter {
        /// The ballot.
        code: TrackingCode,
        /// The credential.
        credential: PublicKey,
    },
    /// The closing block is another.
    #[error("the chain closed at block {number} with hash {chain}, and this trustee read {ours} there: nothing is signed")]
    Closing {
        /// Its number.
        number: u32,
        /// The hash in the chain's state, in hexadecimal.
        chain: String,
        /// The hash of the block that was read, in hexadecimal.
        ours: String,
    },
    /// The blocks hold other ballots than the chain's state says.
    #[error("{what}: the blocks up to the closing one give {ours}, and the chain's state says {chain}: ballots were dropped or added; nothing is signed")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// From the blocks.
        ours: String,
        /// From the state.
        chain: String,
    },
}

impl FollowError {
    fn voter(credential: PublicKey, ballot: BallotHash) -> Self {
        Self::Voter { code: TrackingCode::of(&ballot), credential }
    }
}

/// What a block says about an election, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A ballot was accepted.
    Ballot {
        /// By whom.
        credential: PublicKey,
        /// The ballot.
        last: LastBallot,
    },
    /// A trustee declared what it can't serve.
    Declaration(Declaration),
    /// A member of the board approved to lower the quorum for the set.
    Lowering {
        /// The member.
        member: u8,
        /// To this.
        quorum: u8,
        /// The digest of the action that was approved.
        action: Digest,
    },
    /// A trustee signed a set.
    Agreement(Agreement),
    /// A trustee contributed.
    Contribution(Contribution),
}

/// The last accepted ballot of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastBallot {
    /// Its sequence number.
    pub sequence: u32,
    /// Its hash.
    pub hash: BallotHash,
    /// Its style.
    pub style: u16,
}

fn ballot<'a>(message: &'a Message, eid: &Eid) -> Option<&'a CastBallot> {
    match message {
        Message::Cast(cast) if cast.signed.ballot.statement.eid == *eid => Some(cast),
        _ => None,
    }
}

/// Reads a block: its facts about this election, in order, every signature checked, those of the ballots together.
///
/// # Errors
/// [`FollowError::Ballot`] when it holds a ballot that no chain may accept.
pub fn read(served: &Served, block: &ChainBlock) -> Result<Vec<Fact>, FollowError> {
    let election = &served.election;
    let of_no_chain = |cast: &CastBallot, error| FollowError::Ballot {
        block: block.anchor.number,
        code: TrackingCode::of(&cast.signed.ballot.hash()),
        error,
    };
    let mut ballots = Vec::new();
    for cast in block.messages.iter().filter_map(|message| ballot(message, &election.eid)) {
        let checks = served.checks.get(usize::from(cast.signed.ballot.statement.style));
        ballots.push((cast, checks.ok_or_else(|| of_no_chain(cast, BallotError::Style))?));
    }
    let mut hashes = batch::verify_signatures(&ballots, &served.generators).into_iter();
    let mut facts = Vec::new();
    for message in &block.messages {
        match message {
            Message::Cast(_) => {
                let Some(cast) = ballot(message, &election.eid) else { continue };
                let statement = &cast.signed.ballot.statement;
                let hash = hashes.next().unwrap_or(Err(BallotError::Signature));
                let hash = hash.map_err(|error| of_no_chain(cast, error))?;
                let last = LastBallot { sequence: statement.sequence, hash, style: statement.style };
                facts.push(Fact::Ballot { credential: statement.credential, last });
            }
            Message::Declare(declaration)
                if declaration.verify(election, verify_signature) && declaration.missing.is_ordered() =>
            {
                facts.push(Fact::Declaration(declaration.clone()));
            }
            Message::Approve(approval) => {
                let Action::LowerQuorum { eid, quorum, .. } = &approval.action else { continue };
                let board = &election.manifest.board;
                if *eid == election.eid && approval.verify(verify_signature, &election.genesis, board) {
                    let (member, action) = (approval.member, approval.action.digest());
                    facts.push(Fact::Lowering { member, quorum: *quorum, action });
                }
            }
            Message::Agree(agreement) if agreement.verify(election, verify_signature) => {
                facts.push(Fact::Agreement(*agreement));
            }
            Message::Contribute(contribution) if contribution.verify(election, verify_signature) => {
                facts.push(Fact::Contribution(contribution.clone()));
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// What the finalized blocks of one election have said so far.
pub struct Follower {
    first: u32,
    head: Option<Anchor>,
    ballots: BTreeMap<PublicKey, LastBallot>,
    accepted: u32,
    log: Digest,
    declarations: Declarations,
    /// The members who approved to lower the quorum, by action.
    lowering: BTreeMap<Digest, BTreeSet<u8>>,
    lowered: Option<LoweredQuorum>,
    agreements: Vec<Agreement>,
    contributions: BTreeMap<u8, Contribution>,
    /// Accepted ballots that may be missing here, with the block that has each.
    unseen: BTreeMap<PublicKey, (BallotHash, u32)>,
}

impl Follower {
    /// Begins with the block that created the election.
    #[must_use]
    pub fn new(created: u32) -> Self {
        Self {
            first: created,
            head: None,
            ballots: BTreeMap::new(),
            accepted: 0,
            log: Digest::default(),
            declarations: Declarations::default(),
            lowering: BTreeMap::new(),
            lowered: None,
            agreements: Vec::new(),
            contributions: BTreeMap::new(),
            unseen: BTreeMap::new(),
        }
    }

    /// The number of the block that is read next.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.head.map_or(self.first, |head| head.number.saturating_add(1))
    }

    /// Takes the facts of the next block.
    ///
    /// # Errors
    /// [`FollowError::Gap`] when it is not the child of the last, [`FollowError::Sequence`]; what this
    /// follower knows is of no use then, and a new one must begin.
    pub fn apply(
        &mut self,
        board: &Board,
        anchor: Anchor,
        parent: [u8; 32],
        facts: Vec<Fact>,
    ) -> Result<(), FollowError> {
        let follows = self.head.is_none_or(|head| head.hash == parent);
        if anchor.number != self.next() || !follows {
            let last = self.next().saturating_sub(1);
            return Err(FollowError::Gap { last, found: anchor.number, hash: hex::encode(anchor.hash) });
        }
        for fact in facts {
            match fact {
                Fact::Ballot { credential, last } => self.accept(anchor.number, credential, last)?,
                Fact::Declaration(declaration) => {
                    self.declarations.add(declaration.trustee, declaration.missing);
                }
                Fact::Lowering { member, quorum, action } => {
                    let members = self.lowering.entry(action).or_default();
                    members.insert(member);
                    if members.len() >= usize::from(board.threshold) {
                        self.lowering.remove(&action);
                        let from = anchor.number.saturating_add(LOWERED_QUORUM_WAIT);
                        self.lowered = Some(LoweredQuorum { quorum, from });
                    }
                }
                Fact::Agreement(agreement) => self.agreements.push(agreement),
                Fact::Contribution(contribution) => {
                    self.contributions.entry(contribution.trustee).or_insert(contribution);
                }
            }
        }
        self.head = Some(anchor);
        Ok(())
    }

    /// Checks that the last block that was read is this one, unless the follower was beyond it before.
    ///
    /// # Errors
    /// [`FollowError::Unproved`].
    pub fn ends_with(&self, end: Anchor) -> Result<(), FollowError> {
        match self.head {
            Some(head) if head.number == end.number && head.hash != end.hash => Err(FollowError::Unproved {
                number: end.number,
                proved: hex::encode(end.hash),
                ours: hex::encode(head.hash),
            }),
            _ => Ok(()),
        }
    }

    fn accept(&mut self, block: u32, credential: PublicKey, ballot: LastBallot) -> Result<(), FollowError> {
        let before = self.ballots.insert(credential, ballot).map_or(0, |before| before.sequence);
        if ballot.sequence <= before {
            let code = TrackingCode::of(&ballot.hash);
            return Err(FollowError::Sequence { block, code, sequence: ballot.sequence, last: before });
        }
        self.unseen.insert(credential, (ballot.hash, block));
        self.accepted = self.accepted.saturating_add(1);
        self.log = transcript::log(&self.log, &ballot.hash.0);
        Ok(())
    }

    /// The accepted set, when the last block that was read is the closing block: compared with the chain's
    /// own count and log, and with every voter's weight and unit from the frozen roll.
    ///
    /// # Errors
    /// [`FollowError`], naming what differs on both sides.
    pub async fn accepted_set(
        &self,
        election: &Election,
        proved: &impl Proved,
        closing: Anchor,
        state: &ElectionState,
    ) -> Result<AcceptedSet, FollowError> {
        if self.head != Some(closing) {
            return Err(FollowError::Closing {
                number: closing.number,
                chain: hex::encode(closing.hash),
                ours: hex::encode(self.head.unwrap_or_default().hash),
            });
        }
        let mismatch = |what, ours: String, chain: String| FollowError::Mismatch { what, ours, chain };
        if self.log != state.ballot_log {
            return Err(mismatch("log of ballots", self.log.to_string(), state.ballot_log.to_string()));
        }
        if self.accepted != state.ballots {
            return Err(mismatch("accepted ballots", self.accepted.to_string(), state.ballots.to_string()));
        }
        let counted = state.counted.saturating_add(state.excluded);
        if self.ballots.len() != counted as usize {
            return Err(mismatch("counted ballots", self.ballots.len().to_string(), counted.to_string()));
        }
        let credentials: Vec<PublicKey> = self.ballots.keys().copied().collect();
        let mut voters = proved.registered(&election.eid, &credentials).await?.into_iter();
        let mut set = AcceptedSet::default();
        for (credential, ballot) in &self.ballots {
            let fits = |voter: &RegisteredVoter| {
                voter.style == ballot.style && usize::from(voter.unit) < election.manifest.units.len()
            };
            let voter = voters.next().flatten().filter(fits);
            let RegisteredVoter { weight, unit, .. } =
                voter.ok_or_else(|| FollowError::voter(*credential, ballot.hash))?;
            let (sequence, ballot) = (ballot.sequence, ballot.hash);
            set.accept(*credential, Accepted { sequence, ballot, weight, unit });
        }
        Ok(set)
    }

    /// The cells of a set of ballots that were read: what is opened of it, and nothing finer ever.
    ///
    /// # Errors
    /// [`FollowError::Voter`] when it holds others.
    pub fn cells(&self, manifest: &Manifest, set: &AcceptedSet) -> Result<Cells, FollowError> {
        let mut groups = Groups::per_unit(manifest);
        for (credential, accepted) in set.iter() {
            let read = self.ballots.get(credential).filter(|read| read.hash == accepted.ballot);
            let unit = groups.get_mut(manifest.counting_unit(accepted.unit));
            let (read, unit) =
                read.zip(unit).ok_or_else(|| FollowError::voter(*credential, accepted.ballot))?;
            unit.add(manifest, accepted.weight, read.style);
        }
        Ok(Cells::of(manifest, &groups))
    }

    /// Ballots that count so far, were accepted up to this block, and are not in the store; with their voters. What
    /// is in the store is not asked for again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn missing(
        &mut self,
        store: &Store,
        eid: &Eid,
        until: u32,
    ) -> Result<Vec<(PublicKey, BallotHash)>, StoreError> {
        let mut missing = Vec::new();
        let due = self.unseen.iter().filter(|(_, (_, block))| *block <= until);
        let mut seen = Vec::new();
        for (credential, (ballot, _)) in due {
            match store.deposited(eid, ballot)? {
                Some(_) => seen.push(*credential),
                None => missing.push((*credential, *ballot)),
            }
        }
        seen.iter().for_each(|credential| {
            self.unseen.remove(credential);
        });
        Ok(missing)
    }

    /// How many ballots count so far.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.ballots.len()
    }

    /// What the trustees declared.
    #[must_use]
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// How many trustees must sign the set, at the last block that was read.
    #[must_use]
    pub fn quorum(&self, manifest: &Manifest) -> u8 {
        LoweredQuorum::at(self.lowered, manifest, self.next().saturating_sub(1))
    }

    /// The first agreement that a trustee has on the chain.
    #[must_use]
    pub fn agreement_of(&self, trustee: u8) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| agreement.trustee == trustee)
    }

    /// An agreement on the chain to another set than this one.
    #[must_use]
    pub fn conflicting(&self, statement: &SetStatement) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| agreement.statement != *statement)
    }

    /// How many trustees have signed this set on the chain.
    #[must_use]
    pub fn signers(&self, statement: &SetStatement) -> usize {
        let signers = self.agreements.iter().filter(|agreement| agreement.statement == *statement);
        signers.map(|agreement| agreement.trustee).collect::<BTreeSet<_>>().len()
    }

    /// A trustee's contribution on the chain.
    #[must_use]
    pub fn contribution_of(&self, trustee: u8) -> Option<&Contribution> {
        self.contributions.get(&trustee)
    }

    /// The contributions on the chain, by trustee.
    #[must_use]
    pub fn contributions(&self) -> &BTreeMap<u8, Contribution> {
        &self.contributions
    }
}
