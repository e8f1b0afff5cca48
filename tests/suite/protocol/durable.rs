//! What is durable before what happens. Triggers in the database stand in for a disk that fails at
//! one step and not at the others.

use e2e::provider::family::Class;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::code::Code;

use super::Bench;

#[test]
fn nothing_is_sent_when_the_intent_cannot_be_written() {
    let bench = Bench::strict();
    bench.database().run(
        "create trigger no_intent before insert on claims
         begin select raise(abort, 'no intent today'); end",
    );
    let failure = bench.refresh(Trigger::Forced).unwrap_err();
    assert!(matches!(failure.code, Code::Storage(_)), "{failure:?}");
    assert_eq!(bench.control().seen(), 0);
    bench.database().run("drop trigger no_intent");
    bench.succeed(Trigger::Forced);
    assert_eq!(bench.control().seen(), 1);
}

#[test]
fn nothing_is_sent_while_another_process_holds_the_write_lock() {
    let bench = Bench::strict();
    let database = bench.database();
    let held = database.hold();
    let failure = bench.refresh(Trigger::Forced).unwrap_err();
    assert_eq!(failure.code.text(), "storage.busy");
    assert_eq!(bench.control().seen(), 0);
    drop(held);
    bench.succeed(Trigger::Forced);
}

#[test]
fn a_token_is_served_only_once_its_generation_is_stored() {
    let bench = Bench::strict();
    let before = bench.served();
    bench.database().run(
        "create trigger no_generation before insert on generations
         begin select raise(abort, 'no generation today'); end",
    );
    assert_eq!(bench.fail(Trigger::Forced), "storage.failed");
    assert_eq!(bench.served(), before);
    assert_eq!(bench.loaded().captures.len(), 1);
    bench.database().run("drop trigger no_generation");
    let attempt = bench.succeed(Trigger::Recovery);
    assert_eq!(attempt.reason(), Some("recovered the answer of an earlier attempt"));
    assert_eq!(bench.control().seen(), 1, "the answer was here already");
    assert_eq!(bench.served().0, before.0 + 1);
    assert_eq!(bench.loaded().captures.len(), 0);
}

#[test]
fn a_provider_that_never_rotates_needs_no_stored_answer() {
    let bench = Bench::new(Class::None, "\"none\"");
    bench.database().run(
        "create trigger no_capture before insert on captures
         begin select raise(abort, 'no capture today'); end",
    );
    bench.succeed(Trigger::Forced);
}
