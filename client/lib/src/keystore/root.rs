//! A trustee's root: 32 bytes from which both of its keys follow (spec 2.4), and which can be written down as
//! 24 words.
//!
//! The words are BIP39's English list and checksum, and nothing else of BIP39: the root is the entropy itself,
//! so that whoever has the words needs no passphrase and gets the very same keys.

use bip39::{Language, Mnemonic};
use hkdf::Hkdf;
use psephos_protocol::{envelope::KemKey, keys::SigningKey};
use rand_core::{CryptoRng, RngCore};
use sha2::Sha256;
use std::fmt::Write;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// HKDF's info for the seed of the signing key.
const SIGNING: &[u8] = b"psephos trustee signing v1";
/// HKDF's info for the seed of the KEM key.
const KEM: &[u8] = b"psephos trustee kem v1";
/// Words of a root.
pub const WORDS: usize = 24;
/// Bytes of the longest list word, as BIP39 has it.
const MAX_WORD: usize = 8;
/// Proposals for what may have been meant.
const PROPOSALS: usize = 3;

/// A trustee's root. Zeroized on drop; prints nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Root([u8; 32]);

/// Why words are no root. Names places in the list and proposes words, but does not repeat what was typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Words that are not in the list.
    #[error("{}", unknown(.0))]
    Unknown(Vec<UnknownWord>),
    /// Too few or too many.
    #[error(
        "there are {0} words, and a recovery sheet has {WORDS}: see whether one is missing or written twice"
    )]
    Count(usize),
    /// All are in the list, but the checksum is wrong.
    #[error("all {WORDS} words are in the list, but they don't belong together, so one is wrong or two have changed places: {}", proposals(.0))]
    Checksum(Vec<Repair>),
}

/// A word that is not in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// Its place, from 1.
    pub number: usize,
    /// The list's words that are nearest to it.
    pub nearest: Vec<&'static str>,
}

/// One change with which the words' checksum would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Another word in that place, from 1, one letter away from what is there.
    Word(usize, &'static str),
    /// That word, from 1, and the next in each other's place.
    Swap(usize),
}

impl Root {
    /// A new root.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut root = [0u8; 32];
        rng.fill_bytes(&mut root);
        Self(root)
    }

    /// The root of these bytes.
    #[must_use]
    pub fn from_bytes(root: [u8; 32]) -> Self {
        Self(root)
    }

    /// The bytes, to be stored encrypted.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The signing key.
    #[must_use]
    pub fn signing(&self) -> SigningKey {
        SigningKey::from_seed(*self.seed(SIGNING))
    }

    /// The KEM key.
    #[must_use]
    pub fn kem(&self) -> KemKey {
        KemKey::from_seed(*self.seed(KEM))
    }

    fn seed(&self, info: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0u8; 32]);
        let expanded = Hkdf::<Sha256>::new(None, &self.0).expand(info, seed.as_mut());
        // One block of the 255 that HKDF gives. A seed of zeros must never leave here.
        assert!(expanded.is_ok(), "HKDF-SHA256 gives 32 bytes");
        seed
    }

    /// The 24 words, a space between each.
    #[must_use]
    pub fn words(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(WORDS * (MAX_WORD + 1)));
        // 32 bytes are a length of BIP39.
        if let Ok(mnemonic) = Mnemonic::from_entropy_in(Language::English, &self.0) {
            for word in mnemonic.words() {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(word);
            }
        }
        text
    }

    /// The root of 24 words, as a person types them or a QR code has them: in any case, numbered or not,
    /// spread over lines at will.
    ///
    /// # Errors
    /// [`WordsError`], naming the word that is likely wrong.
    pub fn from_words(text: &str) -> Result<Self, WordsError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let typed: Vec<&str> = words_of(&lower).collect();
        let mut unknown = Vec::new();
        let mut indices = Zeroizing::new(Vec::with_capacity(typed.len()));
        for (number, word) in (1..).zip(&typed) {
            match Language::English.find_word(word) {
                Some(index) => indices.push(index),
                None => unknown.push(UnknownWord { number, nearest: nearest(word) }),
            }
        }
        if !unknown.is_empty() {
            return Err(WordsError::Unknown(unknown));
        }
        if indices.len() != WORDS {
            return Err(WordsError::Count(indices.len()));
        }
        Self::of_indices(&indices).ok_or_else(|| WordsError::Checksum(repairs(&indices)))
    }

    /// The root of 24 places in the list; none if the checksum is wrong.
    fn of_indices(indices: &[u16]) -> Option<Self> {
        let list = Language::English.word_list();
        let mut text = Zeroizing::new(String::with_capacity(WORDS * (MAX_WORD + 1)));
        for index in indices {
            write!(text, "{} ", list.get(usize::from(*index))?).ok()?;
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, text.trim_end()).ok()?;
        let (mut entropy, length) = mnemonic.to_entropy_array();
        let root = entropy.get(..length).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(Self);
        entropy.zeroize();
        root
    }
}

/// The words in a text: what is between spaces, without numbers and punctuation.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .map(|word| word.trim_matches(|c: char| !c.is_alphabetic()))
        .filter(|word| !word.is_empty())
}

/// The list's words that are nearest to a word, if any is near.
fn nearest(word: &str) -> Vec<&'static str> {
    // Whoever types more than this did not mean one word.
    if word.chars().count() > 2 * MAX_WORD {
        return Vec::new();
    }
    let list = Language::English.word_list();
    let mut near: Vec<(usize, &'static str)> = list
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= 3)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, candidate)| candidate).take(PROPOSALS).collect()
}

/// The single changes that make the checksum right: a word one letter off, or two neighbours exchanged. By
/// chance one in 256 of those that are tried does so, too.
fn repairs(indices: &[u16]) -> Vec<Repair> {
    let list = Language::English.word_list();
    let mut found = Vec::new();
    let mut tried = Zeroizing::new(indices.to_vec());
    for place in 0..indices.len() {
        let Some(word) = indices.get(place).and_then(|index| list.get(usize::from(*index))) else { continue };
        for (index, candidate) in (0u16..).zip(list.iter()) {
            if distance(word, candidate) != 1 {
                continue;
            }
            tried.copy_from_slice(indices);
            if let Some(changed) = tried.get_mut(place) {
                *changed = index;
            }
            if Root::of_indices(&tried).is_some() {
                found.push(Repair::Word(place + 1, candidate));
            }
        }
    }
    for place in 1..indices.len() {
        tried.copy_from_slice(indices);
        tried.swap(place - 1, place);
        if tried.as_slice() != indices && Root::of_indices(&tried).is_some() {
            found.push(Repair::Swap(place));
        }
    }
    found.truncate(PROPOSALS);
    found
}

/// How many letters to add, leave out, replace, or exchange with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // The rows of the table for one letter of `a` less, and for two less.
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut before = Vec::new();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

fn unknown(words: &[UnknownWord]) -> String {
    let each: Vec<String> = words
        .iter()
        .map(|word| match word.nearest.as_slice() {
            [] => format!("word {} is none of the list, nor near to one", word.number),
            near => {
                format!("word {} is none of the list; the nearest: {}", word.number, near.join(", "))
            }
        })
        .collect();
    each.join("\n")
}

fn proposals(repairs: &[Repair]) -> String {
    if repairs.is_empty() {
        return "compare each with the sheet".into();
    }
    let each: Vec<String> = repairs
        .iter()
        .map(|repair| match repair {
            Repair::Word(number, word) => format!("is word {number} {word:?}?"),
            Repair::Swap(number) => format!("are words {number} and {} exchanged?", number + 1),
        })
        .collect();
    format!("{} Otherwise compare each with the sheet", each.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::OsRng;

    fn root() -> Root {
        let mut bytes = [0u8; 32];
        (0u8..).zip(&mut bytes).for_each(|(index, byte)| *byte = index);
        Root(bytes)
    }

    fn refused(text: &str) -> WordsError {
        Root::from_words(text).err().unwrap()
    }

    /// With these the sheets of this version can be read by other software, and by later versions.
    #[test]
    fn the_derivation_never_changes() {
        assert_eq!(
            hex::encode(root().signing().seed()),
            "5e1e4b90e09fda665487ddcbbae9506db9fbb0cf1f462a0d60824ab2306af8d0"
        );
        assert_eq!(
            hex::encode(root().kem().seed()),
            "83349d84dfdaa902cc4cf2cdf2a84ee544c50861c3f321a606bc6a900ee2aa9c"
        );
        assert!(root().words().starts_with("abandon amount liar amount"), "{}", *root().words());
    }

    #[test]
    fn words_give_the_same_root_back() {
        for _ in 0..20 {
            let root = Root::generate(&mut OsRng);
            let words = root.words();
            assert_eq!(words.split(' ').count(), WORDS);
            assert_eq!(Root::from_words(&words).unwrap().0, root.0);
        }
    }

    #[test]
    fn words_may_be_numbered_capital_and_spread_over_lines() {
        let words = root().words();
        let numbered: String =
            (1..).zip(words.split(' ')).map(|(number, word)| format!(" {number}.  {word}\r\n")).collect();
        let close: String =
            (1..).zip(words.split(' ')).map(|(number, word)| format!("{number}){word};")).collect();
        for text in
            [words.to_uppercase(), numbered, close, words.replace(' ', "\n\n"), words.replace(' ', ", ")]
        {
            assert_eq!(Root::from_words(&text).unwrap().0, root().0, "{text}");
        }
    }

    #[test]
    fn a_word_outside_the_list_is_named_with_the_nearest() {
        let words = root().words().replacen("amount", "amuont", 1).replacen("liar", "lair", 1);
        let WordsError::Unknown(unknown) = refused(&words) else { panic!("another error") };
        assert_eq!(unknown.iter().map(|word| word.number).collect::<Vec<_>>(), [2, 3]);
        assert!(unknown[0].nearest.contains(&"amount"), "{unknown:?}");
        assert!(unknown[1].nearest.contains(&"liar"), "{unknown:?}");
        let text = refused(&words).to_string();
        assert!(text.contains("word 2 is") && !text.contains("amuont"), "{text}");
        assert!(refused("extraordinarily").to_string().contains("nor near"));
    }

    #[test]
    fn too_few_words_are_counted() {
        let words = root().words();
        let (short, _) = words.rsplit_once(' ').unwrap();
        assert_eq!(refused(short), WordsError::Count(23));
        assert_eq!(refused(""), WordsError::Count(0));
        assert_eq!(refused(&format!("{} zoo", *words)), WordsError::Count(25));
    }

    #[test]
    fn a_wrong_word_of_the_list_is_found_by_the_checksum() {
        let words = root().words();
        let mut list: Vec<&str> = words.split(' ').collect();
        let right = list.clone();
        list.swap(2, 3);
        let WordsError::Checksum(found) = refused(&list.join(" ")) else { panic!("another error") };
        assert!(found.contains(&Repair::Swap(3)), "{found:?}");
        // A word with a neighbour one letter away, put in the place of that neighbour.
        let (place, meant, wrong) = neighbours(&right);
        let mut list = right;
        list[place] = wrong;
        let error = refused(&list.join(" "));
        let WordsError::Checksum(found) = &error else { panic!("another error") };
        assert!(found.contains(&Repair::Word(place + 1, meant)), "{found:?}");
        assert!(error.to_string().contains(&format!("is word {} {meant:?}?", place + 1)), "{error}");
    }

    /// A place whose word has a neighbour in the list that breaks the checksum.
    fn neighbours(words: &[&str]) -> (usize, &'static str, &'static str) {
        let list = Language::English.word_list();
        for (place, word) in words.iter().enumerate() {
            let right = list[usize::from(Language::English.find_word(word).unwrap())];
            for wrong in list.iter().filter(|candidate| distance(word, candidate) == 1) {
                let mut changed = words.to_vec();
                changed[place] = wrong;
                if Root::from_words(&changed.join(" ")).is_err() {
                    return (place, right, wrong);
                }
            }
        }
        panic!("no word has a neighbour");
    }

    #[test]
    fn distances_count_letters() {
        for (a, b, letters) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("lair", "liar", 1)] {
            assert_eq!(distance(a, b), letters, "{a} {b}");
            assert_eq!(distance(b, a), letters, "{b} {a}");
        }
    }
}
