//! What `serve` logs: a line for each refresh, one at its start, and nothing of an earlier run again.

use e2e::daemon::{Daemon, wait_until};
use e2e::stage::{self, Stage};

/// A daemon that has said that it is ready.
fn ready(stage: &Stage) -> Daemon {
    let daemon = stage.home.serve();
    wait_until("it says so", || daemon.log().contains("keepfresh is ready"));
    daemon
}

#[test]
fn a_refresh_is_one_line_of_the_log() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = ready(&stage);
    let before = daemon.log().lines().count();
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    wait_until("it was logged", || daemon.log().contains("refreshed eskiz"));
    let log = daemon.log();
    let lines = log.lines().skip(before).collect::<Vec<_>>();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("INFO refreshed eskiz "), "{lines:#?}");
    for field in ["connection.id=eskiz/default", "trigger=forced", "generation=2", "duration_ms="] {
        assert!(lines[0].contains(field), "{field}: {lines:#?}");
    }
    assert!(!log.contains("task{"), "the place in the program is no news: {log}");
}

#[test]
fn the_daemon_says_in_one_line_what_runs_and_on_what() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = ready(&stage);
    let log = daemon.log();
    assert_eq!(log.lines().count(), 1, "{log}");
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    let paths = ["keepfresh.toml", "keepfresh.db", "keepfresh.sock"];
    let paths = paths.map(|it| stage.home.path(it).canonicalize().unwrap().display().to_string());
    for told in [
        "keepfresh is ready: 1 plugin, 1 provider, 1 connection",
        &version,
        &format!("manifest={}", paths[0]),
        &format!("database={}", paths[1]),
        &format!("socket={}", paths[2]),
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
}

#[test]
fn what_an_earlier_run_has_warned_of_is_counted_and_not_told_again() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let told = "eskiz needs a person";
    stage::write_secret(&stage.home, "eskiz.password", "wrong");
    let _ = stage.home.run(&["token", "clear", "eskiz"]).exits(0);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(4);
    wait_until("it was told of", || daemon.log().contains(told));
    let log = stage.home.path("serve.log");
    assert!(daemon.stop().success());
    let before = std::fs::read_to_string(log).unwrap().matches(told).count();
    // And once more while no daemon runs, whose caller has seen it.
    let _ = stage.home.run(&["refresh", "eskiz", "--force"]).exits(4);
    let daemon = stage.home.serve();
    wait_until("it is ready", || daemon.log().matches("keepfresh is ready").count() == 2);
    let log = daemon.log();
    assert_eq!(log.matches(told).count(), before, "{log}");
    assert!(log.contains("1 connection, 1 of them needs a person; see: keepfresh status"), "{log}");
}
