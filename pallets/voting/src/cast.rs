//! Casting (spec 6.5): what makes a ballot accepted, alone or in a bundle with others.

use alloc::{
    collections::btree_map::{BTreeMap, Entry},
    vec::Vec,
};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    pallet_prelude::*,
    storage::{unhashed, StoragePrefixedMap},
    StorageHasher,
};
use frame_system::pallet_prelude::BlockNumberFor;
use psephos_protocol::{
    ballot::{CastBallot, Terms},
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    election::Election,
    ids::Eid,
    keys::PublicKey,
    refusal::Refusal,
    state::{Caster, ElectionState, Phase, RecordedBallot, RecordedHead},
    transcript,
};
use scale_info::TypeInfo;
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{pallet::*, priority, WeightInfo};

/// Bytes of a style's terms, at most: no manifest has texts for so many.
const MAX_TERMS: u32 = 1 << 20;

/// What a ballot of one style needs of the manifest, apart from it: the manifest is long, and read once per ballot
/// it would cost as much as all else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct StyleRules {
    /// How many ballots a voter may cast.
    pub max_ballots: u8,
    /// The encoded [`Terms`], as the host is given them.
    pub terms: BoundedVec<u8, ConstU32<MAX_TERMS>>,
}

/// What ballots that come together share of the state, by style and by the number of their anchors' blocks.
#[derive(Default)]
struct Met {
    styles: BTreeMap<u16, StyleRules>,
    blocks: BTreeMap<u32, [u8; 32]>,
}

/// The keys of one voter's ballot and of its entry on the roll, in turn for the voters of an election. They begin alike for
/// all voters and end alike for both. A map makes its key anew each time, with three hashes and as many allocations, each a
/// call of the node.
pub(crate) struct VoterKeys {
    pub ballot: Vec<u8>,
    pub voter: Vec<u8>,
    beginning: usize,
}

impl VoterKeys {
    pub fn new<T: Config>(eid: &Eid) -> Self {
        let begin = |map: [u8; 32]| [map, eid.0].concat();
        let (ballot, voter) = (begin(Ballots::<T>::final_prefix()), begin(Voters::<T>::final_prefix()));
        Self { beginning: ballot.len(), ballot, voter }
    }

    pub fn turn_to(&mut self, credential: &PublicKey) {
        let end = credential.using_encoded(Blake2_128Concat::hash);
        for key in [&mut self.ballot, &mut self.voter] {
            key.truncate(self.beginning);
            key.extend_from_slice(&end);
        }
    }

    /// What the state says of this voter, whose keys these now are.
    fn caster(&mut self, credential: &PublicKey) -> Result<Caster, Refusal> {
        self.turn_to(credential);
        let last = unhashed::get::<RecordedHead>(&self.ballot);
        Caster::of(last, || unhashed::get(&self.voter)).ok_or(Refusal::NotOnRoll)
    }
}

impl<T: Config> Pallet<T> {
    /// The cost of checking a ballot grows with its range bits and its receipts. A third of what a node needs that
    /// verifies it alone is taken: nodes verify a block's ballots in batches, on all cores (ADR 14).
    pub(crate) fn authorize_cast_weight(ballot: &CastBallot) -> Weight {
        let (bits, receipts) = size(ballot);
        let known = <T as Config>::WeightInfo::authorize_known_cast(bits, receipts);
        known.saturating_add(Self::proof_weight(ballot))
    }

    /// What the ballots of a bundle cost more than the same number of the smallest is what they cost more alone. Each may
    /// have a style and an anchor of its own, which the measured ones share.
    pub(crate) fn authorize_bundle_weight(ballots: &[CastBallot]) -> Weight {
        let known = <T as Config>::WeightInfo::authorize_known_cast;
        let least = known(0, 0);
        let reads = T::DbWeight::get().reads((ballots.len() as u64).saturating_mul(2));
        ballots.iter().fold(
            <T as Config>::WeightInfo::authorize_known_bundle(ballots.len() as u32).saturating_add(reads),
            |sum, ballot| {
                let (bits, receipts) = size(ballot);
                sum.saturating_add(known(bits, receipts).saturating_sub(least))
                    .saturating_add(Self::proof_weight(ballot))
            },
        )
    }

    /// A third of what verifying a ballot alone adds.
    fn proof_weight(ballot: &CastBallot) -> Weight {
        let (bits, receipts) = size(ballot);
        let alone = <T as Config>::WeightInfo::authorize_cast(bits, receipts);
        let known = <T as Config>::WeightInfo::authorize_known_cast(bits, receipts);
        alone.saturating_sub(known).saturating_div(3)
    }

    /// The cost of recording a ballot grows with its commitments.
    pub(crate) fn cast_weight(ballot: &CastBallot) -> Weight {
        <T as Config>::WeightInfo::cast(ballot.signed.ballot.statement.commitments.len() as u32)
    }

    /// Recording a bundle, likewise.
    pub(crate) fn bundle_weight(ballots: &[CastBallot]) -> Weight {
        let least = <T as Config>::WeightInfo::cast(0);
        ballots.iter().fold(<T as Config>::WeightInfo::bundle(ballots.len() as u32), |sum, ballot| {
            sum.saturating_add(Self::cast_weight(ballot).saturating_sub(least))
        })
    }

    /// Ballots in the pool hold a place for their voters: of each there is one at a time.
    pub(crate) fn authorize_ballots(ballots: &[CastBallot]) -> TransactionValidityWithRefund {
        let statements = || ballots.iter().map(|ballot| &ballot.signed.ballot.statement);
        let expiry = statements().map(|statement| statement.expiry).min().unwrap_or_default();
        Self::verdict(
            Self::check_cast(ballots),
            priority::VOTERS,
            u64::from(expiry.saturating_sub(Self::height())),
            statements().map(|statement| ("cast", statement.eid, statement.credential)),
        )
    }

    /// All checks of ballots that come together, cheap ones of all first, then those of signatures and proofs.
    fn check_cast(ballots: &[CastBallot]) -> Result<(), Refusal> {
        let eid = check_order(ballots)?;
        Self::check_open(&eid)?;
        let (mut met, mut keys) = (Met::default(), VoterKeys::new::<T>(&eid));
        for ballot in ballots {
            let voter = keys.caster(&ballot.signed.ballot.statement.credential)?;
            Self::check_eligible(ballot, &voter, &mut met)?;
        }
        for ballot in ballots {
            let rules = met.styles.get(&ballot.signed.ballot.statement.style).ok_or(Refusal::WrongStyle)?;
            check_proofs(ballot, rules)?;
        }
        Ok(())
    }

    fn check_open(eid: &Eid) -> Result<(), Refusal> {
        let state = Elections::<T>::get(eid).ok_or(Refusal::UnknownElection)?;
        if state.phase != Phase::Open || pallet_timestamp::Pallet::<T>::get() >= state.closes_at {
            return Err(Refusal::WrongPhase);
        }
        Ok(())
    }

    /// The other checks against the chain's state: roll, style, sequence, expiry, anchor.
    fn check_eligible(ballot: &CastBallot, voter: &Caster, met: &mut Met) -> Result<(), Refusal> {
        let statement = &ballot.signed.ballot.statement;
        if statement.style != voter.style {
            return Err(Refusal::WrongStyle);
        }
        let rules = match met.styles.entry(voter.style) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                new.insert(Styles::<T>::get(statement.eid, voter.style).ok_or(Refusal::WrongStyle)?)
            }
        };
        if voter.ballots >= rules.max_ballots {
            return Err(Refusal::TooManyBallots);
        }
        let step = statement.sequence.saturating_sub(voter.sequence);
        if step == 0 || step > SEQUENCE_WINDOW {
            return Err(Refusal::WrongSequence);
        }
        let now = Self::height();
        if statement.expiry < now {
            return Err(Refusal::Expired);
        }
        let anchor = &statement.anchor;
        let block = || frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(anchor.number)).into();
        let known = *met.blocks.entry(anchor.number).or_insert_with(block);
        let longest = anchor.number.saturating_add(MAX_LIFETIME);
        if anchor.number >= now || known != anchor.hash || statement.expiry > longest {
            return Err(Refusal::WrongAnchor);
        }
        Ok(())
    }

    /// Keeps what every ballot of an election needs of its manifest.
    pub(crate) fn keep_styles(election: &Election) -> Result<(), Refusal> {
        let max_ballots = election.manifest.max_ballots;
        for style in (0u16..).take(election.manifest.styles.len()) {
            let terms = Terms::of(election, style).map_err(Refusal::from)?.encode();
            let terms = BoundedVec::try_from(terms).map_err(|_| Refusal::InvalidManifest)?;
            Styles::<T>::insert(election.eid, style, StyleRules { max_ballots, terms });
        }
        Ok(())
    }

    /// Accepts ballots of one election. That they may be was found a moment before, when this very extrinsic was
    /// authorized.
    pub(crate) fn do_cast(ballots: impl IntoIterator<Item = CastBallot>) -> Result<(), Refusal> {
        let mut ballots = ballots.into_iter().peekable();
        let first = ballots.peek().ok_or(Refusal::WrongBundle)?;
        let eid = first.signed.ballot.statement.eid;
        Elections::<T>::try_mutate(eid, |state| {
            let state = state.as_mut().ok_or(Refusal::UnknownElection)?;
            let mut keys = VoterKeys::new::<T>(&eid);
            for ballot in ballots {
                record(state, ballot, &mut keys)?;
            }
            let (ballots, log) = (state.ballots, state.ballot_log);
            Self::deposit_event(Event::BallotsAccepted { eid, ballots, log });
            Ok(())
        })
    }
}

fn record(state: &mut ElectionState, ballot: CastBallot, keys: &mut VoterKeys) -> Result<(), Refusal> {
    let hash = psephos_host::ballot_hash(&ballot);
    let statement = ballot.signed.ballot.statement;
    let voter = keys.caster(&statement.credential)?;
    // The voter's style is the ballot's.
    let caster = Caster { sequence: statement.sequence, ballots: voter.ballots.saturating_add(1), ..voter };
    let recorded = RecordedBallot { hash, caster, commitments: statement.commitments };
    unhashed::put(&keys.ballot, &recorded);
    state.ballots = state.ballots.saturating_add(1);
    state.counted = state.counted.saturating_add(u32::from(voter.ballots == 0));
    state.ballot_log = transcript::log(&state.ballot_log, &hash.0);
    Ok(())
}

/// Signatures and proofs, as the node has verified them.
fn check_proofs(ballot: &CastBallot, rules: &StyleRules) -> Result<(), Refusal> {
    match psephos_host::verify(ballot, &rules.terms) {
        0 => Ok(()),
        code => Err(u8::try_from(code).ok().and_then(Refusal::from_code).unwrap_or(Refusal::BadProof)),
    }
}

/// The range bits and the receipts that a ballot's cost grows with.
fn size(ballot: &CastBallot) -> (u32, u32) {
    // The proof's length gives its range bits: 32·(9 + 2·log2(bits)) bytes.
    let rounds = (ballot.signed.ballot.proof.len() as u32 / 32).saturating_sub(9) / 2;
    let bits = 1u32.checked_shl(rounds).unwrap_or(u32::MAX).min(psephos_protocol::bounds::MAX_RANGE_BITS);
    (bits, ballot.receipts.len() as u32)
}

/// The election of ballots that come together, if they may: so that none is there twice, and the order says nothing of
/// who came first, they come in that of their credentials.
fn check_order(ballots: &[CastBallot]) -> Result<Eid, Refusal> {
    let place = |ballot: &CastBallot| {
        let statement = &ballot.signed.ballot.statement;
        (statement.eid, statement.credential)
    };
    let (eid, _) = ballots.first().map(place).ok_or(Refusal::WrongBundle)?;
    let follows = |pair: &[CastBallot]| match pair {
        [one, other] => place(other).0 == eid && place(one).1 < place(other).1,
        _ => false,
    };
    if ballots.windows(2).all(follows) {
        Ok(eid)
    } else {
        Err(Refusal::WrongBundle)
    }
}
