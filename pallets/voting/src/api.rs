//! The runtime API through which clients read elections.

use alloc::vec::Vec;
use psephos_protocol::{
    board::Board,
    endpoint::Endpoint,
    ids::{Digest, Eid},
    keys::PublicKey,
    state::{Batch, ElectionView, EntryState, Proposal, RecordedBallot, TallyView, Voter},
};

sp_api::decl_runtime_apis! {
    /// Reads elections. Clients call it by name; the arguments and answers are SCALE.
    pub trait VotingApi {
        /// The chain's board, which creates elections.
        fn chain_board() -> Board;
        /// The number that the next election gets.
        fn next_number() -> u32;
        /// All elections, by number.
        fn elections() -> Vec<Eid>;
        /// One election's state and manifest.
        fn election(eid: Eid) -> Option<ElectionView>;
        /// The voter with that credential.
        fn voter(eid: Eid, credential: PublicKey) -> Option<Voter>;
        /// The ballot that counts for that credential.
        fn ballot(eid: Eid, credential: PublicKey) -> Option<RecordedBallot>;
        /// One roll entry.
        fn entry(eid: Eid, entry: u32) -> Option<EntryState>;
        /// The roll entry with that invitation key.
        fn entry_of(eid: Eid, invitation: PublicKey) -> Option<u32>;
        /// One batch of the roll.
        fn batch(eid: Eid, batch: u32) -> Option<Batch>;
        /// The board actions that wait for approvals.
        fn proposals() -> Vec<Proposal>;
        /// What a ballot of that style is checked against (SCALE, `psephos_protocol::ballot::Terms`).
        fn ballot_terms(eid: Eid, style: u16) -> Option<Vec<u8>>;
        /// Where the trustees can be reached, by index.
        fn endpoints(eid: Eid) -> Vec<(u8, Endpoint)>;
        /// How the tally stands.
        fn tally(eid: Eid) -> Option<TallyView>;
        /// Whether trustees must rehearse before a freeze, and the last certified rehearsal of a team
        /// (`psephos_protocol::manifest::Manifest::team`).
        fn rehearsed(team: Digest) -> (bool, Option<Eid>);
    }
}
