//! One try to refresh, as it is stored, listed and printed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::code::Code;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};

/// Why a try was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// A tick of the schedule.
    Scheduled,
    /// The token was about to expire.
    Expiry,
    /// A person asked.
    Manual,
    /// A person asked, whatever the expiry.
    Forced,
    /// A caller asked for a token that would not live long enough.
    OnDemand,
    /// A tick of the backup schedule, or a retry after a failure.
    Backup,
    /// An earlier try was interrupted.
    Recovery,
}

impl Trigger {
    /// Whether somebody asked, and not the scheduler.
    pub fn is_on_request(self) -> bool {
        matches!(self, Self::Manual | Self::Forced | Self::OnDemand)
    }
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new generation is stored.
    Success,
    /// It is not; the error says why.
    Failed,
    /// Nothing was sent; the reason says why.
    Skipped,
}

/// What went wrong, in a code for scripts and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// `area.cause`.
    pub code: Code,
    /// What failed, where, and the remedy.
    pub message: String,
}

impl From<&Failure> for AttemptError {
    fn from(failure: &Failure) -> Self {
        Self { code: failure.code.clone(), message: failure.message.clone() }
    }
}

/// One try, finished or still open (`outcome` is `None`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Sorts by time.
    pub id: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub trigger: Trigger,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it was skipped, or how success came about.
    pub reason: Option<String>,
    /// What went wrong.
    pub error: Option<AttemptError>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The generation that was current when it ended.
    pub generation: u64,
}

macro_rules! text_enum {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// The word used everywhere: SQL, JSON, logs, command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is none of {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}
pub(crate) use text_enum;

text_enum!(Trigger {
    Scheduled = "scheduled",
    Expiry = "expiry",
    Manual = "manual",
    Forced = "forced",
    OnDemand = "on-demand",
    Backup = "backup",
    Recovery = "recovery",
});

text_enum!(Outcome { Success = "success", Failed = "failed", Skipped = "skipped" });
