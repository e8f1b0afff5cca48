//! What a page says, in the reader's language. The texts are Project Fluent's, one file for each language, so that a
//! translation is a file and a line here. What the host says of connections and failures comes as it is.

use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// The languages there are, by their tags.
const ALL: &[(&str, &str)] = &[("en", include_str!("../../templates/en.ftl"))];

static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(ALL[0].0, ALL[0].1));

/// A number of things: templates have them by reference.
pub trait Count {
    /// As a number.
    fn number(&self) -> u64;
}

impl Count for u64 {
    fn number(&self) -> u64 {
        *self
    }
}

impl Count for u32 {
    fn number(&self) -> u64 {
        u64::from(*self)
    }
}

impl Count for usize {
    fn number(&self) -> u64 {
        *self as u64
    }
}

impl<T: Count> Count for &T {
    fn number(&self) -> u64 {
        (**self).number()
    }
}

/// Texts of one language. A clone is cheap.
#[derive(Clone)]
pub struct Words(Arc<Parts>);

struct Parts {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    /// The words of the language that there is.
    pub fn english() -> Self {
        ENGLISH.clone()
    }

    fn read(tag: &'static str, text: &'static str) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // What was read is used whatever else is wrong; a test sees to it that nothing is.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(read, _)| read);
        let _ = bundle.add_resource(resource);
        // Marks of direction around each name: where the language runs the other way, a name needs them.
        bundle.set_use_isolating(direction(tag) == "rtl");
        bundle.set_formatter(Some(grouped));
        Self(Arc::new(Parts { tag, bundle }))
    }

    /// The tag of the language.
    pub fn language(&self) -> &'static str {
        self.0.tag
    }

    /// `ltr` or `rtl`.
    pub fn direction(&self) -> &'static str {
        direction(self.0.tag)
    }

    /// The text of that key.
    pub fn say(&self, key: &str) -> String {
        self.told(key, &FluentArgs::new())
    }

    /// The text of that key, for so many (`$count`).
    pub fn count(&self, key: &str, count: impl Count) -> String {
        self.told(key, &counting(count.number()))
    }

    /// The text of that key, with what stands in it.
    pub fn with(&self, key: &str, given: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in given {
            args.set(*name, *value);
        }
        self.told(key, &args)
    }

    /// The text of that key, for so many, with what stands in it.
    pub fn count_with(&self, key: &str, count: impl Count, given: &[(&str, &str)]) -> String {
        let mut args = counting(count.number());
        for (name, value) in given {
            args.set(*name, *value);
        }
        self.told(key, &args)
    }

    /// A key that is not there is shown as it is: better than an empty place.
    fn told(&self, key: &str, args: &FluentArgs<'_>) -> String {
        let pattern = self.0.bundle.get_message(key).and_then(|it| it.value());
        let mut problems = Vec::new();
        let say = |it| self.0.bundle.format_pattern(it, Some(args), &mut problems).into_owned();
        pattern.map_or_else(|| key.to_owned(), say)
    }
}

fn counting(count: u64) -> FluentArgs<'static> {
    let mut args = FluentArgs::new();
    args.set("count", FluentValue::from(count));
    args
}

fn direction(tag: &str) -> &'static str {
    let language = tag.split('-').next().unwrap_or_default();
    if matches!(language, "ar" | "ckb" | "fa" | "he" | "ur") { "rtl" } else { "ltr" }
}

/// Numbers with a thin gap between thousands, which no language takes for a decimal sign.
fn grouped(
    value: &FluentValue<'_>,
    _: &intl_memoizer::concurrent::IntlLangMemoizer,
) -> Option<String> {
    match value {
        FluentValue::Number(FluentNumber { value, .. }) => Some(with_gaps(&value.to_string())),
        _ => None,
    }
}

/// `1 000 000`.
pub fn with_gaps(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |it| number.split_at(it));
    let mut said = String::with_capacity(number.len() + 8);
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && whole.len() > 4 {
            said.push('\u{202f}');
        }
        said.push(digit);
    }
    said + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Keys that a text of code or a template asks for.
    fn asked(text: &str, found: &mut BTreeSet<String>) {
        for call in [".say(\"", ".count(\"", ".with(\"", ".count_with(\"", ".called(\""] {
            for part in text.split(call).skip(1) {
                found.extend(part.split('"').next().map(str::to_owned));
            }
        }
    }

    fn read(folder: &std::path::Path, ending: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                read(&path, ending, found);
            } else if path.extension().is_some_and(|it| it == ending) && !path.ends_with("words.rs")
            {
                asked(&std::fs::read_to_string(path).unwrap(), found);
            }
        }
    }

    #[test]
    fn each_text_that_is_asked_for_is_there_and_each_that_is_there_is_asked_for() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = BTreeSet::new();
        read(&folder.join("templates"), "html", &mut found);
        read(&folder.join("src/dashboard"), "rs", &mut found);
        let text = ALL[0].1;
        let there = text.lines().filter(|it| it.starts_with(|it: char| it.is_ascii_lowercase()));
        let there = there.filter_map(|it| it.split_once(" =")).map(|it| it.0.to_owned());
        let there = there.collect::<BTreeSet<_>>();
        let missing = found.difference(&there).collect::<Vec<_>>();
        assert!(missing.is_empty(), "not in en.ftl: {missing:?}");
        let unused = there.difference(&found).collect::<Vec<_>>();
        assert!(unused.is_empty(), "in en.ftl and nowhere asked for: {unused:?}");
    }

    #[test]
    fn every_language_can_be_read() {
        for (tag, text) in ALL {
            let read = FluentResource::try_new((*text).to_owned());
            assert!(read.is_ok(), "{tag}: {:?}", read.err().map(|it| it.1));
        }
    }

    #[test]
    fn numbers_have_gaps_and_plurals() {
        assert_eq!(with_gaps("1000000"), "1\u{202f}000\u{202f}000");
        assert_eq!(
            (with_gaps("1234").as_str(), with_gaps("12345.5").as_str()),
            ("1234", "12\u{202f}345.5")
        );
    }
}
