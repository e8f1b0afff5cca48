//! Why no response came, sorted by the one question that matters for a token: can the provider have
//! acted? Messages name hosts and limits; they never hold a query, a header's value or a body.

use crate::model::code::Code;

/// A request without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Refused here, before anything was sent. The message holds the remedy if there is one.
    #[error("{message}")]
    Denied {
        /// `egress.cause`.
        code: Code,
        /// One sentence.
        message: String,
    },
    /// The name, the connection or TLS failed: no byte of the request left this machine.
    #[error("{message}")]
    NotSent {
        /// `egress.cause`.
        code: Code,
        /// One sentence.
        message: String,
    },
    /// Sent, and no complete answer came back: the provider may have acted.
    #[error("{message}")]
    InDoubt {
        /// `provider.cause`.
        code: Code,
        /// One sentence.
        message: String,
    },
    /// An answer came that breaks HTTP or a limit: the provider may have acted.
    #[error("{message}")]
    Unreadable {
        /// `provider.cause`.
        code: Code,
        /// One sentence.
        message: String,
    },
}

impl EgressError {
    /// `area.cause`, the same in CLI, API, log and attempts.
    pub fn code(&self) -> Code {
        match self {
            Self::Denied { code, .. }
            | Self::NotSent { code, .. }
            | Self::InDoubt { code, .. }
            | Self::Unreadable { code, .. } => code.clone(),
        }
    }

    /// Refused here.
    pub fn denied(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self::Denied { code: code.into(), message: message.into() }
    }

    pub(super) fn not_sent(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self::NotSent { code: code.into(), message: message.into() }
    }

    pub(super) fn in_doubt(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self::InDoubt { code: code.into(), message: message.into() }
    }

    pub(super) fn unreadable(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self::Unreadable { code: code.into(), message: message.into() }
    }
}
