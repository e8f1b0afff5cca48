//! The secrets that the host knows during one call: finding them in a text, in whatever spelling, and
//! striking them out of what a plugin says. Many are looked for in one pass over the text, few in one for each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use memchr::memmem;
use zeroize::Zeroizing;

use crate::model::plain::is_hidden;
use crate::sandbox::secrets::labels::Labels;
use crate::sandbox::secrets::spelling;

/// What stands where a secret stood.
pub(in crate::sandbox) const SEALED: &str = "[sealed]";

/// What stands where a number stood that was not declared.
pub(in crate::sandbox) const SEALED_NUMBER: &str = "[sealed number]";

/// Shorter ones are not struck out: they would take half the alphabet with them.
const SHORTEST: usize = 4;

/// Bytes of a secret that the automaton knows; the rest is compared where they are found. So its size
/// depends on how many secrets there are and not on how long.
const HEAD: usize = 64;

/// Up to so many are looked for one after the other: nearly all calls know fewer, and each new one would have an
/// automaton made anew, which takes longer than all that it finds.
const FEW: usize = 24;

/// Bytes that are compared between two looks at the clock.
const BREATH: usize = 1 << 20;

/// The secrets of one call, in lower case: an error page may shout.
#[derive(Default)]
pub(in crate::sandbox) struct Known {
    secrets: Vec<Secret>,
    /// Finds their heads when there are many; made when it is first needed after a new one.
    heads: Option<AhoCorasick>,
    /// The longest of them, in bytes.
    longest: usize,
    /// When to look no further: whatever has not been looked at by then counts as a secret.
    until: Option<Instant>,
}

struct Secret {
    text: Zeroizing<String>,
    /// What it is made of, unless it is the provider's own.
    labels: Labels,
    is_made: bool,
}

impl Secret {
    /// What of it is looked for.
    fn head(&self) -> &[u8] {
        let bytes = self.text.as_bytes();
        bytes.get(..HEAD).unwrap_or(bytes)
    }
}

/// All places of one head in a text, also those that lie in each other.
struct Places<'a> {
    of: &'a [u8],
    text: &'a [u8],
    from: usize,
}

impl Iterator for Places<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let found = self.from + memmem::find(self.text.get(self.from..)?, self.of)?;
        self.from = found + 1;
        Some(found)
    }
}

/// What is known of a value that came from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox) struct Traces {
    /// The labels of the secrets that are in it.
    pub(in crate::sandbox) labels: Labels,
    /// Whether something is in it that the provider did not make.
    pub(in crate::sandbox) has_made: bool,
}

impl Known {
    /// Knows `text` from now on. `is_made` is false for what the provider itself sent.
    pub(in crate::sandbox) fn learn(&mut self, text: &str, labels: Labels, is_made: bool) {
        if text.len() < SHORTEST {
            return;
        }
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        match self.secrets.iter_mut().find(|it| it.text == lower) {
            Some(known) if is_made => {
                known.labels = known.labels.and(labels);
                known.is_made = true;
            }
            Some(_) => {}
            None => {
                self.longest = self.longest.max(lower.len());
                self.secrets.push(Secret { text: lower, labels, is_made });
                self.heads = None;
            }
        }
    }

    /// Looks for nothing any more from `until` on. Whoever sets it ends the call then.
    pub(in crate::sandbox) fn give_up_at(&mut self, until: Option<Instant>) {
        self.until = until;
    }

    /// How many there are.
    pub(in crate::sandbox) fn count(&self) -> usize {
        self.secrets.len()
    }

    /// The longest secret in bytes.
    pub(in crate::sandbox) fn longest(&self) -> usize {
        self.longest
    }

    /// Whether a secret is in `text`, in any spelling.
    pub(in crate::sandbox) fn is_in(&mut self, text: &str) -> bool {
        self.traces(text, |_| true).is_some()
    }

    /// What of the operator's, the host's and the plugin's own making is in `text`, in any spelling.
    pub(in crate::sandbox) fn made_in(&mut self, text: &str) -> Traces {
        let labels = self.traces(text, |it| it.is_made);
        Traces { labels: labels.unwrap_or_default(), has_made: labels.is_some() }
    }

    fn traces(&mut self, text: &str, counts: impl Fn(&Secret) -> bool) -> Option<Labels> {
        if self.secrets.is_empty() || text.len() < SHORTEST {
            return None;
        }
        if self.is_late() {
            return Some(self.everything());
        }
        let lengths = self.secrets.iter().filter(|it| counts(it)).map(|it| it.text.len());
        let least = lengths.min()?;
        let spellings = spelling::undone(text.as_bytes(), least);
        let all = std::iter::once(text.as_bytes()).chain(spellings.iter().map(Vec::as_slice));
        let mut found = None;
        for text in all {
            let whole = self.find(text, |secret, _| {
                if counts(secret) {
                    found = Some(found.unwrap_or(Labels::default()).and(secret.labels));
                }
            });
            if !whole {
                return Some(self.everything());
            }
        }
        found
    }

    /// What is assumed of a text that could not be looked through.
    fn everything(&self) -> Labels {
        self.secrets.iter().fold(Labels::default(), |all, it| all.and(it.labels))
    }

    /// Tells `each` secret in `text` and where it stands, letter by letter but for their case. False when
    /// it was not looked through: many long secrets that begin alike are slow to tell apart.
    fn find(&mut self, text: &[u8], mut each: impl FnMut(&Secret, Range<usize>)) -> bool {
        let lower = text.to_ascii_lowercase();
        let mut compared = 0;
        if self.secrets.len() <= FEW {
            let fits = |it: &&Secret| it.text.len() <= lower.len();
            return self.secrets.iter().filter(fits).all(|it| {
                let mut places = Places { of: it.head(), text: &lower, from: 0 };
                places.all(|start| self.matches(it, &lower, start, &mut compared, &mut each))
            });
        }
        let Some(heads) = self.heads() else { return false };
        heads.find_overlapping_iter(&lower).all(|found| {
            let secret = &self.secrets[found.pattern().as_usize()];
            self.matches(secret, &lower, found.start(), &mut compared, &mut each)
        })
    }

    /// Tells `each` of `secret` if all of it stands at `start`, where its head does. False when it is too late.
    fn matches(
        &self,
        secret: &Secret,
        lower: &[u8],
        start: usize,
        compared: &mut usize,
        mut each: impl FnMut(&Secret, Range<usize>),
    ) -> bool {
        *compared += HEAD + secret.text.len();
        if *compared > BREATH {
            *compared = 0;
            if self.is_late() {
                return false;
            }
        }
        let end = start + secret.text.len();
        if lower.get(start..end) == Some(secret.text.as_bytes()) {
            each(secret, start..end);
        }
        true
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|it| Instant::now() > it)
    }

    fn heads(&mut self) -> Option<AhoCorasick> {
        if self.heads.is_none() {
            self.heads = AhoCorasick::new(self.secrets.iter().map(Secret::head)).ok();
        }
        self.heads.clone()
    }

    /// `text` with every secret struck out. One in another spelling takes the whole text with it: where
    /// it stands there, nobody can say.
    pub(in crate::sandbox) fn strike<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        self.strike_until(text, text.len())
    }

    /// The same of what begins before `end`.
    fn strike_until<'t>(&mut self, text: &'t str, end: usize) -> Cow<'t, str> {
        if !self.is_in(text) {
            return Cow::Borrowed(text.get(..text.floor_char_boundary(end)).unwrap_or(text));
        }
        // The longest that begins at each place.
        let mut places = BTreeMap::<usize, usize>::new();
        let whole = self.find(text.as_bytes(), |_, place| {
            let longest = places.entry(place.start).or_default();
            *longest = place.end.max(*longest);
        });
        if !whole {
            return Cow::Borrowed(SEALED);
        }
        let mut struck = String::with_capacity(text.len());
        let mut done = 0;
        for (from, to) in places.into_iter().filter(|(from, _)| *from < end) {
            if let Some(before) = text.get(done..from).filter(|_| from >= done) {
                struck.push_str(before);
                struck.push_str(SEALED);
            }
            done = done.max(to);
        }
        let end = text.floor_char_boundary(end);
        struck.push_str(text.get(done..end).unwrap_or_default());
        if self.is_in(&struck) { Cow::Borrowed(SEALED) } else { Cow::Owned(struck) }
    }

    /// `text` with secrets struck out, control characters escaped, and at most `most` bytes. It is cut
    /// before it is looked at, so that a long one costs no more than a short one; where it is cut, a
    /// secret that began before still has its end.
    pub(in crate::sandbox) fn clean(&mut self, text: &str, most: usize) -> String {
        let window = text.floor_char_boundary(most.saturating_add(self.longest));
        let struck = self.strike_until(text.get(..window).unwrap_or(text), most);
        let mut out = String::with_capacity(struck.len().min(most));
        let mut is_cut = text.len() > most;
        for character in struck.chars() {
            let start = out.len();
            match character {
                it if is_hidden(it) => out.extend(it.escape_default()),
                it => out.push(it),
            }
            if out.len() > most {
                out.truncate(start);
                is_cut = true;
                break;
            }
        }
        if is_cut {
            out.push('…');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    fn known(secrets: &[&str]) -> Known {
        let mut known = Known::default();
        for secret in secrets {
            known.learn(secret, Labels::default(), true);
        }
        known
    }

    #[test]
    fn a_known_secret_is_struck_out_wherever_it_stands() {
        let mut known = known(&["hunter22"]);
        assert_eq!(known.strike("a hunter22 b HUNTER22"), "a [sealed] b [sealed]");
        assert!(known.is_in("xhunter22x"));
        assert_eq!(known.strike("hunter2 2"), "hunter2 2");
    }

    #[test]
    fn a_secret_that_begins_with_another_is_struck_out_whole() {
        let mut known = known(&["prod", "prod-7e1f", "1f of"]);
        assert_eq!(known.strike("prod-7e1f of prod!"), "[sealed] [sealed]!");
    }

    #[test]
    fn a_secret_in_another_spelling_takes_the_text_with_it() {
        let mut known = known(&["a b&c\"d"]);
        for text in ["key=a+b%26c%22d", r#"{"key":"a b&c\"d"}"#, "key=YSBiJmMiZA=="] {
            assert_eq!(known.strike(text), SEALED, "{text}");
        }
    }

    #[test]
    fn the_shortest_says_what_is_worth_undoing() {
        let mut known = known(&["hunter22", &"long".repeat(8)]);
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for text in [encode("hunter22"), "68756e7465723232".to_owned(), "%68unter22".to_owned()] {
            assert!(known.is_in(&text), "{text}");
        }
        assert!(!known.is_in(&encode("hunter2")));
    }

    #[test]
    fn a_long_secret_is_known_by_all_of_it() {
        let long = format!("{}{}", "a".repeat(200), "b".repeat(50));
        let mut known = known(&[&long]);
        assert!(known.is_in(&format!("<{long}>")));
        assert!(!known.is_in(&"a".repeat(250)));
    }

    #[test]
    fn what_the_provider_sent_leaves_no_trace_of_the_plugins() {
        let mut known = Known::default();
        let key = crate::sandbox::secrets::labels::Names::new(["key"]).label("key");
        known.learn("provider-token", Labels::default(), false);
        known.learn("hunter22", key, true);
        assert_eq!(known.made_in("provider-token"), Traces::default());
        let encoded = base64::engine::general_purpose::STANDARD.encode("x hunter22");
        assert_eq!(known.made_in(&encoded), Traces { labels: key, has_made: true });
    }

    #[test]
    fn what_there_is_no_time_to_look_at_counts_as_a_secret() {
        let mut known = known(&["hunter22"]);
        assert!(!known.is_in("nothing at all"));
        known.give_up_at(Some(Instant::now()));
        assert!(known.is_in("nothing at all"));
        assert_eq!(known.strike("nothing at all"), SEALED);
        known.give_up_at(None);
        assert_eq!(known.strike("nothing at all"), "nothing at all");
    }

    #[test]
    fn secrets_that_begin_alike_are_told_apart() {
        let (short, long) = ("a".repeat(200), format!("{}b", "a".repeat(300)));
        let others = (0..FEW).map(|it| format!("other{it}")).collect::<Vec<_>>();
        for more in [&[], others.as_slice()] {
            let mut known = known(&[&short, &long]);
            for other in more {
                known.learn(other, Labels::default(), true);
            }
            assert!(known.is_in(&long) && known.is_in(&short));
            assert!(!known.is_in(&format!("{}b", "a".repeat(199))));
            assert_eq!(known.strike(&format!("x{long}x")), "x[sealed]x");
        }
    }

    proptest! {
        #[test]
        fn few_are_found_where_many_would_be(
            secrets in prop::collection::vec("a{4,6}|(ab){2,4}|[ab]{4,9}", 1..6),
            text in "(a{1,9}|(ab){1,6}|b| ){0,9}",
        ) {
            let places = |filled: bool| {
                let mut known = known(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
                for other in 0..if filled { FEW } else { 0 } {
                    known.learn(&format!("other{other}"), Labels::default(), true);
                }
                let mut places = Vec::new();
                known.find(text.as_bytes(), |it, place| places.push((it.text.to_string(), place.start)));
                places.sort();
                (known.strike(&text).into_owned(), places)
            };
            prop_assert_eq!(places(false), places(true));
        }
    }

    #[test]
    fn a_line_cannot_forge_another_or_colour_the_terminal() {
        let clean = known(&[]).clean("a\nERROR b\u{1b}[31m\u{202e}\u{feff}", 100);
        assert_eq!(clean, "a\\nERROR b\\u{1b}[31m\\u{202e}\\u{feff}");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character_and_shows_no_half_of_a_secret() {
        assert_eq!(known(&[]).clean("ääää", 5), "ää…");
        let mut known = known(&["hunter22"]);
        assert_eq!(known.clean("1234 hunter22", 8), "1234 [se…");
        let line = "hunter22 ".repeat(100);
        for most in 1..200 {
            assert!(!known.clean(&line, most).contains("hun"), "{most}");
        }
    }
}
