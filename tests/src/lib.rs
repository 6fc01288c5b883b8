//! Whole elections on real nodes and trustees.
//!
//! | module | what |
//! |---|---|
//! | [`ranked`] | ballots of a real election, from a file |
//! | [`network`] | a network of this machine, through `psephos network` |
//! | [`election`] | the officials' part: create, roll, freeze, close, tally, certify |
//! | [`voting`] | the voters' part, with crashes in between |
//! | [`demo`] | all of it, from an empty folder to a verified record |
//! | [`table`] | what is shown at the end |

pub mod demo;
pub mod election;
pub mod network;
pub mod ranked;
pub mod table;
pub mod voting;
