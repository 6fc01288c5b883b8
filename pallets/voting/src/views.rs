//! What the runtime API shows.

use alloc::vec::Vec;
use psephos_protocol::{
    board::Board,
    endpoint::Endpoint,
    ids::Eid,
    keys::PublicKey,
    state::{Batch, ElectionView, EntryState, Proposal, RecordedBallot, TallyView, Voter},
};

use crate::pallet::*;

impl<T: Config> Pallet<T> {
    /// The chain's board.
    pub fn view_chain_board() -> Board {
        ChainBoard::<T>::get()
    }

    /// The number of the next election.
    pub fn view_next_number() -> u32 {
        NextNumber::<T>::get()
    }

    /// All elections, by number.
    pub fn view_elections() -> Vec<Eid> {
        let mut all: Vec<(u32, Eid)> =
            Elections::<T>::iter().map(|(eid, state)| (state.number, eid)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, eid)| eid).collect()
    }

    /// One election.
    pub fn view_election(eid: Eid) -> Option<ElectionView> {
        Some(ElectionView { eid, state: Elections::<T>::get(eid)?, manifest: Manifests::<T>::get(eid)? })
    }

    /// The voter with that credential.
    pub fn view_voter(eid: Eid, credential: PublicKey) -> Option<Voter> {
        let registered = Voters::<T>::get(eid, credential)?;
        Some(Voter::of(&registered, Ballots::<T>::get(eid, credential).as_ref()))
    }

    /// The ballot that counts for that credential.
    pub fn view_ballot(eid: Eid, credential: PublicKey) -> Option<RecordedBallot> {
        Ballots::<T>::get(eid, credential)
    }

    /// One roll entry.
    pub fn view_entry(eid: Eid, entry: u32) -> Option<EntryState> {
        Entries::<T>::get(eid, entry)
    }

    /// The roll entry with that invitation key.
    pub fn view_entry_of(eid: Eid, invitation: PublicKey) -> Option<u32> {
        Invitations::<T>::get(eid, invitation)
    }

    /// One batch.
    pub fn view_batch(eid: Eid, batch: u32) -> Option<Batch> {
        Batches::<T>::get(eid, batch)
    }

    /// The board actions that wait and have not expired.
    pub fn view_proposals() -> Vec<Proposal> {
        let now = Self::height();
        Proposals::<T>::iter_values().filter(|proposal| proposal.expires >= now).collect()
    }

    /// What a ballot of that style is checked against, as the host is given it.
    pub fn view_ballot_terms(eid: Eid, style: u16) -> Option<Vec<u8>> {
        Styles::<T>::get(eid, style).map(|rules| rules.terms.into_inner())
    }

    /// Where the trustees can be reached, by index.
    pub fn view_endpoints(eid: Eid) -> Vec<(u8, Endpoint)> {
        let mut endpoints: Vec<_> = Endpoints::<T>::iter_prefix(eid).collect();
        endpoints.sort_unstable_by_key(|(trustee, _)| *trustee);
        endpoints
    }

    /// How the tally stands.
    pub fn view_tally(eid: Eid) -> Option<TallyView> {
        let state = Elections::<T>::get(eid)?;
        let summing = Sums::<T>::get(eid).filter(|_| state.summed);
        let mut agreements: Vec<_> = Agreements::<T>::iter_prefix(eid).collect();
        agreements.sort_unstable_by_key(|(trustee, _)| *trustee);
        let mut contributions: Vec<_> = Contributions::<T>::iter_prefix_values(eid).collect();
        contributions.sort_unstable_by_key(|contribution| contribution.trustee);
        Some(TallyView {
            agreements,
            contributions,
            cells: summing.as_ref().and_then(|summing| summing.cells.clone()),
            turnout: summing.as_ref().map(|summing| summing.turnout.clone()),
            sums: summing.map(|summing| summing.sums.into_inner()),
            result: Results::<T>::get(eid),
        })
    }
}
