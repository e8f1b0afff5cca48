//! What a request for a refresh comes to: nothing, a login, or a refresh. Pure: facts in, decision
//! out; the hardest rules of the protocol are here and in `judge`.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::connection::{Connection, TokenFacts};
use crate::model::rotation::{Remedy, Rotation};
use crate::model::state::span;
use crate::refresher::ask::{Ask, Wish, wish};

/// What the decision rests on, besides the connection.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// What the provider does with used refresh tokens.
    pub rotation: Rotation,
    /// Whether the plugin can log in with nobody present.
    pub unattended: bool,
    /// When an attempt that has no outcome began, if there is one.
    pub interrupted: Option<Timestamp>,
    /// Answers that were captured and nobody has spent.
    pub captured: Option<Captured>,
    /// When a request left, besides those with a captured answer, that has none.
    pub unanswered: Option<Timestamp>,
    /// Whether nobody has asked for the token for so long that nobody will miss it.
    pub idle: bool,
    /// Whether the provider gave the current token, and not a person.
    pub given: bool,
    /// Now.
    pub now: Timestamp,
}

/// What can be done with captured answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// They can be given to the plugin, which got them so many times.
    Readable {
        /// The first time included.
        readings: u32,
    },
    /// The key that opens them is not here, or they are damaged.
    Unopenable,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing; for people the reason is recorded.
    Skip(String),
    /// Call `login`.
    Login,
    /// Call `refresh`, and `login` if the grant turns out to be dead.
    Refresh,
    /// The same over the answers that were captured; only what was not captured is sent.
    Replay,
    /// Nothing yet: the outcome of an earlier request is unknown and trying again could kill the
    /// grant. Once, at this time.
    WaitUntil(Timestamp),
    /// Nothing until a caller asks: nobody has for a long time.
    Rest,
    /// Nothing: an answer waits that cannot be opened, and what is sent instead may end the grant.
    Unopenable,
    /// Nothing works without a person.
    NeedsPerson,
}

impl Decision {
    /// Whether the provider would be asked for something new.
    pub fn sends(&self) -> bool {
        matches!(self, Self::Login | Self::Refresh)
    }
}

/// Decides what `ask` comes to for `connection`.
pub fn decide(connection: &Connection, ask: Ask, facts: &Facts) -> Decision {
    let decision = find_way(connection, ask, facts);
    // The time of what was interrupted is the end of its claim, and no wish of the provider.
    let patient = ask.is_patient() && facts.interrupted.is_none() && decision.sends();
    match next_try(connection, facts.now).filter(|_| patient) {
        Some(at) => Decision::Skip(format!(
            "the last refresh failed; the next try is in {}, or use --force to refresh now",
            span(facts.now, at)
        )),
        None => decision,
    }
}

fn find_way(connection: &Connection, ask: Ask, facts: &Facts) -> Decision {
    if connection.pause.is_some() {
        let resume = format!("keepfresh connection resume {}", connection.id);
        return Decision::Skip(format!("paused by a person; resume it with: {resume}"));
    }
    if let Some(reason) = not_needed(connection, ask, facts) {
        return Decision::Skip(reason);
    }
    if facts.idle && !ask.trigger.is_on_request() && may_rest(connection, facts) {
        return Decision::Rest;
    }
    let Some(token) = &connection.token else {
        return if facts.unattended { Decision::Login } else { Decision::NeedsPerson };
    };
    if let Some(decision) = decide_captured(connection, ask, facts) {
        return decision;
    }
    // The earlier of both: a grace counts from the first use of the token.
    let since = facts.interrupted.into_iter().chain(connection.doubt_since).min();
    resolve(since, token, ask, facts).unwrap_or(Decision::Refresh)
}

/// What captured answers come to; `None` when they are given up, or there are none.
fn decide_captured(connection: &Connection, ask: Ask, facts: &Facts) -> Option<Decision> {
    let readings = match facts.captured? {
        Captured::Readable { readings } => readings,
        Captured::Unopenable if facts.unattended => return Some(Decision::Login),
        Captured::Unopenable if ask.insists() => return None,
        Captured::Unopenable => return Some(Decision::Unopenable),
    };
    // An answer that could not be read twice will not be read a third time. If it was rubbish, it
    // leaves a doubt, and that is resolved like any other; a plugin that died of it is waited for.
    let tried = readings >= 2 && facts.interrupted.is_none();
    let given_up = tried && !ask.replay;
    if given_up && (connection.doubt_since.is_some() || facts.unattended) {
        return facts.unattended.then_some(Decision::Login);
    }
    // Reading goes on where the interrupted attempt stood: at a request that has left, perhaps.
    let token = connection.token.as_ref()?;
    Some(resolve(facts.unanswered, token, ask, facts).unwrap_or(Decision::Replay))
}

/// What the doubt about a request that left at `since` comes to; `None` when it may be sent again.
fn resolve(
    since: Option<Timestamp>,
    token: &TokenFacts,
    ask: Ask,
    facts: &Facts,
) -> Option<Decision> {
    let since = since.filter(|_| facts.rotation != Rotation::None)?;
    if facts.unattended {
        // A login does not depend on the refresh token that may be spent.
        return Some(Decision::Login);
    }
    let age = Duration::try_from(facts.now.duration_since(since)).unwrap_or_default();
    match (facts.rotation.remedy(age), token.ends().last_chance(facts.now)) {
        // Only a person who names it may risk the grant.
        (Remedy::WaitForEnd, Some(end)) if end > facts.now && !ask.insists() => {
            Some(Decision::WaitUntil(end))
        }
        (Remedy::RetryNow | Remedy::RetryOnce | Remedy::WaitForEnd, _) => None,
    }
}

/// Whether there is a token and no question about it, and a grant that does not end meanwhile.
fn may_rest(connection: &Connection, facts: &Facts) -> bool {
    let open =
        facts.interrupted.is_some() || facts.captured.is_some() || connection.doubt_since.is_some();
    let Some(token) = connection.token.as_ref().filter(|_| !open) else { return false };
    token.keep_alive_from(facts.now).is_none_or(|it| it > facts.now)
}

/// When a failure that time may mend is tried again, if that is still to come.
pub fn next_try(connection: &Connection, now: Timestamp) -> Option<Timestamp> {
    let failing = connection.failures > 0 && connection.problem.is_none();
    connection.due.map(|it| it.at).filter(|it| failing && *it > now)
}

/// Why nothing is needed, if nothing is.
fn not_needed(connection: &Connection, ask: Ask, facts: &Facts) -> Option<String> {
    if ask.replaces.is_some_and(|it| it != connection.generation) {
        return Some("the token that was refused has been replaced".to_owned());
    }
    let token = connection.token.as_ref()?;
    let unsettled = facts.interrupted.is_some()
        || facts.captured.is_some()
        || connection.failures > 0
        || connection.problem.is_some();
    match ask.trigger {
        Trigger::Forced => None,
        Trigger::OnDemand => match wish(token, ask.min_ttl, facts.given, facts.now) {
            Wish::Met => Some("the token lives long enough".to_owned()),
            Wish::Beyond(_) => Some("a new token would not live longer".to_owned()),
            Wish::Refresh => None,
        },
        _ if unsettled || !token.is_valid(facts.now) => None,
        _ => match connection.due {
            Some(due) if due.at <= facts.now => None,
            due => Some(still_valid(token.expires_at, due.map(|it| it.at), facts.now)),
        },
    }
}

fn still_valid(expires_at: Option<Timestamp>, due: Option<Timestamp>, now: Timestamp) -> String {
    let valid = match expires_at {
        Some(end) => format!("still valid for {}", span(now, end)),
        None => "still valid, its end is not known".to_owned(),
    };
    let next = due.map(|it| format!(", next refresh in {}", span(now, it))).unwrap_or_default();
    format!("{valid}{next}; use --force to refresh now")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::{Due, Pause};
    use crate::model::fixture::{at, connection};

    /// Valid until 3600, due at 2400, in good order.
    fn fresh() -> Connection {
        let due = Some(Due { at: at(2_400), trigger: Trigger::Expiry });
        Connection { due, ..connection() }
    }

    fn facts(rotation: Rotation, now: i64) -> Facts {
        Facts {
            rotation,
            unattended: false,
            interrupted: None,
            captured: None,
            unanswered: None,
            idle: false,
            given: true,
            now: at(now),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the facts have it")]
    fn read(readings: u32) -> Option<Captured> {
        Some(Captured::Readable { readings })
    }

    fn check(connection: &Connection, trigger: Trigger, facts: Facts) -> Decision {
        decide(connection, Ask::new(trigger), &facts)
    }

    #[test]
    fn a_fresh_token_is_left_alone_unless_forced() {
        let facts = facts(Rotation::Strict, 0);
        let Decision::Skip(reason) = check(&fresh(), Trigger::Manual, facts) else { panic!() };
        assert_eq!(reason, "still valid for 1h, next refresh in 40m; use --force to refresh now");
        assert_eq!(check(&fresh(), Trigger::Forced, facts), Decision::Refresh);
    }

    #[test]
    fn a_second_tick_finds_nothing_to_do() {
        assert!(matches!(
            check(&fresh(), Trigger::Scheduled, facts(Rotation::None, 2_399)),
            Decision::Skip(_)
        ));
        assert_eq!(
            check(&fresh(), Trigger::Expiry, facts(Rotation::None, 2_400)),
            Decision::Refresh
        );
    }

    #[test]
    fn a_pause_holds_even_against_force() {
        let paused = Connection { pause: Some(Pause { until: None, reason: None }), ..fresh() };
        assert!(matches!(
            check(&paused, Trigger::Forced, facts(Rotation::None, 0)),
            Decision::Skip(_)
        ));
    }

    #[test]
    fn what_nobody_asks_for_rests_until_somebody_does() {
        let idle = Facts { idle: true, ..facts(Rotation::Strict, 3_600) };
        assert_eq!(check(&fresh(), Trigger::Expiry, idle), Decision::Rest);
        assert_eq!(decide(&fresh(), Ask::on_demand(Duration::ZERO), &idle), Decision::Refresh);
        assert_eq!(check(&fresh(), Trigger::Manual, idle), Decision::Refresh);
        let doubted = Connection { doubt_since: Some(at(3_000)), ..fresh() };
        assert_ne!(check(&doubted, Trigger::Expiry, idle), Decision::Rest);
        let captured = Facts { captured: read(1), ..idle };
        assert_ne!(check(&fresh(), Trigger::Expiry, captured), Decision::Rest);
    }

    #[test]
    fn what_rests_is_refreshed_before_its_refresh_token_ends() {
        let mut resting = fresh();
        resting.token.as_mut().unwrap().refresh_expires_at = Some(at(36_000));
        let at_second = |now| {
            let idle = Facts { idle: true, ..facts(Rotation::Strict, now) };
            check(&resting, Trigger::Expiry, idle)
        };
        assert_eq!(at_second(23_999), Decision::Rest);
        assert_eq!(at_second(24_000), Decision::Refresh);
        assert_eq!(at_second(36_000), Decision::Rest, "it has ended, and nothing helps");
    }

    #[test]
    fn a_doubt_is_resolved_before_the_refresh_token_ends() {
        let due = Some(Due { at: at(1_740), trigger: Trigger::Recovery });
        let mut doubtful = Connection { failures: 1, doubt_since: Some(at(0)), due, ..fresh() };
        doubtful.token.as_mut().unwrap().refresh_expires_at = Some(at(1_800));
        let at_second = |now| check(&doubtful, Trigger::Recovery, facts(Rotation::Strict, now));
        assert_eq!(at_second(10), Decision::WaitUntil(at(1_740)));
        assert_eq!(at_second(1_740), Decision::Refresh);
        assert_eq!(at_second(1_800), Decision::WaitUntil(at(3_600)), "it has ended already");
    }

    #[test]
    fn a_caller_gets_what_lives_long_enough() {
        let ask = |seconds| Ask::on_demand(Duration::from_secs(seconds));
        let facts = facts(Rotation::None, 3_000);
        assert!(matches!(decide(&fresh(), ask(599), &facts), Decision::Skip(_)));
        assert_eq!(decide(&fresh(), ask(600), &facts), Decision::Refresh);
    }

    #[test]
    fn an_unknown_outcome_is_resolved_by_class() {
        let resolve = |rotation, unattended| {
            let facts = Facts { unattended, interrupted: Some(at(0)), ..facts(rotation, 10) };
            check(&fresh(), Trigger::Recovery, facts)
        };
        assert_eq!(resolve(Rotation::None, false), Decision::Refresh);
        assert_eq!(resolve(Rotation::Grace(30), false), Decision::Refresh);
        assert_eq!(resolve(Rotation::Grace(5), false), Decision::WaitUntil(at(3_600)));
        assert_eq!(resolve(Rotation::UntilUsed, false), Decision::Refresh);
        assert_eq!(resolve(Rotation::Unknown, false), Decision::Refresh);
        assert_eq!(resolve(Rotation::Strict, false), Decision::WaitUntil(at(3_600)));
        assert_eq!(resolve(Rotation::Strict, true), Decision::Login);
    }

    #[test]
    fn a_strict_provider_is_tried_once_at_the_end() {
        let facts = Facts { interrupted: Some(at(0)), ..facts(Rotation::Strict, 3_600) };
        assert_eq!(check(&fresh(), Trigger::Recovery, facts), Decision::Refresh);
    }

    #[test]
    fn a_captured_answer_settles_every_doubt() {
        let facts =
            Facts { interrupted: Some(at(0)), captured: read(1), ..facts(Rotation::Strict, 1) };
        assert_eq!(check(&fresh(), Trigger::Recovery, facts), Decision::Replay);
    }

    #[test]
    fn rubbish_that_was_read_twice_is_a_doubt_like_any_other() {
        let rubbish = Connection { doubt_since: Some(at(0)), ..fresh() };
        let after = |rotation, now| {
            let facts = Facts { captured: read(2), ..facts(rotation, now) };
            check(&rubbish, Trigger::Backup, facts)
        };
        assert_eq!(after(Rotation::Strict, 60), Decision::WaitUntil(at(3_600)));
        assert_eq!(after(Rotation::Strict, 3_600), Decision::Refresh);
        assert_eq!(after(Rotation::UntilUsed, 60), Decision::Refresh);
    }

    #[test]
    fn an_answer_that_a_plugin_dies_of_waits_for_another_plugin() {
        let dying = Connection { failures: 1, ..fresh() };
        let facts = Facts { captured: read(9), ..facts(Rotation::Strict, 3_600) };
        assert_eq!(check(&dying, Trigger::Backup, facts), Decision::Replay);
    }

    #[test]
    fn an_answer_that_came_just_before_a_crash_is_always_read() {
        let rubbish = Connection { doubt_since: Some(at(0)), ..fresh() };
        let interrupted = Some(at(50));
        let facts = Facts { interrupted, captured: read(5), ..facts(Rotation::UntilUsed, 60) };
        assert_eq!(check(&rubbish, Trigger::Recovery, facts), Decision::Replay);
    }

    #[test]
    fn failures_that_were_no_readings_give_no_answer_up() {
        let outage = Connection { failures: 7, doubt_since: Some(at(0)), ..fresh() };
        let facts = Facts { captured: read(1), ..facts(Rotation::Strict, 60) };
        assert_eq!(check(&outage, Trigger::Backup, facts), Decision::Replay);
    }

    #[test]
    fn a_request_that_left_after_a_captured_answer_is_in_doubt_like_any_other() {
        let after = |rotation| {
            let left = Facts { interrupted: Some(at(0)), ..facts(rotation, 10) };
            let facts = Facts { captured: read(1), unanswered: Some(at(1)), ..left };
            check(&fresh(), Trigger::Recovery, facts)
        };
        assert_eq!(after(Rotation::Strict), Decision::WaitUntil(at(3_600)));
        assert_eq!(after(Rotation::Grace(5)), Decision::WaitUntil(at(3_600)));
        assert_eq!(after(Rotation::UntilUsed), Decision::Replay);
    }

    #[test]
    fn an_answer_that_cannot_be_opened_is_not_sent_for_again_by_itself() {
        let facts = Facts { captured: Some(Captured::Unopenable), ..facts(Rotation::Strict, 60) };
        assert_eq!(check(&fresh(), Trigger::Backup, facts), Decision::Unopenable);
        assert_eq!(decide(&fresh(), Ask::replay(), &facts), Decision::Unopenable);
        assert_eq!(check(&fresh(), Trigger::Forced, facts), Decision::Refresh);
        let unattended = Facts { unattended: true, ..facts };
        assert_eq!(check(&fresh(), Trigger::Backup, unattended), Decision::Login);
    }

    #[test]
    fn a_grace_counts_from_the_first_request_in_doubt() {
        let doubtful = Connection { doubt_since: Some(at(0)), ..fresh() };
        let facts = Facts { interrupted: Some(at(20)), ..facts(Rotation::Grace(30), 40) };
        assert_eq!(check(&doubtful, Trigger::Recovery, facts), Decision::WaitUntil(at(3_600)));
    }

    #[test]
    fn an_answer_that_nobody_reads_gives_way_to_a_login_unless_a_person_wants_it_read() {
        let failing = fresh();
        let facts = Facts { captured: read(2), unattended: true, ..facts(Rotation::Strict, 1) };
        assert_eq!(check(&failing, Trigger::Recovery, facts), Decision::Login);
        assert_eq!(decide(&failing, Ask::replay(), &facts), Decision::Replay);
    }

    #[test]
    fn without_a_token_only_a_plugin_that_can_log_in_helps() {
        let empty = Connection { token: None, ..fresh() };
        let facts = facts(Rotation::None, 0);
        assert_eq!(check(&empty, Trigger::Expiry, facts), Decision::NeedsPerson);
        let unattended = Facts { unattended: true, ..facts };
        assert_eq!(check(&empty, Trigger::Expiry, unattended), Decision::Login);
    }
}
