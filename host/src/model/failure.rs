//! Why a try failed. The case decides what the host does next; code and message are for people and
//! scripts, and hold no provider bodies and no secrets.

use std::time::Duration;

use crate::model::code::Code;

/// A failure with a stable code (`area.cause`) and one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the host does about it.
    pub case: Case,
    /// `area.cause`, the same in CLI, API, log and attempts.
    pub code: Code,
    /// What failed, where, and the remedy.
    pub message: String,
}

/// The closed set of reactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The stored credentials are wrong: a person corrects them.
    InvalidCredentials,
    /// The refresh token or grant is dead: log in again, or reconnect.
    GrantExpired,
    /// The access token was refused: refresh it.
    TokenRejected,
    /// Slow down, for so long if the provider said.
    RateLimited(Option<Duration>),
    /// The provider is down or not reached: try again later.
    Unavailable,
    /// Sent without a clear answer: the provider may have rotated.
    InDoubt,
    /// A setting, client or scope is wrong: the operator corrects it.
    Misconfigured,
    /// The answer was not understood: it is kept, and a person looks.
    Unexpected,
    /// The plugin broke: trap, limit, rubbish. The provider's answer is kept.
    PluginFault,
    /// This machine broke: disk, database, key. Nothing was lost.
    HostFault,
}

impl Failure {
    /// A failure of this case.
    pub fn new(case: Case, code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self { case, code: code.into(), message: message.into() }
    }
}
