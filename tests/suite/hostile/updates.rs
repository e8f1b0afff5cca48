//! Updates of a plugin that ask for more than the operator has seen.

use std::fs;

use e2e::artifacts;
use e2e::daemon::wait_until;
use e2e::home::{Home, Run};
use serde_json::{Value, json};

use crate::hostile::{Stage, attempt, stops_in};

const MORE: &str = "asks for more than was approved (a new import: keepfresh:provider/reveal@1.0.0, a new request: GET {base_url}/go with key, to send key with POST {base_url}/token, a new secret: key, to read text /echo, to read text /errors/**, to read text /note, to read text the whole body, to read text header:X-Echo, to read fact /pin, its logins to be unattended, not none, its rotation to be unknown, not strict)";

/// What is said of a widened `x.wasm`, by its digest.
fn widened(digest: &Value) -> String {
    let digest = digest.as_str().unwrap();
    format!(
        "x.wasm {MORE}; check it with `keepfresh plugin inspect`, then run: keepfresh plugin approve x --digest {digest}"
    )
}

/// The digits of a digest.
fn hex(digest: &Value) -> &str {
    digest.as_str().and_then(|it| it.strip_prefix("sha256:")).unwrap()
}

/// Approves `x.wasm` as it is now.
fn approve(home: &Home) -> Run {
    let inspected = home.run(&["plugin", "inspect", "plugins/x.wasm", "--json"]).exits(0).json();
    home.run(&["plugin", "approve", "x", "--digest", inspected["digest"].as_str().unwrap()])
}

#[test]
fn an_update_that_asks_for_more_waits_while_the_old_one_goes_on() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let old = listed(&home)["digest"].clone();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let plugin = listed(&home);
    assert_eq!(plugin["refused"]["code"], "plugin.permissions_widened");
    assert_eq!(plugin["refused"]["message"], json!(widened(&plugin["digest"])));
    assert_eq!((&plugin["name"], &plugin["running"]), (&"rotor".into(), &old));
    refreshes(&home);
    let lock = fs::read_to_string(home.path("keepfresh.lock")).unwrap();
    assert!(lock.contains(hex(&old)), "{lock}");
    assert!(!lock.contains(hex(&plugin["digest"])), "{lock}");
}

#[test]
fn an_update_that_asks_for_more_is_taken_once_it_is_approved() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    assert_eq!(listed(&home)["name"], "rotor");
    let approved = approve(&home).exits(0);
    assert!(approved.stderr.contains("approved x.wasm 0.1.0"), "{}", approved.stderr);
    let plugin = listed(&home);
    assert_eq!((&plugin["name"], &plugin["refused"]), (&"reveals".into(), &Value::Null));
    let section =
        stage.section("x").replace("[providers.x]", "[providers.x]\ngrants = [\"reveal\"]");
    home.write_manifest(&stage.manifest(&section));
    refreshes(&home);
}

#[test]
fn an_approval_of_the_file_is_no_grant_of_reveal() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    approve(&home).exits(0);
    home.write_manifest(&stage.manifest(&stage.section("x")));
    assert_eq!(stops_in(&home, "x").code, "plugin.import_denied");
}

#[test]
fn without_its_compiled_form_the_old_one_cannot_go_on_and_the_new_one_still_waits() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    fs::remove_dir_all(home.path("keepfresh.cache")).unwrap();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let digest = listed(&home)["digest"].clone();
    stops_in(&home, "x").is("plugin.permissions_widened", &widened(&digest));
}

#[test]
fn compiled_code_that_was_tampered_with_is_not_run() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    for file in fs::read_dir(home.path("keepfresh.cache")).unwrap() {
        let path = file.unwrap().path();
        let mut code = fs::read(&path).unwrap();
        let middle = code.len() / 2;
        code[middle] ^= 1;
        fs::write(&path, code).unwrap();
    }
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let digest = listed(&home)["digest"].clone();
    stops_in(&home, "x").is("plugin.permissions_widened", &widened(&digest));
}

#[test]
fn a_lock_file_that_cannot_be_read_approves_nothing_by_itself() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    fs::write(home.path("keepfresh.lock"), "plugins = nonsense").unwrap();
    let plugin = listed(&home);
    assert_eq!(plugin["refused"]["code"], "plugin.lock_damaged", "{plugin:#}");
    let message = plugin["refused"]["message"].as_str().unwrap();
    assert!(message.contains("restore it, or check each plugin"), "{message}");
    assert_eq!(fs::read_to_string(home.path("keepfresh.lock")).unwrap(), "plugins = nonsense");
}

#[test]
fn a_running_daemon_keeps_the_old_one_until_the_new_one_is_approved() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let daemon = home.serve();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    wait_until("the update is seen", || listed(&home)["refused"].is_object());
    assert_eq!(listed(&home)["refused"]["message"], widened(&listed(&home)["digest"]));
    refreshes(&home);
    let approved = approve(&home).exits(0);
    assert!(approved.stderr.contains("the daemon uses it now"), "{approved:?}");
    // At once: the command has waited for it.
    let plugin = listed(&home);
    assert_eq!((&plugin["name"], &plugin["refused"]), (&"reveals".into(), &Value::Null));
    assert!(daemon.stop().success());
}

#[test]
fn an_approval_without_a_digest_says_what_is_asked_and_approves_nothing() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let before = fs::read_to_string(home.path("keepfresh.lock")).unwrap();
    let refused = home.run(&["plugin", "approve", "x"]).exits(2);
    assert!(refused.stderr.contains("error[plugin.digest_needed]"), "{refused:?}");
    assert!(refused.stderr.contains(MORE), "{refused:?}");
    assert_eq!(fs::read_to_string(home.path("keepfresh.lock")).unwrap(), before);
    // The line that it names, typed.
    let line = refused.stderr.split_once("then run: ").unwrap().1.trim();
    let arguments = line.split(' ').skip(1).collect::<Vec<_>>();
    let approved = home.run(&arguments).exits(0);
    assert!(approved.stderr.contains("no daemon is running"), "{approved:?}");
    assert_eq!(listed(&home)["name"], "reveals");
}

#[test]
fn what_inspect_shows_is_the_line_that_approves_that_file() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let shown = home.run(&["plugin", "inspect", "plugins/x.wasm"]).exits(0).stdout;
    let line = shown.lines().find_map(|it| it.trim().strip_prefix("approve   keepfresh ")).unwrap();
    home.run(&line.split(' ').collect::<Vec<_>>()).exits(0);
    assert_eq!(listed(&home)["refused"], Value::Null);
}

#[test]
fn a_file_that_was_exchanged_after_the_look_is_not_approved() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let seen = hex(&listed(&home)["digest"]).to_owned();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let found = hex(&listed(&home)["digest"]).to_owned();
    let before = fs::read_to_string(home.path("keepfresh.lock")).unwrap();
    for digest in [seen.clone(), format!("sha256:{seen}"), seen[..12].to_owned()] {
        let refused = home.run(&["plugin", "approve", "x", "--digest", &digest]).exits(1);
        assert!(refused.stderr.contains("error[plugin.digest_mismatch]"), "{refused:?}");
        assert!(refused.stderr.contains(&found), "{refused:?}");
        assert!(refused.stderr.contains(&seen[..12]), "{refused:?}");
    }
    assert_eq!(fs::read_to_string(home.path("keepfresh.lock")).unwrap(), before);
    for digest in ["", "0123", &found[..11], "not a digest at all"] {
        home.run(&["plugin", "approve", "x", "--digest", digest]).exits(2);
    }
    home.run(&["plugin", "approve", "x", "--digest", &found[..12].to_uppercase()]).exits(0);
    assert_eq!(listed(&home)["refused"], Value::Null);
}

/// The well-behaved guest as `x.wasm`, with a token to start from.
fn rotor_as_x(stage: &Stage) -> Home {
    let section = format!(
        "[providers.x]\nsettings = {{ base_url = \"{}\" }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}",
        stage.rotor.base_url()
    );
    let home = stage.home(&section);
    home.drop_plugin(&artifacts::guest("rotor"), "x");
    let pair = stage.rotor.control().issue_family("x");
    let tokens = json!({ "access_token": pair.access_token, "refresh_token": pair.refresh_token });
    home.run_with_input(&["token", "set", "x"], &tokens.to_string()).exits(0);
    home
}

fn refreshes(home: &Home) {
    let run = home.run(&["refresh", "--force", "--sync", "--json"]).exits(0).json();
    assert_eq!(attempt(&run["attempts"], "x")["outcome"], "success", "{run:#}");
    assert_eq!(attempt(&run["attempts"], "eskiz")["outcome"], "success", "{run:#}");
}

fn listed(home: &Home) -> Value {
    let list = home.run(&["plugin", "list", "--json"]).exits(0).json();
    let plugins = list["plugins"].as_array().unwrap();
    plugins.iter().find(|it| it["file"] == "x.wasm").unwrap().clone()
}
