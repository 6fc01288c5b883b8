//! Refusals (spec 8.2): why the chain or a trustee does not take a message, as one stable code each.

use codec::{Decode, Encode};

use crate::{ballot::BallotError, state::Phase};

/// Defines the refusals once: name, code, and what to tell a person.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why a message was not taken. The code travels as the chain's custom transaction error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
        #[repr(u8)]
        pub enum Refusal {
            $($(#[$doc])* $name = $code,)*
        }

        impl Refusal {
            /// The refusal of a code.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// What happened and what to do next.
            #[must_use]
            pub fn text(&self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

refusals! {
    /// The eid is not of this chain.
    UnknownElection = 1, "unknown election: this chain has none with that identifier; list them with `psephos audit elections`";
    /// The action needs another phase.
    WrongPhase = 2, "the election is in another phase than this needs";
    /// The manifest breaks a rule.
    InvalidManifest = 3, "the manifest breaks a rule of the protocol; check it with `psephos board check`";
    /// The number is not the next.
    WrongNumber = 4, "the number is not the next one; read it again and retry";
    /// Not signed by the board member named.
    NotBoard = 5, "the signature is not by that member of the board";
    /// That member approved already.
    AlreadyApproved = 6, "that board member has approved this already; other members must";
    /// Too many proposals are waiting.
    TooManyProposals = 7, "that board member has too many proposals waiting; have them approved or wait until they expire";
    /// Not signed by the registrar named.
    NotRegistrar = 8, "the signature is not by that registrar of the election";
    /// An entry of the batch does not fit the manifest.
    InvalidEntry = 9, "an entry's weight, style, unit or invitation does not fit the manifest; check the batch with --dry-run";
    /// A credential or invitation key is on the roll already.
    DuplicateCredential = 10, "a credential or invitation key of this message is on the roll already";
    /// The roll is full.
    RollFull = 11, "the roll would pass the manifest's max_voters";
    /// No such batch, or other contents.
    UnknownBatch = 12, "there is no such batch, or its digest is another: look at the batch again";
    /// Confirmed before.
    AlreadyConfirmed = 13, "the batch was confirmed already";
    /// No such entry on the roll.
    UnknownEntry = 14, "the roll has no such entry, or its batch is not confirmed yet";
    /// The entry has a credential.
    AlreadyRegistered = 15, "this roll entry has a credential already; a lost device needs a re-invitation by the board";
    /// The invitation signatures are wrong.
    NotInvited = 16, "the signatures are not by the invitation keys of this roll entry";
    /// The roll changed since the action was signed.
    RollChanged = 17, "the roll changed since this was signed; look at it again and sign anew";
    /// The registrar has proposed too many batches that nobody confirmed.
    TooManyBatches = 18, "too many batches wait for the board's confirmation; have them confirmed first";
    /// A group of voters is smaller than the manifest allows.
    SmallGroup = 19, "a weight or style is held by fewer voters than the privacy minimum: opening it would show votes; declare it in the manifest or change the roll";
    /// The time is past, or earlier than before.
    WrongTime = 20, "the time is past, or earlier than before: openings and closings only move later, and a roll is frozen before the close";
    /// The manifest doesn't allow closing early.
    NoEarlyClose = 21, "the manifest does not allow closing early";
    /// Not signed by the trustee named.
    NotTrustee = 22, "the signature is not by that trustee of the election";
    /// That trustee has done this.
    AlreadyDone = 23, "that trustee has done this already, and may do it once";
    /// The ballot is malformed or of the wrong shape.
    MalformedBallot = 24, "the ballot is malformed, of another version, or not of its style's shape";
    /// The ballot's style is not the voter's.
    WrongStyle = 25, "the ballot's style is not the one that the roll gives this voter";
    /// The credential is not on the roll.
    NotOnRoll = 26, "the credential is not on the electoral roll";
    /// The sequence number was used or leaps too far.
    WrongSequence = 27, "the ballot's sequence number must be 1 to 16 more than that of the last accepted ballot";
    /// No more ballots for this credential.
    TooManyBallots = 28, "this credential has cast as many ballots as the manifest allows";
    /// The ballot has expired.
    Expired = 29, "the ballot has expired; prepare it again";
    /// The ballot is tied to a block that this chain doesn't know or no longer remembers.
    WrongAnchor = 30, "the ballot is tied to a block that this chain does not have or no longer remembers, or expires too late; prepare it again";
    /// The credential's signature is wrong.
    BadSignature = 31, "the ballot's signature is not by its credential";
    /// The receipts are wrong.
    BadReceipts = 32, "the receipts are not those of exactly q different trustees for this ballot";
    /// The proof is wrong.
    BadProof = 33, "the ballot's range proof does not hold";
    /// The sums are not complete yet.
    NotSummed = 34, "the chain has not finished summing; wait a few blocks";
    /// The set is tied to another closing block.
    WrongClosing = 35, "the set is not tied to this election's closing block, or its number or log of ballots is another";
    /// The root is not the agreed one.
    WrongRoot = 36, "the contribution is not for the set that was agreed";
    /// The contribution is malformed.
    MalformedContribution = 37, "the contribution does not have one canonical pair per cell and column";
    /// The named trustees have not contributed, or are not t.
    WrongContributors = 38, "exactly t trustees in ascending order, who have contributed, must be named";
    /// The openings don't open the sums.
    WrongOpening = 39, "these contributions do not open the sums: at least one of them is wrong; try other trustees";
    /// The result is another.
    WrongResult = 40, "the digest is not that of the election's result";
    /// Groups below the privacy minimum voted.
    Withheld = 41, "a group smaller than the privacy minimum voted: opening the totals would show votes; the election can only be voided";
    /// The trustee's quota for this credential is used up.
    Quota = 43, "this trustee has given this credential as many receipts as it may";
    /// The share is wrong.
    BadShare = 44, "the envelope does not open to a good share of this ballot";
    /// This trustee does not serve that election.
    NotServing = 45, "this trustee does not serve that election";
    /// The trustee can't store the share.
    Storage = 46, "this trustee can't store the share now; the other trustees may do, or try later";
    /// Text that should be UTF-8 is not.
    InvalidText = 47, "a reason must be given, in UTF-8";
    /// The chain has too many elections at work at once.
    TooManyElections = 48, "the chain has as many unfinished elections as it can serve; certify or void one first";
    /// The quorum for the set can't be lowered to that.
    WrongQuorum = 49, "the quorum can only be lowered, and never below the threshold";
    /// A declaration that is none.
    WrongDeclaration = 50, "a declaration lists voters whose ballots count, in ascending order, and the closing block";
    /// An envelope for another trustee, without a deposit of one's own.
    NotDeposited = 51, "this trustee keeps envelopes for others only of ballots that it has itself: deposit its own first";
    /// What one trustee asks another is not signed by it, or asks for what it may not.
    NotPeer = 52, "the request is not one that a trustee of this election may make";
    /// The chain asks for rehearsals, and these trustees have not done one.
    NotRehearsed = 53, "this chain asks for a rehearsal first, and there is none of these trustees with this threshold and quorum; do one with `psephos board rehearse`";
    /// Ballots that may not travel together.
    WrongBundle = 54, "ballots that travel together are of one election, in ascending order of their credentials, each once";
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

/// Which refusal a ballot that does not verify gets: the same from the chain and from a trustee.
impl From<BallotError> for Refusal {
    fn from(error: BallotError) -> Self {
        match error {
            BallotError::Encoding
            | BallotError::Version
            | BallotError::Shape
            | BallotError::Commitment(_) => Self::MalformedBallot,
            BallotError::Election => Self::UnknownElection,
            BallotError::Style => Self::WrongStyle,
            BallotError::Signature => Self::BadSignature,
            BallotError::Receipts => Self::BadReceipts,
            BallotError::Proof => Self::BadProof,
        }
    }
}

/// Why an action is refused in a phase: which it needs and which this is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the election is in phase {is}, and this needs {needs}")]
pub struct PhaseMismatch {
    /// The phases that it needs.
    pub needs: &'static str,
    /// The phase that the election is in.
    pub is: Phase,
}
