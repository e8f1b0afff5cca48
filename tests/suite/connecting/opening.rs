//! The browser that is opened: which one, with what, and what is said where there is none.

use std::os::unix::fs::PermissionsExt as _;

use e2e::daemon::wait_until;
use e2e::provider::oauth;
use e2e::visitor::{Connecting, walk};

use crate::connecting::Desk;

/// A desk whose browser writes down what it was started with, and goes on for a while.
fn desk_with_browser(script: &str) -> Desk {
    let mut desk = Desk::oauth(oauth::Settings::default(), "");
    let browser = desk.home.path("browser.sh");
    std::fs::write(&browser, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o700)).unwrap();
    desk.home.set_env("BROWSER", &format!("/nonexistent/first:{} --new %s", browser.display()));
    desk
}

fn begin(desk: &Desk) -> Connecting {
    Connecting::begin(&desk.home, &["oauth2/me", "--wait", "60s"])
}

#[test]
fn the_browser_of_the_variable_is_opened_in_a_session_of_its_own_and_without_secrets() {
    let script = "env > env.txt; cut -d' ' -f6 /proc/$$/stat > session.txt; \
                  printf '%s\\n' \"$@\" > part.txt; mv part.txt arguments.txt";
    let mut desk = desk_with_browser(script);
    desk.home.set_env("CLIENT_SECRET", "CANARY_env");
    desk.home.set_env("KEEPFRESH_SOMETHING", "CANARY_own");
    desk.home.set_env("LANG", "C.UTF-8");
    let mut connecting = begin(&desk);
    let url = connecting.address();
    let read = |name| std::fs::read_to_string(desk.home.path(name)).unwrap_or_default();
    wait_until("the browser is open", || desk.home.path("arguments.txt").exists());
    assert_eq!(read("arguments.txt"), format!("--new\n{url}\n"));
    let environment = read("env.txt");
    assert!(!environment.contains("CANARY"), "{environment}");
    assert!(environment.contains("LANG=C.UTF-8") && environment.contains("PATH="), "{environment}");
    let ours = std::fs::read_to_string("/proc/self/stat").unwrap();
    assert_ne!(read("session.txt").trim(), ours.split(' ').nth(5).unwrap(), "another session");
    walk(&url);
    let run = connecting.end().exits(0);
    assert!(!run.stderr.contains("no browser"), "{run:?}");
}

#[test]
fn a_browser_that_runs_on_is_not_waited_for() {
    let desk = desk_with_browser("sleep 20");
    let mut connecting = begin(&desk);
    let begun = std::time::Instant::now();
    walk(&connecting.address());
    connecting.end().exits(0);
    assert!(begun.elapsed().as_secs() < 15);
}

#[test]
fn where_no_browser_opens_the_address_and_a_way_are_told() {
    for browser in ["/nonexistent/browser", "false"] {
        let mut desk = Desk::oauth(oauth::Settings::default(), "");
        desk.home.set_env("BROWSER", browser);
        let mut connecting = begin(&desk);
        let url = connecting.address();
        let told = connecting.line_with("no browser could be opened");
        let told = told.unwrap_or_else(|| panic!("{}", connecting.said));
        assert!(told.contains("--paste") && told.contains("--device"), "{told}");
        walk(&url);
        connecting.end().exits(0);
    }
}
