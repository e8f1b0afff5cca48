//! The commands that change something, and how each of them ends: exit codes are what scripts see.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixListener;

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit};
use e2e::stage::{self, Stage};

#[test]
fn a_paused_connection_is_left_alone_until_it_is_resumed() {
    let stage = Stage::eskiz("").logged_in();
    let pause = ["connection", "pause", "eskiz", "--for", "2h", "--reason", "their maintenance"];
    let _ = stage.home.run(&pause).exits(0);
    let status = stage.home.run(&["status", "--json"]).exits(5).json();
    let sentence = status["connections"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("for 1h 59m more: their maintenance"), "{sentence}");
    assert_eq!(status["connections"][0]["next_step"], "keepfresh connection resume eskiz");
    let attempt = stage.refresh(&["--force"]);
    assert_eq!(attempt["outcome"], "skipped");
    assert!(attempt["reason"].as_str().unwrap().contains("connection resume eskiz"));
    let _ = stage.home.run(&["token", "get", "eskiz"]).exits(0);
    let _ = stage.home.run(&["connection", "resume", "eskiz"]).exits(0);
    assert_eq!(stage.state(), "fresh");
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
}

#[test]
fn what_had_failed_before_a_pause_is_due_when_it_is_resumed() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Answer::bad_gateway());
    let _ = stage.refresh(&["--force"]);
    let _ = stage.home.run(&["connection", "pause", "eskiz", "--for", "1d"]).exits(0);
    let _ = stage.home.run(&["connection", "resume", "eskiz"]).exits(0);
    let next =
        stage.status()["next_refresh_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(next <= stage.control().now(), "not at the end of the pause: {next}");
}

#[test]
fn old_attempts_are_removed_but_the_last_of_each_connection_stays() {
    let stage = Stage::eskiz("").logged_in();
    let _ = stage.refresh(&["--force"]);
    let prune = |age: &str| {
        let run = stage.home.run(&["prune", "--older-than", age, "--json"]).exits(0).json();
        run["attempts"].as_u64().unwrap()
    };
    assert_eq!(prune("1d"), 0);
    assert_eq!(prune("0s"), 1);
    assert_eq!(stage.status()["last_attempt"]["trigger"], "forced");
    assert_eq!(stage.state(), "fresh", "tokens are not attempts");
}

#[test]
fn failed_attempts_are_removed_alone() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Answer::bad_gateway());
    let _ = stage.refresh(&["--force"]);
    let _ = stage.refresh(&["--force"]);
    let prune = ["prune", "--older-than", "0s", "--outcome", "failed", "--json"];
    let pruned = stage.home.run(&prune).exits(0).json();
    assert_eq!((&pruned["attempts"], &pruned["events"]), (&1.into(), &0.into()));
    let log = stage.home.run(&["log", "--json"]).exits(0).json();
    let outcomes = log["attempts"].as_array().unwrap().iter().map(|it| it["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["success", "success"]);
    let audit = stage.home.run(&["audit", "--json"]).exits(0).json();
    assert_eq!(audit["entries"][0]["subject"], "attempts: failed");
}

#[test]
fn the_daemon_keeps_what_is_younger_than_the_manifest_says_and_nothing_else() {
    let stage = Stage::eskiz("").logged_in();
    let _ = stage.refresh(&["--force"]);
    let _ = stage.home.run(&["connection", "pause", "eskiz", "--for", "1h"]).exits(0);
    let database = Database::at(&stage.home.path("keepfresh.db"));
    let manifest = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    let of_audit = "select count(*) from audit where action = 'connection.paused'";
    let of_log = "select count(*) from attempts";
    assert_eq!((database.number(of_audit), database.number(of_log)), (1, 2));
    database.run(
        "drop trigger attempts_stay; update attempts set started_at = started_at - 45 * 86400000",
    );
    database.run("update audit set at = at - 45 * 86400000");
    for (retention, left) in [("60d", 1), ("40d", 0)] {
        let kept = format!("[storage]\nretention = \"{retention}\"\n{manifest}");
        stage.home.write_manifest(&kept);
        let daemon = stage.home.serve();
        if left == 0 {
            wait_until("it has cleaned up", || daemon.log().contains("entries of the audit log"));
        }
        assert_eq!(database.number(of_audit), left, "{retention}");
        assert_eq!(database.number(of_log), left + 1, "the last of a connection stays");
        drop(daemon);
    }
    let stats = stage.home.run(&["stats", "--json"]).exits(0).json();
    assert_eq!(stats["success"], 2, "they are still counted");
}

#[test]
fn the_doctor_names_what_is_ill_and_what_to_do() {
    let stage = Stage::eskiz("").logged_in();
    let report = |code: i32| stage.home.run(&["doctor", "--json"]).exits(code).json();
    let ill = |report: serde_json::Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        let ill = findings.filter(|it| it["ok"] == false);
        ill.map(|it| it["what"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ill(report(1)), ["daemon"]);
    let daemon = stage.home.serve();
    assert!(ill(report(0)).is_empty());
    drop(daemon);
    fs::remove_file(stage.home.path("eskiz.password")).unwrap();
    let _ = stage.refresh(&["--force"]);
    let text = stage.home.run(&["doctor"]).exits(1).stdout;
    assert!(text.contains("✓ database: intact"), "{text}");
    assert!(text.contains("✕ secret password of eskiz: "), "{text}");
}

#[test]
fn completions_know_every_command() {
    let home = Home::new("");
    let bash = home.run(&["completions", "bash"]).exits(0).stdout;
    for verb in ["refresh", "connection", "schedule", "doctor", "--min-ttl", "--dry-run"] {
        assert!(bash.contains(verb), "{verb}");
    }
    assert!(home.run(&["completions", "fish"]).exits(0).stdout.contains("keepfresh"));
}

#[test]
fn a_command_that_does_not_exist_is_a_mistake_of_the_caller() {
    let home = Home::new("");
    for wrong in [
        &["frobnicate"][..],
        &["refresh", "--bogus"],
        &["refresh", "eskiz", "--all"],
        &["status", "Not A Name"],
        &["log", "--since", "soon"],
        &["log", "--outcome", "good"],
    ] {
        let refused = home.run(wrong).exits(2);
        assert_eq!(refused.stdout, "", "{wrong:?}");
        assert!(refused.stderr.starts_with("error:"), "{wrong:?}");
    }
    let _ = home.run(&["--version"]).exits(0);
}

#[test]
fn one_that_failed_among_others_is_a_partial_failure() {
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let home = stage::home(&(stage::eskiz_section(&eskiz, "") + &stage::jibit_section(&jibit, "")));
    jibit.control().script(Answer::server_error());
    let run = home.run(&["refresh", "--json"]).exits(3).json();
    assert_eq!((&run["summary"]["success"], &run["summary"]["failed"]), (&1.into(), &1.into()));
    let early = home.run(&["refresh", "--failed", "--json"]).exits(0).json();
    assert_eq!(early["summary"]["skipped"], 1, "it is not tried again before its time: {early}");
    let again = home.run(&["refresh", "--failed", "--force", "--json"]).exits(0).json();
    assert_eq!(again["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(again["attempts"][0]["connection"], "jibit/default");
}

#[test]
fn a_connection_that_does_not_exist_is_named() {
    let stage = Stage::eskiz("");
    for verb in [
        &["status", "eskiz/other"][..],
        &["refresh", "eskiz/other"],
        &["token", "get", "eskiz/other"],
        &["token", "clear", "eskiz/other"],
        &["connection", "show", "eskiz/other"],
        &["connection", "pause", "eskiz/other"],
        &["connection", "resume", "eskiz/other"],
    ] {
        let refused = stage.home.run(&[verb, &["--json"]].concat()).exits(1).json();
        assert_eq!(refused["error"]["code"], "connection.unknown", "{verb:?}");
        assert!(refused["error"]["message"].as_str().unwrap().contains("eskiz/other"));
    }
}

/// The different words of eight hex digits in a text.
fn key_ids(text: &str) -> BTreeSet<&str> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric());
    words.filter(|it| it.len() == 8 && it.chars().all(|it| it.is_ascii_hexdigit())).collect()
}

#[test]
fn a_wrong_key_is_refused_and_both_keys_are_named() {
    let (stage, other) = (Stage::eskiz("").logged_in(), Home::new(""));
    let right = fs::read(stage.home.path("keepfresh.key")).unwrap();
    fs::copy(other.path("keepfresh.key"), stage.home.path("keepfresh.key")).unwrap();
    for verb in [&["status"][..], &["refresh"], &["serve"], &["token", "get", "eskiz"]] {
        let refused = stage.home.run(verb).exits(78);
        assert!(refused.stderr.contains("error[vault.wrong_key]"), "{refused:?}");
        assert_eq!(key_ids(&refused.stderr).len(), 2, "{refused:?}");
    }
    fs::write(stage.home.path("keepfresh.key"), right).unwrap();
    assert_eq!(stage.state(), "fresh", "nothing was touched");
}

#[test]
fn a_damaged_database_is_told_from_one_that_is_not_reached() {
    let stage = Stage::eskiz("");
    fs::write(stage.home.path("keepfresh.db"), "not a database at all ".repeat(400)).unwrap();
    for verb in [&["status"][..], &["refresh"], &["serve"], &["doctor"]] {
        let refused = stage.home.run(verb).exits(78);
        assert!(refused.stderr.contains("error[storage.damaged]"), "{refused:?}");
        assert!(refused.stderr.contains("restore it from a backup"), "{refused:?}");
    }
    stage.home.write_manifest("[storage]\nurl = \"sqlite:nowhere/keepfresh.db\"\n");
    let refused = stage.home.run(&["status"]).exits(78);
    assert!(refused.stderr.contains("check the folder"), "{refused:?}");
}

#[test]
fn a_daemon_that_does_not_answer_has_an_exit_code_of_its_own() {
    let stage = Stage::eskiz("");
    let socket = UnixListener::bind(stage.home.path("keepfresh.sock")).unwrap();
    let deaf = std::thread::spawn(move || drop(socket.accept()));
    let refused = stage.home.run(&["status", "--json"]).exits(5).json();
    assert_eq!(refused["error"]["code"], "daemon.unreachable");
    deaf.join().unwrap();
}

#[test]
fn a_daemon_that_was_killed_leaves_nothing_in_the_way() {
    let stage = Stage::eskiz("").logged_in();
    stage.home.serve().kill();
    assert!(stage.home.path("keepfresh.sock").exists());
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    let _daemon = stage.home.serve();
    assert_eq!(stage.state(), "fresh");
}
