//! What went wrong, as RFC 9457 has it: one body for every error, with the stable code that commands and
//! logs have. The status follows from code and case, so that it is the same wherever a failure comes from.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, ResponsesBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};

/// An error that a caller is told.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    code: Code,
    status: StatusCode,
    detail: String,
    /// Seconds.
    retry_after: Option<u64>,
}

/// The body of an error: RFC 9457, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Written<'a> {
    /// A URI that names the kind of error.
    #[serde(rename = "type")]
    kind: String,
    /// What has happened, for every error of this code.
    title: &'a str,
    /// The status.
    #[schema(example = 404)]
    status: u16,
    /// What has happened here, and what helps.
    detail: &'a str,
    /// The stable code; `keepfresh explain CODE` says more.
    code: &'a str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// To find it in the log.
    request_id: &'a str,
}

impl Problem {
    pub(super) fn new(code: impl Into<Code>, detail: impl Into<String>) -> Self {
        let code = code.into();
        let case = code.usual_case();
        Self { status: status_of(&code, case), code, detail: detail.into(), retry_after: None }
    }

    /// The same, and when to come back, in seconds.
    #[must_use]
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same with another status.
    #[must_use]
    pub(super) fn with(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    #[cfg(test)]
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer, once it is known which request it belongs to.
    pub(super) fn written(&self, request_id: &str) -> Response {
        let entry = self.code.entry();
        let body = Written {
            kind: format!("urn:keepfresh:error:{}", self.code),
            title: entry.map_or("", |it| it.meaning),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code.text(),
            retryable: entry.is_some_and(|it| it.retryable),
            request_id,
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut answer = Response::new(Body::from(body));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"keepfresh\""));
        }
        answer
    }
}

/// What every route may answer instead. The body is a component that `routes` names.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let answer = |description: &str| {
            let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", body)
                .build()
        };
        let refused = "Not for this caller, or not as it was asked; `code` says why";
        let failed = "Not now, or the provider did not; `code` says why";
        let all = ResponsesBuilder::new().response("4XX", answer(refused));
        all.response("5XX", answer(failed)).build().responses
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let status = status_of(&failure.code, failure.case);
        let retry_after = match failure.case {
            Case::RateLimited(Some(time)) => Some(time.as_secs().max(1)),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => Some(5),
            _ => None,
        };
        Self { code: failure.code, status, detail: failure.message, retry_after }
    }
}

impl IntoResponse for Problem {
    /// Without a body: `guard` writes it, who knows the id of the request.
    fn into_response(self) -> Response {
        let mut answer = self.status.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

/// The status of a failure. What a code does not say, the case does.
pub fn status_of(code: &Code, case: Case) -> StatusCode {
    match code {
        Code::Auth(code) => of_auth(*code),
        Code::Http(code) => of_http(*code),
        Code::Proxy(code) => of_proxy(*code),
        Code::Connection(code::Connection::OfManifest | code::Connection::Exists)
        | Code::ApiKey(code::ApiKey::NameTaken)
        | Code::Replay(_)
        | Code::Refresh(code::Refresh::Held)
        | Code::Token(code::Token::None | code::Token::RejectedWhenFresh)
        | Code::Connect(code::Connect::Unsupported | code::Connect::NoUrl) => StatusCode::CONFLICT,
        Code::Connection(_)
        | Code::Attempt(_)
        | Code::ApiKey(code::ApiKey::Unknown)
        | Code::Manifest(code::Manifest::ProviderMissing) => StatusCode::NOT_FOUND,
        Code::Command(_)
        | Code::ApiKey(_)
        | Code::Import(_)
        | Code::Connect(_)
        | Code::Token(code::Token::Invalid | code::Token::GenerationUnknown) => {
            StatusCode::BAD_REQUEST
        }
        _ => of_case(case),
    }
}

/// A person has to do something before the same request can succeed: a conflict with the state of the
/// connection. The rest passes by itself, or is nobody's who calls.
fn of_case(case: Case) -> StatusCode {
    match case {
        Case::InvalidCredentials
        | Case::GrantExpired
        | Case::TokenRejected
        | Case::Misconfigured => StatusCode::CONFLICT,
        Case::RateLimited(_) | Case::Unavailable | Case::InDoubt | Case::HostFault => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Case::Unexpected | Case::PluginFault => StatusCode::BAD_GATEWAY,
    }
}

fn of_auth(code: code::Auth) -> StatusCode {
    match code {
        code::Auth::Missing | code::Auth::Invalid => StatusCode::UNAUTHORIZED,
        code::Auth::Ambiguous | code::Auth::InUrl => StatusCode::BAD_REQUEST,
        code::Auth::Throttled => StatusCode::TOO_MANY_REQUESTS,
        code::Auth::Scope => StatusCode::FORBIDDEN,
    }
}

fn of_proxy(code: code::Proxy) -> StatusCode {
    match code {
        code::Proxy::Off | code::Proxy::ToDenied => StatusCode::FORBIDDEN,
        code::Proxy::Parameter => StatusCode::BAD_REQUEST,
        code::Proxy::Upgrade => StatusCode::NOT_IMPLEMENTED,
        code::Proxy::Echo => StatusCode::BAD_GATEWAY,
    }
}

fn of_http(code: code::Http) -> StatusCode {
    match code {
        code::Http::NotFound => StatusCode::NOT_FOUND,
        code::Http::Method => StatusCode::METHOD_NOT_ALLOWED,
        code::Http::PathInvalid | code::Http::QueryInvalid | code::Http::BodyInvalid => {
            StatusCode::BAD_REQUEST
        }
        code::Http::BodyType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code::Http::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        code::Http::Timeout => StatusCode::REQUEST_TIMEOUT,
        code::Http::Busy => StatusCode::SERVICE_UNAVAILABLE,
        code::Http::HostDenied => StatusCode::MISDIRECTED_REQUEST,
        code::Http::CrossSite => StatusCode::FORBIDDEN,
        code::Http::EventsGone => StatusCode::GONE,
        code::Http::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        code::Http::Changed => StatusCode::PRECONDITION_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_that_says_who_has_to_act() {
        for code in Code::all() {
            let status = Problem::new(code.clone(), "").status;
            assert!(status.is_client_error() || status.is_server_error(), "{code} {status}");
        }
    }

    #[test]
    fn a_failure_has_the_status_of_its_code_or_else_of_its_case() {
        let status = |case, code: Code| Problem::from(Failure::new(case, code, "")).status.as_u16();
        assert_eq!(status(Case::Misconfigured, code::Connection::Unknown.into()), 404);
        assert_eq!(status(Case::GrantExpired, code::Provider::GrantExpired.into()), 409);
        assert_eq!(status(Case::Unavailable, code::Token::NotReplaced.into()), 503);
        assert_eq!(status(Case::Unavailable, code::Token::None.into()), 409, "nobody gets one now");
        assert_eq!(status(Case::Unexpected, code::Provider::Unexpected.into()), 502);
        assert_eq!(status(Case::HostFault, code::Storage::Full.into()), 503);
    }
}
