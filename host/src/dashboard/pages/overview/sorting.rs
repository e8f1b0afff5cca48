//! In which order the table stands: a choice in the form, and a link in the head of each column that it can be sorted by.

use crate::dashboard::frame::Frame;
use crate::dashboard::pages::overview::filter::{Choice, Wanted};
use crate::dashboard::words::Words;
use crate::operator::urgent::Order;

/// The orders there are.
pub(super) struct Sorting {
    pub(super) choices: Vec<Choice>,
    pub(super) heads: Vec<Head>,
}

/// The head of a column.
pub(super) struct Head {
    pub(super) text: String,
    /// Where the table is sorted by it, and what the link says of that.
    pub(super) link: Option<(String, String)>,
    /// How it is sorted by it, for `aria-sort`.
    pub(super) sorted: Option<&'static str>,
}

impl Sorting {
    pub(super) fn of(frame: &Frame, wanted: &Wanted, order: Order) -> Self {
        let words = &frame.words;
        let choice = |it: &Order| Choice {
            word: it.as_str(),
            text: order_word(words, *it),
            chosen: *it == order,
        };
        let by = |text: String, it: Order| Head {
            text,
            link: Some((wanted.sorted(it).address(frame, &[]), order_word(words, it))),
            sorted: (it == order).then(|| direction(it)),
        };
        let plain = |text: String| Head { text, link: None, sorted: None };
        Self {
            choices: Order::ALL.iter().map(choice).collect(),
            heads: vec![
                by(words.say("word-connection"), Order::Name),
                by(words.say("overview-state"), Order::Urgency),
                by(words.say("overview-lifetime"), Order::Expiry),
                by(words.say("overview-next-refresh"), Order::Next),
                // No index goes by these: see `Order`.
                plain(words.say("overview-last")),
                plain(words.say("overview-strip")),
            ],
        }
    }
}

/// Urgency is no order of what stands in its column.
fn direction(order: Order) -> &'static str {
    match order {
        Order::Urgency => "other",
        Order::Name | Order::Expiry | Order::Next => "ascending",
    }
}

fn order_word(words: &Words, order: Order) -> String {
    match order {
        Order::Urgency => words.say("sort-urgency"),
        Order::Name => words.say("sort-name"),
        Order::Expiry => words.say("sort-expiry"),
        Order::Next => words.say("sort-next"),
    }
}
