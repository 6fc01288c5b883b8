//! TLS between voters and trustees: hybrid key exchange, and addresses that pin a key.
//!
//! A pinned address is `https://host:port/#sha256=<64 hexadecimal digits>`. The digits are the SHA-256 hash of
//! the public key in the trustee's certificate (its DER-encoded SubjectPublicKeyInfo). Whoever holds that key is
//! accepted, whatever the certificate says about names, dates and issuers, and nobody else is.
//!
//! Key exchange prefers X25519MLKEM768: X25519 and ML-KEM-768 together, so that who reads the traffic today
//! learns nothing from it with a quantum computer tomorrow. X25519 alone is still spoken, for others' programs.

use rustls::{
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        aws_lc_rs::{default_provider, kx_group},
        verify_tls13_signature, CryptoProvider, WebPkiSupportedAlgorithms,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
    version::TLS13,
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, PeerIncompatible,
    SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt;
use sp_crypto_hashing::sha2_256;
use std::{error::Error as StdError, fmt, io, iter::successors, str::FromStr, sync::Arc};

/// The hash of a public key: `sha256=` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// Why an address does not pin a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// What follows `#` is no pin.
    #[error("after # it must say sha256= and 64 hexadecimal digits, as the trustee's log says")]
    Malformed,
    /// There is no key to pin.
    #[error("only an address that begins with https:// has a key to pin")]
    Plain,
}

impl Pin {
    /// The pin of a certificate's public key.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        Ok(Self(sha2_256(key.as_ref())))
    }

    /// The pin that an address has after its `#`; none if there is no `#`.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn in_url(url: &str) -> Result<Option<Self>, PinError> {
        match url.split_once('#') {
            None => Ok(None),
            Some((address, pin)) if address.starts_with("https://") => pin.parse().map(Some),
            Some(_) => Err(PinError::Plain),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256={}", hex::encode(self.0))
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let mut hash = [0; 32];
        let digits = text.strip_prefix("sha256=").ok_or(PinError::Malformed)?;
        hex::decode_to_slice(digits, &mut hash).map_err(|_| PinError::Malformed)?;
        Ok(Self(hash))
    }
}

/// The cryptography of TLS, X25519MLKEM768 first, for clients and servers.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
    Arc::new(CryptoProvider { kx_groups, ..default_provider() })
}

/// How a client speaks TLS: with whoever holds the pinned key, over TLS 1.3; without a pin, with whom this
/// machine's certificate authorities vouch for.
///
/// # Errors
/// When the provider can't, which does not happen.
pub fn client_config(pin: Option<Pin>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider());
    let Some(pin) = pin else {
        return Ok(builder
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()
            .with_no_client_auth());
    };
    let pinned = Pinned { pin, algorithms: provider().signature_verification_algorithms };
    Ok(builder
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth())
}

/// Accepts one key. That the server holds it is shown by its signature in the handshake.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Pin::of(certificate)?;
        if shown != self.pin {
            return Err(CertificateError::Other(OtherError(Arc::new(WrongKey(shown)))).into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The server has another key than the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("it shows the key {0}, and not the pinned one")]
struct WrongKey(Pin);

type Cause<'a> = &'a (dyn StdError + 'static);

/// An error and what caused it, step by step.
fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    successors(Some(error), |&error| match error.downcast_ref().and_then(io::Error::get_ref) {
        // The system's error does not count the error that it holds among its causes.
        Some(held) => Some(held),
        None => error.source(),
    })
}

fn of_tls(error: Cause<'_>) -> Option<&Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The key that a server showed in the place of the pinned one, if that is why a call failed.
pub(crate) fn wrong_key(error: Cause<'_>) -> Option<Pin> {
    match of_tls(error)? {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.downcast_ref().map(|WrongKey(shown)| *shown)
        }
        _ => None,
    }
}

/// Whether the connection of a call ended before it was answered.
pub(crate) fn ended_early(error: Cause<'_>) -> bool {
    causes(error).any(|cause| {
        let http: Option<&hyper::Error> = cause.downcast_ref();
        let system: Option<&io::Error> = cause.downcast_ref();
        http.is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
            || system.is_some_and(|error| {
                matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
            })
    })
}

/// Why a call of this address failed, for people: all causes, and what to do where that is known.
pub(crate) fn reason(url: &str, error: Cause<'_>) -> String {
    let mut reasons: Vec<String> = causes(error).map(ToString::to_string).collect();
    let advice = match of_tls(error) {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "no authority that this machine knows vouches for its certificate. If the trustee made it by itself, \
             its address ends in #sha256=..., as its log says"
        }
        Some(Error::InvalidMessage(_)) => "what answers there does not speak TLS: check the address and its port",
        None if url.starts_with("http://")
            && causes(error)
                .any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse)) =>
        {
            "what answers there does not speak HTTP. Perhaps it speaks TLS, and its address begins with https://"
        }
        _ => "",
    };
    reasons.extend((!advice.is_empty()).then(|| advice.into()));
    reasons.dedup();
    reasons.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_pins_a_key_or_says_what_is_wrong() {
        let pin = format!("sha256={}", "0f".repeat(32));
        let pinned = |url: &str| Pin::in_url(url).map(|pin| pin.map(|pin| pin.to_string()));
        assert_eq!(pinned("https://a.example:1/"), Ok(None));
        assert_eq!(pinned("http://a.example:1"), Ok(None));
        assert_eq!(pinned(&format!("https://a.example:1/#{pin}")), Ok(Some(pin.clone())));
        assert_eq!(
            pinned(&format!("https://a.example/trustee#{}", pin.replace('f', "F"))),
            Ok(Some(pin.clone()))
        );
        assert_eq!(pinned(&format!("http://a.example:1/#{pin}")), Err(PinError::Plain));
        for wrong in
            ["", "sha256=", "sha256=0f", &pin[7..], &pin[..70], &format!("{pin}0"), &pin.replace('f', "g")]
        {
            assert_eq!(pinned(&format!("https://a.example/#{wrong}")), Err(PinError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_cause_is_found_however_deep_it_is_held() {
        let shown = Pin([7; 32]);
        let refused: Error = CertificateError::Other(OtherError(Arc::new(WrongKey(shown)))).into();
        let held = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refused));
        assert_eq!(wrong_key(&held), Some(shown));
        assert_eq!(wrong_key(&io::Error::other("reset")), None);
        assert_eq!(reason("http://a", &io::Error::other(io::Error::other("reset"))), "reset");
    }
}
