//! Errors of the command line, each with the exit code that a script sees.

use psephos_client::{
    board::BoardError,
    election::ElectionError,
    endpoints::{EndpointsError, TrusteeError},
    keystore::KeyError,
    record::RecordError,
    registrar::RegistrarError,
    tally::FinalizeError,
    voter::VoterError,
    ChainError,
};
use std::{fmt::Display, path::Path, process::ExitCode};

/// What the exit codes mean, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by the chain or a trustee, or a check failed
  2  wrong usage or bad input; nothing was changed
  3  no node or trustee can be reached
  4  integrity violated: a node contradicts itself, or a ballot is not what was cast";

/// Why a command did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    /// The chain or a trustee refused, or a check failed.
    #[error("{0}")]
    Refused(String),
    /// Wrong usage or bad input; nothing was changed.
    #[error("{0}")]
    Input(String),
    /// No node or trustee can be reached.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody lies: a node contradicts itself, or a ballot is not what was cast.
    #[error("{0}")]
    Integrity(String),
}

impl CliError {
    /// The process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Input(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Integrity(_) => 4,
        })
    }

    /// The same with other words.
    #[must_use]
    pub fn reword(self, words: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(words(&text)),
            Self::Input(text) => Self::Input(words(&text)),
            Self::Unreachable(text) => Self::Unreachable(words(&text)),
            Self::Integrity(text) => Self::Integrity(words(&text)),
        }
    }

    /// Something that the user gave is wrong.
    pub fn input(error: impl Display) -> Self {
        Self::Input(error.to_string())
    }

    /// A file could not be read or written.
    pub fn file(path: &Path, error: impl Display) -> Self {
        Self::Input(format!("{}: {error}", path.display()))
    }
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<EndpointsError> for CliError {
    fn from(error: EndpointsError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<ChainError> for CliError {
    fn from(error: ChainError) -> Self {
        let text = error.to_string();
        match error {
            ChainError::Endpoint { .. } | ChainError::NoEndpoint | ChainError::UnknownElection(_) => {
                Self::Input(text)
            }
            ChainError::Unreachable { .. }
            | ChainError::MissingBlock { .. }
            | ChainError::Stalled { .. }
            | ChainError::Timeout { .. } => Self::Unreachable(text),
            ChainError::Inconsistent { .. } | ChainError::OtherChain { .. } => Self::Integrity(text),
            _ => Self::Refused(text),
        }
    }
}

impl From<ElectionError> for CliError {
    fn from(error: ElectionError) -> Self {
        match error {
            ElectionError::Chain(error) => error.into(),
            error => Self::Integrity(error.to_string()),
        }
    }
}

impl From<BoardError> for CliError {
    fn from(error: BoardError) -> Self {
        let text = error.to_string();
        match error {
            BoardError::Chain(error) => error.into(),
            BoardError::Election(error) => error.into(),
            BoardError::WrongResult(_) => Self::Integrity(text),
            BoardError::NoResult { .. } => Self::Refused(text),
            _ => Self::Input(text),
        }
    }
}

impl From<RegistrarError> for CliError {
    fn from(error: RegistrarError) -> Self {
        let text = error.to_string();
        match error {
            RegistrarError::Chain(error) => error.into(),
            RegistrarError::Refused { error, .. } => match Self::from(error) {
                Self::Unreachable(_) => Self::Unreachable(text),
                Self::Integrity(_) => Self::Integrity(text),
                _ => Self::Refused(text),
            },
            RegistrarError::NumberTaken { .. } => Self::Refused(text),
            _ => Self::Input(text),
        }
    }
}

impl From<FinalizeError> for CliError {
    fn from(error: FinalizeError) -> Self {
        let text = error.to_string();
        match error {
            FinalizeError::Chain(error) => error.into(),
            FinalizeError::Election(error) => error.into(),
            FinalizeError::WrongResult(_) => Self::Integrity(text),
            FinalizeError::Blocked { .. } | FinalizeError::Void { .. } => Self::Refused(text),
        }
    }
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        let text = error.to_string();
        match error {
            RecordError::Chain(error) => error.into(),
            RecordError::Election(error) => error.into(),
            RecordError::Missing { .. } => Self::Integrity(text),
            RecordError::File { .. }
            | RecordError::Busy(_)
            | RecordError::Other { .. }
            | RecordError::NotPartial(_) => Self::Input(text),
            RecordError::NotOver { .. } | RecordError::TooLarge(_) => Self::Refused(text),
        }
    }
}

impl From<TrusteeError> for CliError {
    fn from(error: TrusteeError) -> Self {
        let text = error.to_string();
        match error {
            TrusteeError::Unreachable { .. } => Self::Unreachable(text),
            TrusteeError::BadReceipt { .. } | TrusteeError::WrongKey { .. } => Self::Integrity(text),
            _ => Self::Refused(text),
        }
    }
}

impl From<VoterError> for CliError {
    fn from(error: VoterError) -> Self {
        let text = error.to_string();
        match error {
            VoterError::Chain(error) => error.into(),
            VoterError::Election(error) => error.into(),
            VoterError::Endpoints(_)
            | VoterError::Invitation(_)
            | VoterError::Codes(_)
            | VoterError::OtherCodes { .. }
            | VoterError::OtherCredential { .. } => Self::Input(text),
            VoterError::Prepare(psephos_protocol::ballot::PrepareError::SelfCheck(_)) => {
                Self::Integrity(text)
            }
            VoterError::Prepare(_) => Self::Input(text),
            VoterError::TooFewReceipts { ref failures, .. } => {
                let refused = failures.iter().any(|failure| !failure.is_passing());
                if refused {
                    Self::Refused(text)
                } else {
                    Self::Unreachable(text)
                }
            }
            VoterError::NotRecorded { .. } => Self::Integrity(text),
            _ => Self::Refused(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::refusal::Refusal;

    #[test]
    fn scripts_can_tell_errors_apart() {
        let unreachable = CliError::from(ChainError::Unreachable { tried: vec![] });
        assert!(matches!(unreachable, CliError::Unreachable(_)));
        let refused = CliError::from(VoterError::Chain(ChainError::Refused(Refusal::WrongPhase)));
        assert!(matches!(refused, CliError::Refused(_)));
        let lying = ChainError::Inconsistent { endpoint: "ws://a".into(), what: "b".into() };
        assert!(matches!(CliError::from(lying), CliError::Integrity(_)));
    }
}
