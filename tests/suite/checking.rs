//! `init` and `check`: what is made, what is left alone, and every problem with its place and remedy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use e2e::artifacts;
use e2e::home::{Home, Run};
use e2e::stage::{self, Stage};
use serde_json::Value;

/// The problems that `check --json` finds, as `code line:column`.
fn problems(home: &Home) -> Vec<String> {
    let found = home.run(&["check", "--json"]).exits(78).json();
    let line = |it: &Value| {
        assert!(!it["remedy"].as_str().unwrap().is_empty(), "{it}");
        format!("{} {}:{}", it["code"].as_str().unwrap(), it["line"], it["column"])
    };
    found["problems"].as_array().unwrap().iter().map(line).collect()
}

/// A manifest of Eskiz whose lines are counted from `[providers.eskiz]` on line 1.
fn eskiz(lines: &[&str]) -> Home {
    stage::home(&format!("[providers.eskiz]\n{}\n", lines.join("\n")))
}

const SECRETS: &str =
    r#"secrets = { email = { env = "ESKIZ_EMAIL" }, password = { file = "eskiz.password" } }"#;

#[test]
fn init_writes_a_manifest_and_a_key_for_its_owner_alone() {
    let home = Home::new("");
    for file in ["keepfresh.toml", "keepfresh.key"] {
        fs::remove_file(home.path(file)).unwrap();
    }
    let run = home.run(&["init"]).exits(0);
    assert!(
        run.stderr.contains("wrote keepfresh.toml") && run.stderr.contains("wrote ./keepfresh.key")
    );
    assert_eq!(run.stdout, "");
    let mode = fs::metadata(home.path("keepfresh.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let manifest = fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    assert!(manifest.contains("#[providers.eskiz]"));
    let _ = home.run(&["check"]).exits(0);
}

#[test]
fn init_never_overwrites() {
    let home = Home::new("# mine\n");
    let read = || ["keepfresh.toml", "keepfresh.key"].map(|it| fs::read(home.path(it)).unwrap());
    let before = read();
    let kept = home.run(&["init"]).exits(0);
    assert!(
        kept.stderr.contains("kept keepfresh.toml") && kept.stderr.contains("kept ./keepfresh.key")
    );
    assert_eq!(read(), before);
}

#[test]
fn init_makes_no_key_for_a_database_that_has_lost_its_own() {
    let stage = Stage::eskiz("").logged_in();
    fs::remove_file(stage.home.path("keepfresh.key")).unwrap();
    let refused = stage.home.run(&["init"]).exits(78);
    assert!(refused.stderr.contains("error[vault.key_missing]"), "{refused:?}");
    assert!(!stage.home.path("keepfresh.key").exists());
}

#[test]
fn a_good_manifest_is_in_order_and_says_when_it_runs() {
    let home = eskiz(&["schedule = \"0 2 * * *\"", "timezone = \"Asia/Tashkent\"", SECRETS]);
    let checked = home.run(&["check"]).exits(0);
    assert!(
        checked.stdout.contains("eskiz: next tick")
            && checked.stdout.contains("02:00 in Asia/Tashkent")
    );
    assert!(checked.stderr.contains("is valid"));
    let json = home.run(&["check", "--json"]).exits(0).json();
    assert_eq!(json["problems"].as_array().unwrap().len(), 0);
    assert_eq!(json["providers"][0]["name"], "eskiz");
    assert!(json["providers"][0]["next_run_at"].as_str().unwrap().ends_with("T21:00:00Z"));
    assert!(!home.path("keepfresh.db").exists(), "a check changes nothing");
    assert!(!home.path("keepfresh.lock").exists(), "and approves nothing");
}

/// Problems of each broken manifest, in the order of their names.
const COUNTS: [usize; 12] = [2, 4, 1, 1, 1, 2, 6, 2, 3, 1, 7, 4];

#[test]
fn every_problem_of_a_broken_manifest_is_said_with_line_column_and_remedy() {
    let broken = artifacts::broken_manifests();
    assert_eq!(broken.len(), COUNTS.len());
    let home = Home::new("");
    for (path, count) in broken.iter().zip(COUNTS) {
        let file = path.to_str().unwrap();
        let Run { stdout, stderr, .. } = home.run(&["check", "--config", file]).exits(78);
        assert_eq!(stdout, "");
        let lines = stderr.lines().map(str::trim_start).collect::<Vec<_>>();
        let errors = lines.iter().filter(|it| it.starts_with("error[manifest.")).count();
        let places = lines.iter().filter(|it| it.starts_with(&format!("--> {file}:"))).count();
        let remedies = lines.iter().filter(|it| it.starts_with("= help: ")).count();
        assert_eq!((errors, places, remedies), (count, count, count), "{stderr}");
        assert!(stderr.contains(&format!("{count} problem")), "{stderr}");
        assert!(!stderr.contains("hunter2"), "a secret in the wrong place is not shown");
        let json = home.run(&["check", "--json", "--config", file]).exits(78);
        let problems = json.json()["problems"].clone();
        assert_eq!(problems.as_array().unwrap().len(), count, "{file}");
        assert!(!json.stdout.contains("hunter2"));
    }
}

#[test]
fn other_commands_refuse_a_broken_manifest_in_the_same_way() {
    let home = Home::new("");
    let broken = artifacts::broken_manifests();
    let file = broken[0].to_str().unwrap();
    for verb in [&["serve"][..], &["refresh"], &["status"], &["token", "get", "eskiz"]] {
        let refused = home.run(&[&["--config", file], verb].concat()).exits(78);
        assert!(refused.stderr.contains("did you mean `schedule`?"), "{refused:?}");
    }
}

#[test]
fn a_secret_that_is_not_there_is_found_at_its_line() {
    let home = eskiz(&[
        "schedule = \"0 2 * * *\"",
        "[providers.eskiz.secrets]",
        "email = { env = \"NOT_SET\" }",
        "password = { file = \"not.there\" }",
    ]);
    assert_eq!(problems(&home), ["secret.env_missing 4:1", "secret.file_missing 5:1"]);
}

#[test]
fn a_secret_that_only_connections_added_later_will_read_is_found_as_well() {
    let home = eskiz(&[
        "connections = []",
        "[providers.eskiz.secrets]",
        "email = { env = \"NOT_SET\" }",
        "password = { file = \"eskiz.password\" }",
    ]);
    assert_eq!(problems(&home), ["secret.env_missing 4:1"]);
}

#[test]
fn a_secret_that_the_plugin_needs_and_one_that_it_does_not_know_are_found() {
    let home = eskiz(&[
        "secrets = { email = { env = \"ESKIZ_EMAIL\" }, pasword = { file = \"eskiz.password\" } }",
    ]);
    assert_eq!(problems(&home), ["manifest.unknown_key 2:46", "manifest.secret_missing 2:1"]);
    let text = home.run(&["check"]).exits(78).stderr;
    assert!(text.contains("it has: email, password"), "{text}");
    assert!(text.contains("add: secrets = { password = { env = \"PASSWORD\" } }"), "{text}");
}

#[test]
fn a_provider_without_secrets_is_told_which_it_needs() {
    let home = eskiz(&["schedule = \"0 2 * * *\""]);
    assert_eq!(problems(&home), ["manifest.secret_missing 1:12", "manifest.secret_missing 1:12"]);
}

#[test]
fn a_setting_that_the_plugin_does_not_know_is_found() {
    let home =
        eskiz(&[SECRETS, "settings = { base_url = \"https://notify.eskiz.uz\", region = \"x\" }"]);
    assert_eq!(problems(&home), ["manifest.unknown_key 3:52"]);
}

#[test]
fn what_is_wrong_with_one_of_several_connections_is_found_at_its_own_line() {
    let home = eskiz(&[
        SECRETS,
        "[[providers.eskiz.connections]]",
        "name = \"good\"",
        "[[providers.eskiz.connections]]",
        "name = \"bad\"",
        "settings = { region = \"x\" }",
        "secrets = { password = { env = \"NOT_SET\" }, pin = { env = \"ESKIZ_EMAIL\" } }",
    ]);
    assert_eq!(
        problems(&home),
        ["manifest.unknown_key 7:14", "manifest.unknown_key 8:45", "secret.env_missing 8:13"]
    );
}

#[test]
fn a_plugin_that_is_not_there_or_no_plugin_is_found_with_what_to_do() {
    let home = stage::home("[providers.sms]\n\n[providers.other]\nplugin = \"rubbish\"\n");
    fs::write(home.path("plugins/rubbish.wasm"), "no component").unwrap();
    assert_eq!(problems(&home), ["plugin.missing 1:12", "plugin.refused 4:1"]);
    let text = home.run(&["check"]).exits(78).stderr;
    assert!(text.contains("put sms.wasm into the plugin folder"), "{text}");
    assert!(text.contains("replace rubbish.wasm with a working plugin"), "{text}");
}

#[test]
fn a_key_that_is_not_there_or_no_key_is_found_at_its_line() {
    let home = Home::new("[vault]\nkey = \"file:keepfresh.key\"\n");
    fs::write(home.path("keepfresh.key"), "no key").unwrap();
    assert_eq!(problems(&home), ["vault.key_invalid 2:1"]);
    fs::remove_file(home.path("keepfresh.key")).unwrap();
    assert_eq!(problems(&home), ["secret.file_missing 2:1"]);
}
