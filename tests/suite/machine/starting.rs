//! Callers beside a daemon that starts, and beside a command that takes long: what is stored is served at once,
//! and for the rest the daemon is waited for.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::provider::script::{Fate, Scenario};
use e2e::stage::Stage;
use rustix::process::{Pid, Signal, kill_process};

/// Begins a command and lets it run.
fn begin(stage: &Stage, arguments: &[&str]) -> Child {
    let mut command = stage.home.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn a_valid_token_is_served_beside_a_command_that_takes_long() {
    let stage = Stage::eskiz("").logged_in();
    let token = stage.token();
    stage.control().script(Scenario::from(Fate::Act).delay_before(4_000));
    let mut slow = begin(&stage, &["refresh", "--force"]);
    wait_until("it is under way", || stage.control().seen() == 2);
    let begun = Instant::now();
    assert_eq!(stage.token(), token);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(slow.wait().unwrap().success());
    assert_ne!(stage.token(), token);
}

#[test]
fn a_token_that_has_to_be_refreshed_first_is_waited_for_beside_it() {
    let stage = Stage::eskiz("").logged_in();
    let token = stage.token();
    stage.token_ages();
    stage.control().script(Scenario::from(Fate::Act).delay_before(1_500));
    let mut slow = begin(&stage, &["refresh", "--force"]);
    wait_until("it is under way", || stage.control().seen() == 2);
    let newer = stage.home.run(&["token", "get", "eskiz", "--min-ttl", "20d"]).exits(0);
    assert_ne!(newer.stdout.trim_end(), token);
    assert_eq!(stage.count("/refresh"), 1, "the one that was under way is enough");
    assert!(slow.wait().unwrap().success());
}

#[test]
fn a_daemon_that_starts_is_waited_for() {
    let stage = Stage::eskiz("").logged_in();
    // Somebody who has the right to work on the database and does not listen yet.
    let lock = File::options().write(true).open(stage.home.path("keepfresh.db.lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(stage.home.path("keepfresh.db.lock"), "1 serve now\n").unwrap();
    let token = stage.token();
    assert!(!token.is_empty());
    stage.home.run(&["status"]).exits(0);
    let mut waits = begin(&stage, &["refresh", "--force", "--sync"]);
    std::thread::sleep(Duration::from_millis(300));
    assert!(waits.try_wait().unwrap().is_none(), "it waits");
    drop(lock);
    let _daemon = stage.home.serve();
    assert!(waits.wait().unwrap().success());
    assert_eq!(stage.count("/refresh"), 1);
}

#[test]
fn signals_during_the_start_are_neither_lost_nor_the_end_of_it() {
    let stage = Stage::eskiz("").logged_in();
    let socket = stage.home.path("keepfresh.sock");
    // Long before it is ready: its key comes from a command that takes its time.
    let key = std::fs::read_to_string(stage.home.path("keepfresh.key")).unwrap();
    let slow =
        format!("[vault]\nkey = {{ exec = [\"sh\", \"-c\", \"sleep 1; echo {}\"] }}\n", key.trim());
    let section = e2e::stage::eskiz_section(&stage.fake, "");
    stage.home.write_manifest(&(slow + &section));
    let mut daemon = begin(&stage, &["serve"]);
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&daemon), Signal::HUP).unwrap();
    wait_until("it is ready all the same", || UnixStream::connect(&socket).is_ok());
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    assert!(daemon.wait().unwrap().success());
    let mut daemon = begin(&stage, &["serve"]);
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    let begun = Instant::now();
    assert!(daemon.wait().unwrap().success(), "it ends in order");
    assert!(begun.elapsed() < Duration::from_secs(1), "and at once");
    assert!(!socket.exists());
}
