//! A validator's keys as the node wants them: session keys in its keystore, the key of its network
//! identity in a file, and their public halves in SS58 and as a libp2p peer id.

use ed25519_dalek::SigningKey as Ed25519;
use psephos_client::keystore::create_private;
use psephos_protocol::keys::SigningKey as Sr25519;
use rand_core::{OsRng, RngCore};
use std::{fs, path::Path};
use zeroize::Zeroizing;

use crate::error::CliError;

/// The generic Substrate address format, in which session keys are written in a chain spec.
const SS58_FORMAT: u8 = 42;
/// `protobuf(key type Ed25519, 32 bytes)` in an identity multihash: what precedes the key in a peer id.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A validator's secret keys. Zeroized on drop.
pub struct Validator {
    /// Authors blocks.
    aura: Sr25519,
    /// Finalizes blocks.
    grandpa: Ed25519,
    /// Its identity on the network.
    node: Ed25519,
}

impl Validator {
    /// New keys.
    #[must_use]
    pub fn generate() -> Self {
        Self { aura: Sr25519::generate(&mut OsRng), grandpa: ed25519(), node: ed25519() }
    }

    /// The block author's key in SS58; it also names the validator.
    #[must_use]
    pub fn aura_address(&self) -> String {
        ss58(&self.aura.public().0)
    }

    /// The finality voter's key in SS58.
    #[must_use]
    pub fn grandpa_address(&self) -> String {
        ss58(self.grandpa.verifying_key().as_bytes())
    }

    /// The libp2p peer id.
    #[must_use]
    pub fn peer_id(&self) -> String {
        peer_id(self.node.verifying_key().as_bytes())
    }

    /// Writes the keys where the node looks for them: `node.key` in its folder, session keys in the keystore
    /// of the chain. The node's keystore is not encrypted.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, folder: &Path, chain: &str) -> Result<(), CliError> {
        let keystore = folder.join("chains").join(chain).join("keystore");
        fs::create_dir_all(&keystore).map_err(|error| CliError::file(&keystore, error))?;
        let session = [
            (b"aura", self.aura.public().0, self.aura.seed()),
            (b"gran", self.grandpa.verifying_key().to_bytes(), self.grandpa.as_bytes()),
        ];
        for (kind, public, seed) in session {
            let name = format!("{}{}", hex::encode(kind), hex::encode(public));
            let secret = Zeroizing::new(format!("\"0x{}\"", *Zeroizing::new(hex::encode(seed))));
            create_private(&keystore.join(name), secret.as_bytes())?;
        }
        let node = Zeroizing::new(hex::encode(self.node.as_bytes()));
        Ok(create_private(&folder.join("node.key"), node.as_bytes())?)
    }
}

fn ed25519() -> Ed25519 {
    let mut seed = Zeroizing::new([0u8; 32]);
    OsRng.fill_bytes(seed.as_mut());
    Ed25519::from_bytes(&seed)
}

/// A public key as an SS58 address.
fn ss58(public: &[u8; 32]) -> String {
    let mut bytes = vec![SS58_FORMAT];
    bytes.extend(public);
    let checksum = blake2b_simd::State::new().update(b"SS58PRE").update(&bytes).finalize();
    bytes.extend(checksum.as_bytes().iter().take(2));
    bs58::encode(bytes).into_string()
}

fn peer_id(public: &[u8; 32]) -> String {
    bs58::encode([PEER_ID_PREFIX.as_slice(), public].concat()).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes32(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn ss58_is_substrates() {
        // The well-known development key of Alice.
        let alice = bytes32("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
        assert_eq!(ss58(&alice), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    }

    #[test]
    fn peer_ids_are_libp2ps() {
        // The node key 00..01 and its peer id, as the SDK's tutorials have them.
        let key = Ed25519::from_bytes(&bytes32(&format!("{:064x}", 1)));
        assert_eq!(
            peer_id(key.verifying_key().as_bytes()),
            "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
        );
    }

    #[test]
    fn keys_lie_where_the_node_looks_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let validator = Validator::generate();
        validator.write(folder.path(), "psephos_x").unwrap();
        let keystore = folder.path().join("chains/psephos_x/keystore");
        let aura = keystore.join(format!("61757261{}", validator.aura.public()));
        let phrase: String = serde_json::from_str(&fs::read_to_string(aura).unwrap()).unwrap();
        assert_eq!(phrase, format!("0x{}", hex::encode(validator.aura.seed())));
        assert_eq!(fs::read_dir(keystore).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(folder.path().join("node.key")).unwrap().len(), 64);
    }
}
