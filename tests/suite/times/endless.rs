//! Tokens whose end nobody says: a schedule asks for them anew, and what was changed since is told.

use e2e::inside::Inside;
use e2e::stage::{Stage, write_secret};
use keepfresh::model::attempt::Trigger;
use keepfresh::model::connection::Problem;
use serde_json::Value;

use crate::providers::subject::{self, plain};

#[tokio::test]
async fn a_password_that_was_changed_at_the_provider_is_noticed_at_the_next_tick() {
    let stage = plain(subject::playmobile).started("schedule = \"0 2 * * *\"");
    let inside = Inside::open(&stage.home).await;
    let due = inside.connection("playmobile").await.due.unwrap();
    assert_eq!(due.trigger, Trigger::Scheduled);
    stage.control().reject_credentials(true);
    inside.app.scheduler().start();
    inside.advance_to(due.at, &[&stage.fake]);
    let connection = inside.settles("playmobile", 2).await;
    assert_eq!(connection.problem, Some(Problem::Misconfigured));
}

#[tokio::test]
async fn tokens_that_were_there_before_a_schedule_follow_it() {
    let stage = plain(subject::playmobile).started("");
    let inside = Inside::open(&stage.home).await;
    let storage = &inside.app.storage;
    let id = "playmobile".parse().unwrap();
    storage.set_due(&id, None).await.unwrap();
    inside.app.refresher.times.check().await.unwrap();
    let due = inside.connection("playmobile").await.due.unwrap();
    assert_eq!(due.trigger, Trigger::Scheduled);
}

fn changed(stage: &Stage) -> Value {
    stage.status()["changed_since_token"].clone()
}

#[test]
fn a_secret_that_was_changed_since_the_token_is_told_until_it_is_used() {
    let stage = plain(subject::playmobile).started("");
    assert_eq!(changed(&stage), Value::Array(Vec::new()));
    let (_, file) = password_of(&stage);
    write_secret(&stage.home, &file, "another-password");
    stage.control().set_credential("password", "another-password");
    assert_eq!(changed(&stage), serde_json::json!(["secrets"]));
    let text = stage.home.run(&["status", "playmobile"]).exits(5).stdout;
    assert!(text.contains("secrets were changed since this token"), "{text}");
    assert!(text.contains("keepfresh refresh playmobile --force"), "{text}");
    let checked = stage.home.run(&["check", "--json"]).exits(0).json();
    let told = serde_json::json!([
        { "connection": "playmobile/default", "connections": 1, "changed": ["secrets"] }
    ]);
    assert_eq!(checked["changed_since_token"], told);
    assert!(stage.home.run(&["check"]).exits(0).stderr.contains("changed since this token"));
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    assert_eq!(changed(&stage), Value::Array(Vec::new()));
    assert_eq!(
        stage.home.run(&["check", "--json"]).exits(0).json()["changed_since_token"],
        Value::Array(Vec::new())
    );
}

/// Where the password comes from, as the manifest says it.
fn password_of(stage: &Stage) -> (String, String) {
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let (_, rest) = manifest.split_once("password = { file = \"").unwrap();
    let file = rest.split_once('"').unwrap().0.to_owned();
    (manifest, file)
}

#[test]
fn status_runs_no_command_for_a_secret_and_check_does() {
    let stage = plain(subject::playmobile).stage("");
    let (manifest, file) = password_of(&stage);
    let line = format!("echo ran >> ran; cat {file}");
    let command = format!("{{ exec = [\"sh\", \"-c\", \"{line}\"] }}");
    let manifest = manifest.replace(&format!("{{ file = \"{file}\" }}"), &command);
    stage.home.write_manifest(&manifest);
    let ran =
        || std::fs::read_to_string(stage.home.path("ran")).unwrap_or_default().lines().count();
    assert_eq!(stage.refresh(&[])["outcome"], "success");
    assert_eq!(ran(), 1, "once for a login");
    write_secret(&stage.home, &file, "another-password");
    assert_eq!((changed(&stage), ran()), (Value::Array(Vec::new()), 1));
    let checked = stage.home.run(&["check", "--json"]).exits(0).json();
    assert_eq!(checked["changed_since_token"][0]["changed"], serde_json::json!(["secrets"]));
}

#[test]
fn a_setting_that_was_changed_since_the_token_is_told() {
    let stage = plain(subject::playmobile).started("");
    let (manifest, _) = password_of(&stage);
    // The same place by another name.
    stage.home.write_manifest(&manifest.replace("http://127.0.0.1", "http://localhost"));
    assert_eq!(changed(&stage), serde_json::json!(["settings"]));
    let shown = stage.home.run(&["connection", "show", "playmobile", "--json"]).exits(0).json();
    assert_eq!(shown["changed_since_token"], serde_json::json!(["settings"]));
}
