//! `log --follow` misses nothing and tells nothing twice, whatever begins first and ends last.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::{Child, Stdio};

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::provider::script::{Fate, Scenario};
use serde_json::Value;

use crate::people::Crowd;

/// Connections that are refreshed at once.
const MANY: usize = 60;

/// A follower that writes into a file.
struct Follower {
    child: Child,
    home: std::path::PathBuf,
}

impl Follower {
    /// Follows once it has printed what was there before.
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let path = home.path("followed");
        let mut command = home.command(&[&["log", "--follow"], arguments].concat());
        command.stdin(Stdio::null()).stdout(File::create(&path).unwrap());
        let follower = Self { child: command.spawn().unwrap(), home: path };
        wait_until("it follows", || !follower.text().is_empty());
        follower
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.home).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        let text = self.text();
        // The last line may not be whole yet.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(str::to_owned).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Many connections, of which one was refreshed.
fn crowd() -> Crowd {
    let crowd = Crowd::new("");
    let names = (0..MANY).map(|it| format!("c{it:02}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    let _ = crowd.home.run(&["refresh", "rotor/c00", "--force"]).exits(0);
    crowd
}

/// The one that begins first ends last, after the follower has looked at those in between.
fn refresh_all(crowd: &Crowd) {
    let slow = Scenario::from(Fate::Act).delay_before(3_000);
    crowd.fake.control().script(slow.times(1));
    let _ = crowd.home.run(&["refresh", "--all", "--force", "--sync"]).exits(0);
}

fn log(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let all = ["log", "--json", "--limit", "1000"];
    let log = home.run(&[&all, arguments].concat()).exits(0).json();
    log["attempts"].as_array().unwrap().clone()
}

#[test]
fn an_attempt_that_began_early_and_ended_late_is_followed_too_and_each_once() {
    for filter in [&["--outcome", "success"][..], &[]] {
        let crowd = crowd();
        let _daemon = crowd.home.serve();
        let follower = Follower::start(&crowd.home, &[&["--json"], filter].concat());
        refresh_all(&crowd);
        let ids =
            |all: &[Value]| all.iter().map(|it| it["id"].to_string()).collect::<BTreeSet<_>>();
        let wanted = ids(&log(&crowd.home, filter));
        assert_eq!(wanted.len(), MANY + 1);
        let read = || {
            let lines = follower.lines();
            lines.iter().map(|it| serde_json::from_str(it).unwrap()).collect::<Vec<Value>>()
        };
        wait_until("all have come", || wanted.is_subset(&ids(&read())));
        let all = read();
        assert_eq!(all.len(), wanted.len(), "and none of them twice");
        assert!(all.iter().all(|it| it["outcome"] == "success"), "{all:#?}");
    }
}

#[test]
fn what_is_followed_has_the_columns_of_the_log() {
    let crowd = crowd();
    let _daemon = crowd.home.serve();
    let follower = Follower::start(&crowd.home, &[]);
    refresh_all(&crowd);
    wait_until("all have come", || follower.lines().len() == MANY + 2);
    let words = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
    let log = crowd.home.run(&["log", "--limit", "1000"]).exits(0).stdout;
    let (log, followed) = (log.lines().map(words), follower.lines());
    let found = followed.iter().map(|it| words(it)).collect::<BTreeSet<_>>();
    assert_eq!(found, log.collect::<BTreeSet<_>>());
    assert!(followed[0].starts_with("STARTED"), "{followed:#?}");
    let column = |it: &String| it.find("rotor/").unwrap();
    assert!(followed[1..].iter().all(|it| column(it) == column(&followed[1])), "{followed:#?}");
    let outcome = |it: &String| it.find("success").unwrap();
    assert!(followed[2..].iter().all(|it| outcome(it) == outcome(&followed[2])), "{followed:#?}");
}

#[test]
fn a_log_is_followed_without_a_daemon_as_well() {
    let crowd = crowd();
    let follower = Follower::start(&crowd.home, &["--json"]);
    let _ = crowd.home.run(&["refresh", "rotor/c01", "--force"]).exits(0);
    wait_until("it has come", || follower.lines().len() == 2);
    assert!(follower.lines()[1].contains("rotor/c01"));
}
