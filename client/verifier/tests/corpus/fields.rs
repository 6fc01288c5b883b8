//! Every field of every kind of message, and of every action of the board: changed under the old signature, signed anew
//! by whom the message names, and left as it is under a signature that is another's.

use psephos_protocol::{
    board::{Action, Approval},
    election::Election,
    ids::{Eid, Genesis},
    wire::Message,
};

use super::{
    alter::Alter,
    sign::{set_eid, signed, signed_by, strangers},
    Allowed, Check, Corpus, Expected,
};
use crate::{cases::EVERYTHING, common::World};

/// What a message is called.
pub fn kind(message: &Message) -> &'static str {
    match message {
        Message::Approve(approval) => match approval.action {
            Action::CreateElection { .. } => "CreateElection",
            Action::ConfirmBatch { .. } => "ConfirmBatch",
            Action::Reinvite { .. } => "Reinvite",
            Action::Freeze { .. } => "Freeze",
            Action::Postpone { .. } => "Postpone",
            Action::Extend { .. } => "Extend",
            Action::Close { .. } => "Close",
            Action::Certify { .. } => "Certify",
            Action::Void { .. } => "Void",
            Action::LowerQuorum { .. } => "LowerQuorum",
        },
        Message::AddBatch(_) => "AddBatch",
        Message::Register(_) => "Register",
        Message::Accept(_) => "Accept",
        Message::Cast(_) => "Cast",
        Message::Agree(_) => "Agree",
        Message::Contribute(_) => "Contribute",
        Message::Finalize(_) => "Finalize",
        Message::Announce(_) => "Announce",
        Message::Declare(_) => "Declare",
    }
}

/// The check that a message belongs to (spec 9.2).
pub fn own(kind: &str) -> u8 {
    match kind {
        "CreateElection" => 4,
        "Accept" | "Announce" => 5,
        "AddBatch" | "Register" | "ConfirmBatch" | "Reinvite" => 6,
        "Freeze" | "Postpone" | "Extend" | "Close" => 7,
        "Cast" => 8,
        "Agree" | "Declare" | "LowerQuorum" => 11,
        "Contribute" => 13,
        "Finalize" => 14,
        "Certify" | "Void" => 15,
        other => panic!("a message of another kind: {other}"),
    }
}

const KINDS: usize = 19;

/// One message of each kind: the first, but of the registrations the last, whose keys are the world's.
fn one_of_each(world: &World) -> Vec<(usize, usize)> {
    let mut seen = std::collections::BTreeMap::new();
    for (place, messages) in world.blocks.iter().enumerate() {
        for (index, message) in messages.iter().enumerate() {
            if kind(message) == "Register" {
                seen.insert("Register", (place, index));
            } else {
                seen.entry(kind(message)).or_insert((place, index));
            }
        }
    }
    assert_eq!(seen.len(), KINDS, "the record has every kind of message");
    seen.into_values().collect()
}

pub fn add(corpus: &mut Corpus) {
    let world = corpus.base(EVERYTHING, "");
    for (place, index) in one_of_each(&world) {
        let message = &world.blocks[place][index];
        let kind = kind(message);
        for altered in message.altered() {
            let (path, how) = (altered.path.as_str(), altered.how);
            let what = format!("{kind}: {path} {how}");
            let value = altered.value;
            corpus.world(EVERYTHING, format!("{what}, signed before"), signed_before(kind, path), |world| {
                world.blocks[place][index] = value.clone();
            });
            let signs = ["signature", "possession", "invitations"];
            if kind != "Finalize" && !signs.iter().any(|field| path.contains(field)) {
                let expected = signed_anew(kind, path, how);
                corpus.world(EVERYTHING, format!("{what}, signed anew"), expected, |world| {
                    replace(world, place, index, value);
                });
            }
        }
        if kind != "Finalize" {
            foreign(corpus, &world, place, index);
        }
    }
}

/// Puts a message in place of another and signs it. Of a decision of the board, all members sign the other one.
fn replace(world: &mut World, place: usize, index: usize, new: Message) {
    let old = std::mem::replace(&mut world.blocks[place][index], new.clone());
    world.blocks[place][index] = signed(world, new.clone());
    let (Message::Approve(old), Message::Approve(new)) = (old, new) else { return };
    if old.action == new.action {
        return;
    }
    for index in 0..world.blocks[place].len() {
        match &world.blocks[place][index] {
            Message::Approve(other) if other.action == old.action => {
                let other = Approval { action: new.action.clone(), ..other.clone() };
                world.blocks[place][index] = signed(world, Message::Approve(other));
            }
            _ => {}
        }
    }
}

/// Signed by somebody else, for another chain, for another election.
fn foreign(corpus: &mut Corpus, world: &World, place: usize, index: usize) {
    let message = &world.blocks[place][index];
    let kind = kind(message);
    let expected = Check(own(kind));
    for (who, key) in strangers(world) {
        let own_key = matches!((kind, who), ("AddBatch", "the registrar"));
        if !own_key {
            corpus.world(EVERYTHING, format!("{kind}: signed by {who}"), expected, |world| {
                let election = world.fixture.election.clone();
                let message = message.clone();
                world.blocks[place][index] = signed_by(world, message, &election, Some(&key));
            });
        }
    }
    let Election { genesis, eid, manifest } = &world.fixture.election;
    corpus.world(EVERYTHING, format!("{kind}: signed for another chain"), expected, |world| {
        let election = Election::new_unchecked(Genesis([1; 32]), *eid, manifest.clone());
        world.blocks[place][index] = signed_by(world, message.clone(), &election, None);
    });
    if matches!(message, Message::Approve(_)) {
        return;
    }
    let other = Eid([1; 32]);
    corpus.world(EVERYTHING, format!("{kind}: of another election"), Check(1), |world| {
        let mut message = message.clone();
        set_eid(&mut message, other);
        world.blocks[place][index] = signed(world, message);
    });
    corpus.world(EVERYTHING, format!("{kind}: signed for another election"), expected, |world| {
        let election = Election::new_unchecked(*genesis, other, manifest.clone());
        let mut message = signed_by(world, message.clone(), &election, None);
        set_eid(&mut message, *eid);
        world.blocks[place][index] = message;
    });
}

/// What is said is looked at before who signed it, where these are of different checks.
fn signed_before(kind: &str, path: &str) -> Expected {
    if path.ends_with("eid") {
        return Check(1);
    }
    match path {
        "Approve.action.Freeze.roll" => Check(6),
        _ if path.starts_with("Approve.action.CreateElection") => Check(3),
        _ => Check(own(kind)),
    }
}

fn signed_anew(kind: &str, path: &str, how: &str) -> Expected {
    const TIME: Expected = Allowed("the board chose another time");
    const REASON: Expected = Allowed("the board gave another reason");
    const ADDRESS: Expected = Allowed("a trustee stated another address");
    match (path, how) {
        ("Approve.action.Postpone.opens_at", "more by one") => TIME,
        ("Approve.action.Postpone.closes_at", "less by one" | "more by one") => TIME,
        ("Approve.action.Extend.closes_at", "more by one" | "the largest") => TIME,
        _ if path.ends_with(".reason") && how != "empty" => REASON,
        // One letter of the reason; 255 is none.
        _ if path.ends_with(".reason.0") && how != "the largest" => REASON,
        ("Approve.member", "less by one") if kind == "Void" => {
            Allowed("another member alone wants to void the election")
        }
        ("Announce.trustee", "less by one" | "more by one") => ADDRESS,
        ("Announce.endpoint.number", "more by one") => ADDRESS,
        ("Announce.endpoint.url", "without its last" | "with its last twice") => ADDRESS,
        ("Cast.receipts.0.height", _) => Allowed("a trustee knew of another block when it gave the receipt"),
        ("Declare.missing", "of another kind") => Allowed("a trustee says that it lacks all, which it may"),
        ("Contribute.sums.0.first" | "Contribute.sums.0.second", "all ones") => Check(13),
        ("Contribute.sums.0.first" | "Contribute.sums.0.second", _) | ("Contribute.sums", "reversed") => {
            Check(14)
        }
        _ => signed_before(kind, path),
    }
}
