//! Updates of a plugin that ask for more than the operator has seen.

use std::fs;

use e2e::artifacts;
use e2e::daemon::{Daemon, wait_until};
use e2e::home::Home;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::hostile::{Stage, attempt, stops_in};

const WIDENED: &str = "x.wasm asks for more than was approved (a new import: keepfresh:provider/reveal@1.0.0, a new request: GET {base_url}/go, a new secret: key); approve with: keepfresh plugin approve x";

#[test]
fn an_update_that_asks_for_more_waits_while_the_old_one_goes_on() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let old = listed(&home)["digest"].clone();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    let plugin = listed(&home);
    assert_eq!(
        plugin["refused"],
        json!({ "code": "plugin.permissions_widened", "message": WIDENED })
    );
    assert_eq!((&plugin["name"], &plugin["running"]), (&"rotor".into(), &old));
    refreshes(&home);
    let lock = fs::read_to_string(home.path("keepfresh.lock")).unwrap();
    assert!(lock.contains(old.as_str().unwrap()), "{lock}");
    assert!(!lock.contains(plugin["digest"].as_str().unwrap()), "{lock}");
}

#[test]
fn an_update_that_asks_for_more_is_taken_once_it_is_approved() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    assert_eq!(listed(&home)["name"], "rotor");
    let approved = home.run(&["plugin", "approve", "x"]).exits(0);
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
    home.run(&["plugin", "approve", "x"]).exits(0);
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
    stops_in(&home, "x").is("plugin.permissions_widened", WIDENED);
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
    stops_in(&home, "x").is("plugin.permissions_widened", WIDENED);
}

#[test]
fn a_lock_file_that_cannot_be_read_approves_nothing_by_itself() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    listed(&home);
    fs::write(home.path("keepfresh.lock"), "plugins = nonsense").unwrap();
    let plugin = listed(&home);
    assert_eq!(plugin["refused"]["code"], "plugin.permissions_widened", "{plugin:#}");
    assert_eq!(fs::read_to_string(home.path("keepfresh.lock")).unwrap(), "plugins = nonsense");
}

#[test]
fn a_running_daemon_keeps_the_old_one_until_the_new_one_is_approved() {
    let stage = Stage::new();
    let home = rotor_as_x(&stage);
    let daemon = home.serve();
    home.drop_plugin(&artifacts::guest("reveals"), "x");
    wait_until("the update is seen", || listed(&home)["refused"].is_object());
    assert_eq!(listed(&home)["refused"]["message"], WIDENED);
    refreshes(&home);
    home.run(&["plugin", "approve", "x"]).exits(0);
    approved_is_taken(&daemon, &home);
}

fn approved_is_taken(daemon: &Daemon, home: &Home) {
    daemon.signal(Signal::HUP);
    wait_until("the update is taken", || listed(home)["refused"].is_null());
    assert_eq!(listed(home)["name"], "reveals");
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
