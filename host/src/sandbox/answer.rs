//! A provider's answer as a plugin holds it: status, headers and JSON to read, tokens to take without
//! reading.

use std::fmt;

use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::egress::Response;
use crate::sandbox::sealing::Sealer;

/// Headers that hold secrets whatever they look like.
const SEALED_HEADERS: &[&str] = &["authorization", "set-cookie", "proxy-authorization"];

/// Deeper documents are not read: no provider sends them in good faith.
const MAX_DEPTH: usize = 64;

/// One answer. The host keeps the document; the plugin sees the view.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    sealer: Sealer,
}

enum Body {
    Json { document: Value, view: Value },
    Text(String),
    Opaque,
}

impl Answer {
    /// Seals `response` for the eyes of a plugin.
    pub(super) fn new(response: Response, sealer: Sealer) -> Self {
        let body = match parse(&response.body) {
            Some(document) => Body::Json { view: sealer.view(&document), document },
            None => String::from_utf8(response.body).map_or(Body::Opaque, Body::Text),
        };
        Self { status: response.status, headers: response.headers, body, sealer }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// A header, unless it is sealed.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.raw_header(name)?;
        let sealed = SEALED_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        (!sealed && !self.sealer.hides(value)).then(|| value.to_owned())
    }

    /// A header as a secret; of `Authorization` without the scheme.
    pub(super) fn secret_header(&self, name: &str) -> Option<SecretString> {
        let value = self.raw_header(name)?;
        let has_scheme = name.eq_ignore_ascii_case("authorization");
        let value = value.split_once(' ').filter(|_| has_scheme).map_or(value, |(_, it)| it).trim();
        (!value.is_empty()).then(|| SecretString::from(value))
    }

    /// The view of the value at `pointer`, as JSON text.
    pub(super) fn json(&self, pointer: &str) -> Option<String> {
        let Body::Json { view, .. } = &self.body else { return None };
        view.pointer(pointer).map(Value::to_string)
    }

    /// The string at `pointer`, unless it is sealed.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        match &self.body {
            Body::Json { document, view } => {
                let seen = view.pointer(pointer)?.as_str()?;
                (document.pointer(pointer)?.as_str()? == seen).then(|| seen.to_owned())
            }
            Body::Text(text) => {
                let readable = text.contains(char::is_whitespace) && !self.sealer.hides(text);
                (pointer.is_empty() && readable).then(|| text.clone())
            }
            Body::Opaque => None,
        }
    }

    /// The string at `pointer` as a secret.
    pub(super) fn secret(&self, pointer: &str) -> Option<SecretString> {
        let text = match &self.body {
            Body::Json { document, .. } => document.pointer(pointer)?.as_str()?,
            Body::Text(text) if pointer.is_empty() => text.trim(),
            Body::Text(_) | Body::Opaque => return None,
        };
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    fn raw_header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Answer({})", self.status)
    }
}

/// The JSON document in `body`: at most 64 deep, and no name twice, since two readers could then
/// disagree about which one counts.
fn parse(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Strict(document) = serde_json::from_slice(body).ok()?;
    (depth(&document) <= MAX_DEPTH).then_some(document)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A JSON value in which no object has a name twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON without duplicate names")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = from.next_entry::<String, Strict>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom("a name appears twice"));
            }
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::sandbox::redact::Redactor;

    fn answer(body: &str) -> Answer {
        let response = Response {
            status: 200,
            headers: vec![("Set-Cookie".to_owned(), "sid=1".to_owned())],
            body: body.as_bytes().to_vec(),
        };
        Answer::new(response, Sealer::new(&[], Redactor::default()))
    }

    #[test]
    fn a_token_can_be_taken_but_not_read() {
        let answer = answer(r#"{"data":{"token":"abc"},"message":"ok"}"#);
        assert_eq!(answer.text("/data/token"), None);
        assert_eq!(answer.json("/data").unwrap(), r#"{"token":"[sealed]"}"#);
        assert_eq!(answer.secret("/data/token").unwrap().expose_secret(), "abc");
        assert_eq!(answer.text("/message").as_deref(), Some("ok"));
    }

    /// All that crosses into a plugin as text, of an answer that repeats a secret wherever it can.
    #[test]
    fn no_accessor_shows_a_secret_that_the_host_knows() {
        let secret = "CANARY_4f1d&/+ x";
        let known = Redactor::default();
        known.learn(&SecretString::from(secret));
        let document = serde_json::json!({
            "message": format!("{secret} is wrong"), "errors": { secret: [secret] },
            "form": "key=CANARY_4f1d%26%2F%2B+x", "code": 7,
        });
        let headers = [("X-Echo", secret), ("Location", "/?key=CANARY_4f1d%26%2F%2B+x")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for body in [document.to_string(), format!("bad key: {secret}"), format!("<p>{secret}\n")] {
            let response = Response { status: 400, headers: headers.to_vec(), body: body.into() };
            let answer = Answer::new(response, Sealer::new(&[], known.clone()));
            let pointers =
                ["", "/message", "/errors", "/errors/CANARY_4f1d&~1+ x", "/form", "/code"];
            let shown = pointers.iter().flat_map(|it| [answer.json(it), answer.text(it)]);
            let shown = shown.chain(["x-echo", "location"].map(|it| answer.header(it)));
            for text in shown.flatten() {
                assert!(!text.contains("CANARY"), "{text}");
            }
        }
    }

    #[test]
    fn a_text_body_without_white_space_is_a_secret() {
        assert_eq!(answer("abcdef").text(""), None);
        assert_eq!(answer("abcdef\n").secret("").unwrap().expose_secret(), "abcdef");
        assert_eq!(answer("Bad Gateway").text("").as_deref(), Some("Bad Gateway"));
    }

    #[test]
    fn a_name_that_appears_twice_makes_it_no_json() {
        assert_eq!(answer(r#"{"access_token":"a","access_token":"b"}"#).json(""), None);
    }

    #[test]
    fn a_document_that_is_too_deep_is_no_json() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(answer(&deep).json(""), None);
    }

    #[test]
    fn a_byte_order_mark_is_forgiven() {
        assert!(answer("\u{feff}{}").json("").is_some());
    }

    #[test]
    fn cookies_are_taken_and_not_read() {
        let answer = answer("{}");
        assert_eq!(answer.header("set-cookie"), None);
        assert!(answer.secret_header("set-cookie").is_some());
    }
}
