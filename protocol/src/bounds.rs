//! Every length limit of the protocol (spec 1.4), in one place.
//!
//! Decoders enforce these before they allocate; the chain's storage bounds follow from them.

use bounded_collections::{BoundedVec, ConstU32};

/// Options in one contest.
pub const MAX_OPTIONS: u32 = 128;
/// Contests in one election.
pub const MAX_CONTESTS: u32 = 16;
/// Ballot styles in one election.
pub const MAX_STYLES: u32 = 64;
/// Reporting units in one election.
pub const MAX_UNITS: u32 = 256;
/// Distinct voter weights in one election.
pub const MAX_WEIGHTS: u32 = 16;
/// Trustees of one election.
pub const MAX_TRUSTEES: u32 = 16;
/// Members of a board.
pub const MAX_BOARD: u32 = 16;
/// Registrars of one election.
pub const MAX_REGISTRARS: u32 = 16;
/// Bytes of a name or title, in UTF-8.
pub const MAX_TEXT: u32 = 256;
/// Bytes of a reason given by the board, in UTF-8.
pub const MAX_REASON: u32 = 1024;
/// Entries in one batch of the electoral roll.
pub const MAX_BATCH: u32 = 2_000;
/// Voters on one electoral roll; a larger electorate uses one chain per constituency.
pub const MAX_ROLL: u32 = 10_000_000;
/// Commitments in one ballot, and summed columns of one election.
pub const MAX_COLUMNS: u32 = 512;
/// Sums of one election: columns, times reporting units where totals are opened per unit.
pub const MAX_SUMS: u32 = 4_096;
/// Commitments to slack bits in one ballot: up to 6 for each contest of up to 128 options.
pub const MAX_SLACK: u32 = MAX_CONTESTS * 6;
/// Bits in all range statements of one ballot, after padding.
pub const MAX_RANGE_BITS: u32 = 4_096;
/// Bytes of a range proof: 32·(9 + 2·log2(4096)).
pub const MAX_PROOF: u32 = 1_056;
/// Commitments to polynomial coefficients with one ballot: columns times (t − 1).
pub const MAX_DEALING: u32 = MAX_COLUMNS * 15;
/// Ballots that one credential may have accepted by the chain, and receipts from one trustee.
pub const MAX_BALLOTS_PER_CREDENTIAL: u8 = 32;
/// How far a ballot's sequence number may pass the last accepted one.
pub const SEQUENCE_WINDOW: u32 = 16;
/// How many blocks after its anchor a ballot may expire.
pub const MAX_LIFETIME: u32 = 2_400;
/// How many blocks a board action waits for approvals: a week of blocks of 2 s. An auditor counts it too.
pub const PROPOSAL_LIFETIME: u32 = 302_400;
/// Counted ballots that a trustee may declare missing one by one.
pub const MAX_MISSING: u32 = 256;
/// How many blocks after the board lowered the quorum of trustees it holds: a day of blocks of 2 s, in which
/// everybody can see it.
pub const LOWERED_QUORUM_WAIT: u32 = 43_200;
/// Bytes of a ballot with its receipts in its canonical encoding; a decoder refuses more before it starts. The largest
/// that a manifest allows has 20,680.
pub const MAX_BALLOT_BYTES: usize = 22_000;
/// Ballots that travel in one extrinsic. What a bundle saves is saved with some dozens.
pub const MAX_BUNDLE: u32 = 128;
/// Bytes of an X-Wing public key (draft-connolly-cfrg-xwing-kem).
pub const KEM_PUBLIC_KEY_BYTES: u32 = 1_216;

/// A name or title: UTF-8, checked by [`crate::manifest::Manifest::validate`].
pub type Text = BoundedVec<u8, ConstU32<MAX_TEXT>>;
/// A reason given by the board: UTF-8.
pub type Reason = BoundedVec<u8, ConstU32<MAX_REASON>>;

/// A name from a string.
///
/// # Errors
/// Gives the length in bytes back when it passes [`MAX_TEXT`].
pub fn text(value: &str) -> Result<Text, usize> {
    Text::try_from(value.as_bytes().to_vec()).map_err(|bytes| bytes.len())
}

/// A name as a string; anything but UTF-8 shows as replacement characters.
#[must_use]
pub fn show(text: &[u8]) -> alloc::string::String {
    alloc::string::String::from_utf8_lossy(text).into_owned()
}
