//! What a flow sees of a written answer: the rules of the contract once more, kept apart from the host's
//! on purpose. A test that borrowed them could not notice when they change.

use serde_json::Value as Json;

use crate::bindings::exports::keepfresh::provider::provider::{Descriptor, Kind, Read};

/// What stands where something is sealed.
pub(super) const SEALED: &str = "[sealed]";

/// Names that the host seals besides those that end in `token` or `secret`.
const SECRETS: [&str; 22] = [
    "access",
    "refresh",
    "jwt",
    "assertion",
    "password",
    "passwd",
    "pass",
    "pwd",
    "otp",
    "key",
    "apikey",
    "secretkey",
    "privatekey",
    "devicecode",
    "session",
    "sessionid",
    "cookie",
    "bearer",
    "ticket",
    "credential",
    "credentials",
    "signature",
];

/// Objects of these names go by their members; a string of these names is a secret.
const WRAPPERS: [&str; 4] = ["authorization", "authentication", "auth", "tokens"];

/// Headers that can always be read.
const PLAIN_HEADERS: [&str; 6] =
    ["allow", "content-length", "content-type", "date", "location", "retry-after"];

/// What one descriptor declares.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    reads: Vec<Read>,
    sealed: Vec<String>,
}

impl Rules {
    pub(super) fn of(descriptor: &Descriptor) -> Self {
        let sealed = descriptor.sealed.iter().map(|it| bare(it)).collect();
        Self { reads: descriptor.reads.clone(), sealed }
    }

    /// How a place may be read.
    pub(super) fn kind(&self, pointer: &str) -> Option<Kind> {
        let steps: Vec<_> = pointer.split('/').skip(1).collect();
        let last = steps.iter().rev().find(|it| it.parse::<usize>().is_err());
        let kind = self.reads.iter().filter(|it| it.place.contains('/'));
        let kind = kind.filter(|it| fits(&it.place, &steps)).map(|it| it.kind).find(|kind| {
            let inside = steps.iter().any(|it| self.closes(it));
            !inside || matches!(kind, Kind::Number | Kind::Date)
        });
        kind.filter(|_| !last.is_some_and(|it| self.closes(it) || is_in(&WRAPPERS, it)))
    }

    pub(super) fn header(&self, name: &str) -> Option<Kind> {
        let declared = |it: &&Read| {
            it.place.strip_prefix("header:").is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        let plain = PLAIN_HEADERS.iter().any(|it| it.eq_ignore_ascii_case(name));
        let declared = self.reads.iter().find(declared).map(|it| it.kind);
        declared.or_else(|| plain.then_some(Kind::Fact))
    }

    pub(super) fn body(&self) -> Option<Kind> {
        self.reads.iter().find(|it| it.place.is_empty()).map(|it| it.kind)
    }

    fn closes(&self, name: &str) -> bool {
        let name = bare(name);
        !is_in(&WRAPPERS, &name)
            && (is_in(&SECRETS, &name)
                || ["token", "tokens", "secret", "password"].iter().any(|it| name.ends_with(it))
                || self.sealed.contains(&name))
    }

    /// A copy in which everything reads `[sealed]` but what may be read.
    pub(super) fn mask(&self, pointer: &str, json: &Json) -> Json {
        let member = |name: &str, json| self.mask(&format!("{pointer}/{name}"), json);
        match json {
            Json::String(text) if text.is_empty() => json.clone(),
            Json::String(text) => {
                let seen = self.kind(pointer).filter(|kind| is(*kind, text));
                seen.map_or_else(|| SEALED.into(), |_| json.clone())
            }
            Json::Number(_) => {
                self.kind(pointer).map_or_else(|| "[sealed number]".into(), |_| json.clone())
            }
            Json::Array(items) => {
                items.iter().enumerate().map(|(at, it)| member(&at.to_string(), it)).collect()
            }
            Json::Object(members) => {
                members.iter().map(|(name, json)| (name.clone(), member(name, json))).collect()
            }
            plain => plain.clone(),
        }
    }
}

/// Whether a text is what was declared.
pub(super) fn is(kind: Kind, text: &str) -> bool {
    let all = |fits: fn(char) -> bool| text.chars().all(fits);
    match kind {
        Kind::Number => {
            let is_length = || text.len() <= 24 && times::span(text).value().is_some();
            text.trim().parse::<f64>().is_ok() || is_length()
        }
        Kind::Date => {
            text.len() <= 40 && all(|it| it.is_ascii_alphanumeric() || " :/.,+-".contains(it))
        }
        Kind::Code => {
            text.len() <= 64 && all(|it| it.is_ascii_alphanumeric() || "._-:/".contains(it))
        }
        Kind::Text | Kind::Fact | Kind::Address => !has_jwt(text),
    }
}

fn fits(place: &str, steps: &[&str]) -> bool {
    let (deep, rest) = match place.strip_prefix("**") {
        Some(rest) => (true, rest),
        None => (false, place),
    };
    let (rest, open) = match rest.strip_suffix("/**") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let wanted: Vec<_> = rest.split('/').skip(1).collect();
    let starts = if deep { 0..=steps.len() } else { 0..=0 };
    starts.into_iter().any(|start| {
        let here = steps.get(start..).unwrap_or_default();
        let length = here.len() == wanted.len() || (open && here.len() > wanted.len());
        length && wanted.iter().zip(here).all(|(wanted, step)| *wanted == "*" || wanted == step)
    })
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.contains(&bare(name).as_str())
}

/// A member's name without its spelling: `accessToken`, `access-token` and `access_token` are one.
fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn has_jwt(text: &str) -> bool {
    text.split(|it: char| !it.is_ascii_alphanumeric() && !"-_.".contains(it)).any(is_jwt)
}

pub(super) fn is_jwt(text: &str) -> bool {
    let base64url = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(base64url)
}
