//! What a refusal of an OAuth server means: RFC 6749 5.2 and what providers made up beside it. 429 and 5xx
//! decide first, but for a fault that names a dead refresh token; then words that are known wherever they
//! stand, then the code, then the status.

use crate::answer::Answer;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::failure::trouble;
use crate::oauth::words::{Said, said};

/// Who answered, as failure texts speak of it.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Begins the sentence: `Google`.
    pub name: &'static str,
    /// The settings that lead there: "`token_url`".
    pub settings: &'static str,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Tokens for the client itself.
    ClientCredentials,
    /// Tokens for a refresh token.
    Refresh,
    /// Tokens for an authorization code.
    Code,
    /// A device code.
    DeviceStart,
    /// Tokens for a device code.
    DevicePoll,
    /// The end of a grant.
    Revocation,
}

impl Call {
    fn grant(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client credentials",
            Self::Refresh => "refresh tokens",
            Self::Code => "authorization codes",
            Self::DeviceStart | Self::DevicePoll => "device codes",
            Self::Revocation => "revocation",
        }
    }
}

/// The `error` of an answer, if it has one. What is no code is an error all the same.
pub fn error_code(answer: &dyn Answer) -> Option<String> {
    // Most answers have none, which is seen at one look.
    if !answer.has_secret("/error") {
        return None;
    }
    let code = answer.text("/error").filter(|code| !code.is_empty());
    Some(code.unwrap_or_else(|| "other".to_owned()))
}

/// The failure behind an answer that holds no tokens.
pub fn refusal(answer: &dyn Answer, call: Call, server: Server) -> Failure {
    if call == Call::Refresh && is_fault_of_token(answer) {
        return dead(call, server);
    }
    trouble(answer, server.name)
        .or_else(|| by_words(answer, call, server))
        .or_else(|| by_code(&error_code(answer)?, answer, call, server))
        .unwrap_or_else(|| by_status(answer, call, server))
}

/// Some servers fail inside when they meet a dead refresh token, and say so all the same. One that is
/// overloaded, or names a time to come back at, has not looked at it.
fn is_fault_of_token(answer: &dyn Answer) -> bool {
    let is_fault = answer.status() >= 500 && answer.status() != 503;
    is_fault && answer.header("retry-after").is_none() && said(answer) == Some(Said::Dead)
}

fn by_words(answer: &dyn Answer, call: Call, server: Server) -> Option<Failure> {
    match (said(answer)?, call) {
        (Said::Dead, Call::Refresh) => Some(dead(call, server)),
        (Said::Dead, _) => None,
        (Said::Client, _) => Some(client(server)),
        (Said::Slow, _) => Some(Failure::rate_limited(answer)),
        (Said::Down, _) => Some(internal(server)),
    }
}

fn by_code(code: &str, answer: &dyn Answer, call: Call, server: Server) -> Option<Failure> {
    let (name, status) = (server.name, answer.status());
    Some(match (code, call) {
        ("invalid_client" | "incorrect_client_credentials", _) => client(server),
        // Keycloak's and Auth0's words for a wrong secret.
        ("unauthorized_client", _)
        | ("access_denied", Call::ClientCredentials | Call::Revocation)
            if status == 401 =>
        {
            client(server)
        }
        ("unauthorized_client", _)
        | ("access_denied", Call::ClientCredentials | Call::DeviceStart | Call::Revocation) => {
            Failure::misconfigured(format!(
                "{name} does not allow this client to use {}; allow it in the client's registration",
                call.grant()
            ))
        }
        ("access_denied", Call::Code | Call::DevicePoll) => Failure::grant_expired(format!(
            "the person refused at {name}; connect again if that was a mistake"
        )),
        ("invalid_grant" | "expired_token" | "access_denied", _) => dead(call, server),
        ("bad_refresh_token" | "bad_verification_code" | "incorrect_device_code", _) => {
            dead(call, server)
        }
        ("interaction_required" | "login_required" | "consent_required", _) => {
            Failure::grant_expired(format!(
                "{name} requires the person to log in again; connect again"
            ))
        }
        // Laravel Passport up to 12 refuses a dead refresh token so.
        ("invalid_request", Call::Refresh) if status == 401 => dead(call, server),
        ("temporarily_unavailable" | "server_error", _) => internal(server),
        ("slow_down" | "rate_limit_exceeded" | "too_many_requests", _) => {
            Failure::rate_limited(answer)
        }
        _ => Failure::misconfigured(settings(code, call, server)?),
    })
}

/// What the operator has to correct.
fn settings(code: &str, call: Call, server: Server) -> Option<String> {
    let Server { name, settings } = server;
    Some(match code {
        "invalid_scope" => format!("{name} does not grant these scopes; check `scopes`"),
        "invalid_request" => format!(
            "{name} rejected the request as incomplete or invalid; check {settings}, `client_id` and the \
             other settings"
        ),
        "unsupported_grant_type" | "device_flow_disabled" => {
            format!("{name} does not offer {} to this client; allow it there", call.grant())
        }
        "unsupported_token_type" => format!("{name} does not revoke tokens of this kind"),
        "invalid_target" => {
            format!(
                "{name} rejected the resource or audience of the token; check `resource` and `audience`"
            )
        }
        "redirect_uri_mismatch" => format!(
            "{name} does not accept the redirect URI; register exactly this URI for this client"
        ),
        "use_dpop_nonce" | "invalid_dpop_proof" => format!(
            "{name} requires DPoP, which this plugin does not support; register the client \
             without it"
        ),
        _ => return None,
    })
}

fn by_status(answer: &dyn Answer, call: Call, server: Server) -> Failure {
    let Server { name, settings } = server;
    match (answer.status(), call) {
        (401, Call::Refresh | Call::DevicePoll) if answer.is_json() => dead(call, server),
        (401, Call::ClientCredentials | Call::Code | Call::DeviceStart | Call::Revocation) => {
            client(server)
        }
        // A refresh worked at this address before, so there the address is not to blame.
        (300..=399 | 404 | 405 | 410, call) if call != Call::Refresh => {
            Failure::misconfigured(format!(
                "{name} answered {} where {} were asked for; check {settings}",
                answer.status(),
                call.grant()
            ))
        }
        _ => Failure::of(answer, name, call.grant()),
    }
}

fn internal(server: Server) -> Failure {
    Failure::unavailable(format!("{} reports an internal error; try again later", server.name))
}

fn client(server: Server) -> Failure {
    Failure::invalid_credentials(format!(
        "{} refused the client; check `client_id` and its secret or key",
        server.name
    ))
}

fn dead(call: Call, server: Server) -> Failure {
    let name = server.name;
    match call {
        Call::ClientCredentials => client(server),
        Call::Refresh | Call::Revocation => Failure::grant_expired(format!(
            "{name} no longer accepts the refresh token: it expired, was revoked or was used before"
        )),
        Call::Code => Failure::grant_expired(format!(
            "{name} refused the authorization code: it was used before, is too old, or belongs \
             to another redirect URI; connect again"
        )),
        Call::DeviceStart | Call::DevicePoll => Failure::grant_expired(format!(
            "{name} no longer accepts the device code; connect again"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Canned, ending};

    const SERVER: Server = Server { name: "It", settings: "`token_url`" };

    fn ends(call: Call, status: u16, body: &str) -> &'static str {
        ending::<()>(&Err(refusal(&Canned::new(status, body), call, SERVER))).0
    }

    fn code(call: Call, status: u16, code: &str) -> &'static str {
        ends(call, status, &format!(r#"{{"error":"{code}","error_description":"d"}}"#))
    }

    #[test]
    fn the_codes_of_the_rfc_lead_to_who_can_help() {
        for (error, expected) in [
            ("invalid_grant", "grant-expired"),
            ("invalid_client", "invalid-credentials"),
            ("unauthorized_client", "misconfigured"),
            ("invalid_scope", "misconfigured"),
            ("unsupported_grant_type", "misconfigured"),
            ("invalid_request", "misconfigured"),
            ("invalid_target", "misconfigured"),
            ("made_up", "unexpected"),
        ] {
            assert_eq!(code(Call::Refresh, 400, error), expected, "{error}");
        }
    }

    #[test]
    fn providers_that_word_a_dead_refresh_token_otherwise_are_understood() {
        for (status, error) in [
            (401, "invalid_request"),
            (401, "invalid_grant"),
            (200, "bad_refresh_token"),
            (400, "interaction_required"),
        ] {
            assert_eq!(code(Call::Refresh, status, error), "grant-expired", "{error}");
        }
        assert_eq!(ends(Call::Refresh, 401, r#"{"message":"m"}"#), "grant-expired");
        assert_eq!(ends(Call::Refresh, 401, "<html>"), "unexpected");
    }

    #[test]
    fn words_of_a_provider_lead_where_the_code_alone_does_not() {
        for (call, status, body, expected) in [
            (
                Call::Refresh,
                200,
                r#"{"ok":false,"error":"invalid_refresh_token"}"#,
                "grant-expired",
            ),
            (Call::Refresh, 403, r#"{"message":"Invalid refresh token"}"#, "grant-expired"),
            (
                Call::Refresh,
                400,
                r#"{"error":"Access Denied","error_description":"You have made too many requests continuously."}"#,
                "rate-limited",
            ),
            (Call::Refresh, 403, r#"{"message":"Access Denied"}"#, "unexpected"),
            (
                Call::Code,
                400,
                r#"{"errors":[{"errorType":"invalid_client"}]}"#,
                "invalid-credentials",
            ),
            (Call::ClientCredentials, 400, r#"{"message":"Invalid refresh token"}"#, "unexpected"),
            (Call::Revocation, 400, r#"{"message":"Invalid refresh token"}"#, "unexpected"),
        ] {
            assert_eq!(ends(call, status, body), expected, "{body}");
        }
    }

    #[test]
    fn a_wrong_secret_has_many_words() {
        for error in ["invalid_client", "unauthorized_client", "access_denied", "invalid_grant"] {
            assert_eq!(code(Call::ClientCredentials, 401, error), "invalid-credentials", "{error}");
        }
        assert_eq!(code(Call::Refresh, 200, "incorrect_client_credentials"), "invalid-credentials");
        assert_eq!(ends(Call::Code, 401, "no"), "invalid-credentials");
        assert_eq!(code(Call::ClientCredentials, 403, "access_denied"), "misconfigured");
    }

    #[test]
    fn a_refused_revocation_is_never_a_dead_grant() {
        for (status, error) in [(400, "access_denied"), (403, "unauthorized_client")] {
            assert_eq!(code(Call::Revocation, status, error), "misconfigured", "{error}");
        }
        assert_eq!(ends(Call::Revocation, 401, "{}"), "invalid-credentials");
    }

    #[test]
    fn a_person_who_refuses_is_told_from_a_client_that_may_not() {
        let failure =
            refusal(&Canned::new(403, r#"{"error":"access_denied"}"#), Call::Code, SERVER);
        let text = "the person refused at It; connect again if that was a mistake";
        assert_eq!(ending::<()>(&Err(failure)), ("grant-expired", text));
    }

    #[test]
    fn a_fault_of_the_server_is_waited_out_unless_it_names_a_dead_refresh_token() {
        for (status, error) in [(503, ""), (400, "temporarily_unavailable"), (200, "server_error")]
        {
            assert_eq!(code(Call::Refresh, status, error), "unavailable", "{status} {error}");
        }
        for (call, status, error, expected) in [
            (Call::Refresh, 500, "invalid_grant", "grant-expired"),
            (Call::Refresh, 502, "bad_refresh_token", "grant-expired"),
            (Call::Refresh, 503, "invalid_grant", "unavailable"),
            (Call::Refresh, 500, "invalid_client", "unavailable"),
            (Call::Refresh, 500, "invalid_request", "unavailable"),
            (Call::Code, 500, "invalid_grant", "unavailable"),
            (Call::ClientCredentials, 500, "invalid_grant", "unavailable"),
            (Call::Refresh, 429, "invalid_grant", "rate-limited"),
        ] {
            assert_eq!(code(call, status, error), expected, "{status} {error}");
        }
        let told = Canned::new(500, r#"{"error":"invalid_grant"}"#).header("Retry-After", "60");
        let failure = Err::<(), _>(refusal(&told, Call::Refresh, SERVER));
        assert_eq!(ending(&failure).0, "unavailable");
    }

    #[test]
    fn a_limit_is_obeyed_by_status_or_code() {
        assert_eq!(ends(Call::Refresh, 429, ""), "rate-limited");
        assert_eq!(code(Call::Refresh, 403, "rate_limit_exceeded"), "rate-limited");
    }

    #[test]
    fn an_address_that_is_not_there_is_the_operators_to_correct_unless_it_worked_before() {
        for status in [302, 404, 405] {
            assert_eq!(ends(Call::ClientCredentials, status, "<p>"), "misconfigured", "{status}");
            assert_eq!(ends(Call::Refresh, status, "<p>"), "unexpected", "{status}");
        }
    }

    #[test]
    fn no_text_quotes_the_answer() {
        let body = r#"{"error":"invalid_grant","error_description":"SHOWN"}"#;
        for call in [Call::Refresh, Call::Code, Call::ClientCredentials, Call::DevicePoll] {
            let failure = refusal(&Canned::new(400, body), call, SERVER);
            assert!(!format!("{failure:?}").contains("SHOWN"));
        }
    }
}
