//! One try to refresh, as it is stored, listed and printed.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};

/// Why a try was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// The last try failed, and its pause is over.
    Retry,
    /// A tick of the backup schedule.
    Backup,
    /// An earlier try was interrupted.
    Recovery,
}

impl Trigger {
    /// Whether a person or a caller asked, and not the scheduler.
    pub fn is_on_request(self) -> bool {
        matches!(self, Self::Manual | Self::Forced | Self::OnDemand)
    }
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new generation is stored.
    Success,
    /// It is not; the error says why.
    Failed,
    /// Nothing was sent; the reason says why.
    Skipped,
}

/// How a try goes, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// It has no outcome yet: the intent to send, and the claim on the connection.
    Open,
    /// A new generation is stored; how it came about, when that is worth a word.
    Success(Option<String>),
    /// Nothing was sent, for this reason.
    Skipped(String),
    /// It failed.
    Failed(Failure),
}

/// An outcome, a reason and a failure that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt's outcome does not match its reason and its error")]
pub struct Mixed;

impl Course {
    /// The course that was taken apart as SQL and JSON have it.
    pub fn of(
        outcome: Option<Outcome>,
        reason: Option<String>,
        error: Option<Failure>,
    ) -> Result<Self, Mixed> {
        match (outcome, reason, error) {
            (None, None, None) => Ok(Self::Open),
            (Some(Outcome::Success), how, None) => Ok(Self::Success(how)),
            (Some(Outcome::Skipped), Some(reason), None) => Ok(Self::Skipped(reason)),
            (Some(Outcome::Failed), None, Some(failure)) => Ok(Self::Failed(failure)),
            _ => Err(Mixed),
        }
    }
}

/// What an attempt spent its time on, in milliseconds; `None` for what it did not come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Waiting for its turn: for a slot, and for the rate.
    pub waited_ms: Option<u64>,
    /// Requests to the provider, from dialling to the last byte of the answer.
    pub provider_ms: Option<u64>,
}

/// One try, finished or still open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Attempt {
    /// Sorts by time.
    pub id: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub trigger: Trigger,
    /// How it goes, or went.
    pub course: Course,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What it spent that on.
    pub spent: Spent,
    /// The generation that was current when it ended.
    pub generation: u64,
}

impl Attempt {
    /// How it ended; `None` while it is open.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.course {
            Course::Open => None,
            Course::Success(_) => Some(Outcome::Success),
            Course::Skipped(_) => Some(Outcome::Skipped),
            Course::Failed(_) => Some(Outcome::Failed),
        }
    }

    /// Why it was skipped, or how success came about.
    pub fn reason(&self) -> Option<&str> {
        match &self.course {
            Course::Success(how) => how.as_deref(),
            Course::Skipped(reason) => Some(reason),
            Course::Open | Course::Failed(_) => None,
        }
    }

    /// What went wrong.
    pub fn error(&self) -> Option<&Failure> {
        match &self.course {
            Course::Failed(failure) => Some(failure),
            Course::Open | Course::Success(_) | Course::Skipped(_) => None,
        }
    }
}

/// In the API's document an attempt is what JSON has of it.
impl PartialSchema for Attempt {
    fn schema() -> RefOr<Schema> {
        Written::schema()
    }
}

impl ToSchema for Attempt {
    fn name() -> Cow<'static, str> {
        "Attempt".into()
    }

    fn schemas(found: &mut Vec<(String, RefOr<Schema>)>) {
        Written::schemas(found);
    }
}

/// An attempt as JSON has it: people script against these names.
#[derive(Serialize, Deserialize, ToSchema)]
struct Written {
    #[schema(value_type = uuid::Uuid)]
    id: AttemptId,
    #[schema(value_type = String)]
    connection: ConnectionId,
    trigger: Trigger,
    outcome: Option<Outcome>,
    reason: Option<String>,
    error: Option<Failure>,
    started_at: Timestamp,
    duration_ms: Option<u64>,
    /// Of these, waiting for its turn.
    #[serde(default)]
    waited_ms: Option<u64>,
    /// Of these, requests to the provider.
    #[serde(default)]
    provider_ms: Option<u64>,
    generation: u64,
}

impl From<Attempt> for Written {
    fn from(it: Attempt) -> Self {
        Self {
            outcome: it.outcome(),
            reason: it.reason().map(str::to_owned),
            error: it.error().cloned(),
            id: it.id,
            connection: it.connection,
            trigger: it.trigger,
            started_at: it.started_at,
            duration_ms: it.duration_ms,
            waited_ms: it.spent.waited_ms,
            provider_ms: it.spent.provider_ms,
            generation: it.generation,
        }
    }
}

impl TryFrom<Written> for Attempt {
    type Error = Mixed;

    fn try_from(it: Written) -> Result<Self, Mixed> {
        Ok(Self {
            course: Course::of(it.outcome, it.reason, it.error)?,
            id: it.id,
            connection: it.connection,
            trigger: it.trigger,
            started_at: it.started_at,
            duration_ms: it.duration_ms,
            spent: Spent { waited_ms: it.waited_ms, provider_ms: it.provider_ms },
            generation: it.generation,
        })
    }
}

macro_rules! text_enum {
    ($type:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

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
                    _ => Err(format!("`{text}` is not one of {}", [$($text),+].join(", "))),
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
    Retry = "retry",
    Backup = "backup",
    Recovery = "recovery",
});

text_enum!(Outcome { Success = "success", Failed = "failed", Skipped = "skipped" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code;
    use crate::model::failure::Case;

    fn failure() -> Failure {
        Failure::new(Case::GrantExpired, code::Refresh::OutcomeUnknown, "why")
    }

    fn attempt(course: Course) -> Attempt {
        Attempt {
            id: AttemptId::generate(),
            connection: "jibit".parse().unwrap(),
            trigger: Trigger::Manual,
            course,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: Some(5),
            spent: Spent { waited_ms: None, provider_ms: Some(3) },
            generation: 7,
        }
    }

    #[test]
    fn an_attempt_survives_being_written() {
        for course in [
            Course::Open,
            Course::Success(None),
            Course::Success(Some("recovered".to_owned())),
            Course::Skipped("it is fresh".to_owned()),
            Course::Failed(failure()),
        ] {
            let attempt = attempt(course);
            let json = serde_json::to_string(&attempt).unwrap();
            assert_eq!(serde_json::from_str::<Attempt>(&json).unwrap(), attempt, "{json}");
        }
    }

    #[test]
    fn scripts_find_every_member_in_every_attempt() {
        let json = serde_json::to_value(attempt(Course::Failed(failure()))).unwrap();
        assert_eq!((&json["outcome"], json["reason"].is_null()), (&"failed".into(), true));
        assert_eq!(json["error"]["code"], "refresh.outcome_unknown");
        assert_eq!(json["error"]["message"], "why");
        let json = serde_json::to_value(attempt(Course::Open)).unwrap();
        for member in ["outcome", "reason", "error"] {
            assert_eq!(json.get(member), Some(&serde_json::Value::Null), "{member}");
        }
    }

    #[test]
    fn what_does_not_belong_together_is_no_attempt() {
        let (reason, error) = (Some("why".to_owned()), Some(failure()));
        let (success, skipped, failed) =
            (Some(Outcome::Success), Some(Outcome::Skipped), Some(Outcome::Failed));
        for (outcome, reason, error) in [
            (None, reason.clone(), None),
            (None, None, error.clone()),
            (success, None, error.clone()),
            (success, reason.clone(), error.clone()),
            (skipped, None, None),
            (skipped, reason.clone(), error.clone()),
            (skipped, None, error.clone()),
            (failed, None, None),
            (failed, reason.clone(), None),
            (failed, reason.clone(), error.clone()),
        ] {
            assert_eq!(Course::of(outcome, reason, error), Err(Mixed));
        }
        let odd = r#"{"outcome":"failed","reason":null,"error":null,"id":"0198c0de-0000-7000-8000-000000000000","connection":"jibit","trigger":"manual","started_at":"1970-01-01T00:00:00Z","duration_ms":5,"generation":7}"#;
        let error = serde_json::from_str::<Attempt>(odd).unwrap_err();
        assert!(error.to_string().contains("does not match"), "{error}");
    }
}
