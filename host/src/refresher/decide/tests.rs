//! What each ask comes to, by the state of its connection and the class of its provider.

use std::time::Duration;

use super::*;
use crate::model::connection::{Due, Pause};
use crate::model::fixture::{at, connection};

const LOGIN: Decision = Decision::Call(Way::Login);
const REFRESH: Decision = Decision::Call(Way::Refresh);
const REPLAY: Decision = Decision::Call(Way::Replay);

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
fn read(readings: u32) -> Option<Answers> {
    Some(Answers::Readable { readings })
}

fn check(connection: &Connection, trigger: Trigger, facts: Facts) -> Decision {
    decide(connection, Ask::new(trigger), &facts)
}

#[test]
fn a_fresh_token_is_left_alone_unless_forced() {
    let facts = facts(Rotation::Strict, 0);
    let Decision::Skip(reason) = check(&fresh(), Trigger::Manual, facts) else { panic!() };
    assert_eq!(reason, "still valid for 1h, next refresh in 40m; use --force to refresh now");
    assert_eq!(check(&fresh(), Trigger::Forced, facts), REFRESH);
}

#[test]
fn a_second_tick_finds_nothing_to_do() {
    assert!(matches!(
        check(&fresh(), Trigger::Scheduled, facts(Rotation::None, 2_399)),
        Decision::Skip(_)
    ));
    assert_eq!(check(&fresh(), Trigger::Expiry, facts(Rotation::None, 2_400)), REFRESH);
}

#[test]
fn a_pause_holds_even_against_force() {
    let paused = Connection { pause: Some(Pause { until: None, reason: None }), ..fresh() };
    assert!(matches!(check(&paused, Trigger::Forced, facts(Rotation::None, 0)), Decision::Skip(_)));
}

#[test]
fn what_nobody_asks_for_rests_until_somebody_does() {
    let idle = Facts { idle: true, ..facts(Rotation::Strict, 3_600) };
    assert_eq!(check(&fresh(), Trigger::Expiry, idle), Decision::Rest);
    assert_eq!(decide(&fresh(), Ask::on_demand(Duration::ZERO), &idle), REFRESH);
    assert_eq!(check(&fresh(), Trigger::Manual, idle), REFRESH);
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
    assert_eq!(at_second(24_000), REFRESH);
    assert_eq!(at_second(36_000), Decision::Rest, "it has ended, and nothing helps");
}

#[test]
fn a_doubt_is_resolved_before_the_refresh_token_ends() {
    let due = Some(Due { at: at(1_740), trigger: Trigger::Recovery });
    let mut doubtful = Connection { failures: 1, doubt_since: Some(at(0)), due, ..fresh() };
    doubtful.token.as_mut().unwrap().refresh_expires_at = Some(at(1_800));
    let at_second = |now| check(&doubtful, Trigger::Recovery, facts(Rotation::Strict, now));
    assert_eq!(at_second(10), Decision::WaitUntil(at(1_740)));
    assert_eq!(at_second(1_740), REFRESH);
    assert_eq!(at_second(1_800), Decision::WaitUntil(at(3_600)), "it has ended already");
}

#[test]
fn a_caller_gets_what_lives_long_enough() {
    let ask = |seconds| Ask::on_demand(Duration::from_secs(seconds));
    let facts = facts(Rotation::None, 3_000);
    assert!(matches!(decide(&fresh(), ask(599), &facts), Decision::Skip(_)));
    assert_eq!(decide(&fresh(), ask(600), &facts), REFRESH);
}

#[test]
fn an_unknown_outcome_is_resolved_by_class() {
    let resolve = |rotation, unattended| {
        let facts = Facts { unattended, interrupted: Some(at(0)), ..facts(rotation, 10) };
        check(&fresh(), Trigger::Recovery, facts)
    };
    assert_eq!(resolve(Rotation::None, false), REFRESH);
    assert_eq!(resolve(Rotation::Grace(30), false), REFRESH);
    assert_eq!(resolve(Rotation::Grace(5), false), Decision::WaitUntil(at(3_600)));
    assert_eq!(resolve(Rotation::UntilUsed, false), REFRESH);
    assert_eq!(resolve(Rotation::Unknown, false), Decision::WaitUntil(at(3_600)));
    assert_eq!(resolve(Rotation::Unknown, true), LOGIN);
    assert_eq!(resolve(Rotation::Strict, false), Decision::WaitUntil(at(3_600)));
    assert_eq!(resolve(Rotation::Strict, true), LOGIN);
}

#[test]
fn a_provider_that_is_strict_or_may_be_is_tried_once_at_the_end() {
    for rotation in [Rotation::Strict, Rotation::Unknown] {
        let facts = Facts { interrupted: Some(at(0)), ..facts(rotation, 3_600) };
        assert_eq!(check(&fresh(), Trigger::Recovery, facts), REFRESH);
        let caller = decide(&fresh(), Ask::on_demand(Duration::ZERO), &facts);
        assert_eq!(caller, REFRESH, "{rotation}");
    }
}

#[test]
fn a_captured_answer_settles_every_doubt() {
    let facts = Facts { interrupted: Some(at(0)), captured: read(1), ..facts(Rotation::Strict, 1) };
    assert_eq!(check(&fresh(), Trigger::Recovery, facts), REPLAY);
}

#[test]
fn rubbish_that_was_read_twice_is_a_doubt_like_any_other() {
    let rubbish = Connection { doubt_since: Some(at(0)), ..fresh() };
    let after = |rotation, now| {
        let facts = Facts { captured: read(2), ..facts(rotation, now) };
        check(&rubbish, Trigger::Backup, facts)
    };
    assert_eq!(after(Rotation::Strict, 60), Decision::WaitUntil(at(3_600)));
    assert_eq!(after(Rotation::Strict, 3_600), REFRESH);
    assert_eq!(after(Rotation::UntilUsed, 60), REFRESH);
}

#[test]
fn an_answer_that_a_plugin_dies_of_waits_for_another_plugin() {
    let dying = Connection { failures: 1, ..fresh() };
    let facts = Facts { captured: read(9), ..facts(Rotation::Strict, 3_600) };
    assert_eq!(check(&dying, Trigger::Backup, facts), REPLAY);
}

#[test]
fn an_answer_that_came_just_before_a_crash_is_always_read() {
    let rubbish = Connection { doubt_since: Some(at(0)), ..fresh() };
    let interrupted = Some(at(50));
    let facts = Facts { interrupted, captured: read(5), ..facts(Rotation::UntilUsed, 60) };
    assert_eq!(check(&rubbish, Trigger::Recovery, facts), REPLAY);
}

#[test]
fn failures_that_were_no_readings_give_no_answer_up() {
    let outage = Connection { failures: 7, doubt_since: Some(at(0)), ..fresh() };
    let facts = Facts { captured: read(1), ..facts(Rotation::Strict, 60) };
    assert_eq!(check(&outage, Trigger::Backup, facts), REPLAY);
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
    assert_eq!(after(Rotation::UntilUsed), REPLAY);
}

#[test]
fn an_answer_that_cannot_be_opened_is_not_sent_for_again_by_itself() {
    let facts = Facts { captured: Some(Answers::Unopenable), ..facts(Rotation::Strict, 60) };
    assert_eq!(check(&fresh(), Trigger::Backup, facts), Decision::Unopenable);
    assert_eq!(decide(&fresh(), Ask::replay(), &facts), Decision::Unopenable);
    assert_eq!(check(&fresh(), Trigger::Forced, facts), REFRESH);
    let unattended = Facts { unattended: true, ..facts };
    assert_eq!(check(&fresh(), Trigger::Backup, unattended), LOGIN);
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
    assert_eq!(check(&failing, Trigger::Recovery, facts), LOGIN);
    assert_eq!(decide(&failing, Ask::replay(), &facts), REPLAY);
}

#[test]
fn without_a_token_only_a_plugin_that_can_log_in_helps() {
    let empty = Connection { token: None, ..fresh() };
    let facts = facts(Rotation::None, 0);
    assert_eq!(check(&empty, Trigger::Expiry, facts), Decision::NeedsPerson);
    let unattended = Facts { unattended: true, ..facts };
    assert_eq!(check(&empty, Trigger::Expiry, unattended), LOGIN);
}
