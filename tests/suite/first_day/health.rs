//! What looks at the health of a deployment sees what is wrong with it, and all of them see the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::stage::{self, Stage};
use serde_json::Value;

/// What is wrong by the words of `check`, `doctor` and the daemon's log: each has to have these.
fn all_say(home: &Home, code: &str, words: &[&str]) {
    let checked = home.run(&["check", "--json"]).exits(78).json();
    let problems = checked["problems"].as_array().unwrap();
    let problem = problems.iter().find(|it| it["code"] == code);
    let problem = problem.unwrap_or_else(|| panic!("{code}: {checked:#}"));
    let said = format!("{} {}", problem["message"], problem["remedy"]);
    let doctor = home.run(&["doctor"]);
    assert_ne!(doctor.code, 0, "{doctor:?}");
    let (before, daemon) = (log_of(home).len(), home.serve());
    let logged = || log_of(home)[before..].to_owned();
    let plain = |text: &str| text.replace("\\\"", "\"");
    let is_said = |text: &str| words.iter().all(|it| plain(text).contains(it));
    wait_until("it is in the log", || logged().contains(code) && is_said(&logged()));
    drop(daemon);
    for (place, text) in [("check", said), ("doctor", doctor.stdout), ("serve", logged())] {
        let text = plain(&text);
        for word in words {
            assert!(text.contains(word), "{place} does not say {word}: {text}");
        }
    }
}

fn log_of(home: &Home) -> String {
    fs::read_to_string(home.path("serve.log")).unwrap_or_default()
}

#[test]
fn a_status_with_a_dead_daemon_says_that_nothing_is_refreshed_and_does_not_exit_with_0() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let alive = stage.home.run(&["status", "--json"]).exits(0).json();
    assert_eq!(alive["daemon"], true, "{alive:#}");
    assert!(!stage.home.run(&["status"]).exits(0).stdout.contains("no daemon"));
    daemon.kill();
    let dead = stage.home.run(&["status", "--json"]).exits(5).json();
    assert_eq!(dead["daemon"], false, "{dead:#}");
    let text = stage.home.run(&["status"]).exits(5).stdout;
    assert!(text.contains("no daemon is running: nothing is refreshed automatically"), "{text}");
    assert!(text.contains("keepfresh serve") && !text.contains("Next refresh"), "{text}");
    for other in [&["status", "eskiz"][..], &["status", "--state", "late"]] {
        assert!(stage.home.run(other).exits(5).stdout.contains("no daemon"), "{other:?}");
    }
    let _ = stage.home.run(&["connection", "list"]).exits(0);
    assert!(stage.home.run(&["doctor"]).exits(1).stdout.contains("✕ daemon: not running"));
}

#[test]
fn an_unset_secret_is_told_by_serve_check_and_doctor() {
    let section = |it: &Stage| stage::eskiz_section(&it.fake, "").replace("ESKIZ_EMAIL", "NOT_SET");
    let stage = Stage::eskiz("");
    stage.home.write_manifest(&section(&stage));
    let words = ["secret `email` of eskiz", "the environment variable NOT_SET is not set"];
    all_say(&stage.home, "secret.env_missing", &words);
    let fallback = stage::eskiz_section(&stage.fake, "fallback_token = { file = \"not.there\" }");
    stage.home.write_manifest(&fallback);
    let words = ["the fallback token of eskiz", "not.there does not exist"];
    all_say(&stage.home, "secret.file_missing", &words);
}

#[test]
fn a_missing_plugin_is_told_by_serve_check_and_doctor() {
    let stage = Stage::eskiz("");
    fs::remove_file(stage.home.path("plugins/eskiz.wasm")).unwrap();
    all_say(
        &stage.home,
        "plugin.missing",
        &["eskiz.wasm is not in ./plugins", "put eskiz.wasm into"],
    );
}

#[test]
fn http_without_its_grant_is_told_by_serve_check_and_doctor() {
    let stage = Stage::eskiz("");
    let good = stage::eskiz_section(&stage.fake, "");
    let without = good.lines().filter(|it| !it.starts_with("egress"));
    stage.home.write_manifest(&without.collect::<Vec<_>>().join("\n"));
    let line =
        "add to [providers.eskiz]: egress = { networks = [\"127.0.0.0/8\"], plaintext = true }";
    all_say(&stage.home, "egress.scheme_denied", &["may not use http with 127.0.0.1", line]);
    let checked = stage.home.run(&["check", "--json"]).exits(78).json();
    assert_eq!(checked["problems"][0]["line"], 3, "at the setting: {checked:#}");
    // The line that is told is the one that helps.
    stage.home.write_manifest(&good);
    let _ = stage.home.run(&["check"]).exits(0);
}

#[test]
fn a_wrong_key_is_told_by_check_as_by_every_command_that_opens_the_database() {
    let (stage, other) = (Stage::eskiz("").logged_in(), Home::new(""));
    let daemon = stage.home.serve();
    fs::copy(other.path("keepfresh.key"), stage.home.path("keepfresh.key")).unwrap();
    let checked = stage.home.run(&["check"]).exits(78).stderr;
    assert!(checked.contains("error[vault.wrong_key]"), "{checked}");
    // The daemon has the right one still; its next start would not.
    let doctor = stage.home.run(&["doctor"]).exits(1).stdout;
    assert!(doctor.contains("✕ key: the vault key is not that of the database"), "{doctor}");
    drop(daemon);
    for verb in [&["serve"][..], &["doctor"], &["status"]] {
        let refused = stage.home.run(verb).exits(78).stderr;
        assert!(refused.contains("error[vault.wrong_key]"), "{verb:?}: {refused}");
    }
}

/// A file system of 24 MiB, gone with its guard. `None`, with a line that says why, where nothing can be mounted.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mounted() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=24m", "keepfresh-test"]).arg(disk.0.path());
        if !command.output().is_ok_and(|it| it.status.success()) {
            e2e::say("skipped: a disk that fills up can be mounted by root alone");
            return None;
        }
        Some(disk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_by_serve_check_and_doctor() {
    let Some(disk) = Disk::mounted() else { return };
    let stage = Stage::eskiz("");
    let database = disk.path().join("keepfresh.db");
    let storage = format!("[storage]\nurl = \"sqlite:{}\"\n", database.display());
    stage.home.write_manifest(&(storage + &stage::eskiz_section(&stage.fake, "")));
    let stage = stage.logged_in();
    let _ = stage.home.run(&["check"]).exits(0);
    fs::write(disk.path().join("ballast"), vec![1; 18 << 20]).unwrap();
    let checked = stage.home.run(&["check"]).exits(78).stderr;
    assert!(checked.contains("error[storage.full]"), "{checked}");
    let command = stage.home.command(&["serve"]);
    let (socket, log) = (disk.path().join("keepfresh.sock"), stage.home.path("serve.log"));
    let daemon = e2e::daemon::Daemon::start(command, &socket, log);
    wait_until("it is in the log", || daemon.log().contains("storage.full"));
    let doctor = stage.home.run(&["doctor"]).exits(1).stdout;
    assert!(doctor.contains("✕ disk: the disk of "), "{doctor}");
}

#[test]
fn a_healthy_deployment_is_told_to_be_so_by_all_of_them() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let _ = stage.home.run(&["check"]).exits(0);
    let doctor = stage.home.run(&["doctor", "--json"]).exits(0).json();
    let looked = doctor["findings"].as_array().unwrap().iter().map(|it| it["what"].clone());
    let looked = looked.collect::<Vec<_>>();
    for what in ["key", "disk", "secrets", "grants", "providers", "plugin files", "database"] {
        assert!(looked.contains(&Value::from(what)), "{what}: {looked:?}");
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!daemon.log().contains("WARN"), "{}", daemon.log());
}

#[test]
fn what_is_wrong_is_logged_once_and_not_again_at_each_reload() {
    let mut stage = Stage::eskiz("");
    stage.home.set_env("ESKIZ_EMAIL", "");
    let daemon = stage.home.serve();
    let told = || daemon.log().matches("the secret `email` of eskiz cannot be read").count();
    wait_until("it is told", || told() == 1);
    let reloads = || daemon.log().matches("reloaded").count();
    for more in ["jitter = \"1s\"", "fallback_token = { env = \"NOT_SET\" }"] {
        let before = reloads();
        stage.home.write_manifest(&stage::eskiz_section(&stage.fake, more));
        wait_until("it is reloaded", || reloads() > before);
    }
    wait_until("what is new is told", || daemon.log().contains("the fallback token of eskiz"));
    assert_eq!(told(), 1, "{}", daemon.log());
}
