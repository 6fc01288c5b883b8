//! What travels to the chain (spec 8.1): a target for each kind of message.

use codec::Encode;
use psephos_protocol::{
    ballot::CastBallot,
    keys::verify_signature,
    roll::InvitationKeys,
    wire::{block_time, bundle, bundle_from_extrinsic, bundle_to_extrinsic, Message},
};

use crate::{
    corpus::{bytes, list, vectors, Case},
    world::time,
    Target,
};

/// The messages' names, by their variants' indices.
const KINDS: [&str; 10] = [
    "message-approve",
    "message-add-batch",
    "message-register",
    "message-accept",
    "message-cast",
    "message-agree",
    "message-contribute",
    "message-finalize",
    "message-announce",
    "message-declare",
];

pub(super) fn all() -> Vec<Target> {
    let kinds = KINDS.into_iter().enumerate().map(|(kind, name)| {
        let case = Case::shared();
        let target = Target::new(name, corpus(&case, kind), |bytes| {
            Message::from_extrinsic(bytes).map(|message| message.to_extrinsic())
        });
        target.signed(move |bytes| {
            Message::from_extrinsic(bytes).is_some_and(|message| is_signed(&case, &message))
        })
    });
    kinds.chain([bundles(), block_times()]).collect()
}

/// The extrinsics of one kind. Those of the vectors are of another election, and verify in none of this one's roles.
fn corpus(case: &Case, kind: usize) -> Vec<Vec<u8>> {
    let vectors = vectors("wire.json");
    let theirs = list(&vectors["extrinsics"]).iter().map(|extrinsic| bytes(&extrinsic["extrinsic"]));
    let ours = case.messages().map(Message::to_extrinsic);
    let is_kind = |extrinsic: &Vec<u8>| {
        Message::from_extrinsic(extrinsic)
            .is_some_and(|message| message.encode().first() == Some(&(kind as u8)))
    };
    theirs.chain(ours).filter(is_kind).collect()
}

/// Whether its author signed it for this election.
fn is_signed(case: &Case, message: &Message) -> bool {
    let election = &case.world.fixture.election;
    match message {
        Message::Approve(approval) => {
            approval.verify(verify_signature, &election.genesis, &election.manifest.board)
        }
        Message::AddBatch(batch) => batch.verify(verify_signature, election),
        Message::Register(claim) => {
            let keys: InvitationKeys = vec![case.world.invitation.public()].try_into().expect("one key");
            claim.verify(verify_signature, election, &keys)
        }
        Message::Accept(acceptance) => acceptance.verify(election, verify_signature),
        Message::Cast(cast) => cast.verify(election, case.generators(), verify_signature).is_ok(),
        Message::Agree(agreement) => agreement.verify(election, verify_signature),
        Message::Contribute(contribution) => contribution.verify(election, verify_signature),
        // Anybody may send it; the chain checks the sums that it names.
        Message::Finalize(_) => false,
        Message::Announce(announcement) => announcement.verify(election, verify_signature),
        Message::Declare(declaration) => declaration.verify(election, verify_signature),
    }
}

/// Ballots that travel together: signed if each of them is.
fn bundles() -> Target {
    let case = Case::shared();
    let casts: Vec<CastBallot> = case.messages().filter_map(cast).collect();
    let corpus = [1, casts.len()].map(|count| {
        let some = bundle(casts.iter().take(count).cloned().collect());
        bundle_to_extrinsic(&some.expect("the case has few ballots"))
    });
    let target = Target::new("bundle", corpus.to_vec(), |bytes| {
        bundle_from_extrinsic(bytes).map(|bundle| bundle_to_extrinsic(&bundle))
    });
    target.signed(move |bytes| {
        let ballots = Message::all_from_extrinsic(bytes);
        !ballots.is_empty() && ballots.iter().all(|ballot| is_signed(&case, ballot))
    })
}

fn cast(message: &Message) -> Option<CastBallot> {
    match message {
        Message::Cast(cast) => Some(cast.clone()),
        _ => None,
    }
}

/// The extrinsic that sets a block's time, in both formats that the chain's library writes.
fn block_times() -> Target {
    let extrinsic = |format: u8, time: u64| {
        let body = [vec![format, 1, 0], codec::Compact(time).encode()].concat();
        body.encode()
    };
    let corpus = vec![extrinsic(4, time(3)), extrinsic(5, 0), extrinsic(5, u64::MAX)];
    Target::new("block-time", corpus, move |bytes| {
        let time = block_time(bytes)?;
        [4, 5]
            .into_iter()
            .map(|format| extrinsic(format, time))
            .find(|one| one == bytes)
            .or_else(|| Some(Vec::new()))
    })
}
