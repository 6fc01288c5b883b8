//! The election as the chain shows it (spec 8.1): what clients read through the runtime API.

use alloc::vec::Vec;
use bounded_collections::BoundedVec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    agreement::SetStatement,
    board::Action,
    bounds::{Reason, MAX_BOARD, MAX_COLUMNS, MAX_TRUSTEES},
    cells::Cells,
    group::Point,
    ids::{Anchor, BallotHash, Digest, Eid},
    keys::PublicKey,
    manifest::Manifest,
    tally::{Contribution, ElectionResult, Turnouts},
};
use bounded_collections::ConstU32;

/// The phase of an election. It only moves forward, and to [`Phase::Void`] from any phase but the last.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Phase {
    /// Created; trustees read the manifest and accept.
    Setup,
    /// All trustees accepted; the roll grows and voters register.
    Registration,
    /// The roll is frozen; the opening time has not come.
    Frozen,
    /// Voters cast.
    Open,
    /// Voting is over; the chain sums and the trustees agree on the set.
    Closed,
    /// q trustees signed the same set; contributions follow.
    Agreed,
    /// The openings were checked; the result stands.
    Tallied,
    /// The board certified the result.
    Certified,
    /// The board voided the election.
    Void,
}

impl core::fmt::Display for Phase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = match self {
            Self::Setup => "Setup",
            Self::Registration => "Registration",
            Self::Frozen => "Frozen",
            Self::Open => "Open",
            Self::Closed => "Closed",
            Self::Agreed => "Agreed",
            Self::Tallied => "Tallied",
            Self::Certified => "Certified",
            Self::Void => "Void",
        };
        f.pad(name)
    }
}

/// An election's state, without manifest, roll and ballots.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ElectionState {
    /// The chain's number of this election.
    pub number: u32,
    /// The phase.
    pub phase: Phase,
    /// The block in which it was created.
    pub created: u32,
    /// When voting opens at the earliest, in ms since the Unix epoch.
    pub opens_at: u64,
    /// When voting closes, in ms since the Unix epoch.
    pub closes_at: u64,
    /// The trustees that accepted, ascending.
    pub accepted: BoundedVec<u8, ConstU32<MAX_TRUSTEES>>,
    /// Batches proposed; the next batch has this number.
    pub batches: u32,
    /// Batches confirmed. Entries are numbered in the order in which their batches were.
    pub confirmed: u32,
    /// Entries on the roll, all of confirmed batches.
    pub entries: u32,
    /// Voters with a credential.
    pub voters: u32,
    /// The head of the roll log; at the freeze, the frozen roll's root.
    pub roll: Digest,
    /// Ballots accepted, replaced ones included.
    pub ballots: u32,
    /// Ballots that count: one per credential that voted.
    pub counted: u32,
    /// The head of the log of accepted ballots.
    pub ballot_log: Digest,
    /// The last block whose ballots count, once closed.
    pub closing: Option<Anchor>,
    /// Whether all counted ballots are summed.
    pub summed: bool,
    /// Whether a group below the privacy minimum voted, so that nothing may be opened.
    pub withheld: bool,
    /// Whether trustees signed different sets: evidence against at least one of them. Only a set
    /// that q trustees signed is ever opened.
    pub conflict: bool,
    /// Counted ballots that were excluded, because too few trustees can serve them; `counted` is without them.
    pub excluded: u32,
    /// The quorum for the set, where the board lowered it.
    pub lowered: Option<LoweredQuorum>,
    /// The set that q trustees signed.
    pub agreed: Option<SetStatement>,
    /// The digest of the result that the board certified.
    pub certified: Option<Digest>,
    /// Why it is void.
    pub void: Option<Reason>,
}

/// A quorum that the board lowered.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LoweredQuorum {
    /// How many trustees must sign the set.
    pub quorum: u8,
    /// The block from which that holds.
    pub from: u32,
}

impl LoweredQuorum {
    /// The quorum for the set at this height.
    #[must_use]
    pub fn at(lowered: Option<Self>, manifest: &Manifest, height: u32) -> u8 {
        lowered.filter(|lowered| height >= lowered.from).map_or(manifest.quorum, |lowered| lowered.quorum)
    }

    /// What the quorum can be lowered to: less than now, whether that holds already or not, and never below t.
    #[must_use]
    pub fn may_follow(lowered: Option<Self>, manifest: &Manifest, quorum: u8) -> bool {
        let now = lowered.map_or(manifest.quorum, |lowered| lowered.quorum);
        (manifest.threshold..now).contains(&quorum)
    }
}

/// A voter on the electoral roll, as the chain stores it: no ballot changes it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RegisteredVoter {
    /// The roll entry.
    pub entry: u32,
    /// The voter's weight.
    pub weight: u64,
    /// The voter's style.
    pub style: u16,
    /// The voter's reporting unit.
    pub unit: u16,
}

/// A voter and what it has cast.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Voter {
    /// The roll entry.
    pub entry: u32,
    /// The voter's weight.
    pub weight: u64,
    /// The voter's style.
    pub style: u16,
    /// The voter's reporting unit.
    pub unit: u16,
    /// Accepted ballots, replaced ones included.
    pub ballots: u8,
    /// The last accepted ballot's sequence number, 0 before the first.
    pub sequence: u32,
}

impl Voter {
    /// A registered voter whose last accepted ballot is this one.
    #[must_use]
    pub fn of(registered: &RegisteredVoter, last: Option<&RecordedBallot>) -> Self {
        let RegisteredVoter { entry, weight, style, unit } = *registered;
        let (ballots, sequence) = last.map_or((0, 0), |last| (last.caster.ballots, last.caster.sequence));
        Self { entry, weight, style, unit, ballots, sequence }
    }
}

/// What a ballot of a voter is checked against, and recorded with, in the order of spec 8.4.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Caster {
    /// The last accepted ballot's sequence number, 0 before the first.
    pub sequence: u32,
    /// Accepted ballots, replaced ones included.
    pub ballots: u8,
    /// The voter's style.
    pub style: u16,
    /// The voter's weight.
    pub weight: u64,
    /// The voter's reporting unit.
    pub unit: u16,
}

impl Caster {
    /// By the voter's last ballot, which repeats what the roll says; before the first by the roll.
    #[must_use]
    pub fn of(last: Option<RecordedHead>, roll: impl FnOnce() -> Option<RegisteredVoter>) -> Option<Self> {
        last.map(|(_, caster)| caster).or_else(|| {
            let RegisteredVoter { style, weight, unit, .. } = roll()?;
            Some(Self { sequence: 0, ballots: 0, style, weight, unit })
        })
    }
}

/// The ballot that counts for a credential, as the chain stores it: the proof that it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RecordedBallot {
    /// Its hash.
    pub hash: BallotHash,
    /// Its voter, with this ballot.
    pub caster: Caster,
    /// Its commitments.
    pub commitments: BoundedVec<Point, ConstU32<MAX_COLUMNS>>,
}

/// What a [`RecordedBallot`] begins with. Its commitments need not be decoded to know what its voter may cast next.
pub type RecordedHead = (BallotHash, Caster);

/// A batch of the roll as the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Batch {
    /// The digest of its entries.
    pub digest: Digest,
    /// How many entries it has.
    pub count: u32,
    /// The registrar that proposed it.
    pub registrar: u8,
    /// The index of its first entry on the roll, once the board confirmed it.
    pub first: Option<u32>,
}

/// A board action that waits for approvals.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Proposal {
    /// The action.
    pub action: Action,
    /// The members who approved, in order; the first proposed it.
    pub approvals: BoundedVec<u8, ConstU32<MAX_BOARD>>,
    /// The block after which it expires.
    pub expires: u32,
}

/// An election with its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ElectionView {
    /// Its identifier.
    pub eid: Eid,
    /// Its state.
    pub state: ElectionState,
    /// Its manifest.
    pub manifest: Manifest,
}

/// How a tally stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TallyView {
    /// The trustees who signed a set, with what they signed.
    pub agreements: Vec<(u8, SetStatement)>,
    /// The contributions.
    pub contributions: Vec<Contribution>,
    /// The cells, once summed.
    pub cells: Option<Cells>,
    /// The turnout per cell and contest, once summed.
    pub turnout: Option<Turnouts>,
    /// The sums of the commitments per cell and column, once summed.
    pub sums: Option<Vec<Point>>,
    /// The result, once tallied.
    pub result: Option<ElectionResult>,
}

/// A roll entry as the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EntryState {
    /// The entry.
    pub entry: crate::roll::RollEntry,
    /// Its batch.
    pub batch: u32,
    /// The credential that was registered for it.
    pub credential: Option<PublicKey>,
    /// How often it was re-invited.
    pub round: u8,
}
