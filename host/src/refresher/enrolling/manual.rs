//! A token as a person gives it: alone, or as the JSON that a token endpoint answers with. What is said of one
//! that is wrong never has the text. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use times::Read;

use crate::model::clock;
use crate::model::code;
use crate::model::ends::Ends;
use crate::model::failure::{Case, Failure};
use crate::model::token::{self, TokenSet};
use crate::sandbox::expiry;

/// A token as a person gives it.
pub struct ManualToken {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    token_type: String,
    ends: Ends,
}

/// The members of RFC 6749 5.1 that count here, what some servers add, and the same as points in time.
#[derive(Default, Deserialize)]
struct Raw {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    expires_at: Value,
    #[serde(default, alias = "refresh_token_expires_in")]
    refresh_expires_in: Value,
    #[serde(default, alias = "refresh_token_expires_at")]
    refresh_expires_at: Value,
}

impl Raw {
    fn ends(&self, now: Timestamp) -> Result<Ends, String> {
        let end = |name: &str, at: &Value, within: &Value| {
            let (at, after) =
                (times::time(&written(at)), times::after(&written(within), clock::seconds(now)));
            let asked = |end: &str, wanted: &str| format!("{name}expires_{end} is {wanted}");
            match (at, after) {
                (Read::Unreadable, _) => {
                    Err(asked("at", "not a time; write 2030-01-31T12:00:00Z, or expires_in"))
                }
                (_, Read::Unreadable) => {
                    Err(asked("in", "not a length of time; write 3600 for an hour"))
                }
                _ => Ok(at.value().or(after.value()).and_then(clock::at)),
            }
        };
        Ok(Ends {
            access: end("", &self.expires_at, &self.expires_in)?,
            refresh: end("refresh_", &self.refresh_expires_at, &self.refresh_expires_in)?,
        })
    }
}

/// A string as it is, anything else as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl ManualToken {
    /// Reads what a person gave. Errors name what is wrong and never the text.
    pub fn parse(text: &SecretString, now: Timestamp) -> Result<Self, Failure> {
        let text = text.expose_secret().trim();
        let invalid = |what: &str| {
            let message = format!("this is not a valid token: {what}");
            Failure::new(Case::Misconfigured, code::Token::Invalid, message)
        };
        if text.starts_with('{') {
            let raw: Raw = serde_json::from_str(text).map_err(|it| {
                invalid(&format!(
                    "expected JSON with access_token (line {} column {})",
                    it.line(),
                    it.column()
                ))
            })?;
            return Self::of(raw, now).map_err(|it| invalid(&it));
        }
        let alone = Raw { access_token: text.into(), ..Raw::default() };
        Self::of(alone, now).map_err(|it| invalid(&it))
    }

    fn of(raw: Raw, now: Timestamp) -> Result<Self, String> {
        let ends = raw.ends(now);
        let Raw { access_token, refresh_token, token_type, .. } = raw;
        // As in a file of connections: nothing in a member is nothing said.
        let refresh_token = refresh_token.filter(|it| !it.expose_secret().is_empty());
        let token_type = token_type.filter(|it| !it.is_empty());
        token::check(Some(&access_token), refresh_token.as_ref(), token_type.as_deref())?;
        Ok(Self {
            access_token,
            refresh_token,
            token_type: token_type.unwrap_or_else(|| token::USUAL_TYPE.to_owned()),
            ends: ends?,
        })
    }

    /// What is stored of it; `lifetime` is how many seconds its plugin lets it live, where nobody says.
    pub(super) fn into_set(self, lifetime: Option<u32>, now: Timestamp) -> TokenSet {
        TokenSet {
            expires_at: expiry(self.ends.access, &self.access_token, now, lifetime),
            access_token: self.access_token,
            token_type: self.token_type,
            refresh_token: self.refresh_token,
            refresh_expires_at: self.ends.refresh,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: Vec::new(),
            made_of: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ManualToken, Failure> {
        ManualToken::parse(&SecretString::from(text), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_bare_token_and_a_token_answer_are_both_understood() {
        assert_eq!(parse("abc\n").unwrap().access_token.expose_secret(), "abc");
        let token = parse(r#"{"access_token":"a","refresh_token":"r","expires_in":60}"#).unwrap();
        assert_eq!(token.refresh_token.unwrap().expose_secret(), "r");
        assert_eq!(token.ends.access.unwrap().as_second(), 60);
        let both = parse(r#"{"access_token":"a","refresh_token_expires_in":90}"#).unwrap();
        assert_eq!(both.ends.refresh.unwrap().as_second(), 90);
        let empty = parse(r#"{"access_token":"a","refresh_token":"","token_type":""}"#).unwrap();
        assert!(empty.refresh_token.is_none() && empty.token_type == token::USUAL_TYPE);
    }

    #[test]
    fn an_end_is_read_as_it_was_meant_or_asked_for() {
        for (members, end) in [
            (r#""expires_in":3600.0"#, Ok(Some(3600))),
            (r#""expires_in":"3600""#, Ok(Some(3600))),
            (r#""expires_in":3600000"#, Ok(Some(3600))),
            (r#""expires_in":0"#, Ok(None)),
            (r#""expires_in":9223372036854775"#, Ok(None)),
            (r#""expires_in":null"#, Ok(None)),
            (r#""expires_at":1700000300"#, Ok(Some(1_700_000_300))),
            (r#""expires_at":1700000300000,"expires_in":60"#, Ok(Some(1_700_000_300))),
            (r#""expires_at":"2023-11-14 22:18:20""#, Ok(Some(1_700_000_300))),
            (r#""expires_at":"2023-11-14T23:18:20+01:00[Europe/Paris]""#, Ok(Some(1_700_000_300))),
            (r#""expires_at":"9999-12-31 23:59:59","expires_in":60"#, Ok(Some(60))),
            (r#""expires_at":3600"#, Err("expires_at is not a time; write 2030-01-31T12:00:00Z")),
            (r#""expires_at":"CANARY""#, Err("expires_at is not a time")),
            (r#""expires_in":"CANARY""#, Err("expires_in is not a length of time; write 3600")),
        ] {
            for name in ["", "refresh_"] {
                let members = members.replace("expires", &format!("{name}expires"));
                let read = parse(&format!(r#"{{"access_token":"a",{members}}}"#));
                match (read, end) {
                    (Ok(token), Ok(end)) => {
                        let ends = token.ends;
                        let read = if name.is_empty() { ends.access } else { ends.refresh };
                        assert_eq!(read.map(Timestamp::as_second), end, "{members}");
                    }
                    (Err(failure), Err(asked)) => {
                        assert!(failure.message.contains(&format!("{name}{asked}")), "{failure}");
                        assert!(!failure.message.contains("CANARY"), "{failure}");
                    }
                    (read, _) => panic!("{members}: {:?}", read.err()),
                }
            }
        }
    }

    #[test]
    fn an_error_does_not_repeat_what_was_given() {
        for text in ["", "CANARY with space", r#"{"refresh_token":"CANARY"}"#] {
            let failure = parse(text).err().unwrap();
            assert!(!failure.message.contains("CANARY"), "{failure}");
        }
    }

    #[test]
    fn what_would_not_stay_on_its_line_is_named_and_refused() {
        for (text, named) in [
            ("CANARY\u{1b}[31m", "access_token"),
            ("CANARY\u{202e}", "access_token"),
            (r#"{"access_token":"CANARY\r\nX-Evil: 1"}"#, "access_token"),
            (r#"{"access_token":""}"#, "access_token"),
            (r#"{"access_token":"a","refresh_token":"CANARY\n"}"#, "refresh_token"),
            (r#"{"access_token":"a","token_type":"CANARY\r\nX-Evil: 1"}"#, "token_type"),
        ] {
            let failure = parse(text).err().unwrap();
            assert_eq!(failure.code.text(), "token.invalid", "{text}");
            assert!(failure.message.contains(named), "{failure}");
            assert!(!failure.message.contains("CANARY"), "{failure}");
        }
    }
}
