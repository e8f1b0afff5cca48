//! What a plugin may see of a provider's answer: its shape, and what it declared to read. Everything
//! else is sealed, and can only be taken as a secret.
//!
//! The limit, said plainly: a short secret that looks like a word, in a place that is declared as text
//! or as a fact and is not named like a secret, is readable until it is taken.

/// What a text looks like.
pub(in crate::sandbox) mod shape;

/// Members and headers that are named like a secret.
pub(in crate::sandbox) mod names;

/// What a descriptor declares to read.
pub(in crate::sandbox) mod reads;

use serde_json::{Map, Value};

use crate::model::descriptor::Kind;
use crate::sandbox::secrets::known::{Known, SEALED, SEALED_NUMBER};
use reads::{Here, Reads};

/// The longest text for people, and the longest fact or address.
const LONGEST_TEXT: usize = 1024;
const LONGEST_FACT: usize = 2048;

/// The document below `here` as a plugin may see it.
pub(in crate::sandbox) fn view(
    value: &Value,
    reads: &Reads,
    here: &Here,
    known: &mut Known,
) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::String(text) if text.is_empty() => value.clone(),
        Value::String(text) => {
            let seen = reads.kind(here).and_then(|kind| read(text, kind, known));
            Value::String(seen.unwrap_or_else(|| SEALED.to_owned()))
        }
        Value::Number(number) => {
            let text = number.to_string();
            let seen = reads.kind(here).filter(|_| shape::is_exact(&text) && !known.is_in(&text));
            seen.map_or_else(|| SEALED_NUMBER.into(), |_| value.clone())
        }
        Value::Array(items) => {
            let item = |(index, it): (usize, &Value)| {
                view(it, reads, &reads.step(here, &index.to_string()), known)
            };
            items.iter().enumerate().map(item).collect()
        }
        Value::Object(members) => object(members, reads, here, known),
    }
}

fn object(members: &Map<String, Value>, reads: &Reads, here: &Here, known: &mut Known) -> Value {
    let are_facts = reads.names_are_facts(here);
    let mut seen = Map::new();
    for (name, value) in members {
        let value = view(value, reads, &reads.step(here, name), known);
        seen.insert(shown_name(name, are_facts, known), value);
    }
    Value::Object(seen)
}

/// A member's name, unless it is more than a name: providers have put what they refused into it.
fn shown_name(name: &str, is_fact: bool, known: &mut Known) -> String {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"_-.$@:/ ".contains(&it);
    let is_name = name.len() <= 64 && name.bytes().all(fits) && !shape::is_token(name);
    let readable = if is_fact { name.len() <= LONGEST_FACT } else { is_name };
    if readable && !shape::has_jwt(name) && !known.is_in(name) {
        return name.to_owned();
    }
    SEALED.to_owned()
}

/// A string as it may be seen, if it is what was declared.
pub(in crate::sandbox) fn read(text: &str, kind: Kind, known: &mut Known) -> Option<String> {
    let seen = match kind {
        Kind::Number => shape::is_number(text).then(|| text.to_owned()),
        Kind::Date => shape::is_date(text).then(|| text.to_owned()),
        Kind::Code => shape::is_code(text).then(|| text.to_owned()),
        Kind::Text => Some(sentence(text)),
        Kind::Fact => {
            (text.len() <= LONGEST_FACT && !shape::has_jwt(text)).then(|| text.to_owned())
        }
        Kind::Address => address(text),
    }?;
    let judged =
        text.get(..text.floor_char_boundary(LONGEST_TEXT + known.longest())).unwrap_or(text);
    (!known.is_in(judged)).then_some(seen)
}

/// Words for people: cut, and without the words that look like tokens or that follow the name of a
/// secret.
pub fn sentence(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or(text);
    shape::without_tokens(&without_named(cut), SEALED)
}

/// `token: abc`, `<token>abc</token>`, `password=abc` without what stands there.
fn without_named(text: &str) -> String {
    let names = names::Names::default();
    let is_word = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.');
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut follows, mut closes) = (text, false, false);
    while !rest.is_empty() {
        let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        out.push_str(if follows && !word.is_empty() { SEALED } else { word });
        let gap_end = tail.find(is_word).unwrap_or(tail.len());
        let (gap, next) = tail.split_at(gap_end);
        let assigns = gap.contains([':', '=']) || (gap.contains('>') && !closes);
        follows = names.is_secret(word) && assigns;
        closes = gap.ends_with("</");
        out.push_str(gap);
        rest = next;
    }
    out
}

/// A URL without what is secret in one: user, query and fragment.
fn address(text: &str) -> Option<String> {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").unwrap_or(("", bare));
    let host = rest.split('/').next().unwrap_or_default();
    let plain = |it: char| it.is_ascii_graphic() && !matches!(it, '"' | '<' | '>' | '\\' | '`');
    let fits = bare.len() <= LONGEST_FACT && bare.chars().all(plain) && !bare.is_empty();
    let has_token =
        bare.split('/').skip(if scheme.is_empty() { 0 } else { 3 }).any(shape::is_token);
    (fits && !host.contains('@') && !has_token && !shape::has_jwt(bare)).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests;
