//! What Eskiz asks for and what its answers mean. An e-mail and a password buy a JWT of 30 days;
//! a valid one buys the next, without using anything up. Eskiz documents its successes and little
//! of its failures, so those are judged by status and not by exact texts, which clients report
//! in several languages.

use sdk::{
    Answer, Descriptor, Effect, Failure, Field, Flow, Logins, Request, Rotation, Tokens, bearer,
    facts, secret, send, trouble, unexpected,
};

/// Facts of an account.
const ACCOUNT: [&str; 7] = ["id", "name", "email", "role", "status", "balance", "is_vip"];

/// Where login and refresh put the token.
const TOKEN: &str = "/data/token";

pub(crate) fn describe() -> Descriptor {
    let base_url = "Where the API is; without `/api` at the end.";
    Descriptor::new("eskiz", env!("CARGO_PKG_VERSION"), "Eskiz SMS")
        .about("SMS gateway of Uzbekistan. An e-mail and a password give a token of 30 days.")
        .documentation("https://documenter.getpostman.com/view/663428/RzfmES4z")
        .setting(Field::required("base_url", "Base URL", base_url).or("https://notify.eskiz.uz"))
        .secret(Field::required("email", "E-mail", "The e-mail of the Eskiz account."))
        .secret(Field::required(
            "password",
            "Password",
            "The secret code that the cabinet shows, not the password of the web site.",
        ))
        .logins(Logins::UNATTENDED)
        .rotation(Rotation::None)
        .access("POST {base_url}/api/auth/login", &["email", "password"])
        .access("PATCH {base_url}/api/auth/refresh", &["access-token"])
        .access("GET {base_url}/api/auth/user", &["access-token"])
        .reads_facts("", &ACCOUNT)
        .reads_facts("/data", &ACCOUNT)
        .lifetime(2_592_000)
        .schedule("0 2 */10 * *")
}

pub(crate) fn login() -> Flow<Tokens> {
    let request = Request::post("{base_url}/api/auth/login")
        .multipart([("email", secret("email")), ("password", secret("password"))]);
    send(request, |answer| token(answer).unwrap_or_else(|| Err(refused_login(answer))))
}

pub(crate) fn refresh() -> Flow<Tokens> {
    let request = Request::patch("{base_url}/api/auth/refresh").header("Authorization", bearer());
    send(request, |answer| token(answer).unwrap_or_else(|| Err(refused_refresh(answer))))
}

pub(crate) fn profile() -> Flow<String> {
    let request = Request::get("{base_url}/api/auth/user").header("Authorization", bearer());
    send(request, |answer| match answer.status() {
        200 if answer.is_json() => Ok(account(answer)),
        401 => Err(Failure::TokenRejected("Eskiz refused the token".to_owned())),
        _ => Err(common(answer, "Eskiz account")),
    })
}

/// A token when the answer has one: the status alone proves nothing. The expiry is left to the
/// host, which reads the JWT's `exp`.
fn token(answer: &dyn Answer) -> Option<Result<Tokens, Failure>> {
    if !answer.is_success() {
        return None;
    }
    let missing = || {
        let text = "Eskiz answered without a token; check whether its API has changed";
        Failure::Unexpected(text.to_owned())
    };
    Some(answer.has_secret(TOKEN).then(|| Tokens::bearer(TOKEN)).ok_or_else(missing))
}

fn refused_login(answer: &dyn Answer) -> Failure {
    match answer.status() {
        401 | 403 => Failure::InvalidCredentials(
            "Eskiz refused the e-mail or the password; the password is the secret code from its \
             cabinet"
                .to_owned(),
        ),
        400 | 422 => Failure::Misconfigured(incomplete(answer)),
        404 | 405 => Failure::Misconfigured(
            "Eskiz has no login at this address; check `base_url`".to_owned(),
        ),
        _ => common(answer, "Eskiz login"),
    }
}

/// Eskiz names the fields it misses in `message`, which is an object then and a string otherwise.
fn incomplete(answer: &dyn Answer) -> String {
    let named = |field: &&str| answer.json(&format!("/message/{field}")).is_some();
    let fields: Vec<_> = ["email", "password"].into_iter().filter(named).collect();
    if fields.is_empty() {
        return "Eskiz found the login incomplete; check `email` and `password`".to_owned();
    }
    format!("Eskiz found the login incomplete; check `{}`", fields.join("` and `"))
}

/// Nobody documents which tokens can still be refreshed, and a login always helps.
fn refused_refresh(answer: &dyn Answer) -> Failure {
    match answer.status() {
        429 => common(answer, "Eskiz refresh"),
        400..500 => Failure::GrantExpired("Eskiz no longer refreshes this token".to_owned()),
        _ => common(answer, "Eskiz refresh"),
    }
}

/// A repeated request does no harm: no token here dies by being used.
fn common(answer: &dyn Answer, what: &str) -> Failure {
    trouble(answer, Effect::Harmless, "Eskiz").unwrap_or_else(|| unexpected(answer, what))
}

/// The account is in `data`, and was at the top in older versions of the API.
fn account(answer: &dyn Answer) -> String {
    facts(answer, if answer.is_object("/data") { "/data" } else { "" }, &ACCOUNT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, ending, play, play_tokens, undeclared};

    const TOKEN_ANSWER: &str = include_str!("../fixtures/token.json");
    const EXPIRED: &str = include_str!("../fixtures/expired.json");

    fn login_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(login(), &[Canned::new(status, body)]).result).0
    }

    fn refresh_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(refresh(), &[Canned::new(status, body)]).result).0
    }

    #[test]
    fn a_login_sends_both_secrets_by_name_and_takes_the_token() {
        let played = play_tokens::<crate::Plugin>(login(), &[Canned::new(200, TOKEN_ANSWER)]);
        let sent = Request::post("{base_url}/api/auth/login")
            .multipart([("email", secret("email")), ("password", secret("password"))]);
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap(), Tokens::bearer("/data/token"));
    }

    #[test]
    fn a_refresh_presents_the_current_token() {
        let played = play_tokens::<crate::Plugin>(refresh(), &[Canned::new(200, TOKEN_ANSWER)]);
        let sent = Request::patch("{base_url}/api/auth/refresh").header("Authorization", bearer());
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap(), Tokens::bearer("/data/token"));
    }

    #[test]
    fn ok_without_a_token_is_not_success() {
        assert_eq!(
            login_ends(200, r#"{"message":"token_generated","data":{"token":""}}"#),
            "unexpected"
        );
        assert_eq!(login_ends(200, r#"{"data":null}"#), "unexpected");
        assert_eq!(login_ends(200, "API version: 1.2"), "unexpected");
        assert_eq!(refresh_ends(200, "<html>"), "unexpected");
    }

    #[test]
    fn a_refused_login_blames_the_credentials() {
        assert_eq!(
            login_ends(401, include_str!("../fixtures/wrong_password.json")),
            "invalid-credentials"
        );
    }

    #[test]
    fn a_missing_field_is_named_from_an_object_and_survives_a_string() {
        let object = Canned::new(400, include_str!("../fixtures/missing_email.json"));
        let result = play_tokens::<crate::Plugin>(login(), &[object]).result;
        let text = "Eskiz found the login incomplete; check `email`";
        assert_eq!(ending(&result), ("misconfigured", text));
        assert_eq!(login_ends(400, r#"{"message":"email required"}"#), "misconfigured");
    }

    #[test]
    fn a_wrong_address_is_the_operators_to_correct() {
        assert_eq!(login_ends(404, "<html>nginx</html>"), "misconfigured");
    }

    #[test]
    fn any_refusal_to_refresh_leads_to_a_login() {
        for status in [400, 401, 403, 404, 422] {
            assert_eq!(refresh_ends(status, EXPIRED), "grant-expired", "{status}");
        }
    }

    #[test]
    fn an_outage_is_waited_out_and_a_limit_is_obeyed() {
        assert_eq!(login_ends(502, "<html>"), "unavailable");
        assert_eq!(refresh_ends(503, ""), "unavailable");
        let slow = Canned::new(429, "{}").header("Retry-After", "90");
        let result = play_tokens::<crate::Plugin>(refresh(), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(90)))));
    }

    #[test]
    fn a_profile_is_plain_facts_in_either_shape() {
        let read = |body: &str| {
            play::<crate::Plugin, _>(profile(), &[Canned::new(200, body)]).result.unwrap()
        };
        let facts = r#"{"id":7,"name":"Shop","email":"shop@example.uz","role":"user","status":"active","balance":4200,"is_vip":false}"#;
        assert_eq!(read(include_str!("../fixtures/user.json")), facts);
        assert_eq!(read(include_str!("../fixtures/user_flat.json")), facts);
    }

    #[test]
    fn a_profile_tells_a_rejected_token_from_an_outage() {
        let ends = |status| {
            let played = play::<crate::Plugin, _>(profile(), &[Canned::new(status, EXPIRED)]);
            ending(&played.result).0
        };
        assert_eq!(
            (ends(401), ends(500), ends(302)),
            ("token-rejected", "unavailable", "unexpected")
        );
    }

    #[test]
    fn every_request_is_declared() {
        for requests in [
            play::<crate::Plugin, _>(login(), &[]).requests,
            play::<crate::Plugin, _>(refresh(), &[]).requests,
            play::<crate::Plugin, _>(profile(), &[]).requests,
        ] {
            assert_eq!(undeclared(&describe(), &requests), None);
        }
    }
}
