//! Fuzz targets for everything that reads bytes or text from outside (docs/adr/0022-fuzzing.md).
//!
//! A [`Target`] is a decoder with valid inputs and, where what it reads is signed or proved, the verification that goes
//! with it. Two engines drive the same targets: `tests/mutations.rs` changes the valid inputs at random, on every
//! `cargo test`; libFuzzer, by `scripts/fuzz`, looks for inputs that reach new code.
//!
//! Whatever the bytes are, a decoder must not panic, must not allocate beyond a multiple of their length, and must
//! read each object from one encoding only; and no bytes but the valid ones may verify.

mod corpus;
pub mod mutation;
mod targets;
#[path = "../../../client/verifier/tests/common/mod.rs"]
mod world;

use std::{
    collections::BTreeSet,
    fmt,
    panic::{catch_unwind, AssertUnwindSafe},
};

pub use targets::targets;

/// Bytes that a decoder may allocate whatever the input's length.
const FREE: usize = 64 * 1024;

/// Reads bytes and writes what it read.
type Decode = Box<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;
/// What bytes show to whoever verifies them, if they show anything.
type Verify = Box<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// A decoder, what it should read, and what that should show.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Valid inputs.
    pub corpus: Vec<Vec<u8>>,
    decode: Decode,
    verify: Option<Verify>,
    /// What the corpus shows.
    shown: BTreeSet<Vec<u8>>,
    /// Bytes that may be allocated per byte of input.
    expansion: usize,
    /// Of how many decoded inputs one is verified.
    pub one_in: u64,
}

/// What came of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They were not read.
    Refused,
    /// They were read, and show nothing.
    Decoded,
    /// They show what a valid input shows.
    Shows,
}

/// What must not come of any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A panic, with its message.
    Panic(String),
    /// So many bytes allocated.
    Memory(usize),
    /// A second encoding of what has this one.
    SecondEncoding(Vec<u8>),
    /// They verify, and show what no valid input shows.
    Forged(Vec<u8>),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(message) => write!(f, "it panics: {message}"),
            Self::Memory(bytes) => write!(f, "it allocates {bytes} bytes"),
            Self::SecondEncoding(first) => {
                write!(f, "it reads a second encoding of {}", hex::encode(first))
            }
            Self::Forged(shown) => write!(f, "it accepts a forgery, which shows {}", hex::encode(shown)),
        }
    }
}

impl Target {
    /// A decoder with valid inputs. `decode` writes again what it read; where there is nothing to write, it gives
    /// the input back.
    fn new(
        name: &'static str,
        corpus: Vec<Vec<u8>>,
        decode: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            corpus,
            decode: Box::new(decode),
            verify: None,
            shown: BTreeSet::new(),
            expansion: 16,
            one_in: 1,
        }
    }

    /// With a verification: `verify` says what bytes show. Of a signed object that is all of it.
    fn shows(mut self, verify: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        self.shown = self.corpus.iter().filter_map(|bytes| verify(bytes)).collect();
        self.verify = Some(Box::new(verify));
        self
    }

    /// With a verification of the bytes as a whole: none but those of the corpus may pass.
    fn signed(self, verify: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        self.shows(move |bytes| verify(bytes).then(|| bytes.to_vec()))
    }

    /// With more memory than the usual 16 bytes per byte of input.
    fn expansion(mut self, bytes: usize) -> Self {
        self.expansion = bytes;
        self
    }

    /// With so slow a verification that one in so many decoded inputs is verified.
    fn one_in(mut self, count: u64) -> Self {
        self.one_in = count;
        self
    }

    /// Whether it has a verification.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.verify.is_some()
    }

    /// Whether a valid input shows anything.
    #[must_use]
    pub fn shows_something(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Decodes bytes, and where `verify` says so verifies them. Gives the bytes allocated for decoding, too.
    ///
    /// # Errors
    /// [`Defect`].
    pub fn run(&self, bytes: &[u8], verify: bool) -> Result<(Verdict, usize), Defect> {
        let mut decoded = Ok(None);
        let memory = allocation_counter::measure(|| {
            decoded = catch_unwind(AssertUnwindSafe(|| (self.decode)(bytes)));
        });
        let allocated = usize::try_from(memory.bytes_max).unwrap_or(usize::MAX);
        let decoded = decoded.map_err(|panic| Defect::Panic(message(&*panic)))?;
        if allocated > FREE + self.expansion * bytes.len() {
            return Err(Defect::Memory(allocated));
        }
        let Some(encoded) = decoded else { return Ok((Verdict::Refused, allocated)) };
        if encoded != bytes {
            return Err(Defect::SecondEncoding(encoded));
        }
        let Some(check) = self.verify.as_ref().filter(|_| verify) else {
            return Ok((Verdict::Decoded, allocated));
        };
        let shown = catch_unwind(AssertUnwindSafe(|| check(bytes)));
        match shown.map_err(|panic| Defect::Panic(message(&*panic)))? {
            None => Ok((Verdict::Decoded, allocated)),
            Some(shown) if self.shown.contains(&shown) => Ok((Verdict::Shows, allocated)),
            Some(shown) => Err(Defect::Forged(shown)),
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
