//! The tally (spec 7): q trustees agree on the set, contribute once, and the openings are checked.

use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use psephos_protocol::{
    agreement::{Agreement, SetStatement},
    election::Election,
    ids::Eid,
    manifest::Manifest,
    refusal::Refusal,
    state::{ElectionState, LoweredQuorum, Phase},
    tally::{reconstruct, CommitmentSums, Contribution, ElectionResult, Finalize},
};
use sp_runtime::transaction_validity::TransactionValidityWithRefund;

use crate::{
    host_verify,
    pallet::*,
    priority,
    sums::{Summing, WIDE},
    WeightInfo, ACT_LONGEVITY,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn authorize_agree(
        _: TransactionSource,
        agreement: &Agreement,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_agreement(agreement).map(|_| ()),
            priority::ACTS,
            ACT_LONGEVITY,
            [("agree", agreement.eid, agreement.trustee)],
        )
    }

    fn check_agreement(agreement: &Agreement) -> Result<(Election, ElectionState), Refusal> {
        let (election, state) = Self::election(&agreement.eid)?;
        // Later signatures are evidence too: they are taken until the result stands.
        if !matches!(state.phase, Phase::Closed | Phase::Agreed) {
            return Err(Refusal::WrongPhase);
        }
        if !state.summed {
            return Err(Refusal::NotSummed);
        }
        if state.withheld {
            return Err(Refusal::Withheld);
        }
        if Agreements::<T>::contains_key(agreement.eid, agreement.trustee) {
            return Err(Refusal::AlreadyDone);
        }
        let SetStatement { closing, ballots, log, .. } = agreement.statement;
        if state.closing != Some(closing) || state.counted != ballots || state.ballot_log != log {
            return Err(Refusal::WrongClosing);
        }
        agreement.verify(&election, host_verify).then_some((election, state)).ok_or(Refusal::NotTrustee)
    }

    pub(crate) fn do_agree(agreement: Agreement) -> Result<(), Refusal> {
        let (election, _) = Self::check_agreement(&agreement)?;
        let Agreement { eid, trustee, statement, .. } = agreement;
        let other = Agreements::<T>::iter_prefix_values(eid).any(|earlier| earlier != statement);
        Agreements::<T>::insert(eid, trustee, statement);
        Self::deposit_event(Event::SetSigned { eid, trustee, root: statement.root });
        if other {
            Self::update(&eid, |state| state.conflict = true)?;
            Self::deposit_event(Event::ConflictingSet { eid, trustee, root: statement.root });
        }
        Self::settle_agreement(&eid, &election.manifest)
    }

    /// Enters Agreed when a quorum has signed the set that counts, and no quorum another one.
    pub(crate) fn settle_agreement(eid: &Eid, manifest: &Manifest) -> Result<(), Refusal> {
        let state = Elections::<T>::get(eid).ok_or(Refusal::UnknownElection)?;
        if state.phase != Phase::Closed || !state.summed {
            return Ok(());
        }
        let quorum = LoweredQuorum::at(state.lowered, manifest, Self::height());
        let signed: Vec<SetStatement> = Agreements::<T>::iter_prefix_values(eid).collect();
        let signers = |set: &SetStatement| signed.iter().filter(|other| *other == set).count();
        let mut agreed = signed.iter().filter(|set| signers(set) >= usize::from(quorum));
        let Some(statement) = agreed.next() else { return Ok(()) };
        // Below the manifest's quorum two sets could have one: nothing is opened then.
        if agreed.any(|other| other != statement) || statement.ballots != state.counted {
            return Ok(());
        }
        let agreed = Some(*statement);
        Self::update(eid, |state| state.agreed = agreed)?;
        Self::enter(eid, Phase::Agreed)
    }

    pub(crate) fn authorize_contribute(
        _: TransactionSource,
        contribution: &Contribution,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_contribution(contribution),
            priority::ACTS,
            ACT_LONGEVITY,
            [("contribute", contribution.eid, contribution.trustee)],
        )
    }

    fn check_contribution(contribution: &Contribution) -> Result<(), Refusal> {
        let (election, state) = Self::election(&contribution.eid)?;
        if state.phase != Phase::Agreed {
            return Err(Refusal::WrongPhase);
        }
        if Contributions::<T>::contains_key(contribution.eid, contribution.trustee) {
            return Err(Refusal::AlreadyDone);
        }
        if state.agreed.map(|set| set.root) != Some(contribution.root) {
            return Err(Refusal::WrongRoot);
        }
        let cells = Sums::<T>::get(contribution.eid).and_then(|summing| summing.cells);
        let sums = cells.ok_or(Refusal::NotSummed)?.sums(&election.manifest);
        let canonical = contribution.sums.iter().all(|(f, g)| f.scalar().is_ok() && g.scalar().is_ok());
        if contribution.sums.len() != sums || !canonical {
            return Err(Refusal::MalformedContribution);
        }
        contribution.verify(&election, host_verify).then_some(()).ok_or(Refusal::NotTrustee)
    }

    pub(crate) fn do_contribute(contribution: Contribution) -> Result<(), Refusal> {
        let (eid, trustee) = (contribution.eid, contribution.trustee);
        Contributions::<T>::insert(eid, trustee, contribution);
        Self::deposit_event(Event::Contributed { eid, trustee });
        Ok(())
    }

    /// How many sums a finalization opens, at most: cells may be fewer than units.
    fn sums_of(finalize: &Finalize) -> u32 {
        let sums = |manifest: Manifest| manifest.columns().saturating_mul(manifest.counting_units());
        Manifests::<T>::get(finalize.eid).map_or(0, sums) as u32
    }

    /// What it costs to interpolate so many sums of so many contributors: a scalar pair of each is decoded, checked,
    /// multiplied and added. To authorize a contribution, of which the cost per sum is measured, is to check a pair, encode and hash
    /// it; three times that is taken.
    fn interpolation_weight(sums: u32, contributors: u64) -> Weight {
        let base = <T as Config>::WeightInfo::authorize_contribute(0);
        let one = <T as Config>::WeightInfo::authorize_contribute(sums).saturating_sub(base);
        T::DbWeight::get()
            .reads(contributors)
            .saturating_add(one.saturating_mul(contributors.saturating_mul(3)))
    }

    /// Measured with [`WIDE`] sums and two contributors. An opening of each sum is most of it, so that it is taken once for every
    /// [`WIDE`] sums or part of that: some 0.8 s for the most sums that there can be. A block has room for 1.1 s.
    pub(crate) fn authorize_finalize_weight(finalize: &Finalize) -> Weight {
        let (sums, contributors) = (Self::sums_of(finalize), finalize.contributors.len() as u64);
        let measured = <T as Config>::WeightInfo::authorize_finalize();
        let more = Self::interpolation_weight(sums, contributors.saturating_sub(2));
        measured.saturating_mul(u64::from(sums.div_ceil(WIDE).max(1))).saturating_add(more)
    }

    /// Interpolates again, and writes as many scalars as a contribution has; nothing is opened again.
    pub(crate) fn finalize_weight(finalize: &Finalize) -> Weight {
        let (sums, contributors) = (Self::sums_of(finalize), finalize.contributors.len() as u64);
        <T as Config>::WeightInfo::finalize()
            .saturating_add(Self::interpolation_weight(sums, contributors))
            .saturating_add(<T as Config>::WeightInfo::contribute(sums))
    }

    pub(crate) fn authorize_finalize(
        _: TransactionSource,
        finalize: &Finalize,
    ) -> TransactionValidityWithRefund {
        Self::verdict(
            Self::check_finalize(finalize),
            priority::ACTS,
            ACT_LONGEVITY,
            [("finalize", finalize.eid)],
        )
    }

    /// Interpolates the named contributions and checks every opening against the chain's own sums.
    fn check_finalize(finalize: &Finalize) -> Result<(), Refusal> {
        let (manifest, summing, result) = Self::interpolate(finalize)?;
        let sums = CommitmentSums::from_encodings(&summing.sums).map_err(|_| Refusal::NotSummed)?;
        let cells = summing.cells.ok_or(Refusal::NotSummed)?;
        result.verify(&manifest, &cells, &sums).map(|_| ()).map_err(|_| Refusal::WrongOpening)
    }

    /// What the named contributions give.
    fn interpolate(finalize: &Finalize) -> Result<(Manifest, Summing, ElectionResult), Refusal> {
        let eid = &finalize.eid;
        let (election, state) = Self::election(eid)?;
        if state.phase != Phase::Agreed {
            return Err(Refusal::WrongPhase);
        }
        let manifest = &election.manifest;
        if finalize.contributors.len() != usize::from(manifest.threshold) {
            return Err(Refusal::WrongContributors);
        }
        let summing = Sums::<T>::get(eid).ok_or(Refusal::NotSummed)?;
        let contributions = finalize
            .contributors
            .iter()
            .map(|trustee| Contributions::<T>::get(eid, trustee).ok_or(Refusal::WrongContributors))
            .collect::<Result<Vec<_>, _>>()?;
        let named: Vec<_> = contributions.iter().map(|c| (c.trustee, &c.sums)).collect();
        let openings = reconstruct(manifest, &named).map_err(|_| Refusal::WrongContributors)?;
        let (turnout, contributors) = (summing.turnout.clone(), finalize.contributors.clone());
        Ok((election.manifest, summing, ElectionResult { openings, turnout, contributors }))
    }

    pub(crate) fn do_finalize(finalize: Finalize) -> Result<(), Refusal> {
        // Its openings were checked in this very state, when it was authorized.
        let (_, _, result) = Self::interpolate(&finalize)?;
        Results::<T>::insert(finalize.eid, result);
        Self::deposit_event(Event::Tallied { eid: finalize.eid });
        Self::enter(&finalize.eid, Phase::Tallied)
    }
}
