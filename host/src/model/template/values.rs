//! What templates are given, by name. The engine keeps copies of its own, which are freed and not wiped: whoever
//! wants none of a secret does not name it in a template.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use minijinja::value::{DynObject, Object, ObjectRepr, Value, ValueKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize as _;

use crate::model::template::Cell;
use crate::model::template::engine;

/// Values by name.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<&'static str, Value>);

impl Values {
    /// A text, or nothing.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.insert(name, text.map_or_else(|| Value::from(()), Value::from));
        self
    }

    /// A secret, or nothing.
    #[must_use]
    pub fn secret(self, name: &'static str, secret: Option<&SecretString>) -> Self {
        self.text(name, secret.map(ExposeSecret::expose_secret))
    }

    /// A moment, or nothing.
    #[must_use]
    pub fn time(mut self, name: &'static str, at: Option<Timestamp>) -> Self {
        let value = at.map_or_else(|| Value::from(()), |it| Value::from_object(Moment(it)));
        self.0.insert(name, value);
        self
    }

    /// A whole number, or nothing.
    #[must_use]
    pub fn number(mut self, name: &'static str, number: Option<u64>) -> Self {
        self.0.insert(name, number.map_or_else(|| Value::from(()), Value::from));
        self
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(mut self, name: &'static str, flag: bool) -> Self {
        self.0.insert(name, Value::from(flag));
        self
    }

    /// Whatever JSON has.
    #[must_use]
    pub fn json(mut self, name: &'static str, json: &serde_json::Value) -> Self {
        // Whatever JSON has, the engine has too.
        self.0.insert(name, Value::deserialize(json).unwrap_or_default());
        self
    }

    /// Values of one subject.
    #[must_use]
    pub fn group(mut self, name: &'static str, group: &Self) -> Self {
        self.0.insert(name, group.value());
        self
    }

    /// Whether `name`, which may be `profile.first_name`, is there.
    pub(super) fn has(&self, name: &str) -> bool {
        engine::is_there(name, &self.value())
    }

    pub(super) fn value(&self) -> Value {
        Value::from_pairs(self.0.iter().map(|(name, value)| (*name, value.clone())))
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// A moment: printed as RFC 3339, compared as time, and a time in a database.
#[derive(Debug)]
struct Moment(Timestamp);

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    /// `unix` is in seconds, as most files have it.
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "unix" => Some(Value::from(self.0.as_second())),
            "unix_ms" => Some(Value::from(self.0.as_millisecond())),
            _ => None,
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// A value with its type; `None` if it is not there.
pub(super) fn cell(value: &Value) -> Option<Cell> {
    if let Some(Moment(at)) = value.downcast_object_ref::<Moment>() {
        return Some(Cell::Time(*at));
    }
    Some(match value.kind() {
        ValueKind::Undefined => return None,
        ValueKind::None => Cell::Null,
        ValueKind::Bool => Cell::Bool(value.is_true()),
        ValueKind::Number => number(value),
        _ => Cell::Text(text(value).into()),
    })
}

/// As it is printed: the engine's own way is that of Python, which no other program reads.
pub(super) fn text(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => String::new(),
        ValueKind::Bool => value.is_true().to_string(),
        _ if is_container(value) => serde_json::to_string(value).unwrap_or_default(),
        _ => value.to_string(),
    }
}

/// Whether there are values in it.
pub(super) fn is_container(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable)
}

fn number(value: &Value) -> Cell {
    if let Some(whole) = value.as_i64().filter(|_| value.is_integer()) {
        return Cell::Int(whole);
    }
    let float = f64::try_from(value.clone()).ok().filter(|_| !value.is_integer());
    // A number that is too long keeps its digits.
    float.map_or_else(|| Cell::Text(value.to_string().into()), Cell::Float)
}
