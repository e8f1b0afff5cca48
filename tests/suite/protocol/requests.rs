//! Attempts of more than one request: each that may use up the token is known to have left, whatever
//! was answered before it. And what an answer means for the token is not the plugin's to say.

use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::{Fate, Scenario};
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::model::id::AttemptId;
use keepfresh::model::rotation::Rotation;
use keepfresh::refresher::Ask;
use keepfresh::storage::{Begin, Begun, Captured};

use super::{Bench, LIFETIME, id};

fn looks_first(class: Class, rotation: &str) -> Bench {
    Bench::with(class, rotation, "looks-first", "keepfresh.db")
}

/// Kills the app while the second request of a refresh waits for its answer.
fn crash_in_the_second(bench: &mut Bench) {
    bench.control().script(Scenario::from(Fate::ActThenHang).on("/token"));
    let refresher = bench.app().refresher.clone();
    let task = async move { refresher.attempts.refresh(&id(), Ask::new(Trigger::Forced)).await };
    let _flying = bench.runtime().spawn(task);
    let acted = || bench.control().journal().iter().any(|it| it.acted && it.path == "/token");
    e2e::daemon::wait_until("the provider has acted", acted);
    bench.restart();
}

fn posts(bench: &Bench) -> usize {
    bench.control().journal().iter().filter(|it| it.path == "/token").count()
}

#[test]
fn a_second_request_that_was_interrupted_is_not_sent_again_before_the_end_of_the_token() {
    let mut bench = looks_first(Class::Strict, "\"strict\"");
    let before = bench.served();
    crash_in_the_second(&mut bench);
    assert_eq!(bench.fail(Trigger::Recovery), "refresh.outcome_unknown");
    for trigger in [Trigger::Recovery, Trigger::Backup, Trigger::Manual] {
        assert_eq!(bench.refresh(trigger).unwrap().outcome(), Some(Outcome::Skipped), "{trigger}");
    }
    assert_eq!((posts(&bench), bench.served()), (1, before));
    assert!(!bench.control().family("first").unwrap().revoked);
    bench.advance(LIFETIME);
    let _ = bench.refresh(Trigger::Recovery).unwrap();
    assert_eq!(posts(&bench), 2, "once, at the end");
}

#[test]
fn a_provider_that_forgives_is_asked_again_at_once_and_only_for_what_has_no_answer() {
    let mut bench = looks_first(Class::UntilUsed, "\"until-used\"");
    crash_in_the_second(&mut bench);
    assert_eq!(bench.succeed(Trigger::Recovery).generation, 2);
    let asked = bench.control().journal().iter().filter(|it| it.path == "/resource").count();
    assert_eq!((asked, posts(&bench)), (1, 2));
}

#[test]
fn a_wait_that_is_killed_before_it_is_written_down_leaves_the_doubt() {
    let mut bench = looks_first(Class::Strict, "\"strict\"");
    crash_in_the_second(&mut bench);
    let (loaded, now) = (bench.loaded(), bench.clock.now());
    let begin = Begin {
        attempt: AttemptId::generate(),
        connection: id(),
        trigger: Trigger::Recovery,
        generation: 1,
        rotation: Rotation::Strict,
        digest: String::new(),
        owner: "one that died".to_owned(),
        at: now,
        lease_until: now,
        adopts: loaded.open.as_ref().map(|it| it.id),
        captured: Captured::Stay,
        doubt_since: loaded.doubt_since(),
    };
    assert_eq!(bench.wait(bench.app().storage.begin(begin)).unwrap(), Begun::Yes);
    for trigger in [Trigger::Recovery, Trigger::Manual, Trigger::Expiry] {
        let _ = bench.refresh(trigger).unwrap();
    }
    assert_eq!(posts(&bench), 1, "what has left is not sent again before the end");
}

#[test]
fn a_replay_that_is_killed_before_it_sends_leaves_the_doubt_with_the_answers() {
    let mut bench = looks_first(Class::Grace(30), "{ grace = \"30s\" }");
    crash_in_the_second(&mut bench);
    // It may send again, reads the first answer once more, and is killed before the second request.
    let attempt = keepfresh::model::id::AttemptId::generate();
    let open = bench.loaded().open.unwrap();
    let begin = keepfresh::storage::Begin {
        attempt,
        connection: id(),
        trigger: Trigger::Recovery,
        generation: 1,
        rotation: open.rotation,
        digest: String::new(),
        owner: "a process that is dead".to_owned(),
        at: bench.clock.now(),
        lease_until: bench.clock.now(),
        adopts: Some(open.id),
        captured: keepfresh::storage::Captured::AreRead,
        doubt_since: bench.loaded().doubt_since(),
    };
    bench.wait(bench.app().storage.begin(begin)).unwrap();
    bench.advance(60);
    let _ = bench.refresh(Trigger::Recovery).unwrap();
    let _ = bench.refresh(Trigger::Backup).unwrap();
    assert_eq!(posts(&bench), 1, "the grace is over");
    assert!(!bench.control().family("first").unwrap().revoked);
}

#[test]
fn a_first_answer_alone_leaves_nothing_in_doubt() {
    let bench = looks_first(Class::Strict, "\"strict\"");
    bench.control().script(Scenario::from(Fate::CutBefore).on("/resource"));
    let _ = bench.refresh(Trigger::Forced).unwrap();
    assert_eq!(bench.loaded().connection.doubt_since, None, "that request carried nothing");
    bench.advance(60);
    assert_eq!(bench.succeed(Trigger::Backup).generation, 2);
}

#[test]
fn a_plugin_cannot_turn_doubt_into_try_again() {
    for answer in [Answer::server_error(), Answer::bad_gateway(), Answer::login_page()] {
        let bench = Bench::with(Class::Strict, "\"strict\"", "shrugs", "keepfresh.db");
        let before = bench.served();
        bench.control().script(Fate::ActThenAnswer(answer));
        let _ = bench.fail(Trigger::Forced);
        assert!(bench.loaded().connection.doubt_since.is_some(), "the provider has rotated");
        for _ in 0..3 {
            let _ = bench.refresh(Trigger::Backup).unwrap();
        }
        assert_eq!((bench.control().seen(), bench.served()), (1, before));
        assert!(!bench.control().family("first").unwrap().revoked);
    }
}

#[test]
fn a_provider_that_refused_clearly_is_asked_again() {
    let bench = Bench::strict();
    bench.control().script(Answer::rate_limited(None));
    let _ = bench.fail(Trigger::Forced);
    assert_eq!(bench.loaded().connection.doubt_since, None);
    assert_eq!(bench.succeed(Trigger::Forced).generation, 2);
}
