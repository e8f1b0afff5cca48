//! What stands around every page: title, menu, who looks, and what `base.html` needs of all that.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};

use crate::dashboard::looks::Looks;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::words::Words;
use crate::dashboard::{Dashboard, PLACE, address, assets, times};
use crate::model::attempt::{Attempt, Outcome};
use crate::operator::channels::ChannelState;

/// Which entry of the menu a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Attempts,
    Schedules,
    Plugins,
    Sinks,
    Alerts,
    System,
    Audit,
    /// None of them.
    Apart,
}

/// An entry of the menu.
pub(super) struct Entry {
    pub(super) place: String,
    pub(super) text: String,
    pub(super) here: bool,
}

/// Around a page. Fields and methods are for templates.
pub(super) struct Frame {
    /// The texts.
    pub(super) words: Words,
    /// Where the dashboard is: `/ui`, or `/keepfresh/ui`.
    pub(super) base: String,
    /// Where style and script are.
    pub(super) assets: String,
    /// What the page is called.
    pub(super) title: String,
    /// Which entry of the menu is lit.
    pub(super) section: Section,
    /// Who looks; nobody at the door.
    pub(super) person: Option<Person>,
    /// What was just done, as the address says it.
    pub(super) done: Option<String>,
    /// Whether the page follows what happens.
    pub(super) live: bool,
    /// Connections that need somebody: the title and the icon tell it.
    pub(super) need: u64,
    /// Now, on the clock of the daemon.
    pub(super) now: Timestamp,
    /// How whoever looks wants to see it.
    pub(super) looks: Looks,
    /// The page itself, for forms that come back to it.
    pub(super) here: String,
}

impl Frame {
    /// Around a page that `person` looks at.
    pub(super) fn new(
        dashboard: &Dashboard,
        person: &Person,
        section: Section,
        title: String,
    ) -> Self {
        let (looks, here) = (person.looks.clone(), person.here.clone());
        Self { person: Some(person.clone()), section, looks, here, ..Self::bare(dashboard, title) }
    }

    /// Around a page for whoever comes.
    pub(super) fn bare(dashboard: &Dashboard, title: String) -> Self {
        let base = dashboard.below() + PLACE;
        Self {
            words: Words::english(),
            assets: format!("{base}/assets/{}", assets::digest()),
            base,
            title,
            section: Section::Apart,
            person: None,
            done: None,
            live: false,
            need: 0,
            now: dashboard.operator().now(),
            looks: Looks::default(),
            here: String::new(),
        }
    }

    /// The same with a title from the texts, by its key.
    pub(super) fn called(self, key: &str) -> Self {
        Self { title: self.words.say(key), ..self }
    }

    /// The same, and it follows what happens.
    pub(super) fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// The same, saying what was just done.
    pub(super) fn after(self, done: Option<Done>) -> Self {
        let said = done.map(|it| it.said(&self.words));
        Self { done: said, ..self }
    }

    /// Whether whoever looks may change something.
    pub(super) fn may_change(&self) -> bool {
        self.person.as_ref().is_some_and(|it| it.may_change().is_ok())
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "templates give references, and call methods"
)]
impl Frame {
    /// What runs here.
    pub(super) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The entries of the menu.
    pub(super) fn menu(&self) -> Vec<Entry> {
        let entry = |section, place: &str, text| Entry {
            place: format!("{}/{place}", self.base),
            here: self.section == section,
            text,
        };
        let words = &self.words;
        vec![
            entry(Section::Overview, "", words.say("menu-overview")),
            entry(Section::Attempts, "attempts", words.say("menu-attempts")),
            entry(Section::Schedules, "schedules", words.say("menu-schedules")),
            entry(Section::Plugins, "plugins", words.say("menu-plugins")),
            entry(Section::Sinks, "sinks", words.say("menu-sinks")),
            entry(Section::Alerts, "alerts", words.say("menu-alerts")),
            entry(Section::System, "system", words.say("menu-system")),
            entry(Section::Audit, "audit", words.say("menu-audit")),
        ]
    }

    /// How an attempt ended, in words.
    pub(super) fn outcome(&self, attempt: &Attempt) -> String {
        match attempt.outcome() {
            Some(Outcome::Success) => self.words.say("outcome-success"),
            Some(Outcome::Failed) => self.words.say("outcome-failed"),
            Some(Outcome::Skipped) => self.words.say("outcome-skipped"),
            None => self.words.say("outcome-open"),
        }
    }

    /// The same for the style sheet.
    pub(super) fn outcome_class(&self, attempt: &Attempt) -> &'static str {
        attempt.outcome().map_or("open", Outcome::as_str)
    }

    /// How far a moment is from now: markup.
    pub(super) fn when(&self, at: &Timestamp) -> String {
        times::when(&self.words, &self.looks.zone, *at, self.now)
    }

    /// A moment: markup.
    pub(super) fn moment(&self, at: &Timestamp) -> String {
        times::moment(&self.looks.zone, *at)
    }

    /// A duration, in words.
    pub(super) fn took(&self, ms: &u64) -> String {
        times::took(&self.words, *ms)
    }

    /// A length of time, in words.
    pub(super) fn span(&self, seconds: &u64) -> String {
        let seconds = i64::try_from(*seconds).unwrap_or(i64::MAX);
        times::span(&self.words, SignedDuration::from_secs(seconds))
    }

    /// How an outlet is doing, in words.
    pub(super) fn outlet(&self, state: &ChannelState) -> String {
        match state {
            ChannelState::New => self.words.say("outlet-new"),
            ChannelState::Ok => self.words.say("outlet-ok"),
            ChannelState::Failing => self.words.say("outlet-failing"),
            ChannelState::Off => self.words.say("outlet-off"),
        }
    }

    /// A name, as a path or a query has it.
    pub(super) fn part(&self, name: &str) -> String {
        percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    /// A connection, as a path has it.
    pub(super) fn address(&self, short: &impl ToString) -> String {
        address::encoded(&short.to_string())
    }

    /// Where the page of a connection is.
    pub(super) fn connection(&self, short: &impl ToString) -> String {
        format!("{}/connections/{}", self.base, self.address(short))
    }
}

/// What a form has done, as the address of the next page says it: one of a closed set, so that nobody puts a text of
/// theirs on a page by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Done {
    Refreshing,
    Paused,
    Resumed,
    Cleared,
    Disconnected,
    Removed,
    Added,
    Connected,
    Tested,
    Delivered,
}

impl Done {
    /// As an address has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Refreshing => "refreshing",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Cleared => "cleared",
            Self::Disconnected => "disconnected",
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Connected => "connected",
            Self::Tested => "tested",
            Self::Delivered => "delivered",
        }
    }

    fn said(self, words: &Words) -> String {
        match self {
            Self::Refreshing => words.say("done-refreshing"),
            Self::Paused => words.say("done-paused"),
            Self::Resumed => words.say("done-resumed"),
            Self::Cleared => words.say("done-cleared"),
            Self::Disconnected => words.say("done-disconnected"),
            Self::Removed => words.say("done-removed"),
            Self::Added => words.say("done-added"),
            Self::Connected => words.say("done-connected"),
            Self::Tested => words.say("done-tested"),
            Self::Delivered => words.say("done-delivered"),
        }
    }
}

/// A page as an answer.
pub(super) fn page(page: &impl Template) -> Result<Response, Refused> {
    page_with(StatusCode::OK, page)
}

/// The same with another status.
pub(super) fn page_with(status: StatusCode, page: &impl Template) -> Result<Response, Refused> {
    let html = page.render().map_err(|_| Refused::Fault)?;
    Ok((status, Html(html)).into_response())
}

/// Leads to another page, after a form.
pub(super) fn to(place: &str) -> Response {
    (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, place.to_owned())]).into_response()
}
