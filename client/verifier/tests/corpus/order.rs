//! Every message of a record left out, twice, and exchanged with the next of its block.

use psephos_protocol::{board::Approval, wire::Message};

use super::{
    fields::{kind, own},
    Check, Corpus, Expected, Unnoticed,
};
use crate::cases::EVERYTHING;

/// Who speaks: the member, trustee or voter, where there are several.
fn speaker(message: &Message) -> u8 {
    match message {
        Message::Approve(Approval { member, .. }) => *member,
        Message::Accept(acceptance) => acceptance.trustee,
        Message::Agree(agreement) => agreement.trustee,
        Message::Contribute(contribution) => contribution.trustee,
        Message::Announce(announcement) => announcement.trustee,
        Message::Declare(declaration) => declaration.trustee,
        Message::AddBatch(_) | Message::Register(_) | Message::Cast(_) | Message::Finalize(_) => 0,
    }
}

pub fn add(corpus: &mut Corpus) {
    let world = corpus.base(EVERYTHING, "");
    for (place, messages) in world.blocks.iter().enumerate() {
        for (index, message) in messages.iter().enumerate() {
            let (kind, speaker) = (kind(message), speaker(message));
            let what = format!("block {place}, message {index}, {kind} by {speaker}");
            corpus.world(EVERYTHING, format!("left out: {what}"), left_out(kind, speaker), |world| {
                world.blocks[place].remove(index);
            });
            corpus.world(EVERYTHING, format!("twice: {what}"), twice(kind, speaker), |world| {
                world.blocks[place].insert(index, message.clone());
            });
            if let Some(next) = messages.get(index + 1) {
                let expected = exchanged(message, next);
                corpus.world(EVERYTHING, format!("exchanged with the next: {what}"), expected, |world| {
                    world.blocks[place].swap(index, index + 1);
                });
            }
        }
    }
}

fn left_out(kind: &str, speaker: u8) -> Expected {
    match (kind, speaker) {
        ("Announce", _) => Unnoticed("a statement of an address"),
        ("LowerQuorum" | "Void", _) => Unnoticed("an approval that never came to k, or that nothing came of"),
        ("Declare", 4) => Unnoticed("a declaration that changes nothing"),
        ("Agree", 4) => Unnoticed("an agreement with another root"),
        ("Contribute", 3) => Unnoticed("a contribution that Finalize did not name"),
        // Voting was over before the first ballot.
        ("Postpone", _) => Check(8),
        // Voting was still open for what comes next.
        ("Close", _) | ("Cast", _) => Check(11),
        ("Contribute", _) => Check(14),
        ("Certify", _) => Check(1),
        (kind, _) => Check(own(kind)),
    }
}

fn twice(kind: &str, speaker: u8) -> Expected {
    match (kind, speaker) {
        ("Certify", 1) => Check(16),
        (kind, _) => Check(own(kind)),
    }
}

fn exchanged(message: &Message, next: &Message) -> Expected {
    match (kind(message), kind(next), speaker(message)) {
        ("AddBatch", "ConfirmBatch", _) | ("Reinvite", "Register", 1) => Check(6),
        ("Announce", "Announce", _) => Check(5),
        ("Cast", "Cast", _) => Check(11),
        _ => Unnoticed("the order of what does not depend on each other"),
    }
}
