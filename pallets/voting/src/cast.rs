//! Casting (spec 6.5): what makes a ballot accepted.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use psephos_protocol::{
    ballot::{CastBallot, Terms},
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    election::Election,
    ids::BallotHash,
    refusal::Refusal,
    state::{Phase, RecordedBallot},
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

impl<T: Config> Pallet<T> {
    /// The cost of checking a ballot grows with its range bits and its receipts. A third of what a node needs that
    /// verifies it alone is taken: nodes verify a block's ballots in batches, on all cores (ADR 14).
    pub(crate) fn authorize_cast_weight(ballot: &CastBallot) -> Weight {
        // The proof's length gives its range bits: 32·(9 + 2·log2(bits)) bytes.
        let rounds = (ballot.signed.ballot.proof.len() as u32 / 32).saturating_sub(9) / 2;
        let bits = 1u32.checked_shl(rounds).unwrap_or(u32::MAX).min(psephos_protocol::bounds::MAX_RANGE_BITS);
        let receipts = ballot.receipts.len() as u32;
        let alone = <T as Config>::WeightInfo::authorize_cast(bits, receipts);
        let known = <T as Config>::WeightInfo::authorize_known_cast(bits, receipts);
        known.saturating_add(alone.saturating_sub(known).saturating_div(3))
    }

    pub(crate) fn authorize_cast(_: TransactionSource, ballot: &CastBallot) -> TransactionValidityWithRefund {
        let statement = &ballot.signed.ballot.statement;
        let longevity = u64::from(statement.expiry.saturating_sub(Self::height()));
        Self::verdict(
            Self::check_ballot(ballot),
            priority::VOTERS,
            longevity,
            ("cast", statement.eid, statement.credential),
        )
    }

    /// All checks, cheap ones first, those of signatures and proof last.
    fn check_ballot(ballot: &CastBallot) -> Result<(), Refusal> {
        let terms = Self::check_eligible(ballot)?;
        match psephos_host::verify(&ballot.encode(), &terms) {
            0 => Ok(()),
            code => Err(u8::try_from(code).ok().and_then(Refusal::from_code).unwrap_or(Refusal::BadProof)),
        }
    }

    /// The checks against the chain's state: phase, time, roll, style, sequence, anchor. Gives the encoded terms for
    /// the others.
    fn check_eligible(ballot: &CastBallot) -> Result<Vec<u8>, Refusal> {
        let statement = &ballot.signed.ballot.statement;
        let state = Elections::<T>::get(statement.eid).ok_or(Refusal::UnknownElection)?;
        if state.phase != Phase::Open || pallet_timestamp::Pallet::<T>::get() >= state.closes_at {
            return Err(Refusal::WrongPhase);
        }
        let voter = Voters::<T>::get(statement.eid, statement.credential).ok_or(Refusal::NotOnRoll)?;
        if statement.style != voter.style {
            return Err(Refusal::WrongStyle);
        }
        let StyleRules { max_ballots, terms } =
            Styles::<T>::get(statement.eid, voter.style).ok_or(Refusal::WrongStyle)?;
        if voter.ballots >= max_ballots {
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
        let known: [u8; 32] =
            frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(anchor.number)).into();
        let longest = anchor.number.saturating_add(MAX_LIFETIME);
        if anchor.number >= now || known != anchor.hash || statement.expiry > longest {
            return Err(Refusal::WrongAnchor);
        }
        Ok(terms.into_inner())
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

    /// Accepts a ballot. That it may be was found a moment before, when this very extrinsic was authorized.
    pub(crate) fn do_cast(ballot: CastBallot) -> Result<(), Refusal> {
        let hash: BallotHash = ballot.signed.ballot.hash();
        let statement = ballot.signed.ballot.statement;
        let (eid, credential, sequence) = (statement.eid, statement.credential, statement.sequence);
        let mut voter = Voters::<T>::get(eid, credential).ok_or(Refusal::NotOnRoll)?;
        let first = voter.ballots == 0;
        voter.ballots = voter.ballots.saturating_add(1);
        voter.sequence = sequence;
        let recorded = RecordedBallot {
            hash,
            sequence,
            style: statement.style,
            weight: voter.weight,
            unit: voter.unit,
            commitments: statement.commitments,
        };
        Voters::<T>::insert(eid, credential, voter);
        Ballots::<T>::insert(eid, credential, recorded);
        Self::update(&eid, |state| {
            state.ballots = state.ballots.saturating_add(1);
            state.counted = state.counted.saturating_add(u32::from(first));
            state.ballot_log = transcript::log(&state.ballot_log, &hash.0);
        })?;
        Self::deposit_event(Event::BallotAccepted { eid, credential, sequence, hash });
        Ok(())
    }
}
