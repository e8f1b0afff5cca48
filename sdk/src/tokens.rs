//! A token set as plain data: where its secrets are, and the facts beside them.

use crate::request::Value;

/// What a flow read, before the runner takes the secrets from where they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// The access token.
    pub access_token: Source,
    /// How callers present it: `Bearer`, `Basic`, `Token`.
    pub token_type: String,
    /// Unix seconds. None: the host uses the JWT's `exp`, else the declared lifetime.
    pub expires_at: Option<u64>,
    /// None: the provider sent none, and the host keeps the old one.
    pub refresh_token: Option<Source>,
    /// Unix seconds.
    pub refresh_expires_at: Option<u64>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Further secrets by name.
    pub extra: Vec<(String, Source)>,
    /// Plain facts worth showing.
    pub metadata: Vec<(String, String)>,
}

/// Where a secret of a token set comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A JSON pointer into the last answer; the empty pointer takes a text body whole.
    At(String),
    /// A header of the last answer.
    Header(String),
    /// A secret that the plugin has already, or one composed of such.
    Given(Value),
}

/// Ways to present a token that APIs know. Others are names of a provider's own: `bot`, `user`,
/// `BearerToken`, which no API takes in a header.
const SCHEMES: [&str; 7] = ["Bearer", "Basic", "DPoP", "JWT", "MAC", "Token", "SSWS"];

/// The way to present a token that an answer names; `Bearer` when it names none that APIs know.
pub fn scheme(said: Option<&str>) -> &'static str {
    let said = said.unwrap_or_default().trim();
    SCHEMES.into_iter().find(|it| it.eq_ignore_ascii_case(said)).unwrap_or("Bearer")
}

impl Tokens {
    /// A token set with an access token and nothing else.
    pub fn new(token_type: impl Into<String>, access_token: impl Into<Source>) -> Self {
        Self {
            access_token: access_token.into(),
            token_type: token_type.into(),
            expires_at: None,
            refresh_token: None,
            refresh_expires_at: None,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// A token set of type `Bearer`.
    pub fn bearer(access_token: impl Into<Source>) -> Self {
        Self::new("Bearer", access_token)
    }
}

impl From<&str> for Source {
    fn from(pointer: &str) -> Self {
        Self::At(pointer.to_owned())
    }
}

impl From<String> for Source {
    fn from(pointer: String) -> Self {
        Self::At(pointer)
    }
}

impl From<Value> for Source {
    fn from(value: Value) -> Self {
        Self::Given(value)
    }
}

#[cfg(test)]
mod tests {
    use super::scheme;

    #[test]
    fn a_name_of_the_provider_s_own_is_no_way_to_present_a_token() {
        for (said, presented) in [
            (Some("bearer"), "Bearer"),
            (Some("BEARER "), "Bearer"),
            (Some("dpop"), "DPoP"),
            (Some("token"), "Token"),
            (Some("JWT"), "JWT"),
            (Some("BearerToken"), "Bearer"),
            (Some("bot"), "Bearer"),
            (Some("user"), "Bearer"),
            (Some(""), "Bearer"),
            (None, "Bearer"),
        ] {
            assert_eq!(scheme(said), presented, "{said:?}");
        }
    }
}
