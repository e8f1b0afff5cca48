//! A provider's JSON, read strictly: within bounds of depth and size, and no name twice, since two
//! readers could then disagree about which one counts.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Deeper documents are not read: no provider sends them in good faith.
const MAX_DEPTH: usize = 64;

/// Nor are larger ones. A value takes some 70 bytes of memory, and as little as two of the body.
const MAX_VALUES: usize = 65_536;

/// Bytes of memory of one value, and of a member's name beside it.
const VALUE: usize = 96;

/// The document in `body`, and the bytes of memory that it takes; none when it is no JSON.
pub(in crate::sandbox) fn parse(body: &[u8]) -> Option<(Value, usize)> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let left = Cell::new(MAX_VALUES);
    let mut from = serde_json::Deserializer::from_slice(body);
    let document = Strict { left: &left, depth: MAX_DEPTH + 1 }.deserialize(&mut from).ok()?;
    from.end().ok()?;
    Some((document, body.len() + VALUE * (MAX_VALUES - left.get())))
}

/// A JSON value in which no object has a name twice.
#[derive(Clone, Copy)]
struct Strict<'l> {
    left: &'l Cell<usize>,
    depth: usize,
}

impl Strict<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).filter(|it| *it > 0);
        depth.map(|depth| Self { depth, ..self }).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("too large"))?;
        self.left.set(left);
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = from.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name appears twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_within_bounds_is_read_and_measured() {
        let (document, size) = parse(br#"{"a":[1,"x",null,true,-1,0.5]}"#).unwrap();
        assert_eq!(document, serde_json::json!({ "a": [1, "x", null, true, -1, 0.5] }));
        assert_eq!(size, 30 + 8 * VALUE);
        assert!(parse(b"\xef\xbb\xbf{}").is_some(), "a byte order mark is forgiven");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_no_json() {
        for body in [
            r#"{"access_token":"a","access_token":"b"}"#,
            r#"{"a":1,}"#,
            r#"{"a":"\ud800"}"#,
            "{} x",
            "{\"a\":1",
            "",
        ] {
            assert!(parse(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn a_document_that_is_too_deep_or_too_large_is_no_json() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(deep(64).as_bytes()).is_some());
        assert!(parse(deep(65).as_bytes()).is_none());
        let long = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(long(MAX_VALUES).as_bytes()).is_some());
        assert!(parse(long(MAX_VALUES + 1).as_bytes()).is_none());
    }
}
