//! An answer that arrived is never given up: it is kept beside a database that cannot be written, and
//! in memory when nothing can.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::Scenario;
use keepfresh::model::attempt::{Outcome, Trigger};

use super::{Bench, id};

const NO_CAPTURE: &str = "create trigger no_capture before insert on captures
                          begin select raise(abort, 'no capture today'); end";
const NO_GENERATION: &str = "create trigger no_generation before insert on generations
                             begin select raise(abort, 'no generation today'); end";
const RECOVERED: Option<&str> = Some("recovered the answer of an earlier attempt");

/// A name so long that no file whose name begins with it can be made.
fn long_name() -> String {
    format!("{}.db", "k".repeat(240))
}

#[test]
fn an_answer_that_the_database_refuses_is_used_all_the_same() {
    let bench = Bench::strict();
    bench.database().run(NO_CAPTURE);
    assert_eq!(bench.succeed(Trigger::Forced).generation, 2);
    assert_eq!(bench.files_beside(), Vec::<std::path::PathBuf>::new(), "it is spent");
    bench.database().run("drop trigger no_capture");
    assert_eq!(bench.succeed(Trigger::Forced).generation, 3);
    assert!(!bench.control().family("first").unwrap().revoked);
}

#[test]
fn an_answer_beside_the_database_is_sealed_private_and_adopted_at_the_next_look() {
    let mut bench = Bench::strict();
    bench.database().run(NO_CAPTURE);
    bench.database().run(NO_GENERATION);
    assert_eq!(bench.fail(Trigger::Forced), "storage.failed");
    let files = bench.files_beside();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains("access_token") && !text.contains("eyJ"), "it is in clear: {text}");

    let shown = bench.home.run(&["connection", "show", "rotor", "--json"]).json();
    assert_eq!(shown["captured_answers"], 1, "a person sees that it waits: {shown}");

    bench.restart();
    bench.database().run("drop trigger no_capture");
    bench.database().run("drop trigger no_generation");
    assert_eq!(bench.succeed(Trigger::Recovery).reason(), RECOVERED);
    assert_eq!(bench.control().seen(), 1);
    assert_eq!(bench.files_beside().len() + bench.loaded().captures.len(), 0);
}

#[test]
fn an_answer_that_no_disk_takes_is_held_and_nothing_is_sent_meanwhile() {
    let bench = Bench::with(Class::Strict, "\"strict\"", "rotor", &long_name());
    let before = bench.served();
    bench.database().run(NO_CAPTURE);
    assert_eq!(bench.fail(Trigger::Forced), "storage.answer_held");
    assert_eq!(bench.refresh(Trigger::Forced).unwrap_err().code.text(), "storage.answer_held");
    assert_eq!((bench.control().seen(), bench.served()), (1, before));
    assert_eq!(bench.loaded().connection.doubt_since, None, "the answer is here");

    bench.database().run("drop trigger no_capture");
    wait_until("what was held is stored", || bench.loaded().captures.len() == 1);
    assert_eq!(bench.succeed(Trigger::Recovery).reason(), RECOVERED);
    assert_eq!(bench.control().seen(), 1);
}

#[test]
fn an_answer_outlives_a_write_lock_that_is_held_for_longer_than_any_write_waits() {
    let bench = Bench::strict();
    bench.control().script(Scenario::default().delay_after(500));
    let attempt = std::thread::scope(|scope| {
        let flying = scope.spawn(|| bench.refresh(Trigger::Forced));
        wait_until("the request arrived", || bench.control().seen() == 1);
        let database = bench.database();
        let held = database.hold();
        wait_until("the answer is kept beside the database", || bench.files_beside().len() == 1);
        let ended = flying.join().unwrap();
        drop(held);
        ended
    });
    assert_eq!(attempt.unwrap_err().code.text(), "storage.busy", "the lock outlasted all of it");
    let due = || bench.loaded().connection.due.is_some_and(|it| it.at <= bench.clock.now());
    wait_until("it is looked at again", due);
    assert_eq!(bench.succeed(Trigger::Recovery).reason(), RECOVERED);
    assert_eq!(bench.control().seen(), 1);
    assert!(!bench.control().family("first").unwrap().revoked);
}

#[test]
fn a_slow_disk_ends_no_call_whose_answer_is_here() {
    // The call may take 2 s, and its answer waits for 3.
    let bench = Bench::strict();
    bench.control().script(Scenario::default().delay_after(200));
    let attempt = std::thread::scope(|scope| {
        let flying = scope.spawn(|| bench.refresh(Trigger::Forced));
        wait_until("the request arrived", || bench.control().seen() == 1);
        let database = bench.database();
        let held = database.hold();
        std::thread::sleep(Duration::from_secs(3));
        drop(held);
        flying.join().unwrap().unwrap()
    });
    assert_eq!((attempt.error(), attempt.generation), (None, 2));
}

#[test]
fn failures_that_read_nothing_give_no_answer_up() {
    let bench = Bench::strict();
    for _ in 0..3 {
        bench.control().script(Answer::rate_limited(None));
        assert_eq!(bench.fail(Trigger::Forced), "provider.rate_limited");
    }
    bench.control().script(Answer::login_page());
    assert_eq!(bench.fail(Trigger::Forced), "provider.unexpected");
    assert_eq!(bench.fail(Trigger::Backup), "provider.unexpected", "it is read once more");
    assert_eq!(bench.control().seen(), 4);
    assert_eq!(bench.refresh(Trigger::Backup).unwrap().outcome(), Some(Outcome::Skipped));
}

#[test]
fn an_answer_that_cannot_be_opened_is_kept_and_told() {
    let bench = Bench::strict();
    let before = bench.served();
    bench.control().script(Answer::login_page());
    assert_eq!(bench.fail(Trigger::Forced), "provider.unexpected");
    bench.database().run("update captures set sealed = zeroblob(64)");
    assert_eq!(bench.fail(Trigger::Backup), "vault.answer_unopenable");
    assert_eq!(bench.fail(Trigger::Backup), "vault.answer_unopenable");
    assert_eq!(bench.control().seen(), 1, "nothing was sent instead of it");
    let loaded = bench.loaded();
    assert_eq!((loaded.captures.len(), loaded.connection.due), (1, None));
    assert_eq!(bench.served(), before);
    // A person may give it up.
    assert_eq!(bench.succeed(Trigger::Forced).generation, 2);
    assert_eq!(bench.loaded().captures.len(), 0);
}

#[test]
fn an_answer_of_an_attempt_that_was_adopted_overwrites_none_of_its_successors() {
    use keepfresh::model::id::AttemptId;
    use keepfresh::storage::{Capture, Departed};
    use keepfresh::vault::Sealed;
    let bench = Bench::strict();
    let capture = |byte| {
        let of = Departed {
            connection: id(),
            generation: 1,
            attempt: AttemptId::generate(),
            seq: 0,
            request: "POST /token".to_owned(),
            at: bench.clock.now(),
        };
        Capture { of, sealed: Sealed::from_bytes(vec![byte]), readings: 1 }
    };
    for byte in [1, 2] {
        bench.wait(bench.app().storage.capture(capture(byte))).unwrap();
    }
    let bytes =
        bench.loaded().captures.iter().map(|it| it.sealed.as_bytes()[0]).collect::<Vec<_>>();
    assert_eq!(bytes, [1, 2]);
    let late = Capture { of: Departed { generation: 0, ..capture(3).of }, ..capture(3) };
    bench.wait(bench.app().storage.capture(late)).unwrap();
    assert_eq!(bench.loaded().captures.len(), 2, "that generation is over");
}
