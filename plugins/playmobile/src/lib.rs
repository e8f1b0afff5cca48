//! PlayMobile, an SMS broker in Uzbekistan. There is no token: every request carries HTTP Basic
//! credentials, so the token set is those credentials, and login and refresh only check that they
//! still work. The check is a send without messages, which sends nothing.

#![forbid(unsafe_code)]

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Kind, Logins, Profile, Provider, Refusal,
    Refusals, Request, Rotation, Tokens, Value, access_token, basic, basic_header, json, secret,
    send,
};

struct Plugin;

sdk::export!(Plugin, profile);

const REFUSED: Refusals = Refusals::of("PlayMobile", "a send without messages").rows(&[
    Refusal::invalid_credentials(
        "PlayMobile refused the user name or the password; check `username` and `password`",
    )
    .at(&[401, 403]),
    Refusal::misconfigured("PlayMobile has no messaging API at this address; check `base_url`")
        .at(&[404, 405]),
]);

impl Provider for Plugin {
    fn describe() -> Descriptor {
        let base_url = "URL of the API, from your contract; without `/broker-api` at the end.";
        Descriptor::new("playmobile", env!("CARGO_PKG_VERSION"), "PlayMobile SMS")
            .about("SMS broker in Uzbekistan. A user name and a password, sent with every request.")
            .setting(
                Field::required("base_url", "Base URL", base_url).or("https://send.smsxabar.uz"),
            )
            .secret(Field::required("username", "User name", "The login of the contract."))
            .secret(Field::required("password", "Password", "The password of the contract."))
            .logins(Logins::UNATTENDED)
            .rotation(Rotation::None)
            .access("POST {base_url}/broker-api/send", &["username", "password", "access-token"])
            .reads(Kind::Number, &["/error-code"])
            .schedule("0 2 */10 * *")
    }

    fn login(_: &Context) -> Flow<Tokens> {
        send(probe(stored()), |answer| accepted(answer).map(|_| Tokens::new("Basic", stored())))
    }

    /// The same question about the stored credentials.
    fn refresh(context: &Context) -> Flow<Tokens> {
        Self::login(context)
    }
}

impl Profile for Plugin {
    fn profile(_: &Context) -> Flow<String> {
        send(probe(access_token()), |answer| match accepted(answer) {
            Ok(reply) => Ok(format!(r#"{{"credentials":"accepted","reply":"{reply}"}}"#)),
            Err(_) if answer.status() == 401 => {
                Err(Failure::token_rejected("PlayMobile refused the credentials"))
            }
            Err(failure) => Err(failure),
        })
    }
}

fn stored() -> Value {
    basic(secret("username"), secret("password"))
}

fn probe(credentials: Value) -> Request {
    Request::post("{base_url}/broker-api/send")
        .header("Authorization", basic_header(credentials))
        .json([("messages", json("[]"))])
}

/// What PlayMobile replied, when the reply shows that it knows these credentials. A complaint about
/// the missing messages is one: only the HTTP status speaks of the credentials, and an error code of
/// 401 means an empty originator.
fn accepted(answer: &dyn Answer) -> Result<String, Failure> {
    match (answer.status(), answer.number("/error-code")) {
        (200..300, None) if !answer.is_page() => Ok("received".to_owned()),
        (_, Some(102)) => Err(Failure::misconfigured(
            "this PlayMobile account is locked; ask PlayMobile to unlock it",
        )),
        (200..300 | 400, Some(100)) => {
            Err(Failure::unavailable("PlayMobile reports an internal error; try again later"))
        }
        (200..300 | 400, Some(code)) => Ok(format!("error code {code}")),
        _ => Err(REFUSED.failure(answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, Played, context, context_with_tokens, login, profile};

    fn code(code: &str) -> String {
        format!(r#"{{"error-code":{code},"error-description":"invented"}}"#)
    }

    fn login_of(status: u16, body: &str) -> Played<Tokens> {
        login::<Plugin>(&context::<Plugin>(&[]), &[Canned::new(status, body)])
    }

    fn profile_of(status: u16, body: &str) -> Played<String> {
        profile::<Plugin>(&context_with_tokens::<Plugin>(&[]), &[Canned::new(status, body)])
    }

    #[test]
    fn the_probe_holds_no_message_and_names_both_secrets() {
        let played = login_of(400, &code("101"));
        let credentials = basic(secret("username"), secret("password"));
        let sent = Request::post("{base_url}/broker-api/send")
            .header("Authorization", basic_header(credentials.clone()))
            .json([("messages", json("[]"))]);
        assert_eq!(played.requests, [sent]);
        assert_eq!(played.result.unwrap(), Tokens::new("Basic", credentials));
    }

    #[test]
    fn a_complaint_about_the_messages_shows_that_the_credentials_work() {
        for code in ["101", "\"101\"", "103", "202", "401", "\"403\"", "404"] {
            assert_eq!(login_of(400, &self::code(code)).case(), "ok", "{code}");
        }
        assert_eq!(login_of(200, "Request is received").case(), "ok");
    }

    #[test]
    fn only_the_http_status_speaks_of_the_credentials() {
        for body in ["", "<h1>Unauthorized</h1>", "{}", &code("401"), &code("100")] {
            assert_eq!(login_of(401, body).case(), "invalid-credentials", "{body}");
            assert_eq!(login_of(403, body).case(), "invalid-credentials", "{body}");
        }
    }

    #[test]
    fn a_locked_account_is_for_a_person() {
        let text = "this PlayMobile account is locked; ask PlayMobile to unlock it";
        for code in ["102", "\"102\""] {
            let body = self::code(code);
            assert_eq!(login_of(400, &body).text(), text);
            assert_eq!(profile_of(400, &body).case(), "misconfigured");
        }
    }

    #[test]
    fn what_is_no_answer_of_playmobile_proves_nothing() {
        for (status, body) in [(200, "<html><body>proxy</body></html>"), (400, "{}"), (302, "")] {
            assert_eq!(login_of(status, body).case(), "unexpected", "{status} {body}");
        }
        let page = Canned::new(200, "ok").header("content-type", "text/html; charset=utf-8");
        assert_eq!(login::<Plugin>(&context::<Plugin>(&[]), &[page]).case(), "unexpected");
        assert_eq!(login_of(404, "<html>").case(), "misconfigured");
    }

    #[test]
    fn an_outage_is_waited_out_and_a_limit_is_obeyed() {
        assert_eq!(login_of(502, "<html>").case(), "unavailable");
        assert_eq!(login_of(400, &code("100")).case(), "unavailable");
        let slow = Canned::new(429, "").header("Retry-After", "30");
        let result = login::<Plugin>(&context::<Plugin>(&[]), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(30)))));
    }

    #[test]
    fn a_profile_asks_with_what_is_stored_and_says_what_came_back() {
        let played = profile_of(400, &code("101"));
        assert_eq!(played.requests[0].headers[0].1, basic_header(access_token()));
        let facts = r#"{"credentials":"accepted","reply":"error code 101"}"#;
        assert_eq!(played.result.unwrap(), facts);
        let facts = r#"{"credentials":"accepted","reply":"received"}"#;
        assert_eq!(profile_of(200, "Request is received").result.unwrap(), facts);
    }

    #[test]
    fn a_profile_tells_rejected_credentials_from_an_outage() {
        let ends = |status| profile_of(status, "").case();
        assert_eq!(
            (ends(401), ends(403), ends(500)),
            ("token-rejected", "invalid-credentials", "unavailable")
        );
    }
}
