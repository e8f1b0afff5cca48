//! What a descriptor declares to read of answers, matched step by step on the way into a document.

use crate::model::descriptor::{Kind, Read};
use crate::sandbox::answers::sealing::names::{Names, is_plain_header};

/// Declarations of one plugin.
#[derive(Clone, Debug, Default)]
pub(in crate::sandbox) struct Reads {
    places: Vec<Place>,
    headers: Vec<(String, Kind)>,
    /// How a body that is text may be read.
    body: Option<Kind>,
    names: Names,
}

#[derive(Clone, Debug)]
struct Place {
    steps: Vec<Step>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Named(String),
    /// Any one step.
    One,
    /// Any number of steps.
    Many,
}

/// A place in a document: the declarations that still fit, each with the steps that are behind it.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Here {
    alive: Vec<(usize, usize)>,
    /// Whether a step on the way was named like a secret.
    closed: bool,
    /// Whether the last step was.
    secret: bool,
}

/// The most declarations of a descriptor.
pub(in crate::sandbox) const MOST_READS: usize = 128;

impl Reads {
    /// The declarations, or the first that is wrong, in words that go on after `reads ...`.
    pub(in crate::sandbox) fn new(reads: &[Read], sealed: &[String]) -> Result<Self, String> {
        let mut all = Self { names: Names::new(sealed), ..Self::default() };
        for read in reads {
            match read.place.strip_prefix("header:") {
                Some(name) => all.headers.push((all.header(name, read.kind)?, read.kind)),
                None if read.place.is_empty() => all.body = Some(read.kind),
                None => all.places.push(all.place(read)?),
            }
        }
        Ok(all)
    }

    fn header(&self, name: &str, kind: Kind) -> Result<String, String> {
        let is_name =
            !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        if !is_name {
            return Err(format!("the header `{name}`, which is not a header name"));
        }
        if self.names.is_secret_header(name) {
            return Err(format!("the header {name}, which is named like a secret"));
        }
        // Redirects carry codes and tokens behind the address.
        if name.eq_ignore_ascii_case("location") && kind != Kind::Address {
            return Err(format!("the header {name}, which can only be read as an address"));
        }
        Ok(name.to_ascii_lowercase())
    }

    fn place(&self, read: &Read) -> Result<Place, String> {
        let wrong = |why: &str| Err(format!("`{}`, {why}", read.place));
        let rest = match read.place.strip_prefix("**") {
            Some(rest) => rest,
            None => &read.place,
        };
        if !rest.starts_with('/') {
            return wrong("which does not begin with `/` or `**/`");
        }
        let many = (rest.len() < read.place.len()).then_some(Step::Many);
        let mut steps = many.into_iter().collect::<Vec<_>>();
        let named = rest.split('/').skip(1).collect::<Vec<_>>();
        for (index, step) in named.iter().enumerate() {
            steps.push(match *step {
                "**" if index + 1 < named.len() => {
                    return wrong("which has `**` in the middle");
                }
                "**" => Step::Many,
                "*" => Step::One,
                name => Step::Named(name.replace("~1", "/").replace("~0", "~")),
            });
        }
        self.refuse_secrets(read, &steps)?;
        Ok(Place { steps, kind: read.kind })
    }

    /// A place that is named like a secret holds one, whatever the plugin says it is. Numbers and dates
    /// beside a token may be read.
    fn refuse_secrets(&self, read: &Read, steps: &[Step]) -> Result<(), String> {
        let tells_little = matches!(read.kind, Kind::Number | Kind::Date);
        for (index, step) in steps.iter().enumerate() {
            let Step::Named(name) = step else { continue };
            let is_last = index + 1 == steps.len();
            let is_secret = if is_last {
                self.names.is_secret(name)
            } else {
                self.names.is_closed(name) && !tells_little
            };
            if is_secret {
                return Err(format!("`{}`, where `{name}` is named like a secret", read.place));
            }
        }
        Ok(())
    }

    /// How a header may be read.
    pub(in crate::sandbox) fn of_header(&self, name: &str) -> Option<Kind> {
        let declared = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        let plain = || is_plain_header(name).then_some(Kind::Fact);
        let address = || name.eq_ignore_ascii_case("location").then_some(Kind::Address);
        declared.map(|(_, kind)| *kind).or_else(plain).or_else(address)
    }

    /// How a body that is text may be read.
    pub(in crate::sandbox) fn of_body(&self) -> Option<Kind> {
        self.body
    }

    /// The top of a document.
    pub(in crate::sandbox) fn top(&self) -> Here {
        let alive = (0..self.places.len()).map(|place| (place, 0)).collect();
        Here { alive, closed: false, secret: false }
    }

    /// The place one step further. `name` is the name of a member, or the number of an item.
    pub(in crate::sandbox) fn step(&self, here: &Here, name: &str) -> Here {
        let is_item = name.bytes().all(|it| it.is_ascii_digit());
        let secret = if is_item { here.secret } else { self.names.is_secret(name) };
        let closed = here.closed || (!is_item && self.names.is_closed(name));
        let mut alive = Vec::new();
        for (place, done) in &here.alive {
            let steps = &self.places[*place].steps;
            advance(steps, *done, name, |done| alive.push((*place, done)));
        }
        alive.dedup();
        Here { alive, closed, secret }
    }

    /// How the value at this place may be read, if at all.
    pub(in crate::sandbox) fn kind(&self, here: &Here) -> Option<Kind> {
        let ends = |(place, done): &(usize, usize)| {
            let rest = self.places[*place].steps.get(*done..).unwrap_or_default();
            rest.is_empty() || rest == [Step::Many]
        };
        let kinds =
            here.alive.iter().filter(|it| ends(it)).map(|(place, _)| self.places[*place].kind);
        let may = |kind: &Kind| {
            !here.secret && (!here.closed || matches!(kind, Kind::Number | Kind::Date))
        };
        kinds.filter(may).min_by_key(|kind| strictness(*kind))
    }

    /// Whether names of members here are facts of the account, as those of an object of ids are.
    pub(in crate::sandbox) fn names_are_facts(&self, here: &Here) -> bool {
        self.kind(here) == Some(Kind::Fact)
    }
}

/// Where a declaration stands after one more step; it may be at several places at once.
fn advance(steps: &[Step], done: usize, name: &str, mut reach: impl FnMut(usize)) {
    match steps.get(done) {
        Some(Step::Named(it)) if it == name => reach(done + 1),
        Some(Step::One) => reach(done + 1),
        Some(Step::Many) => {
            reach(done);
            // A leading `**` may stand for no step at all.
            advance(steps, done + 1, name, reach);
        }
        _ => {}
    }
}

/// Where several declarations fit, the one that shows most counts: each was approved.
fn strictness(kind: Kind) -> u8 {
    match kind {
        Kind::Fact => 0,
        Kind::Text => 1,
        Kind::Address => 2,
        Kind::Code => 3,
        Kind::Date => 4,
        Kind::Number => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(places: &[(&str, Kind)]) -> Result<Reads, String> {
        let read = |(place, kind): &(&str, Kind)| Read { place: (*place).to_owned(), kind: *kind };
        Reads::new(&places.iter().map(read).collect::<Vec<_>>(), &["value".to_owned()])
    }

    fn kind(place: &str, declared: Kind, pointer: &str) -> Option<Kind> {
        let reads = reads(&[(place, declared)]).unwrap();
        let steps = pointer.split('/').skip(1);
        reads.kind(&steps.fold(reads.top(), |here, step| reads.step(&here, step)))
    }

    #[test]
    fn a_place_is_read_and_no_other() {
        for (place, pointer, fits) in [
            ("/error", "/error", true),
            ("/error", "/error/code", false),
            ("/error", "/data/error", false),
            ("/errors/*/code", "/errors/0/code", true),
            ("/errors/*/code", "/errors/code", false),
            ("**/error", "/error", true),
            ("**/error", "/a/b/error", true),
            ("**/error", "/error/message", false),
            ("/user/**", "/user/a/0/b", true),
            ("/user/**", "/user", true),
            ("/user/**", "/other", false),
            ("/a~1b", "/a/b", false),
        ] {
            assert_eq!(kind(place, Kind::Text, pointer).is_some(), fits, "{place} {pointer}");
        }
    }

    #[test]
    fn what_is_called_like_a_secret_is_sealed_whatever_is_declared() {
        for pointer in ["/user/token", "/user/password", "/user/token/value", "/user/tokens/0"] {
            assert_eq!(kind("/user/**", Kind::Fact, pointer), None, "{pointer}");
        }
        for pointer in ["/token/expires_in", "/access_token/expires_in"] {
            assert_eq!(kind("**/expires_in", Kind::Number, pointer), Some(Kind::Number));
            assert_eq!(kind("**/expires_in", Kind::Code, pointer), None, "{pointer}");
        }
    }

    #[test]
    fn a_declaration_of_a_secret_is_refused() {
        for place in [
            "/access_token",
            "**/password",
            "/token/id",
            "/data/value",
            "/tokens",
            "header:X-Auth-Token",
            "header:Set-Cookie",
            "error",
            "/a/**/b",
            "header:",
            "header:a b",
            "**",
            "**error",
        ] {
            let error = reads(&[(place, Kind::Code)]).unwrap_err();
            assert!(error.contains(place.trim_start_matches("header:")), "{place}: {error}");
        }
        assert!(reads(&[("/token/expires_in", Kind::Number)]).is_ok());
    }

    #[test]
    fn headers_and_text_bodies_are_declared_too() {
        let reads = reads(&[("header:X-Request-Id", Kind::Fact), ("", Kind::Text)]).unwrap();
        assert_eq!(reads.of_header("x-request-id"), Some(Kind::Fact));
        assert_eq!(reads.of_header("Location"), Some(Kind::Address));
        assert_eq!(reads.of_header("X-Other"), None);
        assert_eq!(reads.of_body(), Some(Kind::Text));
    }
}
