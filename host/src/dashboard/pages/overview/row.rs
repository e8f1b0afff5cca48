//! One connection in the table: its state, how much of its token's life is used, its last tries, and what comes next.

use crate::dashboard::address;
use crate::dashboard::drawing::strip::strip;
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::wording::{lifetime, state_word, tried};
use crate::model::attempt::Attempt;
use crate::model::state::State;
use crate::operator::urgent::UrgentView;

/// Tries of a strip.
const TRIES: usize = 30;

/// A row.
pub(super) struct Row {
    /// What it is found by when the page is renewed.
    pub(super) key: String,
    pub(super) place: String,
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) class: &'static str,
    pub(super) state: String,
    pub(super) sentence: String,
    /// How much of its life is used: markup.
    pub(super) gauge: String,
    /// When the token ends: markup.
    pub(super) expires: Option<String>,
    /// When it is refreshed next: markup.
    pub(super) next: Option<String>,
    pub(super) last: Option<Last>,
    /// Its last tries: markup.
    pub(super) strip: String,
    /// Whether a button refreshes it.
    pub(super) can_refresh: bool,
}

/// The last try.
pub(super) struct Last {
    pub(super) class: &'static str,
    pub(super) outcome: String,
    pub(super) took: Option<String>,
    /// When: markup.
    pub(super) at: String,
}

impl Row {
    pub(super) fn of(frame: &Frame, it: &UrgentView) -> Self {
        let view = &it.view;
        let outcomes = it.tries.iter().map(|it| it.outcome).collect::<Vec<_>>();
        let readable = view.error.is_none();
        Self {
            key: format!("c-{}", address::encoded(&view.short).replace('%', "_")),
            place: frame.connection(&view.short),
            name: view.short.clone(),
            labels: view.labels.clone(),
            class: view.state.as_str(),
            state: state_word(&frame.words, view.state),
            sentence: view.sentence.clone(),
            gauge: lifetime(frame, view.state, it.issued_at, view.expires_at),
            expires: view.expires_at.map(|it| frame.when(&it)),
            next: view.next_refresh_at.map(|it| frame.when(&it)),
            last: view.last_attempt.as_ref().map(|it| Last::of(frame, it)),
            strip: strip(&tried(frame, &outcomes), &outcomes, TRIES),
            can_refresh: frame.may_change() && readable && view.state != State::Refreshing,
        }
    }
}

impl Last {
    fn of(frame: &Frame, it: &Attempt) -> Self {
        Self {
            class: frame.outcome_class(it),
            outcome: frame.outcome(it),
            took: it.duration_ms.map(|it| frame.took(&it)),
            at: frame.when(&it.started_at),
        }
    }
}
