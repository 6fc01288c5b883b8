//! What travels to the chain (spec 8.1): one [`Message`] per kind of act, each self-contained and
//! signed inside, as a general (version 5) transaction without account, nonce or fee.
//!
//! `compact(length) ‖ 0x45 ‖ 0x00 ‖ pallet ‖ message`, where the message's variant index is the
//! pallet's call index. A test of the runtime pins that both encodings are the same bytes.
//!
//! Ballots may travel together, as a [`Bundle`] in one extrinsic. Whoever reads a block finds each of them as a
//! message of its own, in the bundle's order.

use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Compact, Decode, DecodeAll, Encode};
use scale_info::TypeInfo;

use crate::{
    agreement::{Acceptance, Agreement},
    ballot::CastBallot,
    board::Approval,
    bounds::MAX_BUNDLE,
    declaration::Declaration,
    endpoint::Announcement,
    ids::Eid,
    roll::{Registration, RollBatch},
    tally::{Contribution, Finalize},
};

/// The index of the voting pallet in the runtime.
pub const PALLET: u8 = 8;
/// The index of the timestamp pallet in the runtime.
const TIMESTAMP: u8 = 1;
/// The pallet's call that takes a [`Bundle`].
const BUNDLE: u8 = 10;
/// A general transaction of extrinsic format 5.
const GENERAL: u8 = 0x45;
/// The version of the transaction extensions.
const EXTENSION_VERSION: u8 = 0;
/// Bytes of the largest extrinsic that is decoded: a full roll batch.
const MAX_EXTRINSIC: usize = 4 * 1024 * 1024;

/// Ballots that travel together: of one election, in strictly ascending order of their credentials.
pub type Bundle = BoundedVec<CastBallot, ConstU32<MAX_BUNDLE>>;

/// Everything that can be said to the chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[allow(clippy::large_enum_variant)] // Messages are read one at a time; ballots, the many, are the large ones.
pub enum Message {
    /// A board member approves an action.
    #[codec(index = 0)]
    Approve(Approval),
    /// A registrar proposes a batch of the roll.
    #[codec(index = 1)]
    AddBatch(RollBatch),
    /// A voter claims an invitation.
    #[codec(index = 2)]
    Register(Registration),
    /// A trustee accepts an election.
    #[codec(index = 3)]
    Accept(Acceptance),
    /// A voter casts a ballot.
    #[codec(index = 4)]
    Cast(CastBallot),
    /// A trustee signs the set.
    #[codec(index = 5)]
    Agree(Agreement),
    /// A trustee contributes.
    #[codec(index = 6)]
    Contribute(Contribution),
    /// Anyone finalizes the tally.
    #[codec(index = 7)]
    Finalize(Finalize),
    /// A trustee states where it can be reached.
    #[codec(index = 8)]
    Announce(Announcement),
    /// A trustee declares which counted ballots it can't serve.
    #[codec(index = 9)]
    Declare(Declaration),
}

impl Message {
    /// The election that it concerns; none for the creation of one.
    #[must_use]
    pub fn eid(&self) -> Option<Eid> {
        Some(match self {
            Self::Approve(approval) => return approval.action.eid(),
            Self::AddBatch(batch) => batch.eid,
            Self::Register(registration) => registration.eid,
            Self::Accept(acceptance) => acceptance.eid,
            Self::Cast(ballot) => ballot.signed.ballot.statement.eid,
            Self::Agree(agreement) => agreement.eid,
            Self::Contribute(contribution) => contribution.eid,
            Self::Finalize(finalize) => finalize.eid,
            Self::Announce(announcement) => announcement.eid,
            Self::Declare(declaration) => declaration.eid,
        })
    }

    /// The bytes of the extrinsic.
    #[must_use]
    pub fn to_extrinsic(&self) -> Vec<u8> {
        extrinsic(self)
    }

    /// The message of an extrinsic; none if it is another kind of extrinsic, or a bundle.
    #[must_use]
    pub fn from_extrinsic(bytes: &[u8]) -> Option<Self> {
        Self::decode_all(&mut call(bytes)?).ok()
    }

    /// The messages of an extrinsic, in their order: the ballots of a bundle, or one message; none if it is another
    /// kind of extrinsic.
    #[must_use]
    pub fn all_from_extrinsic(bytes: &[u8]) -> Vec<Self> {
        match bundle_from_extrinsic(bytes) {
            Some(bundle) => bundle.into_iter().map(Self::Cast).collect(),
            None => Self::from_extrinsic(bytes).into_iter().collect(),
        }
    }
}

/// These ballots together, in a bundle's order; none if they are too many. Of one election they must be, and of
/// different credentials.
#[must_use]
pub fn bundle(mut ballots: Vec<CastBallot>) -> Option<Bundle> {
    ballots.sort_by_key(|ballot| ballot.signed.ballot.statement.credential);
    Bundle::try_from(ballots).ok()
}

/// The bytes of the extrinsic that casts these ballots, a single one without a bundle; none as for [`bundle`].
#[must_use]
pub fn ballots_to_extrinsic(mut ballots: Vec<CastBallot>) -> Option<Vec<u8>> {
    if ballots.len() == 1 {
        return ballots.pop().map(|ballot| Message::Cast(ballot).to_extrinsic());
    }
    bundle(ballots).map(|bundle| bundle_to_extrinsic(&bundle))
}

/// The bytes of the extrinsic with a bundle.
#[must_use]
pub fn bundle_to_extrinsic(bundle: &Bundle) -> Vec<u8> {
    extrinsic(&(BUNDLE, bundle))
}

/// The bundle of an extrinsic; none if it is another kind of extrinsic.
#[must_use]
pub fn bundle_from_extrinsic(bytes: &[u8]) -> Option<Bundle> {
    match call(bytes)? {
        [BUNDLE, rest @ ..] => Bundle::decode_all(&mut &*rest).ok(),
        _ => None,
    }
}

/// The extrinsic with a call of the voting pallet.
fn extrinsic(call: &impl Encode) -> Vec<u8> {
    let mut body = alloc::vec![GENERAL, EXTENSION_VERSION, PALLET];
    call.encode_to(&mut body);
    body.encode()
}

/// The call of the voting pallet in an extrinsic.
fn call(bytes: &[u8]) -> Option<&[u8]> {
    match body(bytes)? {
        [GENERAL, EXTENSION_VERSION, PALLET, call @ ..] => Some(call),
        _ => None,
    }
}

/// The block's time in ms since the Unix epoch, if the extrinsic is the one that sets it.
#[must_use]
pub fn block_time(extrinsic: &[u8]) -> Option<u64> {
    match body(extrinsic)? {
        [4 | 5, TIMESTAMP, 0, rest @ ..] => Compact::<u64>::decode_all(&mut &*rest).ok().map(|time| time.0),
        _ => None,
    }
}

/// An extrinsic without its length prefix, if that prefix is right and not too large.
fn body(mut bytes: &[u8]) -> Option<&[u8]> {
    if bytes.len() > MAX_EXTRINSIC {
        return None;
    }
    let length = Compact::<u32>::decode(&mut bytes).ok()?.0;
    (usize::try_from(length).ok()? == bytes.len()).then_some(bytes)
}
