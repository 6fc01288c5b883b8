//! Every change of one field of a value. Structures are taken apart without `..` and variants matched without `_`, so
//! that a new one does not compile before it says here what it holds.

use bounded_collections::{BoundedVec, Get};
use codec::Compact;
use psephos_protocol::{
    agreement::{Acceptance, Agreement, SetStatement},
    ballot::{Ballot, CastBallot, SignedBallot, Statement},
    board::{Action, Approval, Board},
    contest::{Contest, Rule},
    declaration::{Declaration, Missing},
    endpoint::{Announcement, Endpoint},
    finality::FinalityProof,
    group::{Point, ScalarBytes},
    header::{DigestItem, Header},
    ids::{Anchor, BallotHash, Digest, Eid, Genesis},
    keys::{PublicKey, Signature},
    manifest::{Manifest, Style, Trustee},
    receipt::Receipt,
    record::RecordHeader,
    roll::{Access, Registration, RollBatch, RollEntry},
    tally::{Contribution, Finalize},
    wire::Message,
};

/// A value with one field changed.
pub struct Altered<T> {
    /// The field, such as `statement.closing.number`.
    pub path: String,
    /// What became of it.
    pub how: &'static str,
    pub value: T,
}

impl<T> Altered<T> {
    /// The same as a part of something larger.
    fn within<U>(self, field: &str, whole: impl FnOnce(T) -> U) -> Altered<U> {
        let path = if self.path.is_empty() { String::from(field) } else { format!("{field}.{}", self.path) };
        Altered { path, how: self.how, value: whole(self.value) }
    }
}

pub trait Alter: Sized + Clone + PartialEq {
    /// This value with one field changed, in every way.
    fn altered(&self) -> Vec<Altered<Self>> {
        let mut all: Vec<Altered<Self>> = Vec::new();
        for altered in self.ways() {
            let known = all.iter().any(|other| other.path == altered.path && other.value == altered.value);
            if altered.value != *self && !known {
                all.push(altered);
            }
        }
        all
    }

    /// The same, perhaps with some that change nothing.
    fn ways(&self) -> Vec<Altered<Self>>;
}

fn way<T>(how: &'static str, value: T) -> Altered<T> {
    Altered { path: String::new(), how, value }
}

macro_rules! numbers {
    ($($type:ty)*) => { $(
        impl Alter for $type {
            fn ways(&self) -> Vec<Altered<Self>> {
                vec![
                    way("less by one", self.saturating_sub(1)),
                    way("more by one", self.saturating_add(1)),
                    way("the largest", <$type>::MAX),
                ]
            }
        }
    )* };
}
numbers! { u8 u16 u32 u64 }

impl Alter for bool {
    fn ways(&self) -> Vec<Altered<Self>> {
        vec![way("the other", !self)]
    }
}

impl Alter for Compact<u32> {
    fn ways(&self) -> Vec<Altered<Self>> {
        let ways = self.0.ways().into_iter();
        ways.map(|Altered { path, how, value }| Altered { path, how, value: Compact(value) }).collect()
    }
}

impl<const N: usize> Alter for [u8; N] {
    fn ways(&self) -> Vec<Altered<Self>> {
        let mut flipped = *self;
        flipped[0] ^= 1;
        vec![way("with another bit", flipped), way("all zeros", [0; N]), way("all ones", [255; N])]
    }
}

macro_rules! byte_strings {
    ($($type:ident)*) => { $(
        impl Alter for $type {
            fn ways(&self) -> Vec<Altered<Self>> {
                self.0.ways().into_iter().map(|way| Altered { path: way.path, how: way.how, value: Self(way.value) }).collect()
            }
        }
    )* };
}
byte_strings! { Genesis Eid BallotHash Digest PublicKey Point ScalarBytes Signature }

impl<T: Alter> Alter for Option<T>
where
    T: Default,
{
    fn ways(&self) -> Vec<Altered<Self>> {
        match self {
            None => vec![way("given", Some(T::default()))],
            Some(value) => {
                let mut ways: Vec<_> =
                    value.altered().into_iter().map(|way| way.within("given", Some)).collect();
                ways.push(way("not given", None));
                ways
            }
        }
    }
}

impl<A: Alter, B: Alter> Alter for (A, B) {
    fn ways(&self) -> Vec<Altered<Self>> {
        let (a, b) = self;
        let mut ways: Vec<_> =
            a.altered().into_iter().map(|way| way.within("first", |a| (a, b.clone()))).collect();
        ways.extend(b.altered().into_iter().map(|way| way.within("second", |b| (a.clone(), b))));
        ways
    }
}

impl<T: Alter> Alter for Vec<T> {
    fn ways(&self) -> Vec<Altered<Self>> {
        let mut ways = Vec::new();
        if let [first, rest @ ..] = self.as_slice() {
            let whole = |value| [vec![value], rest.to_vec()].concat();
            ways.extend(first.altered().into_iter().map(|way| way.within("0", whole)));
        }
        if let Some((last, rest)) = self.split_last() {
            ways.push(way("empty", Vec::new()));
            ways.push(way("without its last", rest.to_vec()));
            ways.push(way("with its last twice", [self.as_slice(), std::slice::from_ref(last)].concat()));
            ways.push(way("reversed", self.iter().rev().cloned().collect()));
        }
        ways
    }
}

/// What would be too long to be decoded is left to the cases of malformed files.
impl<T: Alter, S: Get<u32>> Alter for BoundedVec<T, S> {
    fn ways(&self) -> Vec<Altered<Self>> {
        let ways = self.to_vec().ways().into_iter();
        ways.filter_map(|Altered { path, how, value }| {
            Some(Altered { path, how, value: Self::try_from(value).ok()? })
        })
        .collect()
    }
}

macro_rules! structures {
    ($($type:ident { $($field:ident),+ })*) => { $(
        impl Alter for $type {
            fn ways(&self) -> Vec<Altered<Self>> {
                let Self { $($field),+ } = self;
                let mut ways = Vec::new();
                $(ways.extend($field.altered().into_iter().map(|way| {
                    way.within(stringify!($field), |value| {
                        let mut whole = self.clone();
                        whole.$field = value;
                        whole
                    })
                }));)+
                ways
            }
        }
    )* };
}
structures! {
    RecordHeader { version, genesis, board, eid }
    Header { parent, number, state_root, extrinsics_root, digest }
    FinalityProof { version, genesis, state, headers, justification }
    Anchor { number, hash }
    Manifest {
        version, title, contests, styles, units, weights, max_voters, privacy_minimum, small_groups_public, max_ballots,
        trustees, threshold, quorum, board, registrars, opens_at, closes_at, early_close, by_unit, rehearsal, generators
    }
    Contest { title, options, rule }
    Rule { max_each, min_sum, max_sum }
    Style { name, contests }
    Trustee { name, signing, kem }
    Board { members, threshold }
    Approval { action, member, signature }
    RollBatch { eid, registrar, batch, entries, signature }
    RollEntry { access, weight, style, unit, person }
    Registration { eid, entry, credential, invitations, possession }
    Acceptance { eid, trustee, signature }
    CastBallot { signed, receipts }
    SignedBallot { ballot, signature }
    Ballot { statement, width, proof }
    Statement { version, eid, style, credential, sequence, anchor, expiry, commitments, slack, dealing }
    Receipt { trustee, height, signature }
    Agreement { eid, trustee, statement, signature }
    SetStatement { closing, root, ballots, log }
    Contribution { eid, trustee, root, sums, signature }
    Finalize { eid, contributors }
    Announcement { eid, trustee, endpoint, signature }
    Endpoint { number, url }
    Declaration { eid, trustee, closing, missing, signature }
}

macro_rules! variants_of_one {
    ($($type:ident { $($variant:ident),+ } $others:expr;)*) => { $(
        impl Alter for $type {
            fn ways(&self) -> Vec<Altered<Self>> {
                let mut ways: Vec<Altered<Self>> = match self {
                    $(Self::$variant(value) => value
                        .altered()
                        .into_iter()
                        .map(|way| way.within(stringify!($variant), Self::$variant))
                        .collect(),)+
                };
                let others: fn(&Self) -> Vec<Self> = $others;
                ways.extend(others(self).into_iter().map(|value| way("of another kind", value)));
                ways
            }
        }
    )* };
}
variants_of_one! {
    Message { Approve, AddBatch, Register, Accept, Cast, Agree, Contribute, Finalize, Announce, Declare } |_| Vec::new();
    Access { Invitation, Credential } |access| match access {
        Access::Invitation(keys) => keys.iter().map(|key| Access::Credential(*key)).collect(),
        Access::Credential(key) => vec![Access::Invitation(vec![*key].try_into().expect("one key"))],
    };
}

impl Alter for Missing {
    fn ways(&self) -> Vec<Altered<Self>> {
        match self {
            Self::Listed(credentials) => {
                let mut ways: Vec<_> =
                    credentials.altered().into_iter().map(|way| way.within("Listed", Self::Listed)).collect();
                ways.push(way("of another kind", Self::All));
                ways
            }
            Self::All => vec![way("of another kind", Self::Listed(BoundedVec::new()))],
        }
    }
}

impl Alter for DigestItem {
    fn ways(&self) -> Vec<Altered<Self>> {
        let of_engine = |variant: fn([u8; 4], Vec<u8>) -> Self, engine: &[u8; 4], data: &Vec<u8>| {
            let pair = (*engine, data.clone()).altered().into_iter();
            pair.map(|way| way.within("item", |(engine, data)| variant(engine, data))).collect()
        };
        let mut ways: Vec<Altered<Self>> = match self {
            Self::Other(data) => {
                data.altered().into_iter().map(|way| way.within("item", Self::Other)).collect()
            }
            Self::Consensus(engine, data) => of_engine(Self::Consensus, engine, data),
            Self::Seal(engine, data) => of_engine(Self::Seal, engine, data),
            Self::PreRuntime(engine, data) => of_engine(Self::PreRuntime, engine, data),
            Self::RuntimeEnvironmentUpdated => Vec::new(),
        };
        ways.push(way("of another kind", Self::RuntimeEnvironmentUpdated));
        ways
    }
}

macro_rules! actions {
    ($($variant:ident { $($field:ident),+ })*) => {
        impl Alter for Action {
            fn ways(&self) -> Vec<Altered<Self>> {
                let mut ways = Vec::new();
                match self {
                    $(Self::$variant { $($field),+ } => {
                        $(ways.extend($field.altered().into_iter().map(|way| {
                            way.within(concat!(stringify!($variant), ".", stringify!($field)), |value| {
                                let mut whole = self.clone();
                                if let Self::$variant { $field: place, .. } = &mut whole {
                                    *place = value;
                                }
                                whole
                            })
                        }));)+
                    })*
                }
                ways
            }
        }
    };
}
actions! {
    CreateElection { number, manifest }
    ConfirmBatch { eid, batch, digest }
    Reinvite { eid, entry, round, keys }
    Freeze { eid, roll }
    Postpone { eid, opens_at, closes_at }
    Extend { eid, closes_at, reason }
    Close { eid }
    Certify { eid, result }
    Void { eid, reason }
    LowerQuorum { eid, quorum, reason }
}
