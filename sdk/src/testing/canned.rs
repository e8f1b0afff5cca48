//! An answer written down, which seals what the host seals. The rules are kept apart from the
//! host's on purpose: a test that borrowed them could not notice when they change.

use serde_json::Value as Json;

use crate::answer::Answer;
use crate::tokens::Source;

/// An answer written down.
#[derive(Clone, Debug)]
pub struct Canned {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    sealed: Vec<String>,
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
        Self { status, headers: Vec::new(), body, sealed: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Seals a further member, as a descriptor's `sealed` does.
    #[must_use]
    pub fn sealing(mut self, member: &str) -> Self {
        self.sealed.push(bare(member));
        self
    }

    fn at(&self, pointer: &str) -> Option<&Json> {
        match &self.body {
            Body::Json(json) => json.pointer(pointer),
            Body::Text(_) => None,
        }
    }

    /// Whether a string at `pointer` is sealed, by a name on the way or by its own shape.
    fn seals(&self, pointer: &str, text: &str) -> bool {
        pointer.split('/').any(|name| self.seals_name(name)) || is_jwt(text)
    }

    fn seals_name(&self, name: &str) -> bool {
        let name = bare(name);
        SEALED.contains(&name.as_str())
            || name.ends_with("token")
            || name.ends_with("secret")
            || self.sealed.contains(&name)
    }

    /// A copy in which sealed strings read `[sealed]`.
    fn mask(&self, pointer: &str, json: &Json) -> Json {
        let member = |name: &str, json| self.mask(&format!("{pointer}/{name}"), json);
        match json {
            Json::String(text) if self.seals(pointer, text) => Json::from("[sealed]"),
            Json::Array(items) => items.iter().map(|item| member("-", item)).collect(),
            Json::Object(members) => {
                members.iter().map(|(name, json)| (name.clone(), member(name, json))).collect()
            }
            plain => plain.clone(),
        }
    }
}

/// Names that the host seals besides those that end in `token` or `secret`.
const SEALED: [&str; 10] = [
    "access",
    "refresh",
    "jwt",
    "assertion",
    "password",
    "apikey",
    "secretkey",
    "privatekey",
    "devicecode",
    "session",
];

/// A member's name without its spelling: `accessToken`, `access-token` and `access_token` are one.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn is_jwt(text: &str) -> bool {
    let base64url = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(base64url)
}

impl Answer for Canned {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<String> {
        let sealed = ["authorization", "set-cookie"].iter().any(|s| s.eq_ignore_ascii_case(name));
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.filter(|_| !sealed).map(|(_, value)| value.clone())
    }

    fn json(&self, pointer: &str) -> Option<String> {
        self.at(pointer).map(|json| self.mask(pointer, json).to_string())
    }

    fn text(&self, pointer: &str) -> Option<String> {
        let (text, sealed) = match &self.body {
            Body::Text(text) if pointer.is_empty() => (text, !text.contains(char::is_whitespace)),
            _ => {
                let Json::String(text) = self.at(pointer)? else { return None };
                (text, self.seals(pointer, text))
            }
        };
        (!sealed).then(|| text.clone())
    }

    fn has_secret(&self, pointer: &str) -> bool {
        match &self.body {
            Body::Text(text) => pointer.is_empty() && !text.is_empty(),
            Body::Json(json) => {
                json.pointer(pointer).and_then(Json::as_str).is_some_and(|text| !text.is_empty())
            }
        }
    }

    fn has_secret_header(&self, name: &str) -> bool {
        let named =
            |(key, value): &(String, String)| key.eq_ignore_ascii_case(name) && !value.is_empty();
        self.headers.iter().any(named)
    }

    fn claims(&self, token: &Source) -> Option<String> {
        let text = match (token, &self.body) {
            (Source::At(pointer), Body::Json(json)) => json.pointer(pointer)?.as_str()?,
            (Source::At(_), Body::Text(text)) => text,
            (Source::Header(name), _) => {
                let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.rsplit(' ').next().unwrap_or(value))?
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_there_and_cannot_be_read() {
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln";
        let body = format!(
            r#"{{"access":"a","refreshToken":"b","API-KEY":"c","client_secret":"d","note":"{jwt}"}}"#
        );
        let answer = Canned::new(200, &body);
        for pointer in ["/access", "/refreshToken", "/API-KEY", "/client_secret", "/note"] {
            assert!(answer.has_secret(pointer), "{pointer}");
            assert_eq!(answer.text(pointer), None, "{pointer}");
            assert_eq!(answer.json(pointer).unwrap(), "\"[sealed]\"", "{pointer}");
        }
        assert!(!answer.json("").unwrap().contains(jwt));
    }

    #[test]
    fn what_a_plugin_must_read_stays_readable() {
        let body = r#"{"token_type":"bearer","error":{"code":"a.b.c"},"user_code":"X-Y"}"#;
        let answer = Canned::new(200, body);
        assert_eq!(answer.text("/token_type").unwrap(), "bearer");
        assert_eq!(answer.text("/error/code").unwrap(), "a.b.c");
        assert_eq!(answer.text("/user_code").unwrap(), "X-Y");
    }

    #[test]
    fn a_text_body_without_space_is_a_secret_and_a_sentence_is_not() {
        let (token, sentence) =
            (Canned::new(200, "abc123"), Canned::new(200, "Request is received"));
        assert_eq!((token.text(""), token.has_secret("")), (None, true));
        assert_eq!(sentence.text("").unwrap(), "Request is received");
    }

    #[test]
    fn a_declared_member_is_sealed_too() {
        let answer = Canned::new(200, r#"{"ticket":"t"}"#);
        assert_eq!(answer.text("/ticket").unwrap(), "t");
        assert_eq!(answer.sealing("ticket").text("/ticket"), None);
    }
}
