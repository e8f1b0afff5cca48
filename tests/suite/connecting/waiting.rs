//! The wait for a person: what ends it, who finishes the login, and what is left of one that was cut off.

use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::provider::oauth;
use e2e::provider::script::{Fate, Scenario};
use e2e::visitor::{Connecting, walk};
use rustix::process::Signal;
use serde_json::json;

use crate::connecting::Desk;

fn desk() -> Desk {
    Desk::oauth(oauth::Settings::default(), "")
}

/// The provider takes its time with the exchange.
fn slow_exchange(desk: &Desk, milliseconds: u64) {
    desk.fake.control().script(Scenario::default().on("/token").times(1).delay_after(milliseconds));
}

/// Sends the browser back in a thread of its own, because its page comes late, and waits until the code is there.
fn come_back(desk: &Desk, url: String) -> std::thread::JoinHandle<e2e::visitor::Page> {
    let browser = std::thread::spawn(move || walk(&url));
    let control = desk.fake.control();
    wait_until("the code is exchanged", || control.journal().iter().any(|it| it.path == "/token"));
    browser
}

#[test]
fn a_wait_that_ends_during_the_exchange_loses_no_answer() {
    let desk = desk();
    slow_exchange(&desk, 3_000);
    let arguments = ["oauth2/me", "--no-browser", "--wait", "2s"];
    let mut connecting = Connecting::begin(&desk.home, &arguments);
    let url = connecting.address();
    let begun = Instant::now();
    let page = walk(&url);
    assert!(page.body.contains("Connected"), "{page:?}");
    let run = connecting.end().exits(0);
    assert!(begun.elapsed() > Duration::from_secs(2), "the wait was over by then");
    assert!(run.stdout.contains("oauth2/me connected."), "{run:?}");
}

#[test]
fn a_daemon_that_starts_while_the_person_agrees_finishes_the_login() {
    let desk = desk();
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let daemon = desk.home.serve();
    let begun = Instant::now();
    assert!(walk(&url).body.contains("Connected"));
    assert!(begun.elapsed() < Duration::from_secs(10), "nobody waits for a lock");
    connecting.end().exits(0);
    assert_eq!(desk.show("me")["state"], "fresh");
    assert!(daemon.log().contains("oauth2/me"), "the daemon did it: {}", daemon.log());
}

#[test]
fn a_daemon_that_ends_while_the_person_agrees_leaves_the_login_to_the_command() {
    let desk = desk();
    let daemon = desk.home.serve();
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    assert!(daemon.stop().success());
    assert!(walk(&url).body.contains("Connected"));
    connecting.end().exits(0);
    assert_eq!(desk.show("me")["state"], "fresh");
}

#[test]
fn a_daemon_that_hangs_up_because_it_is_stopping_is_not_the_end_of_a_login() {
    let desk = desk();
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let socket = desk.home.path("keepfresh.sock");
    let daemon = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let stopping = std::thread::spawn(move || {
        // Once to be asked whether it is there, and once to hear nothing.
        drop(daemon.accept().unwrap());
        drop(daemon);
        std::fs::remove_file(socket).unwrap();
    });
    assert!(walk(&url).body.contains("Connected"));
    stopping.join().unwrap();
    connecting.end().exits(0);
}

#[test]
fn a_daemon_that_starts_anew_while_a_device_waits_goes_on_polling() {
    let settings = oauth::Settings { device_interval: 1, ..oauth::Settings::default() };
    let desk = Desk::oauth(settings, "");
    let first = desk.home.serve();
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(first.stop().success());
    let _second = desk.home.serve();
    assert!(desk.fake.control().approve_device(line.rsplit(' ').next().unwrap()));
    connecting.end().exits(0);
    assert_eq!(desk.show("tv")["state"], "fresh");
}

#[test]
fn the_one_limit_is_that_of_the_command() {
    let desk = desk();
    let run = Connecting::begin(&desk.home, &["oauth2/me", "--no-browser", "--wait", "1s"]).end();
    let run = run.exits(1);
    assert!(run.stderr.contains("error[connect.expired]: the login was not completed within 1 s"));
    assert!(run.stderr.contains("nothing was saved"), "{run:?}");
    // Half an hour later by the clock on the wall: nobody but the command counts.
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    desk.fake.control().advance(1_800);
    assert!(walk(&url).body.contains("Connected"));
    connecting.end().exits(0);
}

#[test]
fn a_terminal_that_closes_or_a_stop_during_the_exchange_loses_nothing() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let desk = desk();
        slow_exchange(&desk, 1_500);
        let mut connecting = desk.begin("me", &[]);
        let browser = come_back(&desk, connecting.address());
        connecting.signal(signal);
        assert!(browser.join().unwrap().body.contains("Connected"), "{signal:?}");
        connecting.end().exits(0);
        assert_eq!(desk.show("me")["state"], "fresh", "{signal:?}");
    }
}

#[test]
fn a_stop_before_the_person_has_come_back_ends_the_command_at_once() {
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let desk = desk();
        let mut connecting = desk.begin("me", &[]);
        connecting.address();
        connecting.signal(signal);
        let run = connecting.end().exits(1);
        assert!(run.stderr.contains("connect.stopped"), "{signal:?}: {run:?}");
    }
}

#[test]
fn a_crash_during_the_first_exchange_leaves_nothing() {
    let desk = desk();
    desk.fake.control().script(Scenario::from(Fate::Hang).on("/token").times(1));
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let _browser = std::thread::spawn(move || std::panic::catch_unwind(|| walk(&url)));
    let control = desk.fake.control();
    wait_until("the code is exchanged", || control.journal().iter().any(|it| it.path == "/token"));
    connecting.signal(Signal::KILL);
    assert_eq!(connecting.end().code, -1);
    let status = desk.home.run(&["status", "--json"]).exits(0);
    assert_eq!(status.json()["connections"], json!([]), "{status:?}");
    desk.home.run(&["refresh"]).exits(0);
    let database = Database::at(&desk.home.path("keepfresh.db"));
    assert_eq!(database.number("select count(*) from connections"), 0);
    assert_eq!(database.number("select count(*) from claims"), 0);
    desk.connect("me").1.exits(0);
}

#[test]
fn a_crash_during_a_later_exchange_leaves_the_connection_as_it_was() {
    let desk = desk();
    desk.connect("me").1.exits(0);
    desk.fake.control().clear_journal();
    desk.fake.control().script(Scenario::from(Fate::Hang).on("/token").times(1));
    let mut connecting = desk.begin("me", &[]);
    let url = connecting.address();
    let _browser = std::thread::spawn(move || std::panic::catch_unwind(|| walk(&url)));
    let control = desk.fake.control();
    wait_until("the code is exchanged", || control.journal().iter().any(|it| it.path == "/token"));
    connecting.signal(Signal::KILL);
    connecting.end();
    // Nothing of ours was spent: the refresh token is used at once, although this provider may rotate it.
    desk.home.run(&["refresh"]).exits(0);
    let shown = desk.show("me");
    assert_eq!((&shown["state"], &shown["generation"]), (&json!("fresh"), &json!(2)), "{shown:#}");
}

#[test]
fn commands_that_start_together_make_one_database() {
    let desk = desk();
    let commands = ["status", "refresh", "log", "doctor"].map(|it| vec![it]);
    let connect = vec!["connect", "oauth2/me", "--no-browser", "--wait", "1s"];
    let all = commands.iter().chain([&connect, &connect]).cycle().take(24);
    let started = all.map(|arguments| {
        let mut command = desk.home.command(arguments);
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    });
    for child in started.collect::<Vec<_>>() {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for fault in ["storage.", "vault.", "internal."] {
            assert!(!said.contains(fault), "{said}");
        }
    }
    let database = Database::at(&desk.home.path("keepfresh.db"));
    assert_eq!(database.number("select count(*) from keyring"), 1);
}
