//! Whole elections on real nodes and trustees.
//!
//! | module | what |
//! |---|---|
//! | [`ranked`] | ballots of a real election, from a file |
//! | [`liar`] | a node that lies to a voter about a real network |
//! | [`network`] | a network of this machine, through `psephos network` |
//! | [`election`] | the officials' part: create, roll, freeze, close, tally, certify |
//! | [`voting`] | the voters' part, with crashes in between |
//! | [`demo`] | all of it, from an empty folder to a verified record |
//! | [`doctor`] | what a trustee's doctor says, well and after a fault |
//! | [`fleet`] | the processes of a network, killed and started again one by one |
//! | [`person`] | a person's own `psephos` process, cut off and run again |
//! | [`receipt`] | what a voter's receipt is worth, by each node and by the record |
//! | [`shown`] | what voters were shown as recorded, and the proof that it stands |
//! | [`table`] | what is shown at the end |
//! | [`twice`] | a voter who casts by two nodes at once |
//! | [`verify`] | what the offline verifier says |

pub mod demo;
pub mod doctor;
pub mod election;
pub mod fleet;
pub mod liar;
pub mod network;
pub mod person;
pub mod ranked;
pub mod receipt;
pub mod shown;
pub mod table;
pub mod twice;
pub mod verify;
pub mod voting;
