//! All plugins in one daemon whose every credential is wrong: each is tried once and then left to a
//! person.

use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::provider::FakeProvider;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::providers::subject::{ALL, First, Make, Subject, plain};

/// An interval in which a daemon that tries again by mistake would have done so.
const A_WHILE: Duration = Duration::from_millis(1_500);

/// One home for everybody.
struct Everybody {
    home: Home,
    all: Vec<(Subject, FakeProvider)>,
}

impl Everybody {
    fn new() -> Self {
        let start = |make: &Make| {
            let subject = plain(*make);
            let fake = FakeProvider::start(subject.kind.clone()).unwrap();
            (subject, fake)
        };
        let all = ALL.iter().map(start).collect::<Vec<_>>();
        let retry = "retry = { attempts = 5, backoff = \"1s\" }";
        let sections = all.iter().map(|(it, fake)| it.section(&fake.base_url(), retry));
        let home = Home::new(&sections.collect::<String>());
        for (subject, _) in &all {
            subject.write_secrets(&home);
            home.drop_plugin(&e2e::artifacts::plugin(subject.plugin), subject.plugin);
        }
        Self { home, all }
    }

    /// People's tokens, which are refreshed at once because they end in a second.
    fn add_people(&self) {
        for (subject, fake) in self.all.iter().filter(|(it, _)| it.first != First::LogsIn) {
            let pair = fake.control().issue_family("somebody");
            let tokens = json!({
                "access_token": pair.access_token, "refresh_token": pair.refresh_token,
                "expires_in": 1,
            });
            if subject.name != subject.connection {
                self.home.run(&["connection", "add", subject.connection]).exits(0);
            }
            let set = ["token", "set", subject.connection];
            self.home.run_with_input(&set, &tokens.to_string()).exits(0);
        }
    }

    fn states(&self) -> Vec<Value> {
        let status = self.home.run(&["status", "--json"]).json();
        let all = status["connections"].as_array().unwrap();
        all.iter().map(|it| it["state"].clone()).collect()
    }

    fn requests(&self) -> Vec<(&'static str, u64)> {
        self.all.iter().map(|(it, fake)| (it.name, fake.control().seen())).collect()
    }
}

#[test]
fn a_daemon_tries_wrong_credentials_once_at_every_provider_and_leaves_them_to_a_person() {
    let everybody = Everybody::new();
    everybody.all.iter().for_each(|(_, fake)| fake.control().reject_credentials(true));
    everybody.add_people();
    let daemon = everybody.home.serve();
    let wrong = |it: &Value| *it == "misconfigured";
    wait_until("each has failed", || everybody.states().iter().all(wrong));
    let once = ALL.iter().map(|make| (plain(*make).name, 1)).collect::<Vec<_>>();
    assert_eq!(everybody.requests(), once);
    daemon.signal(Signal::HUP);
    wait_until("it is reloaded", || daemon.log().contains("reloaded"));
    std::thread::sleep(A_WHILE);
    for (subject, _) in &everybody.all {
        everybody.home.run(&["token", "get", subject.connection]);
    }
    assert_eq!(everybody.requests(), once, "neither a reload nor a caller tries them again");
    assert_eq!(everybody.states().len(), ALL.len());
}
