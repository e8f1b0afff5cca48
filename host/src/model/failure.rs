//! Why a try failed. The case decides what the host does next; code and message are for people and
//! scripts, and hold no provider bodies and no secrets.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::model::code::Code;

/// A failure with a stable code (`area.cause`) and one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(from = "Written", into = "Written")]
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
    /// Slow down, for this long if the provider said so.
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

impl Case {
    /// Whether it goes on only once a person has done something.
    pub fn needs_a_person(self) -> bool {
        self.is_dead_grant() || matches!(self, Self::InvalidCredentials | Self::Misconfigured)
    }

    /// Whether the provider is done with this grant.
    pub fn is_dead_grant(self) -> bool {
        matches!(self, Self::GrantExpired | Self::TokenRejected)
    }
}

/// A failure as JSON has it. How long a provider wants to be left alone is not in it: when to look again
/// was decided when the failure was judged.
#[derive(Serialize, Deserialize, ToSchema)]
struct Written {
    #[schema(value_type = String)]
    code: Code,
    message: String,
    /// What helps with every error of this code, for whoever reads it; none of a code that is not known.
    #[serde(skip_deserializing)]
    remedy: Option<&'static str>,
    /// None of a version that does not say it.
    case: Option<String>,
}

/// In the API's document a failure is what JSON has of it.
impl PartialSchema for Failure {
    fn schema() -> RefOr<Schema> {
        Written::schema()
    }
}

impl ToSchema for Failure {
    fn name() -> Cow<'static, str> {
        "Failure".into()
    }

    fn schemas(found: &mut Vec<(String, RefOr<Schema>)>) {
        Written::schemas(found);
    }
}

impl From<Written> for Failure {
    fn from(written: Written) -> Self {
        let Written { code, message, case, .. } = written;
        let case = case.and_then(|it| it.parse().ok());
        Self { case: case.unwrap_or_else(|| code.usual_case()), code, message }
    }
}

impl From<Failure> for Written {
    fn from(failure: Failure) -> Self {
        let Failure { case, code, message } = failure;
        let (remedy, case) = (code.remedy(), Some(case.as_str().to_owned()));
        Self { code, message, remedy, case }
    }
}

impl Case {
    /// Every case. The one that carries data stands without.
    const ALL: [Self; 10] = [
        Self::InvalidCredentials,
        Self::GrantExpired,
        Self::TokenRejected,
        Self::RateLimited(None),
        Self::Unavailable,
        Self::InDoubt,
        Self::Misconfigured,
        Self::Unexpected,
        Self::PluginFault,
        Self::HostFault,
    ];

    /// The word that SQL and JSON have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid-credentials",
            Self::GrantExpired => "grant-expired",
            Self::TokenRejected => "token-rejected",
            Self::RateLimited(_) => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::InDoubt => "in-doubt",
            Self::Misconfigured => "misconfigured",
            Self::Unexpected => "unexpected",
            Self::PluginFault => "plugin-fault",
            Self::HostFault => "host-fault",
        }
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is not a failure case"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code;

    #[test]
    fn a_failure_survives_being_written_with_its_case() {
        for case in Case::ALL {
            let failure = Failure::new(case, code::Refresh::OutcomeUnknown, "why");
            let json = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure, "{json}");
        }
    }

    #[test]
    fn a_failure_without_a_case_has_the_one_of_its_code() {
        for (code, case) in [
            ("provider.grant_expired", Case::GrantExpired),
            ("provider.timeout", Case::InDoubt),
            ("egress.host_denied", Case::Misconfigured),
            ("something.newer", Case::Unavailable),
        ] {
            for rest in ["", r#","case":null"#, r#","case":"newer-still""#] {
                let json = format!(r#"{{"code":"{code}","message":"why"{rest}}}"#);
                let failure: Failure = serde_json::from_str(&json).unwrap();
                assert_eq!((failure.code.text(), failure.case), (code, case));
            }
        }
    }
}
