//! Which connections the table shows: everything is in the address, so that it can be kept and sent.

use serde::Deserialize;

use crate::dashboard::form::given;
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::wording::state_word;
use crate::dashboard::refused::Refused;
use crate::model::state::State;
use crate::operator::overview::Overview;
use crate::operator::urgent::{Order, UrgentQuery};

/// As the address has it.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Wanted {
    pub(super) search: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) state: Option<String>,
    pub(super) label: Option<String>,
    pub(super) ends: Option<String>,
    pub(super) sort: Option<String>,
}

impl Wanted {
    /// What is asked for; a state or an order that there is not is refused.
    pub(super) fn query(&self) -> Result<UrgentQuery, Refused> {
        let state = given(self.state.clone()).map(|it| it.parse().map_err(|_| Refused::Unreadable));
        let ends = given(self.ends.clone()).map(|it| it.parse().map_err(|_| Refused::Unreadable));
        let order = given(self.sort.clone()).map(|it| it.parse().map_err(|_| Refused::Unreadable));
        Ok(UrgentQuery {
            provider: given(self.provider.clone()),
            state: state.transpose()?,
            label: given(self.label.clone()),
            search: given(self.search.clone()),
            ends: ends.transpose()?,
            order: order.transpose()?.unwrap_or_default(),
        })
    }

    /// The same filters in another order.
    pub(super) fn sorted(&self, order: Order) -> Self {
        let sort = (order != Order::default()).then(|| order.as_str().to_owned());
        Self { sort, ..self.clone() }
    }

    /// The same order of all.
    fn without_filters(&self) -> Self {
        Self { sort: self.sort.clone(), ..Self::default() }
    }

    /// Those that are set.
    fn filters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("search", self.search.as_deref()),
            ("provider", self.provider.as_deref()),
            ("state", self.state.as_deref()),
            ("label", self.label.as_deref()),
            ("ends", self.ends.as_deref()),
        ];
        let set = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        set.filter(|(_, value)| !value.is_empty())
    }

    fn is_everything(&self) -> bool {
        self.filters().next().is_none()
    }

    /// The address of the table with these filters in this order, and something else behind them.
    pub(super) fn address(&self, frame: &Frame, more: &[(&str, &str)]) -> String {
        let sort = self.sort.as_deref().filter(|it| !it.is_empty()).map(|it| ("sort", it));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.filters()).extend_pairs(sort).extend_pairs(more);
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{mark}{query}#connections", frame.base)
    }
}

/// The form above the table.
pub(super) struct Filters {
    pub(super) search: String,
    pub(super) provider: String,
    pub(super) label: String,
    pub(super) ends: String,
    pub(super) providers: Vec<String>,
    /// Where all of them are, if these are not.
    pub(super) clear: Option<String>,
}

impl Filters {
    pub(super) fn of(frame: &Frame, wanted: &Wanted, providers: Vec<String>) -> Self {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        Self {
            search: text(&wanted.search),
            provider: text(&wanted.provider),
            label: text(&wanted.label),
            ends: text(&wanted.ends),
            providers,
            clear: (!wanted.is_everything()).then(|| wanted.without_filters().address(frame, &[])),
        }
    }
}

/// One state to choose.
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) text: String,
    pub(super) chosen: bool,
}

/// All states, with how many are in each.
pub(super) fn states(frame: &Frame, all: &Overview, wanted: &Wanted) -> Vec<Choice> {
    let choice = |state: &State| {
        let count = all.states.get(state).copied().unwrap_or_default();
        let (word, name) = (state.as_str(), state_word(&frame.words, *state));
        Choice {
            word,
            text: format!("{name} ({})", crate::dashboard::words::with_gaps(&count.to_string())),
            chosen: wanted.state.as_deref() == Some(word),
        }
    };
    State::ALL.iter().map(choice).collect()
}
