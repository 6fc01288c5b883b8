//! Whole elections and every refusal, with real cryptography.

mod ballots;
mod board;
mod roll;
mod tally;
