//! A plugin that makes the host hold too much or work too long, with little in its own memory and with
//! little of its own time. Each is stopped by the name of the limit, beside a neighbour that refreshes.

use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use serde_json::{Value, json};

use crate::hostile::{Ending, Stage, attempt, stops_in};

const CPU: &str = "spends.login used 500 ms of CPU (limit 500 ms) and was stopped";

#[test]
fn a_member_20000_objects_deep_is_not_made() {
    let stage = Stage::new();
    let text = format!("the member `{}...` points more than 32 steps deep", "/a".repeat(32));
    comes_to(&stage, "deep-body").is("egress.json_invalid", &text);
    assert_eq!(stage.rotor.control().seen(), 0);
}

#[test]
fn a_pointer_of_20000_steps_finds_nothing() {
    let stage = Stage::new();
    comes_to(&stage, "deep-pointer").is("provider.failed", "saw (None, None, false)");
}

#[test]
fn a_secret_that_is_doubled_is_stopped_at_64_kib() {
    comes_to(&Stage::new(), "doubles")
        .is("plugin.secret_too_large", "spends composed a secret of up to 2048 KiB (limit 64 KiB)");
}

#[test]
fn a_request_that_its_secrets_make_large_is_not_put_together() {
    let stage = Stage::new();
    let text = "spends could send a body of up to 144022 KiB, depending on its secrets; the limit is 256 KiB";
    comes_to(&stage, "fields").is("egress.body_too_large", text);
    assert_eq!(stage.rotor.control().seen(), 0);
}

#[test]
fn answers_that_are_held_are_counted() {
    let text = "spends made keepfresh hold 25 MiB of answers and secrets for it (limit 24 MiB)";
    answered(&format!("a {}", bulky(&"\0".repeat((4 << 20) - BULK - 2))), "answers")
        .is("plugin.host_memory_exceeded", text);
}

#[test]
fn an_answer_counts_as_what_it_becomes_in_memory() {
    let text = "spends made keepfresh hold 25 MiB of answers and secrets for it (limit 24 MiB)";
    let body = format!("[{}\"{}\"]", "0,".repeat(65_534), bulky(""));
    answered(&body, "answers").is("plugin.host_memory_exceeded", text);
}

#[test]
fn secrets_that_are_held_are_counted() {
    let text = "spends made keepfresh hold 25 MiB of answers and secrets for it (limit 24 MiB)";
    comes_to(&Stage::new(), "copies").is("plugin.host_memory_exceeded", text);
}

#[test]
fn the_513th_secret_of_a_call_ends_it() {
    comes_to(&Stage::new(), "secrets")
        .is("plugin.resources_exceeded", "spends made or took more than 512 secrets in one call");
}

#[test]
fn a_megabyte_of_facts_is_left_out_and_two_do_not_cross() {
    let stage = Stage::new();
    let home = home(&stage, "metadata");
    let run = home.run(&["refresh", "spends", "--json"]).exits(0).json();
    assert_eq!(attempt(&run["attempts"], "spends")["outcome"], "success");
    let shown = home.run(&["connection", "show", "spends", "--json"]).exits(0).json();
    let facts = shown["metadata"].as_array().unwrap();
    assert!(facts.len() <= 64 && shown["metadata"].to_string().len() <= 20_000, "{}", facts.len());
    comes_to(&Stage::new(), "more-metadata")
        .is("plugin.hostcall_too_large", "spends passed more than 1 MiB in one call to the host");
}

#[test]
fn a_profile_over_64_kib_is_not_kept() {
    let stage = Stage::new();
    let home = home(&stage, "profile");
    let section = format!("{}\nprobe = \"1h\"", section(&stage, "profile"));
    home.write_manifest(&stage.manifest(&section));
    let daemon = home.serve();
    let run = home.run(&["refresh", "--force", "--sync", "--json"]).exits(0).json();
    assert_eq!(attempt(&run["attempts"], "spends")["outcome"], "success");
    let text = "spends.profile returned a profile of 65547 bytes (limit 65536)";
    e2e::daemon::wait_until("it is refused", || daemon.log().contains(text));
    let shown = home.run(&["connection", "show", "spends", "--json"]).exits(0).json();
    assert_eq!(shown["profile"], Value::Null, "{shown:#}");
}

#[test]
fn a_token_of_4_mib_is_not_taken() {
    let twisted = bulky(&"%25&amp;\\x41".repeat(250_000));
    for body in [json!(twisted).to_string(), json!({ "a": twisted }).to_string(), twisted] {
        let text = format!(
            "spends took a secret of {} KiB out of an answer (limit 64 KiB)",
            (250_000_usize * 12 + BULK).div_ceil(1024)
        );
        answered(&body, "takes").is("plugin.secret_too_large", &text);
    }
}

#[test]
fn looking_for_many_secrets_in_long_lines_is_on_the_plugins_time() {
    let values = (0..400).map(|it| format!("value {it:08}")).collect::<Vec<_>>();
    answered(&json!(values).to_string(), "shouts").is("plugin.cpu_exceeded", CPU);
}

#[test]
fn composing_without_end_is_on_the_plugins_time() {
    comes_to(&Stage::new(), "composes").is("plugin.cpu_exceeded", CPU);
}

#[test]
fn looking_at_a_large_answer_is_on_the_plugins_time() {
    let values = json!((0..60_000).map(|it| format!("{it}")).collect::<Vec<_>>()).to_string();
    answered(&values, "looks-at-all").is("plugin.cpu_exceeded", CPU);
    answered(&values, "looks").is("plugin.cpu_exceeded", CPU);
}

#[test]
fn looking_once_at_an_answer_that_is_made_to_be_slow_is_on_the_plugins_time() {
    let slow = "%2541&amp;amp;\\\\u0041abcdefghijkl".repeat(2000);
    let all = [vec![slow; 30], vec![bulky("")]].concat();
    answered(&json!(all).to_string(), "looks-once").is("plugin.cpu_exceeded", CPU);
}

#[test]
fn looking_for_secrets_that_begin_alike_is_on_the_plugins_time() {
    comes_to(&Stage::new(), "alike").is("plugin.cpu_exceeded", CPU);
}

/// What it says in the end is shortened in any case; how much of it is shown depends on the machine.
#[test]
fn a_failure_that_is_slow_to_look_at_is_struck_out_or_cut() {
    let Ending { code, message } = comes_to(&Stage::new(), "alike-at-the-end");
    assert_eq!(code, "provider.failed");
    assert!(message == "[sealed]…" || message == format!("{}…", "a".repeat(500)), "{message}");
}

#[test]
fn asking_a_token_again_and_again_is_on_the_plugins_time() {
    let own = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.x";
    let body = json!({ "access_token": own }).to_string();
    answered(&body, "claims").is("plugin.cpu_exceeded", CPU);
}

/// What gzip makes no smaller: an answer that grows a hundred times is refused before anybody holds it.
const BULK: usize = 96 << 10;

fn bulky(rest: &str) -> String {
    let mut state = 1_u32;
    let letter = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 24) % 26).unwrap())
    };
    format!("{}{rest}", (0..BULK).map(letter).collect::<String>())
}

/// What the misdeed comes to when the provider answers with this body, however large.
fn answered(body: &str, misdeed: &str) -> Ending {
    let stage = Stage::new();
    let answer = Answer::new(200, "application/json", body).gzipped();
    stage.rotor.control().script(Scenario::from(answer).on("/token").always());
    comes_to(&stage, misdeed)
}

fn comes_to(stage: &Stage, misdeed: &str) -> Ending {
    stops_in(&home(stage, misdeed), "spends")
}

fn home(stage: &Stage, misdeed: &str) -> Home {
    stage.home(&section(stage, misdeed)).with_guest("spends")
}

fn section(stage: &Stage, misdeed: &str) -> String {
    stage.section_with("spends", &format!(r#", misdeed = "{misdeed}""#))
}
