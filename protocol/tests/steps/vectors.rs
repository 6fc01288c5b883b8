//! The test vectors in `docs/vectors`: what this code makes is what is checked in, and what is
//! checked in decodes and verifies by itself.

#[path = "../../examples/vectors/generate.rs"]
mod generate;
#[path = "../../examples/vectors/malformed.rs"]
mod malformed;

use codec::DecodeAll;
use psephos_protocol::{
    agreement::{Accepted, AcceptedSet, Agreement, SetStatement},
    ballot::{AuditOpening, Ballot, Ballotpaper, CastBallot, SignedBallot, TrackingCode},
    cells::Cells,
    election::Election,
    envelope::{Envelope, KemKey},
    ids::{BallotHash, Digest, Eid, Genesis},
    keys::{verify_signature, PublicKey, Signature},
    manifest::Manifest,
    range_proof::Generators,
    receipt::Receipt,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    shares::{Dealing, Share},
    tally::{reconstruct, CommitmentSums, Contribution, ElectionResult},
    wire::Message,
};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/vectors/");

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn file(name: &str) -> Value {
    serde_json::from_str(&text(name)).expect("JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a string")).expect("hex")
}

fn decode<T: DecodeAll>(value: &Value) -> T {
    T::decode_all(&mut bytes(value).as_slice()).expect("an encoding")
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn election() -> (Election, Generators) {
    let file = file("election.json");
    let manifest: Manifest = decode(&file["manifest"]);
    let genesis: Genesis = decode(&file["genesis"]);
    let election = Election::new(genesis, 1, manifest).expect("valid");
    assert_eq!(election.eid, decode::<Eid>(&file["eid"]));
    let generators = Generators::covering(election.manifest.shapes());
    (election, generators)
}

#[test]
fn the_files_are_what_this_code_makes() {
    let mut size = 0;
    for (name, made) in generate::files() {
        size += made.len();
        // Not `assert_eq`, which would print both.
        assert!(
            made == text(name),
            "docs/vectors/{name} differs: if the protocol changed on purpose, run \
             `cargo run --release -p psephos-protocol --example vectors -- docs/vectors`"
        );
    }
    assert!(size < 300_000, "{size} bytes");
}

#[test]
fn the_ballots_in_the_file_verify() {
    let file = file("ballot.json");
    list(&file).iter().for_each(verify_ballot);
}

fn verify_ballot(file: &Value) {
    let (election, generators) = election();
    let ballot: Ballot = decode(&file["ballot"]);
    let hash: BallotHash = decode(&file["hash"]);
    let verified = ballot.verify(&election, &generators).expect("verifies");
    assert_eq!(verified.hash, hash);
    let code: TrackingCode = file["tracking code"].as_str().unwrap().parse().expect("a code");
    assert!(code.matches(&hash));
    let opening = AuditOpening::from_bytes(&bytes(&file["audit opening"])).expect("an opening");
    assert_eq!(opening.paper, decode::<Ballotpaper>(&file["paper"]));
    let choices = opening.check(&election, &generators, &hash).expect("the same ballot");
    let expected: Vec<Vec<u32>> = serde_json::from_value(file["choices"].clone()).unwrap();
    assert_eq!(choices.0, expected);
    let signature: Signature = decode(&file["signature"]);
    let signed = SignedBallot { ballot, signature };
    assert_eq!(signed.verify_signature(&election, &hash, verify_signature), Ok(()));
    let dealing: Dealing = decode(&file["dealing"]);
    assert_eq!(dealing.digest(), decode::<Digest>(&file["dealing digest"]));
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    for (index, trustee) in (1u8..).zip(list(&file["trustees"])) {
        let kem = KemKey::from_seed(decode(&trustee["kem seed"]));
        assert_eq!(kem.public().unwrap(), election.manifest.trustees[usize::from(index) - 1].kem);
        let envelope = Envelope(bytes(&trustee["envelope"]).try_into().unwrap());
        let options = verified.commitments.len();
        let share = kem.open(&envelope, &election.eid, &hash, index, options).expect("opens");
        assert!(share == Share::from_bytes(&bytes(&trustee["share"]), options).unwrap());
        let digest = &signed.ballot.statement.dealing;
        assert_eq!(share.verify(index, 2, &verified.commitments, digest, &dealing, &mut rng), Ok(()));
        let receipt: Receipt = decode(&trustee["receipt"]);
        assert_eq!(receipt.trustee, index);
        assert!(receipt.verify(&election, &hash, verify_signature));
    }
}

#[test]
fn the_tally_in_the_file_stands() {
    let ((election, generators), file) = (election(), file("tally.json"));
    let manifest = &election.manifest;
    let (mut sums, mut set) = (CommitmentSums::new(manifest, 1), AcceptedSet::default());
    for ballot in list(&file["ballots"]) {
        let cast = CastBallot::from_bytes(&bytes(&ballot["cast"])).expect("a ballot");
        let verified = cast.verify(&election, &generators, verify_signature).expect("verifies");
        let statement = &cast.signed.ballot.statement;
        let weight = ballot["weight"].as_u64().unwrap();
        sums.add_vartime(manifest, 0, statement.style, weight, &verified.commitments).unwrap();
        let accepted = Accepted { sequence: statement.sequence, ballot: verified.hash, weight, unit: 0 };
        set.accept(statement.credential, accepted);
    }
    let listed: Vec<(PublicKey, Accepted)> = list(&file["set"]).iter().map(decode).collect();
    assert_eq!(set.iter().map(|(key, accepted)| (*key, *accepted)).collect::<Vec<_>>(), listed);
    let statement: SetStatement = decode(&file["statement"]);
    assert_eq!((statement.root, statement.ballots), (set.root(), 2));
    for agreement in list(&file["agreements"]) {
        let agreement: Agreement = decode(agreement);
        assert!(agreement.statement == statement && agreement.verify(&election, verify_signature));
    }
    let contributions: Vec<Contribution> = list(&file["contributions"]).iter().map(decode).collect();
    assert!(contributions.iter().all(|c| c.root == statement.root && c.verify(&election, verify_signature)));
    let result: ElectionResult = decode(&file["result"]);
    for pair in crate::subsets(4, 2) {
        let given: Vec<_> = pair.iter().map(|i| (i + 1, &contributions[usize::from(*i)].sums)).collect();
        assert!(reconstruct(manifest, &given).unwrap() == result.openings);
    }
    let totals = result.verify(manifest, &Cells::all(manifest), &sums).expect("opens").election;
    // By hand: weight 1 for option 2 and scores 4, 1; weight 3 for option 3 and scores 0, 2.
    assert_eq!(totals, [[0, 1, 3].as_slice(), &[4, 7], &[0; 5]]);
    assert_eq!(serde_json::to_value(&totals).unwrap(), file["totals"]);
    assert_eq!(result.digest(&election.eid, &statement.root), decode::<Digest>(&file["digest"]));
}

#[test]
fn the_extrinsics_and_the_record_in_the_file_decode() {
    let ((election, _), file) = (election(), file("wire.json"));
    let mut messages = Vec::new();
    for extrinsic in list(&file["extrinsics"]) {
        let bytes = bytes(&extrinsic["extrinsic"]);
        let message = Message::from_extrinsic(&bytes).expect("a message");
        assert_eq!(message.to_extrinsic(), bytes);
        messages.push(message);
    }
    let record = bytes(&file["record"]);
    let mut rest = record.as_slice();
    let mut reader = FrameReader::new(|buffer: &mut [u8]| {
        std::io::Read::read(&mut rest, buffer).map_err(|_| RecordError::Magic)
    })
    .expect("a record");
    let header: RecordHeader = reader.next().unwrap().expect("a header");
    assert_eq!((header.eid, header.board), (election.eid, election.manifest.board.clone()));
    let first: RecordBlock = reader.next().unwrap().expect("a block");
    assert_eq!(first.messages, messages[1..]);
    let second: RecordBlock = reader.next().unwrap().expect("a block");
    assert_eq!((second.time, second.messages.len()), (1_002_000, 0));
    assert_eq!(reader.next::<RecordBlock>(), Ok(None));
}

#[test]
fn the_malformed_inputs_in_the_file_are_refused() {
    let ((election, generators), file) = (election(), file("malformed.json"));
    let mut valid = 0;
    for case in list(&file["cast ballots"]) {
        let bytes = match case["bytes"]["zeros"].as_u64() {
            Some(zeros) => vec![0; zeros as usize],
            None => bytes(&case["bytes"]),
        };
        let verdict = CastBallot::from_bytes(&bytes)
            .and_then(|cast| cast.verify(&election, &generators, verify_signature))
            .map_or_else(|error| error.to_string(), |_| "valid".into());
        assert_eq!(verdict, case["verdict"], "{}", case["what"]);
        valid += usize::from(verdict == "valid");
    }
    assert_eq!(valid, 1, "only the one with nothing wrong");
    for case in list(&file["extrinsics"]) {
        assert_eq!(Message::from_extrinsic(&bytes(&case["bytes"])), None, "{}", case["what"]);
    }
    for case in list(&file["shares"]) {
        assert!(Share::from_bytes(&bytes(&case["bytes"]), 2).is_err(), "{}", case["what"]);
    }
}
