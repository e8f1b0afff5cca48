//! Connections in the order in which people have to look at them: what only a person can mend, what fails, what
//! should have been refreshed, what was never connected, and then by the end of their tokens; what rests and what a
//! person has paused comes last. Each stretch of that order stands in an index of its own. Or in a plainer order, which
//! somebody has chosen.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::attempt::{Outcome, text_enum};
use crate::model::state::State;
use crate::storage::Page;

/// Which of them, at what time.
#[derive(Clone, Debug, Default)]
pub struct Urgency {
    /// Now.
    pub now: Timestamp,
    /// What was due before is late.
    pub overdue: Timestamp,
    /// What comes first.
    pub order: Order,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those with this label.
    pub label: Option<String>,
    /// Only those with this in their names, in whatever case.
    pub search: Option<String>,
    /// Only those whose token ends so.
    pub ends: Option<EndsIn>,
    /// Only behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// What comes first. There are only these: each is read from an index that is there for another reason. By the last
/// attempt, how it ended or how long it took would need one more, which every refresh would have to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// What people have to look at.
    #[default]
    Urgency,
    /// By provider and name.
    Name,
    /// The token that ends first, also if it has ended; last, those without a known end.
    Expiry,
    /// What is looked at next; last, what is at rest.
    Next,
}

text_enum!(Order { Urgency = "urgency", Name = "name", Expiry = "expiry", Next = "next" });

/// When a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndsIn {
    /// It has ended.
    Past,
    /// After the first, and not after the second.
    Within(Timestamp, Timestamp),
    /// Nobody says.
    Unknown,
}

/// Some of them.
#[derive(Debug, Default)]
pub struct UrgentPage {
    /// The rows, as any page has them; `next` of it is not used.
    pub page: Page,
    /// The last tries of each, oldest first, by its key.
    pub tries: HashMap<String, Vec<Try>>,
    /// Behind which place the next page begins, if there is one.
    pub next: Option<Place>,
}

/// One try, as small as a strip of them shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Tries of a strip.
pub(in crate::storage) const TRIES: u32 = 30;

/// A place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which stretch.
    pub(in crate::storage) stretch: u8,
    /// What that goes by: the end of the token there, or the time of its next look.
    pub(in crate::storage) at: i64,
    /// The key there.
    pub(in crate::storage) key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.stretch, self.at, self.key)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(());
        let (stretch, at) = (part()?.parse().map_err(drop)?, part()?.parse().map_err(drop)?);
        Ok(Self { stretch, at, key: part()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_by_its_text() {
        for (stretch, at, key) in [(0, -1, "a/b.c"), (4, i64::MAX, "a.b/c"), (6, 5, "")] {
            let place = Place { stretch, at, key: key.to_owned() };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "1", "1.2", "x.1.a/b", "1.x.a/b", "300.1.a/b"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
