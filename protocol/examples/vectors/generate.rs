//! What the test vectors hold: one election, from its manifest to its record, and its hashes.

use codec::Encode;
use psephos_protocol::{
    ballot::{Ballotpaper, Choices, Seed},
    board::Action,
    contest::Rule,
    declaration::Missing,
    ids::{Anchor, BallotHash, Digest, Eid, Genesis},
    invitation::InvitationCode,
    keys::{PublicKey, Signable, Signature, SigningKey},
    manifest::Style,
    range_proof::generators_digest,
    record::{frame, RecordBlock, RecordHeader, MAGIC},
    roll::Registration,
    tally::{Contribution, Finalize},
    testing::{accepted_set, contest, name, set_statement, Counted, Fixture, Params},
    transcript::{self, Role},
    wire::Message,
};
use rand_chacha::rand_core::RngCore;
use serde_json::{json, Value};

/// The files: name and text.
pub fn files() -> Vec<(&'static str, String)> {
    let mut fixture = fixture();
    let ballots = ballots(&mut fixture);
    let values = [
        ("transcript.json", transcripts()),
        ("election.json", election(&mut fixture)),
        (
            "ballot.json",
            json!([
                ballot(&mut fixture, 0, vec![vec![1, 0, 0], vec![2, 3]]),
                ballot(&mut fixture, 1, vec![vec![0, 0, 1], vec![0, 1, 0, 0, 1]]),
            ]),
        ),
        ("tally.json", tally(&mut fixture, &ballots)),
        ("wire.json", wire(&mut fixture, &ballots)),
        ("malformed.json", super::malformed::all(&mut fixture)),
    ];
    let text = |value| format!("{value:#}\n");
    values.into_iter().map(|(name, value)| (name, text(value))).collect()
}

pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(::hex::encode(bytes))
}

fn encoded(item: &impl Encode) -> Value {
    hex(item.encode())
}

/// n = 4, t = 2, q = 3; weights 1 and 3; a style with a plurality of 3 and a score of 2, and one with the plurality
/// and a choice of 1 to 4 among 5, whose ballots are one-bit with a slack bit.
fn fixture() -> Fixture {
    let params = Params {
        seed: 2026,
        contests: vec![contest(3, Rule::plurality()), contest(2, Rule::score(4, 2))],
        voters: vec![1, 3],
        ..Params::default()
    };
    Fixture::with(&params, |manifest| {
        manifest.contests.try_push(contest(5, Rule::choose(1, 4))).expect("few contests");
        let style = Style { name: name("Bits"), contests: vec![0, 2].try_into().expect("two contests") };
        manifest.styles.try_push(style).expect("few styles");
    })
}

fn ballots(fixture: &mut Fixture) -> Vec<Counted> {
    let votes = [[vec![0, 1, 0], vec![4, 1]], [vec![0, 0, 1], vec![0, 2]]];
    votes.iter().enumerate().map(|(voter, votes)| fixture.cast(voter, 1, votes)).collect()
}

/// Each function of the transcript vocabulary on small inputs.
fn transcripts() -> Value {
    let (genesis, eid, head) = (Genesis([1; 32]), Eid([2; 32]), Digest([3; 32]));
    let (left, right, ballot) = (Digest([4; 32]), Digest([5; 32]), BallotHash([6; 32]));
    let bytes = b"some bytes";
    let mut range_proof = [0; 32];
    transcript::range_proof(bytes).challenge_bytes(b"vector", &mut range_proof);
    let stream = |mut expander: transcript::Expander| {
        let (mut first, mut second) = ([0; 32], [0; 8]);
        expander.fill_bytes(&mut first);
        expander.fill_bytes(&mut second);
        json!([hex(first), hex(second), expander.next_u32()])
    };
    json!({
        "inputs": {
            "genesis": hex(genesis), "eid": hex(eid), "head": hex(head), "left": hex(left), "right": hex(right),
            "ballot": hex(ballot), "seed": hex([7; 64]), "salt": hex([8; 32]), "bytes": hex(bytes),
            "other": hex(b"other bytes"), "number": 9, "role": 7,
        },
        "signed(role, genesis, eid, number, bytes)": hex(transcript::signed(Role::Receipt, &genesis, &eid, 9, bytes)),
        "eid(genesis, number, bytes)": hex(transcript::eid(&genesis, 9, bytes)),
        "generators(left, right)": hex(transcript::generators([left.0, right.0].into_iter())),
        "dealing(bytes)": hex(transcript::dealing(bytes)),
        "range_proof(bytes), 32 bytes labelled vector": hex(range_proof),
        "ballot_hash(bytes)": hex(transcript::ballot_hash(bytes)),
        "ballot_randomness(seed, bytes, other), 32 then 8 bytes then a u32":
            stream(transcript::ballot_randomness(&[7; 64], bytes, b"other bytes")),
        "verifier_randomness(bytes, other), 32 then 8 bytes then a u32":
            stream(transcript::verifier_randomness([&bytes[..], b"other bytes"].into_iter())),
        "log(head, bytes)": hex(transcript::log(&head, bytes)),
        "batch(bytes)": hex(transcript::batch(bytes)),
        "person(salt, bytes)": hex(transcript::person(&[8; 32], bytes)),
        "accepted_leaf(bytes)": hex(transcript::accepted_leaf(bytes)),
        "accepted_node(left, right)": hex(transcript::accepted_node(&left, &right)),
        "repair(bytes)": hex(transcript::repair(bytes)),
        "action(bytes)": hex(transcript::action(bytes)),
        "trustees(bytes)": hex(transcript::trustees(bytes)),
        "result(eid, head, bytes)": hex(transcript::result(&eid, &head, bytes)),
        "checksum(\"purpose\", bytes)": hex(transcript::checksum(b"purpose", bytes)),
        "registration(number, left)": hex(transcript::registration(9, &PublicKey(left.0))),
    })
}

/// The manifest, its identifier, a signature in every role, an invitation key.
fn election(fixture: &mut Fixture) -> Value {
    let election = fixture.election.clone();
    let roles = [
        Role::Board,
        Role::Registrar,
        Role::Invitation,
        Role::Registration,
        Role::TrusteeAcceptance,
        Role::Ballot,
        Role::Receipt,
        Role::Agreement,
        Role::Contribution,
        Role::Endpoint,
        Role::PeerRequest,
        Role::RepairPart,
        Role::Declaration,
    ];
    let key = SigningKey::from_seed([9; 32]);
    let signatures: Vec<Value> = roles
        .into_iter()
        .map(|role| {
            let payload = b"payload";
            let statement =
                Signable { role, genesis: &election.genesis, eid: &election.eid, index: 3, payload };
            let signature = key.sign(&statement, &mut fixture.rng).0;
            json!({
                "role": role as u8, "index": 3, "payload": hex(payload),
                "message": hex(statement.message()), "signature": hex(signature),
            })
        })
        .collect();
    let code = InvitationCode::generate(&mut fixture.rng);
    let invitations: Vec<Value> = (0..2u32)
        .map(|channel| {
            let key = code.signing_key(&election.eid, channel).expect("8 MiB of memory");
            json!({ "channel": channel, "seed": hex(key.seed()), "public": hex(key.public()) })
        })
        .collect();
    json!({
        "genesis": hex(election.genesis),
        "number": 1,
        "manifest": encoded(&election.manifest),
        "eid": hex(election.eid),
        "generators": hex(generators_digest()),
        "signing key": { "seed": hex(key.seed()), "public": hex(key.public()) },
        "signatures": signatures,
        "invitation": { "code": code.reveal().as_str(), "keys": invitations },
    })
}

/// One ballot from its seed to its receipts, with shares and envelopes.
fn ballot(fixture: &mut Fixture, style: u16, choices: Vec<Vec<u32>>) -> Value {
    let paper = Ballotpaper { style, ..fixture.paper(0, 3) };
    let prepare = |fixture: &Fixture| {
        let seed = Seed::from_bytes([10; 64]);
        let choices = Choices(choices.clone());
        psephos_protocol::ballot::prepare(&fixture.election, &fixture.generators, paper, choices, seed)
            .expect("a valid vote")
    };
    let audited = prepare(fixture);
    let code = audited.tracking_code().to_string();
    let opening = audited.audit().to_bytes();
    let mut signed = prepare(fixture).cast(&fixture.election, &fixture.voters[0].key, &mut fixture.rng);
    let deposits = fixture.deposits(&mut signed);
    let trustees: Vec<Value> = (1u8..)
        .zip(deposits.iter().zip(&signed.shares))
        .map(|(trustee, (deposit, share))| {
            let receipt = fixture.receipt(trustee, &signed.hash);
            let kem = &fixture.trustees[usize::from(trustee) - 1].kem;
            json!({
                "index": trustee, "kem seed": hex(kem.seed()), "envelope": hex(&deposit.envelope.0),
                "share": hex(share.to_bytes()), "receipt": encoded(&receipt),
            })
        })
        .collect();
    json!({
        "seed": hex([10; 64]),
        "choices": choices,
        "paper": encoded(&paper),
        "ballot": encoded(&signed.ballot.ballot),
        "hash": hex(signed.hash),
        "tracking code": code,
        "audit opening": hex(opening),
        "signature": hex(signed.ballot.signature.0),
        "dealing": encoded(&signed.dealing),
        "dealing digest": hex(signed.dealing.digest()),
        "trustees": trustees,
    })
}

fn contributions(fixture: &mut Fixture, ballots: &[Counted]) -> Vec<Contribution> {
    (1..=4).map(|trustee| fixture.contribute(trustee, ballots)).collect()
}

/// Two ballots of weights 1 and 3, the agreement on them, contributions, and the result.
fn tally(fixture: &mut Fixture, ballots: &[Counted]) -> Value {
    let closing = Anchor { number: 90, hash: [90; 32] };
    let statement = set_statement(ballots, closing);
    let agreements: Vec<Value> = (1..=3).map(|trustee| encoded(&fixture.agree(trustee, statement))).collect();
    let contributions = contributions(fixture, ballots);
    let result = fixture.result(ballots, &contributions[1..3]);
    let (manifest, cells, sums) = (&fixture.election.manifest, fixture.cells(ballots), fixture.sums(ballots));
    let totals = result.verify(manifest, &cells, &sums).expect("a right result").election;
    let cast = ballots.iter().map(
        |ballot| json!({ "cast": encoded(&ballot.cast), "hash": hex(ballot.hash), "weight": ballot.weight }),
    );
    json!({
        "ballots": cast.collect::<Vec<_>>(),
        "set": accepted_set(ballots).iter().map(encoded_pair).collect::<Vec<_>>(),
        "statement": encoded(&statement),
        "root": hex(statement.root),
        "agreements": agreements,
        "contributions": contributions.iter().map(encoded).collect::<Vec<_>>(),
        "contributors": [2, 3],
        "result": encoded(&result),
        "totals": totals,
        "digest": hex(result.digest(&fixture.election.eid, &statement.root)),
    })
}

fn encoded_pair(pair: (&PublicKey, &psephos_protocol::agreement::Accepted)) -> Value {
    encoded(&pair)
}

/// Every kind of message as an extrinsic, and a record with all but the largest.
fn wire(fixture: &mut Fixture, ballots: &[Counted]) -> Value {
    let eid = fixture.election.eid;
    let manifest = fixture.election.manifest.clone();
    let registration = Registration {
        eid,
        entry: 1,
        credential: fixture.voters[1].key.public(),
        invitations: vec![Signature([1; 64]), Signature([2; 64])].try_into().expect("two"),
        possession: Signature([3; 64]),
    };
    let statement = set_statement(ballots, Anchor { number: 90, hash: [90; 32] });
    let some = vec![ballots[0].cast.signed.ballot.statement.credential];
    let some = Missing::Listed(some.try_into().expect("one"));
    let reason = b"two are gone".to_vec().try_into().expect("short");
    let lower = Action::LowerQuorum { eid, quorum: 2, reason };
    let create = Action::CreateElection { number: 1, manifest };
    let messages = [
        ("approve creation", Message::Approve(fixture.approve(create, 0))),
        ("approve closing", Message::Approve(fixture.approve(Action::Close { eid }, 2))),
        ("add batch", Message::AddBatch(fixture.roll())),
        ("register", Message::Register(registration)),
        ("accept", Message::Accept(fixture.accept(4))),
        ("cast", Message::Cast(ballots[0].cast.clone())),
        ("announce", Message::Announce(fixture.announce(2, 1, "https://two.example/#sha256=00"))),
        ("declare some", Message::Declare(fixture.declare(1, statement.closing, some))),
        ("declare all", Message::Declare(fixture.declare(2, statement.closing, Missing::All))),
        ("approve a lower quorum", Message::Approve(fixture.approve(lower, 1))),
        ("agree", Message::Agree(fixture.agree(1, statement))),
        ("contribute", Message::Contribute(fixture.contribute(1, ballots))),
        ("finalize", Message::Finalize(Finalize { eid, contributors: vec![1, 2].try_into().expect("two") })),
    ];
    let header = RecordHeader {
        version: psephos_protocol::VERSION,
        genesis: fixture.election.genesis,
        board: fixture.election.manifest.board.clone(),
        eid,
    };
    let later: Vec<Message> = messages.iter().skip(1).map(|(_, message)| message.clone()).collect();
    let blocks = [
        RecordBlock { header: vec![1; 40], time: 1_000_000, messages: later },
        RecordBlock { header: vec![2; 40], time: 1_002_000, messages: Vec::new() },
    ];
    let mut record = MAGIC.to_vec();
    record.extend(frame(&header));
    blocks.iter().for_each(|block| record.extend(frame(block)));
    let extrinsics = messages
        .iter()
        .map(|(name, message)| json!({ "message": name, "extrinsic": hex(message.to_extrinsic()) }))
        .collect::<Vec<_>>();
    json!({ "extrinsics": extrinsics, "record": hex(record), "record blocks": blocks.len() })
}
