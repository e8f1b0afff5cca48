//! A provider's JSON, read within bounds of depth and size. A name that stands twice with different values
//! has none, since two readers could then disagree about which one counts; what follows an object that is
//! complete is passed over.

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
    read(body, true)
}

/// The same if nothing follows it.
pub(super) fn parse_to_the_end(body: &[u8]) -> Option<(Value, usize)> {
    read(body, false)
}

fn read(body: &[u8], more_may_follow: bool) -> Option<(Value, usize)> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let left = Cell::new(MAX_VALUES);
    let mut from = serde_json::Deserializer::from_slice(body);
    let document = Bounded { left: &left, depth: MAX_DEPTH + 1 }.deserialize(&mut from).ok()?;
    if !(document.is_object() && more_may_follow) {
        from.end().ok()?;
    }
    Some((document, body.len() + VALUE * (MAX_VALUES - left.get())))
}

/// Puts a member into an object; a name that is there with another value has none from then on.
pub(super) fn put(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get(&name) {
        Some(before) if *before != value => drop(members.insert(name, Value::Null)),
        Some(_) => {}
        None => drop(members.insert(name, value)),
    }
}

/// A JSON value within bounds.
#[derive(Clone, Copy)]
struct Bounded<'l> {
    left: &'l Cell<usize>,
    depth: usize,
}

impl Bounded<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).filter(|it| *it > 0);
        depth.map(|depth| Self { depth, ..self }).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("too large"))?;
        self.left.set(left);
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
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
            put(&mut members, name, value);
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
    fn what_is_broken_is_no_json() {
        for body in [r#"{"a":1,}"#, r#"{"a":"\ud800"}"#, "[] x", "1 x", "{\"a\":1", ""] {
            assert!(parse(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_counts_if_it_says_the_same() {
        let read = |body: &str| parse(body.as_bytes()).unwrap().0;
        assert_eq!(read(r#"{"a":1,"a":1}"#), serde_json::json!({ "a": 1 }));
        assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#), serde_json::json!({ "a": null, "b": 2 }));
        assert_eq!(read(r#"{"a":1,"a":3,"a":1}"#), serde_json::json!({ "a": null }));
        assert_eq!(read("{\"a\":1} trailing"), serde_json::json!({ "a": 1 }));
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
