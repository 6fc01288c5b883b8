//! The checks themselves, the same in native code and in Wasm.

use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use psephos_protocol::{
    ballot::{batch::Unverified, BallotError, CastBallot, Checks, Terms},
    group::Point,
    ids::BallotHash,
    range_proof::Generators,
    refusal::Refusal,
    tally::{Addition, CommitmentSums},
};

/// What ballots of one style are checked with.
pub struct Style {
    pub checks: Checks,
    pub generators: Generators,
}

impl Style {
    /// The style of these terms, which must be the encoding of terms within the protocol's bounds.
    pub fn of(mut terms: &[u8]) -> Result<Self, BallotError> {
        let terms = Terms::decode_all(&mut terms).map_err(|_| BallotError::Encoding)?;
        let checks = terms.within_bounds().then(|| Checks::new(terms)).ok_or(BallotError::Shape)?;
        let generators = Generators::new(checks.layout().shape);
        Ok(Self { checks, generators })
    }
}

/// A verdict as the runtime is told.
pub fn code(verdict: Result<(), BallotError>) -> u8 {
    verdict.map_or_else(|error| Refusal::from(error) as u8, |()| 0)
}

/// The verdict on one ballot: its hash if it is valid.
pub fn check(ballot: &[u8], style: &Style) -> Result<BallotHash, BallotError> {
    let ballot = CastBallot::from_bytes(ballot)?;
    let verified = Unverified::Cast(&ballot, &style.checks).verify(&style.generators)?;
    Ok(verified.hash)
}

/// The verdict on one ballot, with nothing remembered from another.
#[cfg(any(feature = "own-code", test))]
pub fn alone(ballot: &CastBallot, terms: &[u8]) -> u32 {
    let verdict = Style::of(terms).and_then(|style| check(&ballot.encode(), &style));
    code(verdict.map(|_| ())).into()
}

/// Sums with these ballots added; nothing if something does not decode or fit.
pub fn add(mut sums: &[u8], mut additions: &[u8]) -> Option<Vec<u8>> {
    let sums = Vec::<Point>::decode_all(&mut sums).ok()?;
    let additions = Vec::<Addition>::decode_all(&mut additions).ok()?;
    CommitmentSums::from_encodings(&sums).ok()?.add_all(&additions).map(|sums| sums.encodings().encode())
}
