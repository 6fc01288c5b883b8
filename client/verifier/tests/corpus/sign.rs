//! Signs messages anew: what whoever has the keys can do.

use codec::Encode;
use psephos_protocol::{
    agreement::{Acceptance, Agreement},
    ballot::{Ballot, CastBallot},
    board::Approval,
    declaration::Declaration,
    election::Election,
    endpoint::Announcement,
    ids::Eid,
    keys::{PublicKey, SigningKey},
    receipt::Receipt,
    roll::{batch_signable, Registration, RollBatch},
    tally::Contribution,
    testing::Fixture,
    transcript,
    wire::Message,
};

use crate::common::World;

/// The key at that place of a list; the first one where the list has none there.
fn key_at(keys: &[SigningKey], place: usize) -> SigningKey {
    keys.get(place).unwrap_or(&keys[0]).clone()
}

fn trustee_key(fixture: &Fixture, trustee: u8) -> SigningKey {
    let keys: Vec<_> = fixture.trustees.iter().map(|keys| keys.signing.clone()).collect();
    key_at(&keys, usize::from(trustee).wrapping_sub(1))
}

/// The key of a voter. Of a credential that is nobody's, the last voter's.
fn voter_key(fixture: &Fixture, credential: &PublicKey) -> SigningKey {
    let own = fixture.voters.iter().find(|voter| voter.key.public() == *credential);
    own.or(fixture.voters.last()).expect("there are voters").key.clone()
}

/// The same message, signed by whom it names, for the election that it names: with receipts too, if it is a ballot.
pub fn signed(world: &mut World, message: Message) -> Message {
    let Election { genesis, eid, manifest } = &world.fixture.election;
    let election = Election::new_unchecked(*genesis, message.eid().unwrap_or(*eid), manifest.clone());
    signed_by(world, message, &election, None)
}

/// The same message, signed for that election, and by that key where whom it names should sign it last.
pub fn signed_by(
    world: &mut World,
    message: Message,
    election: &Election,
    key: Option<&SigningKey>,
) -> Message {
    let fixture = &mut world.fixture;
    let or = |own: SigningKey| key.cloned().unwrap_or(own);
    match message {
        Message::Approve(Approval { action, member, .. }) => {
            let key = or(key_at(&fixture.board, member.into()));
            Message::Approve(Approval::sign(&election.genesis, action, member, &key, &mut fixture.rng))
        }
        Message::AddBatch(batch) => {
            let key = or(key_at(&fixture.registrars, batch.registrar.into()));
            let payload = (batch.batch, transcript::batch(&batch.entries.encode())).encode();
            let statement = batch_signable(election, batch.registrar, &payload);
            Message::AddBatch(RollBatch { signature: key.sign(&statement, &mut fixture.rng), ..batch })
        }
        Message::Register(claim) => {
            let payload = transcript::registration(claim.entry, &claim.credential);
            let key = or(voter_key(fixture, &claim.credential));
            let possession =
                key.sign(&Registration::possession_signable(election, &payload), &mut fixture.rng);
            let mut invitations = claim.invitations.clone();
            for (index, invited) in invitations.iter_mut().enumerate() {
                let statement = Registration::invitation_signable(election, index as u32, &payload);
                *invited = world.invitation.sign(&statement, &mut fixture.rng);
            }
            Message::Register(Registration { invitations, possession, ..claim })
        }
        Message::Accept(Acceptance { trustee, .. }) => {
            let key = or(trustee_key(fixture, trustee));
            Message::Accept(Acceptance::sign(election, trustee, &key, &mut fixture.rng))
        }
        Message::Cast(mut cast) => {
            let ballot = &cast.signed.ballot;
            let (hash, key) = (ballot.hash(), or(voter_key(fixture, &ballot.statement.credential)));
            cast.signed.signature = key.sign(&Ballot::signable(election, &hash), &mut fixture.rng);
            let receipts = cast.receipts.iter().map(|Receipt { trustee, height, .. }| {
                let key = trustee_key(fixture, *trustee);
                Receipt::sign(election, *trustee, &key, &hash, *height, &mut fixture.rng)
            });
            let receipts = receipts.collect::<Vec<_>>().try_into().expect("as many as before");
            Message::Cast(CastBallot { signed: cast.signed, receipts })
        }
        Message::Agree(Agreement { trustee, statement, .. }) => {
            let key = or(trustee_key(fixture, trustee));
            Message::Agree(Agreement::sign(election, trustee, &key, statement, &mut fixture.rng))
        }
        Message::Contribute(Contribution { trustee, root, sums, .. }) => {
            let key = or(trustee_key(fixture, trustee));
            Message::Contribute(Contribution::sign(election, trustee, &key, root, sums, &mut fixture.rng))
        }
        Message::Finalize(finalize) => Message::Finalize(finalize),
        Message::Announce(Announcement { trustee, endpoint, .. }) => {
            let key = or(trustee_key(fixture, trustee));
            Message::Announce(Announcement::sign(election, trustee, &key, endpoint, &mut fixture.rng))
        }
        Message::Declare(Declaration { trustee, closing, missing, .. }) => {
            let key = or(trustee_key(fixture, trustee));
            Message::Declare(Declaration::sign(election, trustee, &key, closing, missing, &mut fixture.rng))
        }
    }
}

/// Makes a message say that it is of that election. An approval says so within its action.
pub fn set_eid(message: &mut Message, eid: Eid) {
    match message {
        Message::Approve(_) => {}
        Message::AddBatch(batch) => batch.eid = eid,
        Message::Register(claim) => claim.eid = eid,
        Message::Accept(acceptance) => acceptance.eid = eid,
        Message::Cast(cast) => cast.signed.ballot.statement.eid = eid,
        Message::Agree(agreement) => agreement.eid = eid,
        Message::Contribute(contribution) => contribution.eid = eid,
        Message::Finalize(finalize) => finalize.eid = eid,
        Message::Announce(announcement) => announcement.eid = eid,
        Message::Declare(declaration) => declaration.eid = eid,
    }
}

/// Other keys of the election, one of each role; none of them signs what the walk over all fields changes.
pub fn strangers(world: &World) -> [(&'static str, SigningKey); 4] {
    let fixture = &world.fixture;
    [
        ("a board member", fixture.board[1].clone()),
        ("the registrar", fixture.registrars[0].clone()),
        ("another trustee", fixture.trustees[3].signing.clone()),
        ("another voter", fixture.voters[1].key.clone()),
    ]
}
