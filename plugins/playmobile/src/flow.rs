//! What PlayMobile asks for and what its answers mean. There is no token: every call carries HTTP
//! Basic credentials, so the token set is those credentials, and login and refresh only ask whether
//! they still work. The question is a send without messages, which sends nothing.

use sdk::{
    Answer, Descriptor, Effect, Failure, Field, Flow, Kind, Logins, Request, Rotation, Tokens,
    Value, access_token, basic, basic_header, json, secret, send, trouble, unexpected,
};

pub(crate) fn describe() -> Descriptor {
    let base_url = "Where the API is, as the contract says; without `/broker-api` at the end.";
    Descriptor::new("playmobile", env!("CARGO_PKG_VERSION"), "PlayMobile SMS")
        .about("SMS broker of Uzbekistan. A user name and a password, sent with every call.")
        .setting(Field::required("base_url", "Base URL", base_url).or("https://send.smsxabar.uz"))
        .secret(Field::required("username", "User name", "The login of the contract."))
        .secret(Field::required("password", "Password", "The password of the contract."))
        .logins(Logins::UNATTENDED)
        .rotation(Rotation::None)
        .access("POST {base_url}/broker-api/send", &["username", "password", "access-token"])
        .reads(Kind::Number, &["/error-code"])
        .schedule("0 2 */10 * *")
}

/// Login and refresh are the same question about the stored credentials.
pub(crate) fn login() -> Flow<Tokens> {
    send(probe(stored()), |answer| accepted(answer).map(|_| Tokens::new("Basic", stored())))
}

pub(crate) fn profile() -> Flow<String> {
    send(probe(access_token()), |answer| match accepted(answer) {
        Ok(reply) => Ok(format!(r#"{{"credentials":"accepted","reply":"{reply}"}}"#)),
        Err(_) if answer.status() == 401 => {
            Err(Failure::TokenRejected("PlayMobile refused the credentials".to_owned()))
        }
        Err(failure) => Err(failure),
    })
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
        (_, Some(102)) => Err(Failure::Misconfigured(
            "PlayMobile says that this account is locked; ask PlayMobile to unlock it".to_owned(),
        )),
        (200..300 | 400, Some(100)) => Err(Failure::Unavailable(
            "PlayMobile reports a fault of its own; try again later".to_owned(),
        )),
        (200..300 | 400, Some(code)) => Ok(format!("error code {code}")),
        _ => Err(refusal(answer)),
    }
}

fn refusal(answer: &dyn Answer) -> Failure {
    match answer.status() {
        401 | 403 => Failure::InvalidCredentials(
            "PlayMobile refused the user name or the password; check `username` and `password`"
                .to_owned(),
        ),
        404 | 405 => Failure::Misconfigured(
            "PlayMobile takes no messages at this address; check `base_url`".to_owned(),
        ),
        _ => trouble(answer, Effect::Harmless, "PlayMobile")
            .unwrap_or_else(|| unexpected(answer, "PlayMobile probe")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, ending, play, play_tokens, undeclared};

    const SYNTAX: &str = include_str!("../fixtures/syntax_error.json");
    const LOCKED: &str = include_str!("../fixtures/account_locked.json");

    fn code(code: &str) -> String {
        format!(r#"{{"error-code":{code},"error-description":"invented"}}"#)
    }

    fn ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(login(), &[Canned::new(status, body)]).result).0
    }

    fn profile_of(status: u16, body: &str) -> Result<String, Failure> {
        play::<crate::Plugin, _>(profile(), &[Canned::new(status, body)]).result
    }

    #[test]
    fn the_probe_holds_no_message_and_names_both_secrets() {
        let played = play_tokens::<crate::Plugin>(login(), &[Canned::new(400, SYNTAX)]);
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
            assert_eq!(ends(400, &self::code(code)), "ok", "{code}");
        }
        assert_eq!(ends(200, "Request is received"), "ok");
    }

    #[test]
    fn only_the_http_status_speaks_of_the_credentials() {
        for body in ["", "<h1>Unauthorized</h1>", "{}", &code("401")] {
            assert_eq!(ends(401, body), "invalid-credentials", "{body}");
            assert_eq!(ends(403, body), "invalid-credentials", "{body}");
        }
    }

    #[test]
    fn a_locked_account_is_for_a_person() {
        let result = play_tokens::<crate::Plugin>(login(), &[Canned::new(400, LOCKED)]).result;
        let text = "PlayMobile says that this account is locked; ask PlayMobile to unlock it";
        assert_eq!(ending(&result), ("misconfigured", text));
        assert_eq!(ends(400, &code("\"102\"")), "misconfigured");
        assert_eq!(ending(&profile_of(400, LOCKED)).0, "misconfigured");
    }

    #[test]
    fn a_page_is_no_proof() {
        assert_eq!(ends(200, "<html><body>welcome to the proxy</body></html>"), "unexpected");
        let page = Canned::new(200, "ok").header("content-type", "text/html; charset=utf-8");
        assert_eq!(ending(&play_tokens::<crate::Plugin>(login(), &[page]).result).0, "unexpected");
        assert_eq!(ends(400, "{}"), "unexpected");
        assert_eq!(ends(302, ""), "unexpected");
    }

    #[test]
    fn a_wrong_address_is_the_operators_to_correct() {
        assert_eq!((ends(404, "<html>"), ends(405, "")), ("misconfigured", "misconfigured"));
    }

    #[test]
    fn an_outage_is_waited_out_and_a_limit_is_obeyed() {
        assert_eq!((ends(502, "<html>"), ends(400, &code("100"))), ("unavailable", "unavailable"));
        let slow = Canned::new(429, "").header("Retry-After", "30");
        let result = play_tokens::<crate::Plugin>(login(), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(30)))));
    }

    #[test]
    fn a_profile_asks_with_what_is_stored_and_says_what_came_back() {
        let sent = play::<crate::Plugin, _>(profile(), &[]).requests;
        assert_eq!(sent[0].headers[0].1, basic_header(access_token()));
        let facts = r#"{"credentials":"accepted","reply":"error code 101"}"#;
        assert_eq!(profile_of(400, SYNTAX).unwrap(), facts);
        let facts = r#"{"credentials":"accepted","reply":"received"}"#;
        assert_eq!(profile_of(200, "Request is received").unwrap(), facts);
    }

    #[test]
    fn a_profile_tells_rejected_credentials_from_an_outage() {
        let ends = |status| ending(&profile_of(status, "")).0;
        assert_eq!(
            (ends(401), ends(403), ends(500)),
            ("token-rejected", "invalid-credentials", "unavailable")
        );
    }

    #[test]
    fn every_request_is_declared() {
        for requests in [
            play::<crate::Plugin, _>(login(), &[]).requests,
            play::<crate::Plugin, _>(profile(), &[]).requests,
        ] {
            assert_eq!(undeclared(&describe(), &requests), None);
        }
    }
}
