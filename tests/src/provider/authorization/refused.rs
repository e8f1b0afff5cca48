//! Why something was not granted, and how RFC 6749 words it. A vendor with words of its own reads the case.

use serde_json::json;

use crate::provider::{answer::Answer, call::Call, ledger::Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(Fault),
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredToken,
}

/// What was wrong with a code or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnknownCode,
    ExpiredCode,
    UsedCode,
    OtherRedirect,
    Verifier,
    UnknownToken,
    Token(Refusal),
}

impl Refused {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }

    /// RFC 6749, 5.2: 400, and 401 for a client that did not show who it is.
    pub(crate) fn answer(self, call: &Call) -> Answer {
        let status = if self == Self::InvalidClient { 401 } else { 400 };
        let body = json!({"error": self.code(), "error_description": self.description()});
        let answer = Answer::json(status, &body).header("cache-control", "no-store");
        if status == 401 && call.basic.is_some() {
            return answer.header("www-authenticate", "Basic realm=\"oauth\"");
        }
        answer
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::InvalidClient => "client authentication failed",
            Self::InvalidGrant(fault) => fault.description(),
            Self::UnauthorizedClient => "the client may not use this",
            Self::UnsupportedGrantType => "not a grant of this server",
            Self::InvalidScope => "a scope is unknown or was not granted",
            Self::InvalidTarget => "the target is missing or unknown",
            Self::AuthorizationPending => "nobody has decided yet",
            Self::SlowDown => "the interval is longer than that",
            Self::AccessDenied => "the request was denied",
            Self::ExpiredToken => "the device code is expired",
        }
    }
}

impl Fault {
    fn description(self) -> &'static str {
        match self {
            Self::UnknownCode => "the code is unknown",
            Self::ExpiredCode => "the code is expired",
            Self::UsedCode => "the code was used before",
            Self::OtherRedirect => "the redirect_uri is not the one of the request",
            Self::Verifier => "the code_verifier does not fit the challenge",
            Self::UnknownToken => "the refresh token is unknown",
            Self::Token(Refusal::Expired) => "the refresh token is expired",
            Self::Token(Refusal::Reused) => "the refresh token was used before",
            Self::Token(Refusal::Revoked) => "the refresh token is revoked",
        }
    }
}
