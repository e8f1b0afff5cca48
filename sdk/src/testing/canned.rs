//! An answer written down, and how a flow sees it.

use serde_json::Value as Json;

use crate::answer::{Answer, is_secret};
use crate::bindings::exports::keepfresh::provider::provider::{Descriptor, Kind};
use crate::bindings::keepfresh::provider::http::Shape;
use crate::testing::sealing::{Rules, SEALED, is, is_jwt};
use crate::tokens::Source;

/// An answer written down. [`play`](crate::testing::play) shows it to a flow as the host would; read by
/// itself, it declares to read everything that is not named like a secret.
#[derive(Clone, Debug)]
pub struct Canned {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    rules: Rules,
}

#[derive(Clone, Debug)]
enum Body {
    Json(Json),
    Text(String),
}

impl Canned {
    /// An answer with a body: JSON when it parses, else text.
    pub fn new(status: u16, body: &str) -> Self {
        let parsed = serde_json::from_str(body).map(Body::Json);
        let body = parsed.unwrap_or_else(|_| Body::Text(body.to_owned()));
        let everything = Descriptor::new("x", "1.0.0", "X").reads(Kind::Fact, &["/**", ""]);
        Self { status, headers: Vec::new(), body, rules: Rules::of(&everything) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same as a plugin with this descriptor sees it.
    #[must_use]
    pub fn seen_by(mut self, descriptor: &Descriptor) -> Self {
        self.rules = Rules::of(descriptor);
        self
    }

    fn at(&self, pointer: &str) -> Option<&Json> {
        match &self.body {
            Body::Json(json) => json.pointer(pointer),
            Body::Text(_) => None,
        }
    }

    fn raw_header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Answer for Canned {
    fn status(&self) -> u16 {
        self.status
    }

    fn shape(&self) -> Shape {
        let text = match &self.body {
            Body::Text(text) => text,
            Body::Json(Json::String(text)) if may_be_a_token(text) => {
                return Shape::QuotedWord;
            }
            Body::Json(_) => return Shape::Json,
        };
        let html = self.raw_header("content-type").is_some_and(|kind| kind.contains("html"));
        match text.trim().bytes().next() {
            None => Shape::Empty,
            Some(b'{' | b'[' | b'"') => Shape::BrokenJson,
            Some(b'<') => Shape::Markup,
            _ if html => Shape::Markup,
            _ if may_be_a_token(text.trim()) => Shape::Word,
            _ => Shape::Text,
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        let value = self.raw_header(name)?;
        self.rules.header(name).filter(|kind| is(*kind, value)).map(|_| value.to_owned())
    }

    fn json(&self, pointer: &str) -> Option<String> {
        self.at(pointer).map(|json| self.rules.mask(pointer, json).to_string())
    }

    fn text(&self, pointer: &str) -> Option<String> {
        if let Body::Text(text) = &self.body {
            let read = matches!(self.shape(), Shape::Text | Shape::Markup) && pointer.is_empty();
            return self.rules.body().filter(|_| read).map(|_| text.trim().to_owned());
        }
        let Json::String(text) = self.rules.mask(pointer, self.at(pointer)?) else { return None };
        (text != SEALED).then_some(text)
    }

    fn has_secret(&self, pointer: &str) -> bool {
        match &self.body {
            Body::Text(text) => pointer.is_empty() && !text.trim().is_empty(),
            Body::Json(json) => {
                json.pointer(pointer).is_some_and(|json| is_secret(&json.to_string()))
            }
        }
    }

    fn has_secret_header(&self, name: &str) -> bool {
        self.raw_header(name).is_some_and(|value| !value.is_empty())
    }

    fn claims(&self, token: &Source) -> Option<String> {
        let text = match (token, &self.body) {
            (Source::At(pointer), Body::Json(json)) => json.pointer(pointer)?.as_str()?,
            (Source::At(_), Body::Text(text)) => text,
            (Source::Header(name), _) => self.raw_header(name)?.rsplit(' ').next()?,
            (Source::Given(_), _) => return None,
        };
        let payload = text.split('.').nth(1).filter(|_| is_jwt(text))?;
        let mut claims: serde_json::Map<_, _> =
            serde_json::from_slice(&base64url(payload)?).ok()?;
        claims.retain(|name, _| REGISTERED.contains(&name.as_str()));
        Some(Json::Object(claims).to_string())
    }
}

/// Claims that the host shows.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

fn base64url(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for symbol in text.bytes() {
        let value = ALPHABET.iter().position(|it| *it == symbol)?;
        held = (held << 6 | u32::try_from(value).ok()?) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// As the host says it, roughly: letters and digits, and no word of people.
fn may_be_a_token(word: &str) -> bool {
    let is_part = |it: char| it.is_ascii_alphanumeric() || "-._~+/=:|".contains(it);
    let has_digit = word.contains(|it: char| it.is_ascii_digit());
    let mixes = word.chars().skip(1).any(|it| it.is_ascii_uppercase())
        && word.contains(|it: char| it.is_ascii_lowercase());
    word.len() >= 8 && word.chars().all(is_part) && (has_digit || mixes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &str) -> Canned {
        let descriptor = Descriptor::new("x", "1.0.0", "X")
            .reads(Kind::Code, &["**/error", "/user_code", "/token_type"])
            .reads(Kind::Number, &["**/expires_in"])
            .reads(Kind::Text, &["/message", "/errors/*/message", ""])
            .reads(Kind::Fact, &["/user/**"])
            .sealed("ticket_number");
        Canned::new(200, body).seen_by(&descriptor)
    }

    #[test]
    fn tokens_are_there_and_cannot_be_read() {
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln";
        let body = format!(
            r#"{{"access":"a","refreshToken":"b","API-KEY":"c","user":{{"secret":"d"}},"message":"{jwt}"}}"#
        );
        let answer = seen(&body);
        for pointer in ["/access", "/refreshToken", "/API-KEY", "/user/secret", "/message"] {
            assert!(answer.has_secret(pointer), "{pointer}");
            assert_eq!(answer.text(pointer), None, "{pointer}");
            assert_eq!(answer.json(pointer).unwrap(), "\"[sealed]\"", "{pointer}");
        }
        assert!(!answer.json("").unwrap().contains(jwt));
        assert_eq!(seen(r#"{"n":7}"#).json("/n").unwrap(), "\"[sealed number]\"");
    }

    #[test]
    fn what_was_declared_can_be_read() {
        let body = r#"{"token_type":"bearer","data":{"error":"a.b.c"},"user_code":"X-Y",
            "token":{"expires_in":5,"error":"x"},"errors":[{"message":"two words"}],
            "user":{"name":"Ann","tokens":"t","key":{"id":"x"}},"other":"o"}"#;
        let answer = seen(body);
        for (pointer, text) in [
            ("/token_type", Some("bearer")),
            ("/data/error", Some("a.b.c")),
            ("/user_code", Some("X-Y")),
            ("/errors/0/message", Some("two words")),
            ("/user/name", Some("Ann")),
            ("/user/tokens", None),
            ("/user/key/id", None),
            ("/token/error", None),
            ("/other", None),
        ] {
            assert_eq!(answer.text(pointer).as_deref(), text, "{pointer}");
        }
        assert_eq!(answer.number("/token/expires_in"), Some(5));
    }

    #[test]
    fn a_word_is_a_secret_and_a_declared_sentence_is_not() {
        let (token, sentence) = (seen("abc12345"), seen("Request is received"));
        assert_eq!((token.text(""), token.has_secret("")), (None, true));
        assert_eq!(sentence.text("").unwrap(), "Request is received");
        assert_eq!(seen(r#"{"a":1,}"#).text(""), None);
        assert_eq!(seen("<p>").shape(), Shape::Markup);
    }
}
