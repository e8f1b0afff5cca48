//! When a connection is looked at next, from what its row says and nothing else: the one rule (decision
//! 0022). Whoever changes a row asks here, so that no order of events leaves a time that nobody meant.
//! Pure. A try that is open hides the time of its connection: storage looks at it when its lease ends. That a pause holds whatever else is written at the same moment, the database sees to: a trigger
//! in `0005_times.sql`.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::connection::{Connection, Due, TokenFacts};
use crate::refresher::plan::{Timing, at_the_end};

/// What the rule rests on, besides the row of the connection.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Whether a first token can be had with nobody present.
    pub logs_in: bool,
    /// The times of the manifest; `None` when it does not know the provider.
    pub timing: Option<Timing<'a>>,
    /// Whether what waits was told to wait by a clock that was ahead.
    pub ahead: bool,
    /// Now.
    pub now: Timestamp,
}

/// The longest that a provider nobody knows any more is waited for.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// When `connection` is looked at next; `None` when only a person or a caller can help.
pub(super) fn due(connection: &Connection, facts: &Facts<'_>) -> Option<Due> {
    if let Some(pause) = &connection.pause {
        return pause.until.map(|at| Due { at, trigger: Trigger::Expiry });
    }
    if connection.problem.is_some() {
        return None;
    }
    let soon = Due { at: facts.now, trigger: Trigger::Expiry };
    // First of all: what waits after a failure goes on waiting, whether or not there is a token.
    if connection.failures > 0 || connection.doubt_since.is_some() {
        return Some(waiting(connection, facts).unwrap_or(soon));
    }
    match (&connection.token, &facts.timing) {
        (None, _) => facts.logs_in.then_some(soon),
        (Some(token), _) if connection.is_last() => at_the_end(token.ends()),
        (Some(_), None) => connection.due.or(Some(soon)),
        (Some(token), Some(timing)) => timing.restored(token, facts.now),
    }
}

/// What a failure said, unless no failure can have meant it.
fn waiting(connection: &Connection, facts: &Facts<'_>) -> Option<Due> {
    let ends = connection.token.as_ref().map(TokenFacts::ends).unwrap_or_default();
    let latest = facts.timing.as_ref().map_or_else(
        || clock::after(facts.now, LONGEST_WAIT),
        |it| it.longest_wait(ends, facts.now),
    );
    connection.due.filter(|it| !facts.ahead && it.at <= latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::provider::Provider;
    use crate::model::connection::{Agreed, Pause, Problem};
    use crate::model::fixture::{at, connection as fresh};

    const DAY: i64 = 86_400;

    fn due_at(second: i64) -> Due {
        Due { at: at(second), trigger: Trigger::Backup }
    }

    /// The rule at second 60, for a provider that the manifest knows, with `change` in the facts.
    fn check(connection: &Connection, change: impl Fn(&mut Facts<'_>)) -> Option<i64> {
        let text = "[providers.x]";
        let manifest =
            crate::manifest::parse(text, std::path::Path::new("keepfresh.toml")).unwrap();
        let provider: &Provider = &manifest.providers["x"];
        let timing = Some(Timing::new(provider, None, &connection.id));
        let mut facts = Facts { logs_in: false, timing, ahead: false, now: at(60) };
        change(&mut facts);
        due(connection, &facts).map(|it| it.at.as_second())
    }

    #[test]
    fn a_pause_comes_before_everything_else() {
        let pause = |until: Option<i64>| Connection {
            pause: Some(Pause { until: until.map(at), reason: None }),
            failures: 1,
            due: Some(due_at(10)),
            ..fresh()
        };
        for (until, due) in [(None, None), (Some(500), Some(500)), (Some(10), Some(10))] {
            assert_eq!(check(&pause(until), |_| ()), due);
        }
    }

    #[test]
    fn what_a_person_must_mend_waits_for_that_person() {
        let broken = Connection { problem: Some(Problem::Misconfigured), failures: 1, ..fresh() };
        assert_eq!(check(&broken, |_| ()), None);
    }

    #[test]
    fn a_failure_waits_as_long_as_it_said_and_never_longer_than_any_can() {
        let waits = |due| Connection { failures: 1, due, ..fresh() };
        assert_eq!(check(&waits(Some(due_at(700))), |_| ()), Some(700));
        assert_eq!(check(&waits(Some(due_at(20))), |_| ()), Some(20));
        assert_eq!(check(&waits(None), |_| ()), Some(60));
        assert_eq!(check(&waits(Some(due_at(364 * DAY))), |_| ()), Some(60));
        assert_eq!(check(&waits(Some(due_at(364 * DAY))), |it| it.timing = None), Some(60));
        assert_eq!(check(&waits(Some(due_at(700))), |it| it.ahead = true), Some(60));
        let doubtful = Connection { doubt_since: Some(at(0)), failures: 0, ..waits(None) };
        assert_eq!(check(&doubtful, |_| ()), Some(60));
    }

    #[test]
    fn a_doubt_may_wait_for_a_token_of_a_month() {
        let mut doubtful = Connection { doubt_since: Some(at(0)), ..fresh() };
        doubtful.token.as_mut().unwrap().expires_at = Some(at(30 * DAY));
        doubtful.due = Some(due_at(30 * DAY));
        assert_eq!(check(&doubtful, |_| ()), Some(30 * DAY));
    }

    #[test]
    fn what_is_settled_follows_its_token() {
        let planned = check(&fresh(), |_| ()).unwrap();
        // A third of the hour before its end, or earlier by a quarter of that: it depends on the name.
        assert!((2_100..=2_400).contains(&planned), "{planned}");
        let far = Connection { due: Some(due_at(364 * DAY)), ..fresh() };
        assert_eq!(check(&far, |_| ()), Some(planned), "whatever was planned before");
        assert_eq!(check(&far, |it| it.now = at(9_000)), Some(9_000));
        assert_eq!(check(&far, |it| it.timing = None), Some(364 * DAY), "nobody knows better");
        let last = Some(Agreed { asked: Vec::new(), renewable: false });
        let last = Connection { agreed: last, ..fresh() };
        assert_eq!(check(&last, |_| ()), Some(3_600), "nothing renews it");
        let empty = Connection { token: None, ..fresh() };
        assert_eq!(check(&empty, |_| ()), None);
        assert_eq!(check(&empty, |it| it.logs_in = true), Some(60));
    }
}

#[cfg(test)]
mod random;
