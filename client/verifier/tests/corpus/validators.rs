//! What validators, too few of them, or whoever writes the finality proof could try.

use codec::{Compact, Encode};
use ed25519_dalek::{Signer, SigningKey};
use psephos_protocol::{finality::FinalityProof, header::Header, ids::Anchor};
use psephos_verifier::Options;

use super::{
    alter::{Alter, Altered},
    Allowed, Case, Check, Corpus, Expected, Unnoticed,
};
use crate::{
    cases::FINAL,
    chain::{first_block, list, validators, Chain},
    common::{anchor, hash, header_with, time, CERTIFY, SLOT},
};

pub fn add(corpus: &mut Corpus) {
    let chain = Chain::new(4);
    let good = chain.proof(2, 3);
    let mut case = |name: &str, expected: Expected, proof: FinalityProof| {
        corpus.options(FINAL, format!("finality: {name}"), expected, |_| options(proof.to_bytes()));
    };
    case("as it is", Allowed("the proof of the record's base"), good.clone());
    for Altered { path, how, value } in good.altered() {
        let expected = match (path.as_str(), how) {
            ("state", "reversed" | "with its last twice") => {
                Unnoticed("nodes of a storage proof come in any order")
            }
            _ => Check(17),
        };
        case(&format!("{path} {how}"), expected, value);
    }
    let enough = Allowed("more than two thirds of the validators signed the last block or one after it");
    for later in [0, 1] {
        case(&format!("three of four signed, {later} blocks later"), enough, chain.proof(later, 3));
    }
    case("all signed", enough, chain.proof(2, 4));
    case("two of four signed", Check(17), chain.proof(2, 2));
    case("nobody signed", Check(17), chain.proof(2, 0));
    case("by validators of a state that is not the chain's", Check(17), {
        let (genesis, state) = first_block(Some(list(&validators(5))));
        FinalityProof { genesis, state, ..good.clone() }
    });
    case("by validators that the chain's state does not name", Check(17), {
        let (_, state) = first_block(Some(list(&validators(5))));
        FinalityProof { state, ..good.clone() }
    });
    case("a node of the state left out", Check(17), {
        let mut proof = good.clone();
        proof.state.pop();
        proof
    });
    case(
        "of the block before the last",
        Check(17),
        FinalityProof {
            headers: Vec::new(),
            justification: chain.justification(anchor(CERTIFY - 1), 3),
            ..good.clone()
        },
    );
    case(
        "headers left out at the end",
        Check(17),
        FinalityProof { headers: good.headers[..1].to_vec(), ..good.clone() },
    );
    case(
        "headers left out at the beginning",
        Check(17),
        FinalityProof { headers: good.headers[1..].to_vec(), ..good.clone() },
    );
    case("of a fork that begins before the last block", Check(17), {
        // All validators signed another block after the last but one.
        let header = header_with(anchor(CERTIFY - 1).hash, CERTIFY, time(CERTIFY) / SLOT + 1);
        let fork = Anchor { number: anchor(CERTIFY).number, hash: hash(&header) };
        FinalityProof { headers: vec![header], justification: chain.justification(fork, 4), ..good.clone() }
    });
    case("of a fork that begins after the last block, by headers of the other branch", Check(17), {
        let header = header_with(anchor(CERTIFY).hash, CERTIFY + 1, time(CERTIFY + 1) / SLOT + 1);
        let fork = Anchor { number: anchor(CERTIFY).number + 1, hash: hash(&header) };
        FinalityProof {
            headers: good.headers[..1].to_vec(),
            justification: chain.justification(fork, 4),
            ..good.clone()
        }
    });
    justifications(&chain, &mut |name, justification| {
        let headers = Vec::new();
        case(name, Check(17), FinalityProof { headers, justification, ..good.clone() });
    });
    bytes(corpus, &good);
    last_header(corpus, &good);
}

fn options(finality: Vec<u8>) -> Options {
    Options { finality: Some(finality), ..Options::default() }
}

/// Who signed what, in which name.
struct Precommit {
    target: Anchor,
    signed: Vec<u8>,
    key: SigningKey,
    name: [u8; 32],
}

const ROUND: u64 = 3;
const SET: u64 = 0;

fn payload(kind: u8, target: Anchor, round: u64, set: u64) -> Vec<u8> {
    (kind, target.hash, target.number, round, set).encode()
}

fn justification(block: Anchor, precommits: Vec<Precommit>) -> Vec<u8> {
    let mut bytes = (ROUND, block.hash, block.number, Compact(precommits.len() as u32)).encode();
    for Precommit { target, signed, key, name } in precommits {
        (target.hash, target.number, key.sign(&signed).to_bytes(), name).encode_to(&mut bytes);
    }
    Compact(0u32).encode_to(&mut bytes);
    bytes
}

/// Justifications of the last block that are none, each different in one thing from three honest precommits.
fn justifications(chain: &Chain, case: &mut dyn FnMut(&str, Vec<u8>)) {
    let last = anchor(CERTIFY);
    let honest = |keys: &[usize]| -> Vec<Precommit> {
        let key = |index: &usize| chain.validators[*index].clone();
        let precommit = |key: SigningKey| Precommit {
            target: last,
            signed: payload(1, last, ROUND, SET),
            name: key.verifying_key().to_bytes(),
            key,
        };
        keys.iter().map(key).map(precommit).collect()
    };
    let mut with = |name: &str, keys: &[usize], change: &dyn Fn(&mut Precommit)| {
        let mut precommits = honest(keys);
        change(precommits.last_mut().expect("a precommit"));
        case(name, justification(last, precommits));
    };
    let nobody = SigningKey::from_bytes(&[99; 32]);
    with("a validator twice", &[0, 1, 1], &|_| ());
    with("a validator twice among enough", &[0, 1, 2, 2], &|_| ());
    with("one who is no validator", &[0, 1, 2], &|last| {
        (last.key, last.name) = (nobody.clone(), nobody.verifying_key().to_bytes());
    });
    with("one who is no validator, among enough", &[0, 1, 2, 3], &|last| {
        (last.key, last.name) = (nobody.clone(), nobody.verifying_key().to_bytes());
    });
    with("one in the name of another", &[0, 1, 2], &|last| last.key = chain.validators[0].clone());
    with("signed as a prevote", &[0, 1, 2], &|precommit| precommit.signed = payload(0, last, ROUND, SET));
    with("signed in another round", &[0, 1, 2], &|precommit| {
        precommit.signed = payload(1, last, ROUND + 1, SET)
    });
    with("signed by another set of validators", &[0, 1, 2], &|precommit| {
        precommit.signed = payload(1, last, ROUND, SET + 1);
    });
    let earlier = anchor(CERTIFY - 1);
    with("signed for an earlier block", &[0, 1, 2], &|precommit| {
        (precommit.target, precommit.signed) = (earlier, payload(1, earlier, ROUND, SET));
    });
    let fork = Anchor { hash: [5; 32], ..last };
    with("signed for a block of a fork", &[0, 1, 2], &|precommit| {
        (precommit.target, precommit.signed) = (fork, payload(1, fork, ROUND, SET));
    });
}

fn bytes(corpus: &mut Corpus, good: &FinalityProof) {
    let bytes = good.to_bytes();
    for place in (0..bytes.len()).step_by(67) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        corpus.options(FINAL, format!("finality: a bit of byte {place}"), Check(17), |_| options(changed));
    }
    for length in [0, 7, 8, 9, bytes.len() - 1] {
        let cut = bytes[..length].to_vec();
        corpus.options(FINAL, format!("finality: cut to {length} bytes"), Check(17), |_| options(cut));
    }
    corpus.options(FINAL, "finality: a byte more", Check(17), |_| options([bytes, vec![0]].concat()));
}

/// What goes unnoticed in a record alone is noticed with the proof.
fn last_header(corpus: &mut Corpus, good: &FinalityProof) {
    let mut case = |name: &str, change: fn(&mut Header)| {
        let name = format!("finality: the last header's {name}, with the proof");
        let world = corpus.base(FINAL, &name);
        let record = super::file::with_header(&world, CERTIFY, change);
        corpus.push(Case {
            name,
            base: FINAL,
            record,
            options: options(good.to_bytes()),
            expected: Check(17),
        });
    };
    case("state root", |header| header.state_root[0] ^= 1);
    case("extrinsics root", |header| header.extrinsics_root[0] ^= 1);
}
