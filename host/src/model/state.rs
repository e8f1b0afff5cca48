//! The one state of a connection, the sentence that goes with it, and the next step. Pure: facts and
//! `now` in, words out, the same for command line, API and dashboard.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::attempt::text_enum;
use crate::model::clock;
use crate::model::connection::{Connection, Problem};

/// How long a due refresh may lie before a connection counts as late: longer than any tick's jitter
/// and any queue of a healthy daemon.
const OVERDUE: Duration = Duration::from_mins(5);

/// Exactly one of these holds at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Never tried.
    New,
    /// Valid, and the last try was fine.
    Fresh,
    /// A try is running.
    Refreshing,
    /// Overdue or failing while the token still works.
    Late,
    /// Callers are failing.
    Expired,
    /// The grant is dead: only a person can help.
    Reconnect,
    /// A credential, setting or plugin is wrong: only a person can help.
    Misconfigured,
    /// A person paused it.
    Paused,
}

text_enum!(State {
    New = "new",
    Fresh = "fresh",
    Refreshing = "refreshing",
    Late = "late",
    Expired = "expired",
    Reconnect = "reconnect",
    Misconfigured = "misconfigured",
    Paused = "paused",
});

impl State {
    /// Whether only a person can help, or callers are failing.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Expired | Self::Reconnect | Self::Misconfigured)
    }
}

/// The state of `connection` at `now`.
pub fn state_of(connection: &Connection, now: Timestamp) -> State {
    if rests(connection, now) {
        return State::Paused;
    }
    if connection.pause.as_ref().is_some_and(|it| it.until.is_none_or(|it| it > now)) {
        return State::Paused;
    }
    match connection.problem {
        Some(Problem::Reconnect) => return State::Reconnect,
        Some(Problem::Misconfigured) => return State::Misconfigured,
        None => {}
    }
    if connection.last_attempt.as_ref().is_some_and(|it| it.outcome().is_none()) {
        return State::Refreshing;
    }
    match &connection.token {
        None if connection.failures == 0 => State::New,
        None => State::Expired,
        Some(token) if !token.is_valid(now) => State::Expired,
        Some(_) if is_late(connection, now) => State::Late,
        Some(_) => State::Fresh,
    }
}

/// Whether it expired unused: no caller had requested it, and the next caller gets a
/// fresh one.
fn rests(connection: &Connection, now: Timestamp) -> bool {
    let ended = connection.token.as_ref().is_some_and(|it| !it.is_valid(now));
    let settled = connection.failures == 0 && connection.doubt_since.is_none();
    let undisturbed = connection.pause.is_none() && connection.problem.is_none();
    ended && settled && undisturbed && waits_for_callers(connection, now)
}

/// Whether nothing is planned but what keeps the grant alive.
fn waits_for_callers(connection: &Connection, now: Timestamp) -> bool {
    let from = connection.token.as_ref().and_then(|it| it.keep_alive_from(now));
    connection.due.is_none_or(|due| due.at > now && from.is_some_and(|it| due.at >= it))
}

/// What was due before this, and was not even tried, is late.
pub fn overdue(now: Timestamp) -> Timestamp {
    clock::before(now, OVERDUE)
}

fn is_late(connection: &Connection, now: Timestamp) -> bool {
    let is_overdue = connection.due.is_some_and(|due| due.at < overdue(now));
    is_overdue || connection.failures > 0 || connection.doubt_since.is_some()
}

/// What a person reads, and the command that helps, if one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// One or two sentences.
    pub sentence: String,
    /// A command to run.
    pub next_step: Option<String>,
}

/// How a person gets a connection its first token, or the first after its grant has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The plugin logs in by itself.
    LogsIn,
    /// In a browser.
    Browser,
    /// By giving it a token.
    Token,
}

/// Puts the state of `connection` at `now` into words.
pub fn say(connection: &Connection, access: Access, now: Timestamp) -> Saying {
    let id = &connection.id;
    let (sentence, next_step) = match state_of(connection, now) {
        State::New => new(connection, access),
        State::Fresh => {
            let (grant, step) = grant(connection, access, now);
            (words([validity(connection, now), next(connection, now), grant]), step)
        }
        State::Refreshing => (refreshing(connection, now), None),
        State::Late => {
            (late(connection, now), Some(format!("keepfresh log --provider {}", id.provider())))
        }
        State::Expired => {
            (expired(connection, now), Some(format!("keepfresh refresh {id} --force --sync")))
        }
        State::Reconnect => (
            format!("{} {}", cause(connection), validity(connection, now)),
            Some(reconnect(connection, access)),
        ),
        State::Misconfigured => (
            format!("{} {}", cause(connection), validity(connection, now)),
            Some(format!("correct it, then: keepfresh refresh {id} --force --sync")),
        ),
        State::Paused if connection.pause.is_none() => {
            let (grant, step) = grant(connection, access, now);
            (words([resting(connection, now), grant]), step)
        }
        State::Paused => {
            (paused(connection, now), Some(format!("keepfresh connection resume {id}")))
        }
    };
    Saying { sentence: sentence.trim().to_owned(), next_step }
}

/// Sentences with a space between them; those that say nothing leave none.
fn words<const N: usize>(sentences: [String; N]) -> String {
    sentences.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

fn validity(connection: &Connection, now: Timestamp) -> String {
    let Some(token) = &connection.token else { return String::new() };
    match token.expires_at {
        None => "Valid; the provider gives no expiry.".to_owned(),
        Some(end) if end > now => format!("Valid for {}.", span(now, end)),
        Some(end) => format!("Expired {} ago.", span(end, now)),
    }
}

fn next(connection: &Connection, now: Timestamp) -> String {
    match connection.due {
        _ if connection.is_last() => String::new(),
        Some(due) if due.at > now => format!("Refresh due in {}.", span(now, due.at)),
        Some(_) => "Refresh is due now.".to_owned(),
        None if connection.token.as_ref().is_some_and(|it| it.expires_at.is_none()) => {
            "Not refreshed automatically: there is no schedule.".to_owned()
        }
        None => String::new(),
    }
}

/// The sentence about a refresh token that expires before it is used, and what helps.
fn grant(connection: &Connection, access: Access, now: Timestamp) -> (String, Option<String>) {
    if connection.is_last() && connection.token.as_ref().is_some_and(|it| it.expires_at.is_some()) {
        let sentence = "It has no refresh token: connect it again before it expires.".to_owned();
        return (sentence, Some(reconnect(connection, access)));
    }
    let end = connection.token.as_ref().and_then(|it| it.refresh_expires_at);
    match end.filter(|_| access != Access::LogsIn) {
        Some(end) if end <= now => (
            format!("Its refresh token expired {} ago.", span(end, now)),
            Some(reconnect(connection, access)),
        ),
        Some(end) if connection.due.is_none_or(|it| it.at >= end) => {
            (format!("Its refresh token expires in {}, unused.", span(now, end)), None)
        }
        _ => (String::new(), None),
    }
}

fn refreshing(connection: &Connection, now: Timestamp) -> String {
    let since = connection.last_attempt.as_ref().map_or(now, |it| it.started_at);
    format!("Refreshing, started {} ago.", span(since, now))
}

fn late(connection: &Connection, now: Timestamp) -> String {
    let end = connection.token.as_ref().and_then(|it| it.expires_at);
    let breaks =
        end.map(|it| format!("Callers will fail in {}.", span(now, it))).unwrap_or_default();
    let what = match (connection.doubt_since, connection.failures) {
        (Some(_), _) => {
            "The outcome of the last refresh is unknown; the old token is served until it expires."
                .to_owned()
        }
        (None, 0) => "Refresh is overdue: is `keepfresh serve` running?".to_owned(),
        (None, 1) => format!("Refresh failed: {}", cause(connection)),
        (None, times) => format!("Refresh failed {times} times: {}", cause(connection)),
    };
    format!("{what} {breaks} {}", next(connection, now))
}

fn expired(connection: &Connection, now: Timestamp) -> String {
    let since = connection.token.as_ref().and_then(|it| it.expires_at);
    let what = match since {
        Some(end) => format!("Expired {} ago. Callers are failing.", span(end, now)),
        None => "No token yet. Callers are failing.".to_owned(),
    };
    format!("{what} {} {}", cause(connection), next(connection, now))
}

fn paused(connection: &Connection, now: Timestamp) -> String {
    let pause = connection.pause.as_ref();
    let until = pause.and_then(|it| it.until).filter(|it| *it > now);
    let until = until.map(|it| format!(" for {} more", span(now, it))).unwrap_or_default();
    let reason = pause.and_then(|it| it.reason.as_deref());
    let reason = reason.map(|it| format!(": {it}")).unwrap_or_default();
    format!("Paused by a person{until}{reason}. {}", validity(connection, now))
}

fn cause(connection: &Connection) -> String {
    let Some(error) = &connection.error else { return String::new() };
    let mut text = error.message.trim().to_owned();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn new(connection: &Connection, access: Access) -> (String, Option<String>) {
    let id = &connection.id;
    match access {
        Access::LogsIn => ("Never refreshed.".to_owned(), Some(format!("keepfresh refresh {id}"))),
        Access::Browser => {
            ("Not connected yet.".to_owned(), Some(format!("keepfresh connect {id}")))
        }
        Access::Token => ("No token yet.".to_owned(), Some(format!("keepfresh token set {id}"))),
    }
}

fn resting(connection: &Connection, now: Timestamp) -> String {
    let asked = connection.active_at.map_or_else(
        || "No caller has requested its token yet".to_owned(),
        |it| format!("No caller has requested its token for {}", span(it, now)),
    );
    let kept = connection.due.map(|it| format!(", and in {} to keep its grant", span(now, it.at)));
    format!("{asked}; it is refreshed when one does{}.", kept.unwrap_or_default())
}

fn reconnect(connection: &Connection, access: Access) -> String {
    let id = &connection.id;
    match access {
        Access::Browser => format!("keepfresh connect {id}"),
        Access::LogsIn | Access::Token => {
            format!("log in at the provider again, then: keepfresh token set {id}")
        }
    }
}

/// A duration as people say it: the two largest units.
pub fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else {
        return "0s".to_owned();
    };
    let (size, name) = units[first];
    let mut text = format!("{}{name}", seconds / size);
    if let Some((smaller, name)) = units.get(first + 1)
        && let rest @ 1.. = seconds % size / smaller
    {
        let _ = write!(text, " {rest}{name}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attempt::Trigger;
    use crate::model::code;
    use crate::model::connection::{Due, Pause, TokenFacts};
    use crate::model::failure::{Case, Failure};
    use crate::model::fixture::{self, at};

    /// Of `jibit`, valid until 7800.
    fn connection() -> Connection {
        let token = TokenFacts { expires_at: Some(at(7_800)), ..fixture::token() };
        Connection { id: "jibit".parse().unwrap(), token: Some(token), ..fixture::connection() }
    }

    #[test]
    fn failing_is_late_while_the_token_works_and_expired_after() {
        let failing = Connection { failures: 3, ..connection() };
        assert_eq!(state_of(&failing, at(0)), State::Late);
        assert_eq!(state_of(&failing, at(7_800)), State::Expired);
    }

    #[test]
    fn a_late_connection_says_when_callers_break() {
        let error = Failure::new(Case::Unavailable, code::Token::None, "jibit is down");
        let failing = Connection { failures: 3, error: Some(error), ..connection() };
        assert_eq!(
            say(&failing, Access::LogsIn, at(0)).sentence,
            "Refresh failed 3 times: jibit is down. Callers will fail in 2h 10m."
        );
    }

    #[test]
    fn a_pause_hides_every_other_state() {
        let paused = Connection {
            pause: Some(Pause { until: Some(at(60)), reason: Some("maintenance".to_owned()) }),
            problem: Some(Problem::Reconnect),
            ..connection()
        };
        assert_eq!(state_of(&paused, at(0)), State::Paused);
        assert_eq!(state_of(&paused, at(60)), State::Reconnect);
        assert_eq!(
            say(&paused, Access::LogsIn, at(0)).sentence,
            "Paused by a person for 1m more: maintenance. Valid for 2h 10m."
        );
    }

    #[test]
    fn what_nobody_asks_for_is_at_rest_and_not_a_failure() {
        let resting = Connection { active_at: Some(at(0)), ..connection() };
        assert_eq!(state_of(&resting, at(7_799)), State::Fresh);
        assert_eq!(state_of(&resting, at(86_400)), State::Paused);
        assert_eq!(
            say(&resting, Access::Browser, at(86_400)).sentence,
            "No caller has requested its token for 1d; it is refreshed when one does."
        );
        let failing = Connection { failures: 1, ..resting };
        assert_eq!(state_of(&failing, at(86_400)), State::Expired);
    }

    #[test]
    fn a_refresh_token_that_ends_unused_is_told() {
        let ends = |refresh, due: Option<i64>| {
            let mut fresh = connection();
            fresh.token.as_mut().unwrap().refresh_expires_at = Some(at(refresh));
            fresh.due = due.map(|it| Due { at: at(it), trigger: Trigger::Expiry });
            say(&fresh, Access::Browser, at(100))
        };
        let usual = ends(9_000, Some(5_200));
        assert_eq!(usual.sentence, "Valid for 2h 8m. Refresh due in 1h 25m.");
        let unused = ends(3_700, None);
        assert_eq!(unused.sentence, "Valid for 2h 8m. Its refresh token expires in 1h, unused.");
        let ended = ends(40, Some(5_200));
        assert!(ended.sentence.ends_with("Its refresh token expired 1m ago."), "{ended:?}");
        assert_eq!(ended.next_step.unwrap(), format!("keepfresh connect {}", connection().id));
    }

    #[test]
    fn what_rests_says_when_its_grant_is_kept_alive() {
        let mut resting = Connection { active_at: Some(at(0)), ..connection() };
        resting.token.as_mut().unwrap().refresh_expires_at = Some(at(10 * 86_400));
        resting.due = Some(Due { at: at(8 * 86_400), trigger: Trigger::Expiry });
        assert_eq!(state_of(&resting, at(86_400)), State::Paused);
        assert_eq!(
            say(&resting, Access::Browser, at(86_400)).sentence,
            "No caller has requested its token for 1d; it is refreshed when one does, and in 7d to keep its grant."
        );
        assert_eq!(state_of(&resting, at(8 * 86_400)), State::Expired, "it is due and not done");
        resting.due = Some(Due { at: at(90_000), trigger: Trigger::Expiry });
        assert_eq!(state_of(&resting, at(86_400)), State::Expired, "it waits for its provider");
    }

    #[test]
    fn a_token_without_an_end_says_what_follows() {
        let mut endless = connection();
        endless.token.as_mut().unwrap().expires_at = None;
        let sentence = |it: &Connection| say(it, Access::LogsIn, at(0)).sentence;
        assert_eq!(
            sentence(&endless),
            "Valid; the provider gives no expiry. Not refreshed automatically: there is no schedule."
        );
        endless.due = Some(Due { at: at(60), trigger: Trigger::Scheduled });
        assert_eq!(sentence(&endless), "Valid; the provider gives no expiry. Refresh due in 1m.");
    }

    #[test]
    fn a_dead_grant_is_connected_where_it_was_made() {
        let dead = Connection { problem: Some(Problem::Reconnect), ..connection() };
        let step = |access| say(&dead, access, at(0)).next_step.unwrap();
        assert_eq!(step(Access::Browser), format!("keepfresh connect {}", dead.id));
        assert!(step(Access::Token).ends_with(&format!("keepfresh token set {}", dead.id)));
    }

    #[test]
    fn nothing_tried_is_new_and_nothing_got_is_expired() {
        let empty = Connection { token: None, generation: 0, ..connection() };
        assert_eq!(state_of(&empty, at(0)), State::New);
        assert_eq!(state_of(&Connection { failures: 1, ..empty }, at(0)), State::Expired);
    }

    #[test]
    fn spans_show_their_two_largest_units() {
        assert_eq!(span(at(0), at(90_061)), "1d 1h");
        assert_eq!(span(at(0), at(59)), "59s");
        assert_eq!(span(at(0), at(3_600)), "1h");
        assert_eq!(span(at(9), at(3)), "0s");
    }
}
