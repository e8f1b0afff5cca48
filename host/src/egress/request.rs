//! What a plugin asks the door to send: values that may be secrets stay wrapped until they are
//! written. It does not know whether any of it is allowed.

use std::collections::BTreeSet;
use std::fmt;

use reqwest::multipart::Form;
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::{Serializer, byte_serialize};

/// How something is asked for. `CONNECT` and `TRACE` are ways around a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Read the head alone; for programs, not for plugins.
    Head,
    /// Ask what can be asked; for programs, not for plugins.
    Options,
    /// Create, and most token endpoints.
    Post,
    /// Replace.
    Put,
    /// Change; some providers refresh with it.
    Patch,
    /// Remove, and some revocations.
    Delete,
}

impl Method {
    /// What programs may use through the proxy.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Head, Self::Options, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The method of this name, in capitals as HTTP has it, if plugins may use it: `HEAD` and `OPTIONS` have
    /// no place in refreshing a token.
    pub fn parse(name: &str) -> Option<Self> {
        Self::named(name).filter(|it| !matches!(it, Self::Head | Self::Options))
    }

    /// The method of this name, in capitals as HTTP has it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether a server expects to be told the length, even if it is zero.
    pub(super) fn usually_has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Options => Self::OPTIONS,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

/// A request, with every secret already in its place. It has no `Debug`: the URL may hold a query.
pub struct Request {
    /// How.
    pub method: Method,
    /// Where; absolute, in ASCII, without a fragment.
    pub url: String,
    /// Pairs that are encoded and added to the URL's query.
    pub query: Vec<(String, SecretString)>,
    /// Headers, in order; a name may come twice.
    pub headers: Vec<(String, SecretString)>,
    /// What is sent.
    pub body: Body,
    /// Names of the secrets that are in it, wherever they stand.
    pub carries: BTreeSet<String>,
    /// Whether it does no harm if it arrives twice: then it may go on a connection that is kept.
    pub repeatable: bool,
}

/// What is sent after the headers.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON text.
    Json(SecretString),
    /// Any other text.
    Text(SecretString),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, SecretString)>),
    /// `multipart/form-data`, text parts only.
    Multipart(Vec<(String, SecretString)>),
}

/// A body as it goes on the wire.
pub(super) enum Payload {
    Empty,
    Text { content_type: &'static str, text: String },
    Parts(Form),
}

/// What one part of a multipart body costs besides name and value: boundary and headers.
const PART_OVERHEAD: usize = 160;

impl Body {
    /// How many bytes it has on the wire (for multipart: at most).
    pub fn size(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Json(text) | Self::Text(text) => text.expose_secret().len(),
            Self::Form(fields) => size_of_form(fields),
            Self::Multipart(fields) => size_of_parts(fields),
        }
    }

    /// The bytes to send, and how many they are (for multipart: at most).
    pub(super) fn encode(&self) -> (Payload, usize) {
        match self {
            Self::Empty => (Payload::Empty, 0),
            Self::Json(text) => Payload::text("application/json", text.expose_secret().to_owned()),
            Self::Text(text) => {
                Payload::text("text/plain; charset=utf-8", text.expose_secret().to_owned())
            }
            Self::Form(fields) => {
                Payload::text("application/x-www-form-urlencoded", url_encoded(fields))
            }
            Self::Multipart(fields) => (Payload::Parts(parts(fields)), size_of_parts(fields)),
        }
    }
}

impl Payload {
    fn text(content_type: &'static str, text: String) -> (Self, usize) {
        let size = text.len();
        (Self::Text { content_type, text }, size)
    }
}

fn url_encoded(fields: &[(String, SecretString)]) -> String {
    let pairs = fields.iter().map(|(name, value)| (name, value.expose_secret()));
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Without a copy of what is in it: two letters beside each pair, but one beside the last.
fn size_of_form(fields: &[(String, SecretString)]) -> usize {
    let encoded = |it: &str| byte_serialize(it.as_bytes()).map(str::len).sum::<usize>();
    let pairs =
        fields.iter().map(|(name, value)| encoded(name) + encoded(value.expose_secret()) + 2);
    pairs.sum::<usize>().saturating_sub(1)
}

fn parts(fields: &[(String, SecretString)]) -> Form {
    fields.iter().fold(Form::new(), |form, (name, value)| {
        form.text(name.clone(), value.expose_secret().to_owned())
    })
}

fn size_of_parts(fields: &[(String, SecretString)]) -> usize {
    // A name is percent-encoded, which makes it three times as long at worst.
    fields
        .iter()
        .map(|(name, value)| PART_OVERHEAD + 3 * name.len() + value.expose_secret().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_and_counted() {
        let body = Body::Form(vec![("a b".into(), "x&y=ü".into()), ("c".into(), "".into())]);
        let (Payload::Text { content_type, text }, size) = body.encode() else { panic!("text") };
        assert_eq!(content_type, "application/x-www-form-urlencoded");
        assert_eq!(text, "a+b=x%26y%3D%C3%BC&c=");
        assert_eq!(size, text.len());
        assert_eq!(body.size(), size, "counted without a copy");
        assert_eq!(Body::Form(Vec::new()).size(), 0);
    }

    #[test]
    fn methods_are_written_in_capitals_only() {
        assert_eq!(Method::parse("PATCH"), Some(Method::Patch));
        for name in ["patch", "HEAD", "TRACE", "CONNECT", "OPTIONS", "", "GET "] {
            assert_eq!(Method::parse(name), None, "{name}");
        }
    }
}
