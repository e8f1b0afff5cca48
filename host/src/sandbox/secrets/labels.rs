//! What a handle was made of: the secrets whose plaintext is in it, so that it leaves only with
//! requests that may carry all of them. Pure; knows names and no values.

use std::collections::BTreeSet;

use crate::model::descriptor::TOKENS;

/// A set of labels. Copied freely: a bit for each name of [`Names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Labels(u64);

impl Labels {
    /// All of both.
    pub(in crate::sandbox) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    pub(in crate::sandbox) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub(in crate::sandbox) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `other` has all of these.
    pub(in crate::sandbox) fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// The most secrets that a descriptor may declare: with the tokens and the unknown, 64 bits.
pub(in crate::sandbox) const MOST_SECRETS: usize = 48;

/// Names of labels during one call: the contract's own, the connection's secrets, and one for whatever
/// has a name that nobody declares any more, which no request carries.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Names(Vec<String>);

impl Names {
    /// The names for a plugin with these secrets.
    pub(in crate::sandbox) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let own = TOKENS.iter().map(|(name, _)| *name);
        let mut names = own.collect::<Vec<_>>();
        for secret in secrets {
            if !names.contains(&secret) && names.len() < TOKENS.len() + MOST_SECRETS {
                names.push(secret);
            }
        }
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// The label of this name.
    pub(in crate::sandbox) fn label(&self, name: &str) -> Labels {
        let place = self.0.iter().position(|it| it == name).unwrap_or(63);
        Labels(1 << place)
    }

    /// The labels of tokens: what a provider gives, and may well repeat.
    pub(in crate::sandbox) fn tokens(&self) -> Labels {
        let names = ["access-token", "refresh-token", "extra-tokens", "answer"];
        names.into_iter().fold(Labels::default(), |all, it| all.and(self.label(it)))
    }

    /// The labels of these names.
    pub(in crate::sandbox) fn labels<'a>(
        &self,
        names: impl IntoIterator<Item = &'a String>,
    ) -> Labels {
        names.into_iter().fold(Labels::default(), |all, it| all.and(self.label(it)))
    }

    /// Their names; one that nobody declares is called `undeclared`.
    pub(in crate::sandbox) fn of(&self, labels: Labels) -> BTreeSet<String> {
        let name = |place: usize| self.0.get(place).map_or("undeclared", String::as_str).to_owned();
        (0..64).filter(|place| labels.0 & (1 << place) != 0).map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_add_up_and_have_names() {
        let names = Names::new(["key", "password"]);
        let both = names.label("key").and(names.label("access-token"));
        assert_eq!(names.of(both), ["access-token", "key"].map(str::to_owned).into());
        assert!(names.label("key").within(both) && !both.within(names.label("key")));
    }

    #[test]
    fn a_name_that_nobody_declares_is_a_label_of_its_own() {
        let names = Names::new(["key"]);
        let gone = names.label("gone");
        assert!(!gone.within(names.labels(&["key".to_owned()])));
        assert_eq!(names.of(gone), ["undeclared".to_owned()].into());
    }
}
