//! The credentials that a provider takes: named values, and a switch that takes none.

use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    values: BTreeMap<String, String>,
    rejecting: bool,
}

impl Credentials {
    pub(crate) fn new<const N: usize>(values: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { values: values.map(owned).into(), rejecting: false }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn reject(&mut self, rejecting: bool) {
        self.rejecting = rejecting;
    }

    pub(crate) fn admit(&self, given: &[(&str, &str)]) -> bool {
        !self.rejecting
            && given.iter().all(|(name, value)| self.values.get(*name).is_some_and(|v| v == value))
    }

    /// The value of a name; empty when there is none.
    pub(crate) fn value(&self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }
}
