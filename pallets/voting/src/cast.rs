//! Casting (spec 6.5): what makes a ballot accepted.

use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use psephos_protocol::{
    ballot::{CastBallot, Terms},
    bounds::{MAX_LIFETIME, SEQUENCE_WINDOW},
    election::Election,
    ids::BallotHash,
    refusal::Refusal,
    state::{ElectionState, Phase, RecordedBallot, Voter},
    transcript,
};
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{pallet::*, priority, WeightInfo};

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
        let (election, _, voter) = Self::check_eligible(ballot)?;
        let terms = Terms::of(&election, voter.style).map_err(Refusal::from)?;
        match psephos_host::verify(&ballot.encode(), &terms.encode()) {
            0 => Ok(()),
            code => Err(u8::try_from(code).ok().and_then(Refusal::from_code).unwrap_or(Refusal::BadProof)),
        }
    }

    /// The checks against the chain's state: phase, time, roll, style, sequence, anchor.
    fn check_eligible(ballot: &CastBallot) -> Result<(Election, ElectionState, Voter), Refusal> {
        let statement = &ballot.signed.ballot.statement;
        let (election, state) = Self::election(&statement.eid)?;
        if state.phase != Phase::Open || pallet_timestamp::Pallet::<T>::get() >= state.closes_at {
            return Err(Refusal::WrongPhase);
        }
        let voter = Voters::<T>::get(statement.eid, statement.credential).ok_or(Refusal::NotOnRoll)?;
        if statement.style != voter.style {
            return Err(Refusal::WrongStyle);
        }
        if voter.ballots >= election.manifest.max_ballots {
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
        Ok((election, state, voter))
    }

    pub(crate) fn do_cast(ballot: CastBallot) -> Result<(), Refusal> {
        let (_, _, mut voter) = Self::check_eligible(&ballot)?;
        let hash: BallotHash = ballot.signed.ballot.hash();
        let statement = ballot.signed.ballot.statement;
        let (eid, credential, sequence) = (statement.eid, statement.credential, statement.sequence);
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
