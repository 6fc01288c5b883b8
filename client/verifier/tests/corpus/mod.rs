//! The tamper corpus: records with one thing changed, and what a verifier must say of each. Every change is made by
//! code that has all the keys; what travels is the difference from a record of records.json.
//!
//! | module | what is changed |
//! |---|---|
//! | `fields` | every field of every message, with the old signature, with a new one, with a wrong one |
//! | `order` | every message left out, twice, exchanged with the next |
//! | `file` | the file, its frames, the headers, every field of the first frame |
//! | `board`, `roll`, `ballots`, `trustees`, `validators` | what these, or thieves of their keys, could try |

mod alter;
mod ballots;
mod board;
mod fields;
mod file;
mod order;
mod roll;
mod sign;
mod trustees;
mod validators;

use std::collections::{BTreeMap, BTreeSet};

use psephos_protocol::testing::some_digest;
use psephos_verifier::Options;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use serde_json::{json, Map, Value};

use crate::{cases, common::World};

/// What a verifier must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This check fails.
    Check(u8),
    /// All is well: whoever makes the file can change this, and a record can't show it (spec 9.4).
    Unnoticed(&'static str),
    /// All is well: who signed it could as well have said this.
    Allowed(&'static str),
}
pub use Expected::{Allowed, Check, Unnoticed};

/// A change, and what it is called.
type Change<T> = (&'static str, fn(&mut T));

/// A changed record.
pub struct Case {
    pub name: String,
    /// The record that it was.
    pub base: &'static str,
    pub record: Vec<u8>,
    /// What its reader knows and has.
    pub options: Options,
    pub expected: Expected,
}

/// All cases.
pub struct Corpus {
    worlds: BTreeMap<&'static str, World>,
    names: BTreeSet<String>,
    cases: Vec<Case>,
}

impl Corpus {
    /// Makes all cases.
    pub fn new() -> Self {
        let mut corpus = Self { worlds: BTreeMap::new(), names: BTreeSet::new(), cases: Vec::new() };
        fields::add(&mut corpus);
        order::add(&mut corpus);
        file::add(&mut corpus);
        board::add(&mut corpus);
        roll::add(&mut corpus);
        ballots::add(&mut corpus);
        trustees::add(&mut corpus);
        validators::add(&mut corpus);
        corpus
    }

    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// The election of a record, with randomness of its own for each purpose, so that a new case changes no other.
    fn base(&mut self, base: &'static str, purpose: &str) -> World {
        let mut world = self.worlds.entry(base).or_insert_with(|| cases::world(base)).clone();
        world.fixture.rng = ChaCha20Rng::from_seed(some_digest(purpose).0);
        world
    }

    fn push(&mut self, case: Case) {
        assert!(self.names.insert(case.name.clone()), "two cases are called {}", case.name);
        self.cases.push(case);
    }

    /// The election went another way.
    fn world(
        &mut self,
        base: &'static str,
        name: impl Into<String>,
        expected: Expected,
        change: impl FnOnce(&mut World),
    ) {
        self.bytes(base, name, expected, |world| {
            change(world);
            world.bytes()
        });
    }

    /// The file is another.
    fn bytes(
        &mut self,
        base: &'static str,
        name: impl Into<String>,
        expected: Expected,
        change: impl FnOnce(&mut World) -> Vec<u8>,
    ) {
        let name = name.into();
        let mut world = self.base(base, &name);
        let record = change(&mut world);
        self.push(Case { name, base, record, options: Options::default(), expected });
    }

    /// What the reader knows, or has beside the record, is another.
    fn options(
        &mut self,
        base: &'static str,
        name: impl Into<String>,
        expected: Expected,
        options: impl FnOnce(&mut World) -> Options,
    ) {
        let name = name.into();
        let mut world = self.base(base, &name);
        let options = options(&mut world);
        self.push(Case { name, base, record: world.bytes(), options, expected });
    }

    /// The file: a list with one case per line.
    pub fn to_json(&self) -> String {
        let mut bases: BTreeMap<&str, (Vec<u8>, Option<Vec<u8>>)> = BTreeMap::new();
        let lines = self.cases.iter().map(|case| {
            let (record, proof) = bases
                .entry(case.base)
                .or_insert_with(|| (cases::world(case.base).bytes(), cases::finality(case.base)));
            case.to_json(record, proof.as_deref().unwrap_or_default()).to_string()
        });
        format!("[\n{}\n]\n", lines.collect::<Vec<_>>().join(",\n"))
    }
}

impl Case {
    fn to_json(&self, record: &[u8], proof: &[u8]) -> Value {
        let mut case = Map::new();
        case.insert("name".into(), json!(self.name));
        case.insert("base".into(), json!(self.base));
        case.insert("edits".into(), edits(record, &self.record));
        let Options { genesis, board, eid, finality } = &self.options;
        if let Some(finality) = finality {
            case.insert("finality".into(), edits(proof, finality));
        }
        let mut known = Map::new();
        known.extend(genesis.map(|genesis| ("genesis".into(), json!(hex::encode(genesis.0)))));
        known.extend(eid.map(|eid| ("eid".into(), json!(hex::encode(eid.0)))));
        known.extend(board.as_ref().map(|board| {
            let members: Vec<_> = board.members.iter().map(|key| hex::encode(key.0)).collect();
            ("board".into(), json!({ "members": members, "threshold": board.threshold }))
        }));
        if !known.is_empty() {
            case.insert("known".into(), Value::Object(known));
        }
        match self.expected {
            Check(number) => case.insert("check".into(), json!(number)),
            Unnoticed(why) => case.insert("unnoticed".into(), json!(why)),
            Allowed(why) => case.insert("allowed".into(), json!(why)),
        };
        Value::Object(case)
    }
}

/// Where two byte strings agree again.
const ALIKE: usize = 16;

/// What turns `old` into `new`: at these places of `old`, in ascending order, so many bytes are taken out, and these put
/// there.
fn edits(old: &[u8], new: &[u8]) -> Value {
    let (mut edits, mut old_at, mut new_at) = (Vec::new(), 0, 0);
    while old_at < old.len() || new_at < new.len() {
        let (old_rest, new_rest) = (&old[old_at..], &new[new_at..]);
        let same = old_rest.iter().zip(new_rest).take_while(|(a, b)| a == b).count();
        if same > 0 {
            (old_at, new_at) = (old_at + same, new_at + same);
            continue;
        }
        let (out, put) = difference(old_rest, new_rest);
        edits.push(json!([old_at, out, hex::encode(&new_rest[..put])]));
        (old_at, new_at) = (old_at + out, new_at + put);
    }
    Value::Array(edits)
}

/// How many bytes to skip in each until they agree: the fewest of both together.
fn difference(old: &[u8], new: &[u8]) -> (usize, usize) {
    let agree = |out: usize, put: usize| {
        let (old, new) = (&old[out..], &new[put..]);
        (old.len().min(new.len()) >= ALIKE && old[..ALIKE] == new[..ALIKE])
            || (old.is_empty() && new.is_empty())
    };
    for both in 1..=old.len() + new.len() {
        let outs = both.saturating_sub(new.len())..=both.min(old.len());
        if let Some(out) = outs.into_iter().find(|out| agree(*out, both - out)) {
            return (out, both - out);
        }
    }
    (old.len(), new.len())
}

/// Applies the edits of a case of the file.
pub fn edited(old: &[u8], edits: &Value) -> Vec<u8> {
    let (mut new, mut at) = (Vec::new(), 0);
    for edit in edits.as_array().expect("a list of edits") {
        let number = |place: usize| edit[place].as_u64().expect("a number") as usize;
        new.extend_from_slice(&old[at..number(0)]);
        new.extend(hex::decode(edit[2].as_str().expect("bytes")).expect("hexadecimal"));
        at = number(0) + number(1);
    }
    new.extend_from_slice(&old[at..]);
    new
}
