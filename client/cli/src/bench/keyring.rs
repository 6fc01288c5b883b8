//! The keys of an election that only measures: all from one seed, so that a prepared file can be gone on with.

use bounded_collections::BoundedVec;
use psephos_protocol::{
    board::Board,
    bounds::{text, MAX_BALLOTS_PER_CREDENTIAL},
    envelope::KemKey,
    keys::SigningKey,
    manifest::{least_quorum, Manifest, Style, Trustee},
    range_proof::GENERATORS_DIGEST,
    roll::{Access, RollEntry},
    transcript,
};
use psephos_trustee::Keys;

use super::form::Form;
use crate::{error::CliError, times};

/// For how long the election stays open at most, in ms.
const OPEN: u64 = 24 * 60 * 60 * 1_000;

/// Everybody's keys. Whoever reads the seed has them all.
#[derive(Clone, Copy)]
pub struct Keyring(pub [u8; 32]);

impl Keyring {
    fn seed(&self, role: &str, index: u32) -> [u8; 32] {
        let mut state = blake2b_simd::Params::new().hash_length(32).key(&self.0).to_state();
        state.update(&index.to_le_bytes()).update(role.as_bytes());
        let mut seed = [0; 32];
        seed.copy_from_slice(state.finalize().as_bytes());
        seed
    }

    fn signing(&self, role: &str, index: u32) -> SigningKey {
        SigningKey::from_seed(self.seed(role, index))
    }

    /// The only member of the election's board.
    #[must_use]
    pub fn board(&self) -> SigningKey {
        self.signing("board", 0)
    }

    /// The only registrar.
    #[must_use]
    pub fn registrar(&self) -> SigningKey {
        self.signing("registrar", 0)
    }

    /// A trustee's keys, counted from 1.
    #[must_use]
    pub fn trustee(&self, index: u8) -> Keys {
        let index = u32::from(index);
        Keys { signing: self.signing("trustee", index), kem: KemKey::from_seed(self.seed("kem", index)) }
    }

    /// A voter's credential, counted from 0.
    #[must_use]
    pub fn voter(&self, index: u32) -> SigningKey {
        self.signing("voter", index)
    }

    /// A voter's place on the roll: the credential key itself.
    #[must_use]
    pub fn entry(&self, index: u32) -> RollEntry {
        RollEntry {
            access: Access::Credential(self.voter(index).public()),
            weight: 1,
            style: 0,
            unit: 0,
            person: transcript::person(&self.0, &index.to_le_bytes()),
        }
    }

    /// What the manifest says of this many trustees.
    ///
    /// # Errors
    /// [`CliError::Input`].
    pub fn trustees(&self, count: u8) -> Result<Vec<Trustee>, CliError> {
        (1..=count).map(|index| named(&format!("trustee-{index}"), &self.trustee(index))).collect()
    }
}

/// A trustee as a manifest names it.
///
/// # Errors
/// [`CliError::Input`].
pub fn named(name: &str, keys: &Keys) -> Result<Trustee, CliError> {
    let (signing, kem) = keys.public().map_err(CliError::input)?;
    let name = text(name).map_err(|bytes| CliError::Input(format!("a name of {bytes} bytes")))?;
    Ok(Trustee { name, signing, kem: bounded("kem", kem)? })
}

fn bounded<T, L>(what: &str, items: Vec<T>) -> Result<L, CliError>
where
    L: TryFrom<Vec<T>>,
{
    L::try_from(items).map_err(|_| CliError::Input(format!("{what}: too many")))
}

/// The manifest of an election that opens as soon as its roll is frozen; `threshold` is t, and q the least.
///
/// # Errors
/// [`CliError::Input`] naming the rule that it breaks.
pub fn manifest(
    form: &Form,
    keyring: &Keyring,
    trustees: Vec<Trustee>,
    threshold: u8,
    voters: u32,
) -> Result<Manifest, CliError> {
    let name = |value: &str| text(value).map_err(|bytes| CliError::Input(format!("a name of {bytes} bytes")));
    let contest = form.contest().map_err(CliError::Input)?;
    let contests: Vec<u16> = (0..).take(form.contests as usize).collect();
    let opens_at = times::now();
    let manifest = Manifest {
        version: psephos_protocol::VERSION,
        title: name("Measurement")?,
        contests: bounded("contests", vec![contest; contests.len()])?,
        styles: BoundedVec::truncate_from(vec![Style {
            name: name("All")?,
            contests: bounded("contests", contests)?,
        }]),
        units: BoundedVec::truncate_from(vec![name("All")?]),
        weights: BoundedVec::truncate_from(vec![1]),
        max_voters: voters,
        privacy_minimum: 1,
        small_groups_public: false,
        max_ballots: MAX_BALLOTS_PER_CREDENTIAL,
        quorum: u8::try_from(least_quorum(trustees.len(), threshold)).map_err(CliError::input)?,
        trustees: bounded("trustees", trustees)?,
        threshold,
        board: Board { members: BoundedVec::truncate_from(vec![keyring.board().public()]), threshold: 1 },
        registrars: BoundedVec::truncate_from(vec![keyring.registrar().public()]),
        opens_at,
        closes_at: opens_at.saturating_add(OPEN),
        early_close: true,
        by_unit: false,
        rehearsal: None,
        generators: GENERATORS_DIGEST,
    };
    manifest.validate().map_err(CliError::input)?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_keys_and_every_form_a_valid_manifest() {
        let (one, same) = (Keyring([1; 32]), Keyring([1; 32]));
        assert_eq!(one.voter(7).public(), same.voter(7).public());
        assert_ne!(one.voter(7).public(), one.voter(8).public());
        assert_ne!(one.voter(0).public(), Keyring([2; 32]).voter(0).public());
        for form in ["1", "10", "128", "4x10"] {
            let form: Form = form.parse().unwrap();
            for (trustees, threshold, quorum) in [(4, 2, 3), (5, 3, 4)] {
                let trustees = one.trustees(trustees).unwrap();
                let manifest = manifest(&form, &one, trustees, threshold, 100).unwrap();
                assert_eq!((manifest.quorum, manifest.contests.len() as u32), (quorum, form.contests));
            }
        }
        assert!(manifest(&"10".parse().unwrap(), &one, one.trustees(2).unwrap(), 2, 100).is_err());
    }
}
