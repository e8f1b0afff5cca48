//! Eskiz, an SMS gateway in Uzbekistan. An e-mail and a password give a JWT of 30 days; a valid one
//! can be exchanged for the next, without using anything up. Eskiz documents its successes and
//! little of its failures, so those are judged by status and not by exact texts, which clients
//! report in several languages.

#![forbid(unsafe_code)]

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Logins, Profile, Provider, Refusal,
    Refusals, Request, Rotation, Tokens, bearer, facts, secret, send,
};

struct Plugin;

sdk::export!(Plugin, profile);

/// Facts of an account.
const ACCOUNT: [&str; 7] = ["id", "name", "email", "role", "status", "balance", "is_vip"];

/// Where login and refresh put the token.
const TOKEN: &str = "/data/token";

const NO_LOGIN: Refusals = Refusals::of("Eskiz", "a login").rows(&[
    Refusal::invalid_credentials(
        "Eskiz refused the e-mail or the password; the password is the secret code from the \
             Eskiz cabinet",
    )
    .at(&[401, 403]),
    Refusal::misconfigured("Eskiz has no login at this address; check `base_url`").at(&[404, 405]),
]);

/// Nobody documents which tokens can still be refreshed, and a login always helps.
const NO_REFRESH: Refusals = Refusals::of("Eskiz", "a refresh")
    .rows(&[Refusal::grant_expired("Eskiz no longer refreshes this token").at_any_4xx()]);

const NO_ACCOUNT: Refusals = Refusals::of("Eskiz", "the account")
    .rows(&[Refusal::token_rejected("Eskiz refused the token").at(&[401])]);

impl Provider for Plugin {
    fn describe() -> Descriptor {
        let base_url = "URL of the API; without `/api` at the end.";
        let password = "The secret code from the Eskiz cabinet, not the password of the web site.";
        Descriptor::new("eskiz", env!("CARGO_PKG_VERSION"), "Eskiz SMS")
            .about("SMS gateway in Uzbekistan. An e-mail and a password give a token that lives 30 days.")
            .documentation("https://documenter.getpostman.com/view/663428/RzfmES4z")
            .setting(
                Field::required("base_url", "Base URL", base_url).or("https://notify.eskiz.uz"),
            )
            .secret(Field::required("email", "E-mail", "E-mail of the Eskiz account."))
            .secret(Field::required("password", "Password", password))
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

    fn login(_: &Context) -> Flow<Tokens> {
        let request = Request::post("{base_url}/api/auth/login")
            .multipart([("email", secret("email")), ("password", secret("password"))]);
        send(request, |answer| match answer.status() {
            200..300 => token(answer),
            400 | 422 => Err(Failure::misconfigured(incomplete(answer))),
            _ => Err(NO_LOGIN.failure(answer)),
        })
    }

    fn refresh(_: &Context) -> Flow<Tokens> {
        let request =
            Request::patch("{base_url}/api/auth/refresh").header("Authorization", bearer());
        send(request, |answer| match answer.status() {
            200..300 => token(answer),
            _ => Err(NO_REFRESH.failure(answer)),
        })
    }
}

impl Profile for Plugin {
    fn profile(_: &Context) -> Flow<String> {
        let request = Request::get("{base_url}/api/auth/user").header("Authorization", bearer());
        send(request, |answer| match answer.status() {
            // The account is in `data`, and was at the top in older versions of the API.
            200 if answer.is_object("/data") => Ok(facts(answer, "/data", &ACCOUNT)),
            200 if answer.is_object("") => Ok(facts(answer, "", &ACCOUNT)),
            _ => Err(NO_ACCOUNT.failure(answer)),
        })
    }
}

/// The status alone proves nothing. The expiry is left to the host, which reads the JWT's `exp`.
fn token(answer: &dyn Answer) -> Result<Tokens, Failure> {
    let missing = || Failure::unexpected("Eskiz answered without a token; has its API changed?");
    answer.has_secret(TOKEN).then(|| Tokens::bearer(TOKEN)).ok_or_else(missing)
}

/// Eskiz names the fields it misses in `message`, which is an object then and a string otherwise.
fn incomplete(answer: &dyn Answer) -> String {
    let named = |field: &&str| answer.json(&format!("/message/{field}")).is_some();
    let fields: Vec<_> = ["email", "password"].into_iter().filter(named).collect();
    let fields = if fields.is_empty() { vec!["email", "password"] } else { fields };
    format!("Eskiz received an incomplete login; check `{}`", fields.join("` and `"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, Played, context_with_tokens, login, profile, refresh};

    const ISSUED: &str = r#"{"message":"token_generated","data":{"token":"t"}}"#;

    fn account() -> Context {
        context_with_tokens::<Plugin>(&[])
    }

    fn login_ends(status: u16, body: &str) -> &'static str {
        login::<Plugin>(&account(), &[Canned::new(status, body)]).case()
    }

    fn refresh_ends(status: u16, body: &str) -> &'static str {
        refresh::<Plugin>(&account(), &[Canned::new(status, body)]).case()
    }

    fn profile_of(status: u16, body: &str) -> Played<String> {
        profile::<Plugin>(&account(), &[Canned::new(status, body)])
    }

    #[test]
    fn a_login_sends_both_secrets_by_name_and_takes_the_token() {
        let played = login::<Plugin>(&account(), &[Canned::new(200, ISSUED)]);
        let sent = Request::post("{base_url}/api/auth/login")
            .multipart([("email", secret("email")), ("password", secret("password"))]);
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap(), Tokens::bearer("/data/token"));
    }

    #[test]
    fn a_refresh_presents_the_current_token() {
        let played = refresh::<Plugin>(&account(), &[Canned::new(200, ISSUED)]);
        let sent = Request::patch("{base_url}/api/auth/refresh").header("Authorization", bearer());
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap(), Tokens::bearer("/data/token"));
    }

    #[test]
    fn ok_without_a_token_is_not_success() {
        for body in [r#"{"data":{"token":""}}"#, r#"{"data":null}"#, "API version: 1.2", "<html>"] {
            assert_eq!(
                (login_ends(200, body), refresh_ends(200, body)),
                ("unexpected", "unexpected")
            );
        }
    }

    #[test]
    fn a_refused_login_says_who_can_help() {
        assert_eq!(login_ends(401, r#"{"message":"Неверный пароль"}"#), "invalid-credentials");
        assert_eq!(login_ends(404, "<html>nginx</html>"), "misconfigured");
        assert_eq!(login_ends(400, r#"{"message":"email required"}"#), "misconfigured");
        let object = Canned::new(400, r#"{"message":{"email":["required"]}}"#);
        let text = "Eskiz received an incomplete login; check `email`";
        assert_eq!(login::<Plugin>(&account(), &[object]).text(), text);
    }

    #[test]
    fn any_refusal_to_refresh_leads_to_a_login() {
        for status in [400, 401, 403, 404, 422] {
            assert_eq!(
                refresh_ends(status, r#"{"message":"Expired"}"#),
                "grant-expired",
                "{status}"
            );
        }
    }

    #[test]
    fn an_outage_is_waited_out_and_a_limit_is_obeyed() {
        assert_eq!(
            (login_ends(502, "<html>"), refresh_ends(503, "")),
            ("unavailable", "unavailable")
        );
        let slow = Canned::new(429, "{}").header("Retry-After", "90");
        let result = refresh::<Plugin>(&account(), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(90)))));
    }

    #[test]
    fn a_profile_is_plain_facts_in_either_shape() {
        let facts = r#"{"id":7,"name":"Shop","status":"active","is_vip":false}"#;
        for more in [r#"{"password":"","#, r#"{"api_token":"invented","#] {
            let body = facts.replacen('{', more, 1);
            assert_eq!(profile_of(200, &body).result.unwrap(), facts);
            assert_eq!(profile_of(200, &format!(r#"{{"data":{body}}}"#)).result.unwrap(), facts);
        }
    }

    #[test]
    fn a_profile_tells_a_rejected_token_from_an_outage() {
        let ends = |status| profile_of(status, "{}").case();
        assert_eq!(
            (ends(401), ends(500), ends(302)),
            ("token-rejected", "unavailable", "unexpected")
        );
    }
}
