//! What Google means when it refuses. `invalid_grant` has many causes that Google does not tell
//! apart, so the text lists those that a person can check; the rest are codes of Google's own.

use sdk::oauth::{Call, refusal as standard};
use sdk::{Answer, Failure, Refusal, Refusals};

use crate::sheet::GOOGLE;

/// The failure behind an answer that holds no tokens.
pub(crate) fn refusal(answer: &dyn Answer, call: Call) -> Failure {
    let dead = if call == Call::Refresh { DEAD.known(answer) } else { None };
    dead.or_else(|| OWN.known(answer)).unwrap_or_else(|| standard(answer, call, GOOGLE))
}

/// A grant that ended.
const DEAD: Refusals =
    Refusals::of("Google", "a refresh").codes_at(&["/error_subtype", "/error"]).rows(&[
        Refusal::grant_expired(
            "the organisation's session length policy revoked this grant (invalid_rapt): connect \
             again, or have the Workspace administrator exempt this client from Google Cloud \
             session control",
        )
        .on(&["invalid_rapt"]),
        Refusal::grant_expired(
            "Google no longer accepts the refresh token. Usual reasons: the person revoked access, \
             changed the password, or the token was unused for six months; the Google Cloud \
             project is in Testing, where grants expire after seven days; or more than 100 live \
             tokens exist for this account and client. Connect again",
        )
        .on(&["invalid_grant"]),
    ]);

/// Codes that only Google has, or that have a better remedy at Google: only the operator or an
/// administrator can correct them.
pub(crate) const OWN: Refusals = Refusals::of("Google", "tokens").rows(&[
    Refusal::invalid_credentials(
        "Google rejected this client or its secret; check `client_id` and `client_secret` in \
         the Google Cloud console",
    )
    .on(&["invalid_client"]),
    Refusal::invalid_credentials(
        "this OAuth client was deleted in the Google Cloud console; restore it within 30 days, or \
         make a new one, set `client_id` and `client_secret`, and connect again",
    )
    .on(&["deleted_client"]),
    Refusal::misconfigured("this OAuth client is disabled; enable it in the Google Cloud console")
        .on(&["disabled_client"]),
    Refusal::misconfigured(
        "the redirect URI is not registered at Google; add exactly this URI to the authorised \
         redirect URIs of this client in the Google Cloud console",
    )
    .on(&["redirect_uri_mismatch"]),
    Refusal::misconfigured(
        "the administrator of the person's Google Workspace does not allow these scopes; have the \
         client trusted under API controls in the Admin console",
    )
    .on(&["admin_policy_enforced"]),
    Refusal::misconfigured(
        "this client is for accounts of its own organisation only; use such an account, or make \
         the consent screen external",
    )
    .on(&["org_internal"]),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, ending};

    fn ends(call: Call, status: u16, body: &str) -> (String, String) {
        let result = Err::<(), _>(refusal(&Canned::new(status, body), call));
        let (case, text) = ending(&result);
        (case.to_owned(), text.to_owned())
    }

    fn code(status: u16, code: &str) -> (String, String) {
        ends(Call::Refresh, status, &format!(r#"{{"error":"{code}","error_description":"SHOWN"}}"#))
    }

    #[test]
    fn a_dead_grant_lists_the_reasons_that_a_person_can_check() {
        let (case, text) = ends(Call::Refresh, 400, include_str!("../fixtures/revoked.json"));
        assert_eq!(case, "grant-expired");
        for reason in ["revoked access", "six months", "Testing", "seven days", "100 live tokens"] {
            assert!(text.contains(reason), "{reason}");
        }
    }

    #[test]
    fn the_session_policy_of_an_organisation_has_a_text_of_its_own() {
        let (case, text) = ends(Call::Refresh, 400, include_str!("../fixtures/invalid_rapt.json"));
        assert_eq!(case, "grant-expired");
        assert!(text.contains("session length policy"), "{text}");
    }

    #[test]
    fn googles_own_codes_say_who_can_help() {
        for (status, error, case, remedy) in [
            (401, "invalid_client", "invalid-credentials", "`client_secret`"),
            (401, "deleted_client", "invalid-credentials", "30 days"),
            (401, "disabled_client", "misconfigured", "enable it"),
            (400, "redirect_uri_mismatch", "misconfigured", "redirect URIs"),
            (400, "admin_policy_enforced", "misconfigured", "Admin console"),
            (403, "org_internal", "misconfigured", "external"),
        ] {
            let (found, text) = code(status, error);
            assert_eq!(found, case, "{error}");
            assert!(text.contains(remedy) && !text.contains("SHOWN"), "{text}");
        }
    }

    #[test]
    fn a_refused_code_is_not_blamed_on_the_grant() {
        let (case, text) = ends(Call::Code, 400, include_str!("../fixtures/revoked.json"));
        assert_eq!(case, "grant-expired");
        assert!(text.contains("authorization code"), "{text}");
    }

    #[test]
    fn an_outage_is_one_whatever_its_body_says() {
        assert_eq!(code(503, "invalid_grant").0, "unavailable");
        assert_eq!(code(429, "deleted_client").0, "rate-limited");
    }
}
