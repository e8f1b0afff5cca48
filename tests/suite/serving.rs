//! The daemon and those who talk to it: commands through its socket, signals, a second daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::home::keys;
use e2e::provider::script::{Fate, Scenario};
use e2e::stage::Stage;
use rustix::process::Signal;

/// Hangs at the provider for two seconds before it acts.
fn slow() -> Scenario {
    Scenario::from(Fate::Act).delay_before(2_000)
}

#[test]
fn a_refresh_is_queued_by_the_daemon_and_waited_for_with_sync() {
    let stage = Stage::eskiz("").logged_in();
    let _daemon = stage.home.serve();
    let queued = stage.run_refresh(&["--force"]).exits(0).json();
    assert_eq!(keys(&queued), ["attempts", "queued", "summary"]);
    assert_eq!(
        (&queued["queued"][0], queued["attempts"].as_array().unwrap().len()),
        (&"eskiz/default".into(), 0)
    );
    wait_until("it was done", || stage.status()["generation"] == 2);
    let waited = stage.run_refresh(&["--force", "--sync"]).exits(0).json();
    assert_eq!(waited["attempts"][0]["generation"], 3);
    assert_eq!(keys(&waited), ["attempts", "summary"]);
    let text = stage.home.run(&["refresh", "--force"]).exits(0);
    assert_eq!(text.stdout, "eskiz queued\n");
    assert!(text.stderr.contains("--sync"), "{text:?}");
}

#[test]
fn every_command_is_answered_while_the_daemon_holds_the_database() {
    let stage = Stage::eskiz("").logged_in();
    let _daemon = stage.home.serve();
    let begun = Instant::now();
    let token = stage.control().issue_family("by hand").access_token;
    let _ = stage.home.run_with_input(&["token", "set", "eskiz"], &token).exits(0);
    for verb in [
        &["status"][..],
        &["refresh", "--force", "--sync"],
        &["refresh", "--dry-run"],
        &["token", "get", "eskiz"],
        &["connection", "pause", "eskiz"],
        &["connection", "resume", "eskiz"],
        &["connection", "show", "eskiz"],
        &["log"],
        &["stats"],
        &["schedule", "list"],
        &["plugin", "list"],
        &["prune"],
        &["doctor"],
        &["check"],
        &["token", "clear", "eskiz"],
    ] {
        let _ = stage.home.run(verb).exits(0);
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "nobody waited for the lock of the other");
}

#[test]
fn the_socket_is_for_the_owner_alone_and_gone_with_the_daemon() {
    let stage = Stage::eskiz("");
    let daemon = stage.home.serve();
    let socket = stage.home.path("keepfresh.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    for file in ["keepfresh.db", "keepfresh.db-wal", "keepfresh.db.lock"] {
        let mode = fs::metadata(stage.home.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    assert!(daemon.stop().success());
    assert!(!socket.exists());
}

#[test]
fn a_second_daemon_is_told_who_is_first() {
    let stage = Stage::eskiz("");
    let daemon = stage.home.serve();
    let refused = stage.home.run(&["serve"]).exits(75);
    let (pid, path) = (daemon.pid(), "keepfresh.db");
    let first =
        format!("error[instance.locked]: another process (pid {pid}, keepfresh serve) is using ");
    assert!(refused.stderr.contains(&first) && refused.stderr.contains(path), "{refused:?}");
    assert_eq!(stage.home.run(&["status"]).code, 0, "the first one goes on");
}

#[test]
fn callers_of_one_token_share_one_refresh() {
    let stage = Stage::eskiz("").logged_in();
    // In its second half, when a new one is worth it although it does not live for 40 days either.
    stage.token_ages();
    let _daemon = stage.home.serve();
    stage.control().script(Scenario::from(Fate::Act).delay_before(1_000));
    let get = || stage.home.run(&["token", "get", "eskiz", "--min-ttl", "40d"]).exits(0).stdout;
    let tokens = thread::scope(|scope| {
        let callers = [(); 4].map(|()| scope.spawn(get));
        callers.map(|it| it.join().unwrap())
    });
    assert!(tokens.iter().all(|it| *it == tokens[0]));
    assert_eq!(stage.count("/refresh"), 1);
}

#[test]
fn a_refresh_that_runs_at_the_stop_is_finished_and_stored() {
    for scenario in [slow(), Scenario::from(Fate::Act).delay_after(2_000)] {
        let stage = Stage::jibit("").logged_in();
        let daemon = stage.home.serve();
        stage.control().script(scenario);
        let _ = stage.run_refresh(&["--force"]).exits(0);
        wait_until("the request is under way", || stage.control().seen() == 2);
        let begun = Instant::now();
        assert!(daemon.stop().success());
        assert!(begun.elapsed() > Duration::from_secs(1), "it waited");
        let status = stage.status();
        assert_eq!((&status["generation"], &status["state"]), (&2.into(), &"fresh".into()));
        assert_eq!(
            stage.refresh(&["--force"])["outcome"],
            "success",
            "the stored pair is the last one"
        );
        assert_eq!(stage.control().families().len(), 1);
    }
}

#[test]
fn a_second_signal_does_not_wait_and_the_next_start_settles_what_was_cut() {
    let stage = Stage::jibit("").logged_in();
    let mut daemon = stage.home.serve();
    stage.control().script(Fate::ActThenHang);
    let _ = stage.run_refresh(&["--force"]).exits(0);
    wait_until("the request is under way", || stage.control().seen() == 2);
    daemon.signal(Signal::TERM);
    wait_until("the stop is heard", || daemon.log().contains("stopping"));
    let begun = Instant::now();
    assert!(!daemon.stop().success(), "something was left undone");
    assert!(begun.elapsed() < Duration::from_secs(5));
    daemon = stage.home.serve();
    wait_until("it is settled", || stage.state() == "fresh" && stage.status()["generation"] == 2);
    assert_eq!((stage.count("/generate"), stage.count("/refresh")), (2, 1));
    assert_eq!(stage.status()["last_attempt"]["trigger"], "recovery");
    drop(daemon);
}

#[test]
fn an_interrupt_from_the_keyboard_stops_in_order_too() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    daemon.signal(Signal::INT);
    wait_until("it has stopped", || daemon.log().contains("stopped"));
    wait_until("the lock is free", || stage.home.run(&["prune"]).code == 0);
}
