//! What becomes of credentials: nothing that fails removes them, and an answer replaces what it
//! brings and no more.

use e2e::provider::family::Class;
use keepfresh::model::attempt::Trigger;
use keepfresh::model::connection::Problem;
use serde_json::{Value, json};

use super::{Bench, LIFETIME};

fn members(value: Value) -> serde_json::Map<String, Value> {
    let Value::Object(members) = value else { unreachable!("the tests give objects") };
    members
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let bench = Bench::new(Class::None, "\"none\"");
    for generation in 2..5 {
        assert_eq!(bench.succeed(Trigger::Forced).generation, generation);
    }
    let used = bench.control().journal();
    let used = used.iter().map(|it| &it.presented["refresh_token"]);
    assert_eq!(used.collect::<std::collections::BTreeSet<_>>().len(), 1);
}

#[test]
fn an_answer_with_a_null_refresh_token_keeps_the_old_one() {
    let bench = Bench::new(Class::None, "\"none\"");
    bench.control().merge_next(members(json!({"refresh_token": null})));
    bench.succeed(Trigger::Forced);
    bench.succeed(Trigger::Forced);
}

#[test]
fn an_empty_refresh_token_costs_no_access_token_and_the_old_one_is_kept() {
    let bench = Bench::new(Class::None, "\"none\"");
    let before = bench.served();
    bench.control().merge_next(members(json!({"refresh_token": ""})));
    assert_eq!(bench.succeed(Trigger::Forced).generation, before.0 + 1);
    assert_ne!(bench.served().1, before.1, "the new access token is served");
    assert_eq!(bench.succeed(Trigger::Forced).generation, before.0 + 2, "with the old one");
}

#[test]
fn an_empty_access_token_is_an_error_and_replaces_nothing() {
    let bench = Bench::new(Class::None, "\"none\"");
    let before = bench.served();
    bench.control().merge_next(members(json!({"access_token": ""})));
    let _ = bench.fail(Trigger::Forced);
    assert_eq!(bench.served(), before);
    assert_eq!(bench.succeed(Trigger::Forced).generation, before.0 + 1);
}

#[test]
fn a_dead_grant_removes_no_credential_and_the_token_is_served_while_it_lives() {
    let bench = Bench::strict();
    let before = bench.served();
    bench.control().revoke_everything();
    let _ = bench.fail(Trigger::Forced);
    let loaded = bench.loaded();
    assert_eq!(loaded.connection.problem, Some(Problem::Reconnect));
    assert!(loaded.sealed.is_some());
    assert_eq!(bench.served(), before);
    bench.advance(LIFETIME);
    assert!(bench.token().is_err());
    assert_eq!(bench.control().seen(), 1, "what only a person can mend is not tried for a caller");
    assert!(bench.loaded().sealed.is_some());
}

#[test]
fn a_restart_serves_the_same_token() {
    let mut bench = Bench::strict();
    bench.succeed(Trigger::Forced);
    let before = bench.served();
    bench.restart();
    assert_eq!(bench.served(), before);
}
