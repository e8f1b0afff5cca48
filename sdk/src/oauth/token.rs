//! The answer of a token endpoint, RFC 6749 5.1, and what providers do to it: numbers as strings,
//! scopes as a list or with commas, a lifetime of the refresh token under two names.

use crate::answer::{Answer, refresh_token_at};
use crate::bindings::keepfresh::provider::types::Failure;
use crate::oauth::refusal::{Server, error_code};
use crate::oauth::words::said;
use crate::tokens::{Tokens, scheme};

/// The tokens of a success. None when the answer is a refusal, which some providers send with
/// status 200. A success without an access token is a failure.
pub fn tokens(answer: &dyn Answer, server: Server, now: u64) -> Option<Result<Tokens, Failure>> {
    if !answer.is_success() || error_code(answer).is_some() {
        return None;
    }
    match answer.has_secret(ACCESS) {
        true => Some(read(answer, now)),
        // Only where there is no token: `status` may say anything beside one.
        false if said(answer).is_some() => None,
        false => Some(Err(nothing(answer, server))),
    }
}

const ACCESS: &str = "/access_token";

fn nothing(answer: &dyn Answer, Server { name, settings }: Server) -> Failure {
    Failure::unexpected(format!(
        "{name} answered {} without an access token; check {settings}",
        answer.status()
    ))
}

fn read(answer: &dyn Answer, now: u64) -> Result<Tokens, Failure> {
    let mut tokens = Tokens::new(token_type(answer), ACCESS);
    tokens.expires_at =
        answer.after("/expires_in", now).or_else(|| answer.until("/expires_at", now));
    tokens.refresh_token = refresh_token_at(answer, "/refresh_token")?;
    tokens.refresh_expires_at = answer
        .after("/refresh_token_expires_in", now)
        .or_else(|| answer.after("/refresh_expires_in", now))
        .or_else(|| answer.until("/refresh_token_expires_at", now));
    tokens.scopes = scopes(answer);
    if answer.has_secret("/id_token") {
        tokens.extra.push(("id_token".to_owned(), "/id_token".into()));
    }
    Ok(tokens)
}

/// How callers present the token, whatever the provider calls it.
fn token_type(answer: &dyn Answer) -> &'static str {
    scheme(answer.text("/token_type").as_deref())
}

/// A string with spaces by the RFC; with commas at GitHub, a list at Twitch.
fn scopes(answer: &dyn Answer) -> Vec<String> {
    match answer.text("/scope") {
        Some(text) if text.contains(' ') => words(&text),
        Some(text) => words(&text.replace(',', " ")),
        None => (0..).map_while(|index| answer.text(&format!("/scope/{index}"))).collect(),
    }
}

/// The words of a list with spaces.
pub fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// One list of words with spaces between them, each word once.
pub fn join(list: Option<&str>, more: &[String]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for word in list.unwrap_or_default().split_whitespace().chain(more.iter().map(String::as_str)) {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Canned, ending};

    const SERVER: Server = Server { name: "It", settings: "`base_url`" };

    fn read(body: &str) -> Option<Result<Tokens, Failure>> {
        tokens(&Canned::new(200, body), SERVER, 1000)
    }

    #[test]
    fn a_whole_answer_is_read() {
        let body = r#"{"access_token":"a","token_type":"bearer","expires_in":"300","refresh_token":"r",
            "refresh_token_expires_in":600,"scope":"x y","id_token":"i"}"#;
        let mut expected = Tokens::bearer("/access_token");
        expected.expires_at = Some(1300);
        expected.refresh_token = Some("/refresh_token".into());
        expected.refresh_expires_at = Some(1600);
        expected.scopes = words("x y");
        expected.extra = vec![("id_token".to_owned(), "/id_token".into())];
        assert_eq!(read(body).unwrap().unwrap(), expected);
    }

    #[test]
    fn the_least_answer_is_enough() {
        let tokens = read(r#"{"access_token":"a"}"#).unwrap().unwrap();
        assert_eq!(tokens, Tokens::bearer("/access_token"));
    }

    #[test]
    fn a_lifetime_is_what_was_meant() {
        for (members, end) in [
            (r#""expires_in":3600.0"#, Some(4600)),
            (r#""expires_in":"3600""#, Some(4600)),
            (r#""expires_in":3600000"#, Some(4600)),
            (r#""expires_in":"PT1H""#, Some(4600)),
            (r#""expires_at":1700000000"#, Some(1_700_000_000)),
            (r#""expires_at":"2023-11-14T22:13:20Z""#, Some(1_700_000_000)),
            (r#""expires_in":0,"expires_at":1700000000000"#, Some(1_700_000_000)),
            (r#""expires_in":0"#, None),
            (r#""expires_in":-1"#, None),
            (r#""expires_in":9223372036854775"#, None),
            (r#""expires_in":null"#, None),
            (r#""expires_in":"never""#, None),
            (r#""expires_in":[]"#, None),
        ] {
            let tokens = read(&format!(r#"{{"access_token":"a",{members}}}"#)).unwrap().unwrap();
            assert_eq!(tokens.expires_at, end, "{members}");
            let members = members.replace("expires", "refresh_token_expires");
            let tokens = read(&format!(r#"{{"access_token":"a",{members}}}"#)).unwrap().unwrap();
            assert_eq!(tokens.refresh_expires_at, end, "{members}");
        }
    }

    #[test]
    fn scopes_come_with_spaces_with_commas_or_as_a_list() {
        for scope in [r#""a b:c,d""#, r#"["a","b:c,d"]"#] {
            let body = format!(r#"{{"access_token":"a","scope":{scope}}}"#);
            assert_eq!(read(&body).unwrap().unwrap().scopes, ["a", "b:c,d"]);
        }
        let commas = read(r#"{"access_token":"a","scope":"repo,gist"}"#).unwrap().unwrap();
        assert_eq!(commas.scopes, ["repo", "gist"]);
    }

    #[test]
    fn a_success_that_names_an_error_is_none() {
        assert!(read(r#"{"error":"bad_refresh_token"}"#).is_none());
        assert!(read(r#"{"status":"BAD_REFRESH_TOKEN"}"#).is_none());
        assert!(read(r#"{"access_token":"a","status":"BAD_REFRESH_TOKEN"}"#).unwrap().is_ok());
        assert!(tokens(&Canned::new(400, r#"{"access_token":"a"}"#), SERVER, 0).is_none());
    }

    #[test]
    fn a_success_without_tokens_or_with_an_empty_one_is_not_understood() {
        for body in ["{}", r#"{"access_token":""}"#, "<html>"] {
            let result = read(body).unwrap();
            let text = "It answered 200 without an access token; check `base_url`";
            assert_eq!(ending(&result), ("unexpected", text), "{body}");
        }
        let empty = read(r#"{"access_token":"a","refresh_token":""}"#).unwrap();
        assert_eq!(empty.unwrap().refresh_token, None);
    }

    #[test]
    fn a_list_has_each_word_once() {
        assert_eq!(join(Some(" a  b "), &words("b c")), "a b c");
        assert_eq!(join(None, &[]), "");
    }
}
