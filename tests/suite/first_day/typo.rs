//! A typo in the manifest breaks no caller while a daemon answers.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use e2e::stage::{self, Stage};

/// Every command that a daemon answers.
const ASKED: &[&[&str]] = &[
    &["token", "get", "eskiz"],
    &["token", "get", "eskiz", "--min-ttl", "1m", "--header"],
    &["status"],
    &["status", "eskiz"],
    &["refresh"],
    &["refresh", "--dry-run"],
    &["refresh", "eskiz", "--force", "--sync"],
    &["connection", "list"],
    &["connection", "show", "eskiz"],
    &["connection", "pause", "eskiz"],
    &["connection", "resume", "eskiz"],
    &["connection", "add", "eskiz/ann"],
    &["connection", "import", "eskiz", "people.csv"],
    &["connection", "remove", "eskiz/ann"],
    &["log"],
    &["stats"],
    &["schedule", "list"],
    &["plugin", "list"],
    &["prune"],
];

/// What an editor may leave behind.
const TYPOS: &[&str] = &[
    "schedul = \"0 2 * * *\"",
    "schedule = \"61 2 * * *\"",
    "schedule = \"0 2 * * *",
    "[providers.eskiz]",
    "= 7",
];

#[test]
fn a_typo_in_the_manifest_breaks_no_caller_while_a_daemon_answers() {
    let stage = Stage::eskiz("").logged_in();
    fs::write(stage.home.path("people.csv"), "name\nbob\n").unwrap();
    let _daemon = stage.home.serve();
    let good = stage::eskiz_section(&stage.fake, "");
    for typo in TYPOS {
        stage.home.write_manifest(&format!("{good}{typo}\n"));
        let run = stage.home.run(&["token", "get", "eskiz", "--json"]).exits(0);
        assert!(run.json()["token"].is_string(), "{typo}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{typo}: {run:?}");
        assert!(run.stderr.starts_with("warning: keepfresh.toml:"), "{typo}: {run:?}");
        assert!(run.stderr.contains("see: keepfresh check"), "{typo}: {run:?}");
    }
    stage.home.write_manifest(&format!("{good}{}\n", TYPOS[0]));
    for verb in ASKED {
        let run = stage.home.run(verb).exits(0);
        assert!(run.stderr.contains("did you mean `schedule`?"), "{verb:?}: {run:?}");
    }
    let rejected = stage.home.run(&["token", "rejected", "eskiz"]);
    assert!(
        rejected.stderr.contains("error[token.rejected_when_fresh]"),
        "it is asked: {rejected:?}"
    );
    let checked = stage.home.run(&["check"]).exits(78);
    assert!(checked.stderr.contains("did you mean `schedule`?"), "{checked:?}");
    let doctor = stage.home.run(&["doctor"]);
    assert!(doctor.stderr.contains("did you mean `schedule`?"), "{doctor:?}");
}

#[test]
fn the_daemon_is_found_where_the_manifest_has_its_database() {
    let stage = Stage::eskiz("");
    fs::create_dir(stage.home.path("data")).unwrap();
    let storage = "[storage]\nurl = \"sqlite:data/tokens.db\"\n";
    let good = format!("{storage}{}", stage::eskiz_section(&stage.fake, ""));
    stage.home.write_manifest(&good);
    let stage = stage.logged_in();
    let command = stage.home.command(&["serve"]);
    let (socket, log) = (stage.home.path("data/tokens.sock"), stage.home.path("serve.log"));
    let daemon = e2e::daemon::Daemon::start(command, &socket, log);
    stage.home.write_manifest(&(good.clone() + "tiemout = \"5s\"\n"));
    let _ = stage.home.run(&["token", "get", "eskiz"]).exits(0);
    // Which database is meant cannot be made out any more, so nobody else's daemon is asked.
    stage.home.write_manifest(&good.replace("url =", "ulr ="));
    let lost = stage.home.run(&["token", "get", "eskiz"]).exits(78);
    assert!(lost.stderr.contains("an unknown key `ulr`"), "{lost:?}");
    stage.home.write_manifest(&(good + "tiemout = \"5s\"\n"));
    drop(daemon);
    let alone = stage.home.run(&["token", "get", "eskiz"]).exits(78);
    assert!(alone.stderr.contains("did you mean `timeout`?"), "nobody runs on: {alone:?}");
}

#[test]
fn a_log_that_is_followed_goes_on_over_a_typo() {
    let stage = Stage::eskiz("").logged_in();
    let _daemon = stage.home.serve();
    let mut command = stage.home.command(&["log", "--follow", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut follower = command.spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"success\""));
    let good = stage::eskiz_section(&stage.fake, "");
    stage.home.write_manifest(&(good + "schedul = 1\n"));
    let _ = stage.home.run(&["refresh", "eskiz", "--force", "--sync"]).exits(0);
    assert!(lines.next().unwrap().unwrap().contains("\"forced\""));
    follower.kill().unwrap();
    follower.wait().unwrap();
}
