//! Flags of a command line, each taken once by whoever knows it. What is left over is a mistake.

use std::{collections::BTreeMap, str::FromStr};

use crate::provider::family::Class;

/// Flags by name. One without a value, such as a switch, has an empty one.
pub(crate) struct Flags(BTreeMap<String, String>);

impl Flags {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mut flags = BTreeMap::new();
        while let Some(argument) = arguments.next() {
            let flag = argument.strip_prefix("--").ok_or(format!("`{argument}` is no flag"))?;
            let value = arguments.next_if(|next| !next.starts_with("--")).unwrap_or_default();
            if flags.insert(flag.to_owned(), value).is_some() {
                return Err(format!("--{flag} is there twice"));
            }
        }
        Ok(Self(flags))
    }

    pub(crate) fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("--{name} cannot be `{text}`"))
    }

    pub(crate) fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    pub(crate) fn switch(&mut self, name: &str) -> Result<bool, String> {
        match self.0.remove(name).as_deref() {
            None => Ok(false),
            Some("") => Ok(true),
            Some(value) => Err(format!("--{name} takes no value, and got `{value}`")),
        }
    }

    pub(crate) fn class(&mut self, default: Class) -> Result<Class, String> {
        self.0.remove("class").map_or(Ok(default), |text| text.parse())
    }

    /// A list between commas.
    pub(crate) fn list(&mut self, name: &str, default: Vec<String>) -> Vec<String> {
        let Some(text) = self.0.remove(name) else { return default };
        text.split(',').map(ToOwned::to_owned).collect()
    }

    /// One of a few words.
    pub(crate) fn choice<T: Clone>(
        &mut self,
        name: &str,
        default: T,
        choices: &[(&str, T)],
    ) -> Result<T, String> {
        let Some(text) = self.0.remove(name) else { return Ok(default) };
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, choice)| choice.clone()).ok_or_else(|| {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            format!("--{name} cannot be `{text}`; use {}", words.join(", "))
        })
    }

    /// The name of a flag that nobody took.
    pub(crate) fn leftover(self) -> Option<String> {
        self.0.into_keys().next()
    }
}
