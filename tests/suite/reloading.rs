//! Changes under a running daemon: the manifest, the plugin folder, and mistakes in either.

use std::fs;

use e2e::artifacts;
use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit};
use e2e::stage::{self, Stage};
use rustix::process::Signal;
use serde_json::Value;

fn jibit() -> FakeProvider {
    FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap()
}

/// The line of a connection in `status --json`; null while it is not there.
fn connection(home: &Home, id: &str) -> Value {
    let status = home.run(&["status", "--json"]).json();
    let mut all = status["connections"].as_array().into_iter().flatten();
    all.find(|it| it["short"] == id).cloned().unwrap_or_default()
}

fn wait_for_state(home: &Home, id: &str, state: &str) {
    wait_until(&format!("{id} is {state}"), || connection(home, id)["state"] == state);
}

#[test]
fn a_provider_that_is_added_to_the_manifest_logs_in_without_a_restart() {
    let (stage, other) = (Stage::eskiz("").logged_in(), jibit());
    let daemon = stage.home.serve();
    let both = stage::eskiz_section(&stage.fake, "") + &stage::jibit_section(&other, "");
    stage.home.write_manifest(&both);
    daemon.signal(Signal::HUP);
    wait_for_state(&stage.home, "jibit", "fresh");
    assert_eq!(stage.seen().len(), 1, "the others are left alone");
    assert!(daemon.log().contains("reloaded"), "{}", daemon.log());
}

#[test]
fn a_changed_manifest_is_noticed_without_a_signal() {
    let (stage, other) = (Stage::eskiz("").logged_in(), jibit());
    let _daemon = stage.home.serve();
    let both = stage::eskiz_section(&stage.fake, "") + &stage::jibit_section(&other, "");
    stage.home.write_manifest(&both);
    wait_for_state(&stage.home, "jibit", "fresh");
}

#[test]
fn a_change_during_a_reload_is_not_missed() {
    let (stage, other) = (Stage::eskiz("").logged_in(), jibit());
    let _daemon = stage.home.serve();
    let eskiz = |more: &str| stage::eskiz_section(&stage.fake, more);
    // A little longer than a burst, so that each change comes when the one before is being taken.
    for hours in 1..=4 {
        stage.home.write_manifest(&eskiz(&format!("refresh_before = \"{hours}h\"")));
        std::thread::sleep(std::time::Duration::from_millis(310));
    }
    stage.home.write_manifest(&(eskiz("") + &stage::jibit_section(&other, "")));
    wait_for_state(&stage.home, "jibit", "fresh");
}

#[test]
fn a_plugin_that_is_dropped_into_the_folder_works_without_a_restart() {
    let stage = Stage::jibit("");
    fs::remove_file(stage.home.path("plugins/jibit.wasm")).unwrap();
    let daemon = stage.home.serve();
    wait_for_state(&stage.home, "jibit", "misconfigured");
    assert_eq!(stage.status()["last_attempt"]["error"]["code"], "plugin.missing");
    assert_eq!(stage.control().seen(), 0);
    stage.home.drop_plugin(&artifacts::plugin("jibit"), "jibit");
    wait_for_state(&stage.home, "jibit", "fresh");
    assert_eq!(stage.seen().len(), 1);
    assert!(daemon.log().contains("reloaded"), "{}", daemon.log());
}

#[test]
fn a_file_that_is_no_plugin_stops_nobody() {
    let settings = eskiz::Settings { lifetime: 12, ..eskiz::Settings::default() };
    let stage = Stage::eskiz_as(settings, "[providers.rubbish]");
    let daemon = stage.home.serve();
    wait_until("it has logged in", || stage.control().seen() == 1);
    fs::write(stage.home.path("plugins/rubbish.wasm"), "no component").unwrap();
    wait_until("it is said", || daemon.log().contains("rubbish.wasm is not a WebAssembly"));
    let then = stage.control().seen();
    wait_until("the other goes on", || stage.control().seen() > then);
    wait_for_state(&stage.home, "eskiz", "fresh");
}

#[test]
fn a_broken_plugin_file_keeps_the_one_that_works_running() {
    let stage = Stage::eskiz("").logged_in();
    let _daemon = stage.home.serve();
    let rubbish = stage.home.path("rubbish");
    fs::write(&rubbish, "no component").unwrap();
    stage.home.drop_plugin(&rubbish, "eskiz");
    let refused = || {
        let list = stage.home.run(&["plugin", "list", "--json"]).json();
        list["plugins"][0]["refused"].is_object() && list["plugins"][0]["running"].is_string()
    };
    wait_until("it is refused", refused);
    assert_eq!(stage.refresh(&["--force", "--sync"])["outcome"], "success");
}

#[test]
fn a_broken_manifest_keeps_the_good_one_in_force_and_says_so() {
    let settings = eskiz::Settings { lifetime: 12, ..eskiz::Settings::default() };
    let stage = Stage::eskiz_as(settings, "");
    let good = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let daemon = stage.home.serve();
    wait_until("it has logged in", || stage.control().seen() == 1);
    stage.home.write_manifest("[providers.eskiz]\nschedul = \"0 2 * * *\"\n");
    daemon.signal(Signal::HUP);
    wait_until("it is said", || daemon.log().contains("was not reloaded"));
    let log = daemon.log();
    assert!(log.contains("keepfresh.toml:2:1:") && log.contains("manifest.unknown_key"), "{log}");
    let then = stage.control().seen();
    wait_until("it goes on", || stage.control().seen() > then);
    stage.home.write_manifest(&good);
    wait_until("it is taken again", || {
        daemon.log().contains("reloaded ./keepfresh.toml")
            || daemon.log().contains("reloaded keepfresh.toml")
    });
    wait_for_state(&stage.home, "eskiz", "fresh");
}

#[test]
fn changed_times_hold_for_tokens_that_are_there() {
    let stage = Stage::eskiz("refresh_before = \"1d\"").logged_in();
    let daemon = stage.home.serve();
    let before = stage.status()["next_refresh_at"].clone();
    let more = "refresh_before = \"9d\"\nschedule = \"0 0 29 2 *\"";
    stage.home.write_manifest(&stage::eskiz_section(&stage.fake, more));
    daemon.signal(Signal::HUP);
    wait_until("the next refresh is another", || stage.status()["next_refresh_at"] != before);
    assert_eq!(stage.seen().len(), 1, "and not now");
}

#[test]
fn a_provider_that_is_removed_from_the_manifest_keeps_its_token_and_says_why_it_rests() {
    let (stage, other) = (Stage::eskiz("").logged_in(), jibit());
    let whole = stage::eskiz_section(&stage.fake, "") + &stage::jibit_section(&other, "");
    let daemon = stage.home.serve();
    stage.home.write_manifest(&stage::jibit_section(&other, ""));
    daemon.signal(Signal::HUP);
    wait_for_state(&stage.home, "eskiz", "misconfigured");
    let error = stage.status()["last_attempt"]["error"].clone();
    assert_eq!(error["code"], "manifest.provider_missing");
    let _ = stage.token();
    stage.home.write_manifest(&whole);
    daemon.signal(Signal::HUP);
    wait_for_state(&stage.home, "eskiz", "fresh");
}
