//! A request left, and nobody knows whether the provider acted on it: how long that lasts, and what
//! ends it.

use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::Fate;
use keepfresh::model::attempt::{Outcome, Trigger};

use super::{Bench, LIFETIME};

#[test]
fn an_interrupted_request_of_a_strict_provider_waits_for_the_end_of_the_token() {
    let mut bench = Bench::strict();
    let before = bench.served();
    bench.crash_in_flight();
    assert_eq!(bench.fail(Trigger::Recovery), "refresh.outcome_unknown");
    for trigger in [Trigger::Recovery, Trigger::Manual, Trigger::Scheduled] {
        assert_eq!(bench.refresh(trigger).unwrap().outcome(), Some(Outcome::Skipped), "{trigger}");
    }
    assert_eq!(bench.served(), before);
    assert_eq!(bench.control().seen(), 1);
    bench.advance(LIFETIME);
    assert_eq!(bench.fail(Trigger::Recovery), "refresh.grant_lost");
    assert_eq!(bench.control().seen(), 2, "once, and then it is over");
    assert!(bench.control().family("first").unwrap().revoked_by_reuse);
}

#[test]
fn a_provider_that_nobody_knows_is_left_alone_while_the_access_token_works() {
    let bench = Bench::new(Class::Strict, "\"unknown\"");
    let before = bench.served();
    bench.control().script(Fate::CutBefore);
    assert_eq!(bench.refresh(Trigger::Forced).unwrap().outcome(), Some(Outcome::Failed));
    for trigger in [Trigger::Recovery, Trigger::Manual, Trigger::Scheduled, Trigger::Backup] {
        assert_eq!(bench.refresh(trigger).unwrap().outcome(), Some(Outcome::Skipped), "{trigger}");
    }
    assert_eq!((bench.served(), bench.control().seen()), (before, 1));
    bench.advance(LIFETIME);
    assert_eq!(bench.succeed(Trigger::Recovery).generation, 2);
    assert_eq!(bench.control().seen(), 2);
}

#[test]
fn a_request_that_never_arrived_costs_a_strict_provider_nothing() {
    let mut bench = Bench::strict();
    bench.control().script(Fate::CutBefore);
    assert_eq!(bench.refresh(Trigger::Forced).unwrap().outcome(), Some(Outcome::Failed));
    bench.restart();
    assert_eq!(bench.refresh(Trigger::Recovery).unwrap().outcome(), Some(Outcome::Skipped));
    bench.advance(LIFETIME);
    assert_eq!(bench.succeed(Trigger::Recovery).generation, 2);
}

#[test]
fn a_person_may_try_a_strict_provider_before_the_end_of_the_token() {
    let mut bench = Bench::strict();
    bench.crash_in_flight();
    assert_eq!(bench.fail(Trigger::Forced), "refresh.grant_lost");
    assert_eq!(bench.control().seen(), 2);
}

#[test]
fn a_new_token_settles_what_a_crash_left_in_doubt() {
    let mut bench = Bench::strict();
    bench.crash_in_flight();
    bench.seed();
    let connection = bench.loaded().connection;
    assert_eq!((connection.generation, connection.doubt_since), (2, None));
    assert_eq!(bench.succeed(Trigger::Forced).generation, 3);
}

#[test]
fn a_provider_that_forgives_is_asked_again_at_once() {
    let classes = [
        (Class::None, "\"none\""),
        (Class::Grace(30), "{ grace = \"30s\" }"),
        (Class::UntilUsed, "\"until-used\""),
    ];
    for (class, rotation) in classes {
        let mut bench = Bench::new(class, rotation);
        bench.crash_in_flight();
        bench.advance(5);
        assert_eq!(bench.succeed(Trigger::Recovery).generation, 2, "{rotation}");
        assert!(!bench.control().family("first").unwrap().revoked, "{rotation}");
    }
}

#[test]
fn grace_counts_from_the_first_request_in_doubt_and_not_from_the_last() {
    let mut bench = Bench::new(Class::Grace(30), "{ grace = \"30s\" }");
    bench.crash_in_flight();
    bench.advance(20);
    bench.crash_in_flight();
    bench.advance(20);
    assert_eq!(bench.fail(Trigger::Recovery), "refresh.outcome_unknown");
    let family = bench.control().family("first").unwrap();
    assert!(!family.revoked, "40 s after the first use, a third would have revoked it");
    assert_eq!(bench.control().seen(), 2);
}

#[test]
fn grace_counts_from_the_request_and_not_from_its_failure() {
    let bench = Bench::new(Class::Grace(30), "{ grace = \"30s\" }");
    bench.control().script(Fate::ActThenHang);
    let clock = bench.clock.clone();
    let attempt = std::thread::scope(|scope| {
        let waits = scope.spawn(|| bench.refresh(Trigger::Forced).unwrap());
        e2e::daemon::wait_until("the request arrived", || bench.control().seen() == 1);
        clock.advance(std::time::Duration::from_secs(20));
        waits.join().unwrap()
    });
    assert_eq!(attempt.outcome(), Some(Outcome::Failed));
    assert_eq!(bench.loaded().connection.doubt_since, Some(attempt.started_at));
}

#[test]
fn a_lost_answer_is_asked_for_again_within_the_grace() {
    let bench = Bench::new(Class::Grace(10), "{ grace = \"10s\" }");
    bench.control().script(Fate::CutAfter);
    assert_eq!(bench.refresh(Trigger::Forced).unwrap().outcome(), Some(Outcome::Failed));
    let due = bench.loaded().connection.due.unwrap();
    let wait = due.at.duration_since(bench.clock.now()).as_secs();
    assert!(wait < 9, "the next try comes after {wait} s");
    bench.advance(u64::try_from(wait).unwrap() + 1);
    assert_eq!(bench.succeed(due.trigger).generation, 2);
}

#[test]
fn a_maintenance_page_does_not_stop_a_strict_provider_from_ever_being_asked_again() {
    let bench = Bench::strict();
    let before = bench.served();
    bench.control().script(Answer::login_page());
    assert_eq!(bench.fail(Trigger::Forced), "provider.unexpected");
    assert_eq!(bench.fail(Trigger::Backup), "provider.unexpected");
    assert_eq!(bench.control().seen(), 1, "the page was kept and read once more, not fetched");
    assert_eq!(bench.refresh(Trigger::Backup).unwrap().outcome(), Some(Outcome::Skipped));
    assert_eq!(bench.served(), before);
    bench.advance(LIFETIME);
    assert_eq!(bench.succeed(Trigger::Recovery).generation, 2);
    assert_eq!(bench.control().seen(), 2);
}
