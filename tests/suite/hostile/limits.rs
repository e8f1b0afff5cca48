//! Plugins that take too much, break, or return what cannot be.

use e2e::provider::script::{Fate, Scenario};
use serde_json::json;

use crate::hostile::{Ending, Stage, stops_in};

const KEPT: &str = "nothing was saved; the provider's answer is kept for a replay";

#[test]
fn a_plugin_that_loops_is_stopped_by_its_processor_time() {
    Stage::new().stops("spins-forever").is(
        "plugin.cpu_exceeded",
        "spins-forever.login used 500 ms of CPU (limit 500 ms) and was stopped",
    );
}

#[test]
fn a_plugin_that_eats_memory_is_stopped_at_its_limit() {
    Stage::new()
        .stops("eats-memory")
        .is("plugin.memory_exceeded", "eats-memory asked for 65 MiB of memory (limit 64 MiB)");
}

#[test]
fn a_plugin_that_recurses_is_stopped_at_the_end_of_its_stack() {
    Stage::new()
        .stops("recurses")
        .is("plugin.stack_overflow", "recurses.login overflowed its stack");
}

#[test]
fn a_plugin_that_hoards_handles_is_stopped_at_their_limit() {
    Stage::new()
        .stops("leaks-handles")
        .is("plugin.resources_exceeded", "leaks-handles holds 256 open handles (limit 256)");
}

#[test]
fn a_string_of_8_mib_does_not_cross_into_the_host() {
    let stage = Stage::new();
    stage
        .stops("huge-log")
        .is("plugin.hostcall_too_large", "huge-log passed more than 1 MiB in one call to the host");
    assert_eq!(stage.rotor.control().seen(), 0, "the call was over");
}

#[test]
fn what_stands_beside_a_token_and_cannot_be_kept_is_left_out_and_told() {
    for (rubbish, told) in [
        ("essay", "1 facts that are too long, too many or not plain text"),
        ("year", "expires_at gives no end: it is further away than any token lives"),
        ("twice", "a refresh token that is none; an earlier one is kept"),
    ] {
        let stage = Stage::new();
        let section = stage.section_with("rubbish-output", &format!(r#", rubbish = "{rubbish}""#));
        let home = stage.home(&section).with_guest("rubbish-output");
        let home = home.with_env("KEEPFRESH_LOG", "warn");
        let run = home.run(&["refresh", "rubbish-output", "--json"]).exits(0);
        assert!(run.stderr.contains(told), "{rubbish}: {run:?}");
        let _ = home.run(&["token", "get", "rubbish-output"]).exits(0);
    }
}

#[test]
fn a_token_with_a_line_break_is_refused() {
    rubbish(&json!({ "access_token": "abcdefghijkl\r\nX-Forged: 1" })).is(
        "plugin.output_invalid",
        &format!(
            "rubbish-output.login returned access_token with a control or non-ASCII character at byte 12; {KEPT}"
        ),
    );
}

#[test]
fn a_token_of_20_kib_is_refused_and_one_of_100_is_not_even_taken() {
    rubbish(&json!({ "access_token": "x".repeat(20 << 10) })).is(
        "plugin.output_invalid",
        &format!(
            "rubbish-output.login returned access_token with 20480 bytes (limit 16384); {KEPT}"
        ),
    );
    rubbish(&json!({ "access_token": "x".repeat(100 << 10) })).is(
        "plugin.secret_too_large",
        "rubbish-output took a secret of 100 KiB out of an answer (limit 64 KiB)",
    );
}

#[test]
fn an_answer_outlives_the_plugin_that_died_of_it() {
    let stage = Stage::new();
    let poison = json!({ "poison": true }).as_object().unwrap().clone();
    stage.rotor.control().script(Scenario::from(Fate::Merge(poison)).on("/token"));
    let home = stage.home(&stage.section("traps-after-answer")).with_guest("traps-after-answer");
    let died = "traps-after-answer.login trapped: wasm `unreachable` instruction executed";
    stops_in(&home, "traps-after-answer").is("plugin.trapped", died);
    let shown = home.run(&["connection", "show", "traps-after-answer", "--json"]).exits(0).json();
    assert_eq!(shown["captured_answers"], 1, "{shown:#}");
    stops_in(&home, "traps-after-answer").is("plugin.trapped", died);
    assert_eq!(stage.rotor.control().seen(), 1, "the kept answer was read, and none was asked for");
}

/// What rubbish comes to that is in an answer with these members.
fn rubbish(members: &serde_json::Value) -> Ending {
    let stage = Stage::new();
    let members = members.as_object().unwrap().clone();
    stage.rotor.control().script(Scenario::from(Fate::Merge(members)).on("/token"));
    let section = stage.section_with("rubbish-output", r#", rubbish = "none""#);
    stops_in(&stage.home(&section).with_guest("rubbish-output"), "rubbish-output")
}
