//! What a provider means that sends a person back without a code: RFC 6749 4.1.2.1 and OpenID Connect Core
//! 3.1.2.6. The case is ours; what the provider says of it is repeated, cleaned. Pure.

use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::plain::is_hidden;
use crate::sandbox::sentence;

/// What is repeated of a provider's words.
const LONGEST: usize = 300;

/// The failure behind `error`, with what the provider says of it.
pub(super) fn denied(error: &str, description: Option<&str>) -> Failure {
    let (case, code, meaning) = meaning(error);
    let said = description.map(cleaned).filter(|it| !it.is_empty());
    let said = said.map(|it| format!("; the provider says: \"{it}\"")).unwrap_or_default();
    Failure::new(case, code, format!("{meaning}{said}"))
}

fn meaning(error: &str) -> (Case, Code, String) {
    let correct = match error {
        "access_denied" => {
            "access was denied at the provider, by the person or by a rule of the provider's; nothing has changed"
        }
        "temporarily_unavailable" | "server_error" => {
            let message = format!(
                "the provider cannot log anybody in now ({error}); nothing has changed, try again later"
            );
            return (Case::Unavailable, code::Provider::Unavailable.into(), message);
        }
        "invalid_scope" => {
            "the provider does not know these scopes, or does not allow them to this client (invalid_scope); check `scopes` and --scope"
        }
        "unauthorized_client" => {
            "the provider does not allow this client to log people in (unauthorized_client); allow it in the client's registration there"
        }
        "unsupported_response_type" | "unsupported_response_mode" => {
            "the provider does not offer this way to log in to this client; allow logins with an authorization code in its registration there"
        }
        "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => {
            "the provider has to ask the person, and was told not to; take `none` out of the setting `prompt`"
        }
        "invalid_request" => {
            "the provider rejected the request as invalid (invalid_request); check `client_id`, the scopes and the redirect URI there, and the setting `pkce`, where the plugin has it"
        }
        "invalid_target" => {
            "the provider does not issue tokens for this resource or audience (invalid_target); check `resource` and `audience`"
        }
        _ => return (Case::Misconfigured, code::Connect::Denied.into(), other(error)),
    };
    (Case::Misconfigured, code::Connect::Denied.into(), correct.to_owned())
}

/// A code that is the provider's own is shown only if it looks like one.
fn other(error: &str) -> String {
    let plain = error.len() <= 64
        && error.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it));
    let named = if plain { format!(" ({error})") } else { String::new() };
    format!("the provider refused{named}; check `client_id`, the scopes and the redirect URI there")
}

/// On one line, without what cannot be seen, without what looks like a token, and not for ever.
fn cleaned(text: &str) -> String {
    let visible = text.chars().map(|it| if is_hidden(it) || it == '"' { ' ' } else { it });
    let text = sentence(&visible.collect::<String>());
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_is_the_one_that_fits() {
        for (error, case, words) in [
            ("access_denied", Case::Misconfigured, "access was denied"),
            ("temporarily_unavailable", Case::Unavailable, "try again later"),
            ("server_error", Case::Unavailable, "try again later"),
            ("invalid_scope", Case::Misconfigured, "check `scopes`"),
            ("unauthorized_client", Case::Misconfigured, "registration"),
            ("login_required", Case::Misconfigured, "`prompt`"),
            ("invalid_target", Case::Misconfigured, "`audience`"),
            ("own.word", Case::Misconfigured, "(own.word)"),
        ] {
            let failure = denied(error, None);
            assert_eq!(failure.case, case, "{error}");
            assert!(failure.message.contains(words), "{failure}");
            assert!(!failure.message.contains("provider says"), "{failure}");
        }
        assert!(!denied("<script>", None).message.contains("script"));
    }

    #[test]
    fn what_the_provider_says_is_repeated_and_cleaned() {
        let said = |text: &str| denied("access_denied", Some(text)).message;
        assert!(said("Device is not compliant").ends_with("says: \"Device is not compliant\""));
        assert!(said("a\r\nb\u{1b}[31m \u{202e}c\"d").ends_with("\"a b [31m c d\""));
        assert!(!said("code 4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c").contains("4f9a8b7c"));
        assert!(said(&"word ".repeat(500)).chars().count() < 500);
        for nothing in ["", " ", "\u{0}"] {
            assert!(!said(nothing).contains("provider says"), "{nothing:?}");
        }
    }
}
