//! A provider's answer as a plugin holds it: its shape, what was declared to be read, and tokens to
//! take without reading. What may be seen is judged anew at each look, because a value that was taken
//! as a secret meanwhile is one everywhere.

use std::fmt;

use secrecy::SecretString;
use serde_json::Value;

use crate::egress::Response;
use crate::model::descriptor::Kind;
use crate::sandbox::answers::body::{Body, may_be_a_token};
use crate::sandbox::answers::sealing::reads::{Here, Reads};
use crate::sandbox::answers::sealing::{read, view};
use crate::sandbox::secrets::known::{Known, SEALED};

/// The longest pointer that is followed, in steps.
const LONGEST_POINTER: usize = 64;

/// One answer.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    shape: Shape,
    /// Bytes of host memory that it holds.
    size: usize,
}

/// What a body is, without what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Shape {
    Empty,
    Json,
    QuotedWord,
    BrokenJson,
    Markup,
    Word,
    Text,
    Binary,
}

impl Answer {
    pub(in crate::sandbox) fn new(response: Response) -> Self {
        let Response { status, headers, body } = response;
        let in_headers =
            headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum::<usize>();
        let content_type = headers.iter().find(|(it, _)| it.eq_ignore_ascii_case("content-type"));
        let (body, size) = Body::read(body, content_type.map(|(_, it)| it.as_str()));
        let shape = shape_of(&body, &headers);
        Self { status, headers, body, shape, size: in_headers + size }
    }

    pub(in crate::sandbox) fn status(&self) -> u16 {
        self.status
    }

    pub(in crate::sandbox) fn shape(&self) -> Shape {
        self.shape
    }

    pub(in crate::sandbox) fn size(&self) -> usize {
        self.size
    }

    /// A header, as far as it may be read.
    pub(in crate::sandbox) fn header(
        &self,
        name: &str,
        reads: &Reads,
        known: &mut Known,
    ) -> Option<String> {
        let value = self.raw_header(name)?;
        read(value, reads.of_header(name)?, known)
    }

    /// A header as a secret; of `Authorization` without the scheme.
    pub(in crate::sandbox) fn secret_header(&self, name: &str) -> Option<SecretString> {
        let value = self.raw_header(name)?;
        let has_scheme = name.eq_ignore_ascii_case("authorization");
        let value = value.split_once(' ').filter(|_| has_scheme).map_or(value, |(_, it)| it).trim();
        (!value.is_empty()).then(|| SecretString::from(value))
    }

    /// The value at `pointer` as it may be seen, as JSON text.
    pub(in crate::sandbox) fn json(
        &self,
        pointer: &str,
        reads: &Reads,
        known: &mut Known,
    ) -> Option<String> {
        let (value, here) = self.at(pointer, reads)?;
        if pointer.is_empty() && value.is_string() {
            let seen = self.text(pointer, reads, known).unwrap_or_else(|| SEALED.to_owned());
            return Some(Value::from(seen).to_string());
        }
        Some(view(value, reads, &here, known).to_string())
    }

    /// The string at `pointer`, as far as it may be read.
    pub(in crate::sandbox) fn text(
        &self,
        pointer: &str,
        reads: &Reads,
        known: &mut Known,
    ) -> Option<String> {
        if let Body::Text(text) = &self.body {
            let readable = matches!(self.shape, Shape::Text | Shape::Markup | Shape::Word);
            let kind = reads.of_body().filter(|_| pointer.is_empty() && readable)?;
            let kind = if self.shape == Shape::Markup { kind } else { alone(text, kind) };
            return read(text.trim(), kind, known);
        }
        let (value, here) = self.at(pointer, reads)?;
        let (text, kind) = (value.as_str()?, reads.kind(&here)?);
        read(text, if pointer.is_empty() { alone(text, kind) } else { kind }, known)
    }

    /// The string or number at `pointer` as a secret.
    pub(in crate::sandbox) fn secret(&self, pointer: &str) -> Option<SecretString> {
        let text = match &self.body {
            Body::Json(document) => match find(document, pointer)? {
                Value::String(text) => text.as_str(),
                Value::Number(number) => return Some(number.to_string().into()),
                _ => return None,
            },
            Body::Text(text) if pointer.is_empty() => text.trim(),
            Body::Text(_) | Body::Binary => return None,
        };
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    /// The value at `pointer`, and the declarations that reach it.
    fn at(&self, pointer: &str, reads: &Reads) -> Option<(&Value, Here)> {
        let Body::Json(document) = &self.body else { return None };
        let value = find(document, pointer)?;
        let steps = pointer.split('/').skip(1).map(|it| it.replace("~1", "/").replace("~0", "~"));
        Some((value, steps.fold(reads.top(), |here, step| reads.step(&here, &step))))
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

/// One word that is all of a body is a token as often as not, with quotes or without.
fn alone(text: &str, kind: Kind) -> Kind {
    if text.trim().contains(char::is_whitespace) { kind } else { Kind::Code }
}

fn find<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    let is_short = pointer.bytes().filter(|it| *it == b'/').count() <= LONGEST_POINTER;
    document.pointer(pointer).filter(|_| is_short)
}

fn shape_of(body: &Body, headers: &[(String, String)]) -> Shape {
    let text = match body {
        Body::Json(Value::String(text)) if may_be_a_token(text) => return Shape::QuotedWord,
        Body::Json(_) => return Shape::Json,
        Body::Binary => return Shape::Binary,
        Body::Text(text) => text.trim_start_matches('\u{feff}').trim(),
    };
    let is_html = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().contains("html")
    };
    match text.as_bytes().first() {
        None => Shape::Empty,
        Some(b'{' | b'[' | b'"') => Shape::BrokenJson,
        Some(b'<') => Shape::Markup,
        _ if headers.iter().any(is_html) => Shape::Markup,
        _ if may_be_a_token(text) => Shape::Word,
        _ => Shape::Text,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::model::descriptor::Read;
    use crate::sandbox::secrets::labels::Labels;

    fn answer(body: &str) -> Answer {
        let headers = [("Set-Cookie", "sid=1"), ("Location", "https://a.example/x?token=abc#t")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Answer::new(Response {
            status: 200,
            headers: headers.into(),
            body: body.as_bytes().to_vec(),
        })
    }

    fn reads(places: &[(&str, Kind)]) -> Reads {
        let read = |(place, kind): &(&str, Kind)| Read { place: (*place).to_owned(), kind: *kind };
        Reads::new(&places.iter().map(read).collect::<Vec<_>>(), &[]).unwrap()
    }

    fn everything() -> Reads {
        reads(&[("/**", Kind::Text), ("", Kind::Text), ("header:X-Echo", Kind::Text)])
    }

    #[test]
    fn a_token_can_be_taken_but_not_read() {
        let (answer, mut known) =
            (answer(r#"{"data":{"token":"abc","n":7},"message":"ok"}"#), Known::default());
        let reads = reads(&[("/message", Kind::Text)]);
        assert_eq!(answer.text("/data/token", &reads, &mut known), None);
        let data = answer.json("/data", &reads, &mut known).unwrap();
        assert_eq!(data, r#"{"token":"[sealed]","n":"[sealed number]"}"#);
        assert_eq!(answer.secret("/data/token").unwrap().expose_secret(), "abc");
        assert_eq!(answer.secret("/data/n").unwrap().expose_secret(), "7");
        assert_eq!(answer.text("/message", &reads, &mut known).as_deref(), Some("ok"));
    }

    #[test]
    fn what_was_taken_as_a_secret_is_read_no_longer() {
        let (answer, mut known) = (answer(r#"{"a":"abcd","b":"x abcd"}"#), Known::default());
        assert_eq!(answer.text("/a", &everything(), &mut known).as_deref(), Some("abcd"));
        known.learn("abcd", Labels::default(), false);
        assert_eq!(answer.text("/a", &everything(), &mut known), None);
        let seen = answer.json("", &everything(), &mut known).unwrap();
        assert_eq!(seen, r#"{"a":"[sealed]","b":"[sealed]"}"#);
    }

    /// All that crosses into a plugin as text, of an answer that repeats a secret wherever it can, to a
    /// plugin that declared to read all of it.
    #[test]
    fn no_accessor_shows_a_secret_that_the_host_knows() {
        let secret = "CANARY_4f1d&/+ x";
        let mut known = Known::default();
        known.learn(secret, Labels::default(), true);
        let document = serde_json::json!({
            "message": format!("{secret} is wrong"), "errors": { secret: [secret] },
            "form": "key=CANARY_4f1d%26%2F%2B+x", "code": 7,
        });
        let headers = [("X-Echo", secret), ("Location", "/?key=CANARY_4f1d%26%2F%2B+x")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for body in [document.to_string(), format!("bad key: {secret}"), format!("<p>{secret}\n")] {
            let response = Response { status: 400, headers: headers.to_vec(), body: body.into() };
            let (answer, reads) = (Answer::new(response), everything());
            for pointer in
                ["", "/message", "/errors", "/errors/CANARY_4f1d&~1+ x", "/form", "/code"]
            {
                let shown = answer.json(pointer, &reads, &mut known);
                let shown = [shown, answer.text(pointer, &reads, &mut known)];
                assert!(!format!("{shown:?}").contains("CANARY"), "{shown:?}");
            }
            for name in ["x-echo", "location"] {
                let shown = answer.header(name, &reads, &mut known);
                assert!(!format!("{shown:?}").contains("CANARY"), "{shown:?}");
            }
        }
    }

    #[test]
    fn a_body_has_a_shape_and_is_read_only_if_that_was_declared() {
        for (body, shape, read) in [
            ("", Shape::Empty, None),
            ("{}", Shape::Json, None),
            (r#"{"access_token":"a","access_token":"b"}"#, Shape::Json, None),
            (r#"{"token":"abc",}"#, Shape::BrokenJson, None),
            ("<token>abc</token>", Shape::Markup, Some("<token>[sealed]</token>")),
            ("ya29.a0AfB_byC1d2E3f4\n", Shape::Word, None),
            ("\"ya29.a0AfB_byC1d2E3f4\"", Shape::QuotedWord, None),
            ("invalid_grant", Shape::Text, Some("invalid_grant")),
            ("token: abc", Shape::Text, Some("token: [sealed]")),
            ("Bad Gateway", Shape::Text, Some("Bad Gateway")),
        ] {
            let (answer, mut known) = (answer(body), Known::default());
            assert_eq!(answer.shape(), shape, "{body}");
            assert_eq!(answer.text("", &Reads::default(), &mut known), None, "{body}");
            assert_eq!(answer.text("", &everything(), &mut known).as_deref(), read, "{body}");
        }
        assert_eq!(answer("abcdef\n").secret("").unwrap().expose_secret(), "abcdef");
    }

    #[test]
    fn headers_are_taken_and_read_only_as_far_as_they_say_nothing() {
        let (answer, mut known) = (answer("{}"), Known::default());
        assert_eq!(answer.header("set-cookie", &everything(), &mut known), None);
        assert!(answer.secret_header("set-cookie").is_some());
        let location = answer.header("location", &Reads::default(), &mut known);
        assert_eq!(location.as_deref(), Some("https://a.example/x"));
    }
}
