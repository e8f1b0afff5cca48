//! Settings of a connection, and the small readings of them that plugins share.

use crate::bindings::exports::keepfresh::provider::provider::Descriptor;
use crate::bindings::keepfresh::provider::types::Failure;

/// Settings of a connection by name.
#[derive(Clone, Debug, Default)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// The settings given, then the defaults of those that were not.
    pub fn new(descriptor: &Descriptor, given: Vec<(String, String)>) -> Self {
        let mut all = Self(given);
        for field in &descriptor.settings {
            if let (None, Some(default)) = (all.optional(&field.name), &field.default) {
                all.0.push((field.name.clone(), default.clone()));
            }
        }
        all
    }

    /// Those of a call, in which the host has filled in the defaults of what was left out. One that is empty counts as
    /// left out, too; only then is the descriptor asked for.
    pub(crate) fn given(given: Vec<(String, String)>, descriptor: fn() -> Descriptor) -> Self {
        let is_whole = given.iter().all(|(_, value)| !value.is_empty());
        if is_whole { Self(given) } else { Self::new(&descriptor(), given) }
    }

    /// A setting that may be left out; an empty one counts as left out.
    pub fn optional(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A setting that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        let missing = || Failure::misconfigured(format!("the setting `{name}` is missing"));
        self.optional(name).ok_or_else(missing)
    }

    /// The words of a setting with spaces between them; none where it is left out.
    pub fn words(&self, name: &str) -> Vec<String> {
        let words = self.optional(name).unwrap_or_default().split_whitespace();
        words.map(str::to_owned).collect()
    }

    /// What a setting chooses of a few names; none where it is left out.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Failure> {
        let Some(chosen) = self.optional(name) else { return Ok(None) };
        let found = choices.iter().find(|(known, _)| *known == chosen);
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(known, _)| format!("`{known}`")).collect();
            Failure::misconfigured(format!(
                "the setting `{name}` must be one of {}",
                names.join(", ")
            ))
        })
    }

    /// Fills the `{name}` placeholders of a URL; `{name.origin}` is the scheme, host and port of an
    /// address. A slash that ends a setting is dropped before another one, because `https://host/`
    /// as a base is the commonest slip.
    pub fn fill(&self, template: &str) -> Result<String, Failure> {
        let mut url = String::new();
        let mut rest = template;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            let value = match name.strip_suffix(".origin") {
                Some(name) => origin(self.required(name)?),
                None => self.required(name)?,
            };
            let value = if after.starts_with('/') { value.trim_end_matches('/') } else { value };
            url.extend([before, value]);
            rest = after;
        }
        url.push_str(rest);
        Ok(url)
    }
}

/// The pieces of a list with commas, spaces or both between them.
pub fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(|it: char| it == ',' || it.is_whitespace()).filter(|piece| !piece.is_empty())
}

/// Scheme, host and port of an address: all before the slash that begins its path.
pub fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at + 3);
    let path = address.get(host..).and_then(|rest| rest.find(['/', '?', '#']));
    path.and_then(|length| address.get(..host + length)).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let given = [("base_url", "https://a.example/"), ("tenant", "t{1}"), ("empty", "")];
        Settings(given.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn a_url_is_filled_once_and_without_a_double_slash() {
        let url = settings().fill("{base_url}/v1/{tenant}/token").unwrap();
        assert_eq!(url, "https://a.example/v1/t{1}/token");
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        for (address, expected) in [
            ("https://a.example/api/login/", "https://a.example"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("https://a.example?x=/", "https://a.example"),
        ] {
            assert_eq!(origin(address), expected);
        }
        assert_eq!(settings().fill("{base_url.origin}/login").unwrap(), "https://a.example/login");
    }

    #[test]
    fn an_empty_setting_is_a_missing_one() {
        let failure = settings().fill("{base_url}/{empty}").unwrap_err();
        assert!(matches!(failure, Failure::Misconfigured(text) if text.contains("`empty`")));
    }

    #[test]
    fn a_choice_is_one_of_its_names_or_left_out() {
        let choices = [("t{1}", 1), ("t2", 2)];
        assert_eq!(settings().choice("tenant", &choices).unwrap(), Some(1));
        assert_eq!(settings().choice("empty", &choices).unwrap(), None);
        let wrong = settings().choice("base_url", &choices).unwrap_err();
        let text = "the setting `base_url` must be one of `t{1}`, `t2`";
        assert!(matches!(wrong, Failure::Misconfigured(it) if it == text));
    }

    #[test]
    fn defaults_fill_what_was_not_given() {
        use crate::bindings::exports::keepfresh::provider::provider::Field;
        let descriptor = Descriptor::new("x", "1.0.0", "X")
            .setting(Field::required("a", "A", "").or("1"))
            .setting(Field::optional("b", "B", "").or("2"));
        let settings = Settings::new(&descriptor, vec![("a".to_owned(), "9".to_owned())]);
        assert_eq!((settings.optional("a"), settings.optional("b")), (Some("9"), Some("2")));
    }

    #[test]
    fn a_setting_that_was_given_empty_has_its_default() {
        use crate::bindings::exports::keepfresh::provider::provider::Field;
        let descriptor =
            || Descriptor::new("x", "1.0.0", "X").setting(Field::required("a", "A", "").or("1"));
        let given = |value: &str| vec![("a".to_owned(), value.to_owned())];
        assert_eq!(Settings::given(given(""), descriptor).optional("a"), Some("1"));
        assert_eq!(Settings::given(given("9"), descriptor).optional("a"), Some("9"));
        let unasked = || panic!("what is whole needs no descriptor");
        assert_eq!(Settings::given(given("9"), unasked).optional("a"), Some("9"));
    }
}
