//! Where valid inputs come from: the test vectors, and an election with all its keys.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use codec::{DecodeAll, Encode};
use psephos_protocol::{
    agreement::SetStatement,
    ballot::CastBallot,
    board::Action,
    declaration::Missing,
    evidence::{Dealt, MAGIC},
    ids::Digest,
    keys::PublicKey,
    range_proof::Generators,
    testing::Counted,
    wire::Message,
};
use psephos_verifier::{evidence::Dispute, Options};
use serde_json::Value;

use crate::world::{self, World};

/// A file of test vectors.
pub(crate) fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

/// The bytes of a hexadecimal string.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a string")).expect("hexadecimal")
}

/// What the bytes of a hexadecimal string encode.
pub(crate) fn decoded<T: DecodeAll>(value: &Value) -> T {
    T::decode_all(&mut bytes(value).as_slice()).expect("an encoding")
}

/// The items of a JSON list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// A certified election in which every voter's last ballot came with its dealing, and everything was said that can be.
pub(crate) struct Case {
    pub(crate) world: World,
    /// Of the ballots that count.
    pub(crate) dealt: Vec<Dealt>,
    /// Messages that are valid and not in the record.
    pub(crate) more: Vec<Message>,
}

impl Case {
    /// Made once for all targets.
    pub(crate) fn shared() -> Arc<Self> {
        static CASE: LazyLock<Arc<Case>> = LazyLock::new(|| Arc::new(Case::new()));
        CASE.clone()
    }

    fn new() -> Self {
        let mut world = World::voted(&world::params(), |_| ());
        let dealt = (0..world.fixture.voters.len()).map(|voter| vote_again(&mut world, voter)).collect();
        let announcement = world.fixture.announce(2, 1, "https://two.example:9960/#sha256=00");
        world.blocks[world::FREEZE].push(Message::Announce(announcement));
        world.tally();
        let more = more(&mut world);
        Self { world, dealt, more }
    }

    /// Every message of the election.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.world.blocks.iter().flatten().chain(&self.more)
    }

    pub(crate) fn generators(&self) -> &Generators {
        &self.world.fixture.generators
    }

    /// The evidence file of this election (spec 7.7).
    pub(crate) fn evidence(&self) -> Vec<u8> {
        let dispute = self.dispute();
        let dealt = dispute.ballots().into_iter().flat_map(|ballot| {
            self.dealt.iter().find(|dealt| dealt.ballot == ballot).expect("all were dealt here").encode()
        });
        MAGIC.into_iter().chain(dispute.header().encode()).chain(dealt).collect()
    }

    pub(crate) fn dispute(&self) -> Dispute {
        Dispute::of_record(self.world.bytes().as_slice(), &Options::default()).expect("the record holds")
    }
}

/// A voter casts once more; the dealing is kept, which no record has.
fn vote_again(world: &mut World, voter: usize) -> Dealt {
    let key = world.fixture.voters[voter].key.public();
    let own = world.cast.iter().filter(|other| other.cast.signed.ballot.statement.credential == key);
    let (sequence, votes) = (own.count() as u32 + 1, world.votes(voter % 3));
    let fixture = &mut world.fixture;
    let signed = fixture.sign(voter, sequence, &votes);
    let receipts: Vec<_> = (1..=3).map(|trustee| fixture.receipt(trustee, &signed.hash)).collect();
    let cast = CastBallot { signed: signed.ballot, receipts: receipts.try_into().expect("three receipts") };
    world.blocks[world::RECAST].push(Message::Cast(cast.clone()));
    let (weight, unit) = (fixture.voters[voter].weight, fixture.voters[voter].unit);
    world.cast.push(Counted { cast, hash: signed.hash, shares: signed.shares, weight, unit });
    Dealt { ballot: signed.hash, dealing: signed.dealing }
}

/// Every kind of action and declaration that an honest election has no use for.
fn more(world: &mut World) -> Vec<Message> {
    let fixture = &mut world.fixture;
    let eid = fixture.election.eid;
    let keys: Vec<PublicKey> = fixture.voters.iter().take(2).map(|voter| voter.key.public()).collect();
    let reason = || b"two are gone".to_vec().try_into().expect("short");
    let actions = [
        Action::Reinvite { eid, entry: 3, round: 0, keys: keys.clone().try_into().expect("two keys") },
        Action::Postpone { eid, opens_at: 1, closes_at: 2 },
        Action::Extend { eid, closes_at: 3, reason: reason() },
        Action::Close { eid },
        Action::Void { eid, reason: reason() },
        Action::LowerQuorum { eid, quorum: 2, reason: reason() },
    ];
    let mut messages: Vec<Message> =
        actions.into_iter().map(|action| Message::Approve(fixture.approve(action, 1))).collect();
    let closing = world::anchor(world::CLOSES);
    let missing = Missing::Listed(keys.try_into().expect("two keys"));
    messages.push(Message::Declare(fixture.declare(1, closing, missing)));
    messages.push(Message::Declare(fixture.declare(2, closing, Missing::All)));
    let statement = SetStatement { closing, root: Digest([3; 32]), ballots: 7, log: Digest([4; 32]) };
    messages.push(Message::Agree(fixture.agree(4, statement)));
    messages
}
