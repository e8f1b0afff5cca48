//! Reads the tree by hand: what is wrong is collected and reading goes on, where a derived reader
//! would stop at the first problem. A table that is missing reads as an empty one.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::manifest::problems::{Fault, Problems};
use crate::manifest::reference::Section;
use crate::manifest::value;
use crate::model::code;
use crate::model::nearest::nearest;

/// A value and where it stands.
pub(super) type Node<'t> = &'t Spanned<DeValue<'t>>;

/// A table that is being read.
pub(super) struct Table<'t> {
    entries: Option<&'t DeTable<'t>>,
    place: Range<usize>,
    /// Whose it is, for messages: "provider `eskiz`".
    subject: String,
    /// Which keys it has; none where names are free.
    section: Option<Section>,
    problems: &'t Problems<'t>,
}

impl<'t> Table<'t> {
    pub(super) fn root(entries: &'t DeTable<'t>, problems: &'t Problems<'t>) -> Self {
        let subject = "the manifest".to_owned();
        Self { entries: Some(entries), place: 0..0, subject, section: None, problems }
    }

    /// The table at `node`; what is no table is reported and reads as an empty one.
    pub(super) fn open(&self, node: Node<'t>, what: &str, subject: &str) -> Table<'t> {
        let entries = match node.get_ref() {
            DeValue::Table(entries) => Some(entries),
            other => {
                self.report(node.span(), what, &value::wrong_kind("a table", other));
                None
            }
        };
        let subject = subject.to_owned();
        Table { entries, place: node.span(), subject, section: None, problems: self.problems }
    }

    /// The table at `key`, which belongs to `subject`.
    pub(super) fn table(&self, key: &str, subject: &str) -> Table<'t> {
        match self.node(key) {
            Some(node) => self.open(node, key, subject),
            None => Table {
                entries: None,
                place: self.place.clone(),
                subject: subject.to_owned(),
                section: None,
                problems: self.problems,
            },
        }
    }

    /// A part of this table's owner that is itself a table, such as its retries.
    pub(super) fn part(&self, key: &str) -> Table<'t> {
        self.table(key, &format!("`{key}` of {}", self.subject))
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub(super) fn problems(&self) -> &'t Problems<'t> {
        self.problems
    }

    pub(super) fn node(&self, key: &str) -> Option<Node<'t>> {
        if let Some(section) = self.section {
            debug_assert!(section.key(key).is_some(), "the reference has no {section:?}.{key}");
            #[cfg(test)]
            self.problems.asked_for(section, key);
        }
        self.entries?.get(key)
    }

    /// The same table with the keys that `section` has: every other key in it is reported. `hint` helps
    /// where no known key is near.
    pub(super) fn with(mut self, section: Section, hint: &str) -> Self {
        self.only(&section.names(), hint);
        self.section = Some(section);
        self
    }

    /// A length of time within the bounds of the reference.
    pub(super) fn time(&self, key: &str) -> Option<Duration> {
        let (least, most) =
            self.section.map_or((Duration::ZERO, Duration::MAX), |it| it.times(key));
        self.read(key, value::duration(least, most))
    }

    /// A whole number within the bounds of the reference.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        let (least, most) = self.section.map_or((0, u32::MAX), |it| it.counts(key));
        self.read(key, value::integer(least, most))
    }

    /// Every key, its place and its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, Range<usize>, Node<'t>)> {
        let entries = self.entries.into_iter().flatten();
        entries.map(|(key, node)| (key.get_ref().as_ref(), key.span(), node))
    }

    /// Converts the value at `key`, if there is one; a fault is reported under the value.
    pub(super) fn read<T>(
        &self,
        key: &str,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<T> {
        self.convert(self.node(key)?, key, convert)
    }

    /// Converts a value that is called `what` in messages.
    pub(super) fn convert<T>(
        &self,
        node: Node<'t>,
        what: &str,
        convert: impl FnOnce(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<T> {
        convert(node.get_ref()).map_err(|fault| self.report(node.span(), what, &fault)).ok()
    }

    /// The items of the array at `key`.
    pub(super) fn items(&self, key: &str) -> &'t [Spanned<DeValue<'t>>] {
        match self.node(key).map(|it| (it.span(), it.get_ref())) {
            None => &[],
            Some((_, DeValue::Array(items))) => items,
            Some((span, other)) => {
                self.report(span, key, &value::wrong_kind("an array", other));
                &[]
            }
        }
    }

    /// Converts each item of the array at `key`; messages call an item `what`.
    pub(super) fn list<T>(
        &self,
        key: &str,
        what: &str,
        convert: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Vec<T> {
        let items = self.items(key).iter();
        items.filter_map(|item| self.convert(item, what, &convert)).collect()
    }

    /// Reports that something of this table's owner is not valid.
    pub(super) fn report(&self, at: Range<usize>, what: &str, fault: &Fault) {
        let message = match fault.code {
            code::Manifest::Type => format!("{} has the wrong type for {what}", self.subject),
            _ => format!("{} has an invalid {what}", self.subject),
        };
        self.problems.report(at, &message, fault);
    }

    /// Reports every key that is not among `known`.
    fn only(&self, known: &[&str], hint: &str) {
        for (key, span, _) in self.entries().filter(|it| !known.contains(&it.0)) {
            let (label, help) = match nearest(key, known.iter().copied()) {
                Some(near) => {
                    (format!("did you mean `{near}`?"), format!("write `{near}` instead"))
                }
                None if hint.is_empty() => (
                    "unknown key".to_owned(),
                    format!("the keys allowed here are {}", listed(known)),
                ),
                None => ("unknown key".to_owned(), hint.to_owned()),
            };
            let message = format!("{} has an unknown key `{key}`", self.subject);
            self.problems.report(
                span,
                &message,
                &Fault::new(code::Manifest::UnknownKey, label, help),
            );
        }
    }

    /// Reports every key among `foreign` that is there: `owner` has none of them.
    pub(super) fn leave_out(&self, foreign: &[&str], owner: &str) {
        for (key, span, _) in self.entries().filter(|it| foreign.contains(&it.0)) {
            let message = format!("{} has a key `{key}` that does nothing here", self.subject);
            let label = format!("{owner} has no `{key}`");
            let fault = Fault::new(code::Manifest::UnknownKey, label, "remove it");
            self.problems.report(span, &message, &fault);
        }
    }
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
