//! A person's order waits like everybody else unless it insists; one about many ends no grant. What a dry
//! run says is what the order does.

use std::time::Duration;

use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{FakeProvider, Kind, rotor};
use e2e::stage::Stage;
use serde_json::{Value, json};

/// What a dry run of `refresh` says about the one connection.
fn plan(stage: &Stage, arguments: &[&str]) -> (String, String) {
    let run = stage.home.run(&[&["refresh", "--dry-run", "--json"], arguments].concat());
    let planned = run.exits(0).json()["planned"][0].clone();
    let word = |name: &str| planned[name].as_str().unwrap().to_owned();
    (word("action"), word("reason"))
}

#[test]
fn an_order_respects_a_limit_and_a_dry_run_says_so() {
    for answer in [Answer::rate_limited(Some("120")), Answer::server_error()] {
        let stage = Stage::eskiz("").logged_in();
        stage.control().script(answer);
        assert_eq!(stage.refresh(&["--force"])["outcome"], "failed");
        for _ in 0..3 {
            let (action, foreseen) = plan(&stage, &[]);
            let attempt = stage.refresh(&[]);
            let reason = attempt["reason"].as_str().unwrap();
            assert_eq!((action.as_str(), &attempt["outcome"]), ("skip", &"skipped".into()));
            for text in [&foreseen, reason] {
                assert!(
                    text.starts_with("the last refresh failed; the next retry is in "),
                    "{text}"
                );
            }
        }
        assert_eq!(stage.count("/refresh"), 1, "three more orders, and no request");
        assert_eq!(plan(&stage, &["eskiz", "--force"]).0, "refresh");
        assert_eq!(stage.refresh(&["eskiz", "--force"])["outcome"], "success");
    }
}

#[test]
fn an_order_waits_for_a_provider_that_is_down_and_whoever_is_named_does_not() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Scenario::from(Answer::server_error()).always());
    let _daemon = stage.home.serve();
    for _ in 0..5 {
        assert_eq!(stage.refresh(&["eskiz", "--force", "--sync"])["outcome"], "failed");
    }
    let seen = stage.control().seen();
    for arguments in [&["--sync"][..], &["--all", "--force", "--sync"]] {
        assert_eq!(stage.refresh(arguments)["outcome"], "skipped", "{arguments:?}");
    }
    let (action, reason) = plan(&stage, &["--all", "--force"]);
    assert_eq!(action, "wait");
    assert!(reason.starts_with("eskiz is down: 5 requests in a row failed"), "{reason}");
    assert_eq!(stage.control().seen(), seen);
    let status = stage.status();
    assert!(status["sentence"].as_str().unwrap().contains("eskiz is down"), "{status}");
    let doctor = stage.home.run(&["doctor"]).exits(1).stdout;
    assert!(doctor.contains("✕ provider eskiz: eskiz is down"), "{doctor}");
    let _ = stage.refresh(&["eskiz", "--force", "--sync"]);
    assert_eq!(stage.control().seen(), seen + 1);
}

/// Four connections of a strict provider.
struct Four {
    provider: FakeProvider,
    home: Home,
}

impl Four {
    fn new() -> Self {
        let settings = rotor::Settings { class: Class::Strict, ..rotor::Settings::default() };
        let provider = FakeProvider::start(Kind::Rotor(settings)).unwrap();
        let home = Home::new(&format!(
            r#"
            [providers.rotor]
            settings = {{ base_url = "{}" }}
            rotation = "strict"
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            connections = [{{ name = "a" }}, {{ name = "b" }}, {{ name = "c" }}, {{ name = "d" }}]
            "#,
            provider.base_url(),
        ));
        let four = Self { provider, home: home.with_guest("rotor") };
        for name in ["a", "b", "c", "d"] {
            four.seed(name);
        }
        four
    }

    fn seed(&self, name: &str) {
        let pair = self.provider.control().issue_family(name);
        let (access, refresh) = (pair.access_token, pair.refresh_token);
        let token =
            json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3_600 });
        let id = format!("rotor/{name}");
        let _ = self.home.run_with_input(&["token", "set", &id], &token.to_string()).exits(0);
    }

    /// The provider rotates the token of that connection, and its answer is lost.
    fn loses_the_answer(&self, name: &str) {
        self.provider.control().script(Fate::CutAfter);
        let id = format!("rotor/{name}");
        let _ = self.home.run(&["refresh", &id, "--force"]).exits(1);
    }

    fn refresh(&self, arguments: &[&str], code: i32) -> Value {
        self.home.run(&[&["refresh", "--json"], arguments].concat()).exits(code).json()
    }

    fn is_revoked(&self, name: &str) -> bool {
        self.provider.control().family(name).unwrap().revoked
    }
}

#[test]
fn an_order_about_many_leaves_out_what_is_in_doubt_and_counts_it() {
    let four = Four::new();
    four.loses_the_answer("a");
    four.loses_the_answer("b");
    for selection in ["--all", "--provider=rotor", "--active-within=7d"] {
        if selection == "--active-within=7d" {
            for name in ["a", "b", "c", "d"] {
                let _ = four.home.run(&["token", "get", &format!("rotor/{name}")]).exits(0);
            }
        }
        let run = four.refresh(&[selection, "--force"], 3);
        assert_eq!((&run["left_out"], &run["summary"]["success"]), (&2.into(), &2.into()), "{run}");
        assert_eq!((&run["summary"]["skipped"], &run["summary"]["failed"]), (&2.into(), &0.into()));
    }
    let text = four.home.run(&["refresh", "--failed", "--force"]).exits(3).stderr;
    let told =
        "2 left out: the outcome of their last refresh is unknown; name one to refresh it anyway";
    assert!(text.contains(told), "{text}");
    assert!(!four.is_revoked("a") && !four.is_revoked("b"), "no grant was ended");
    for name in ["a", "b"] {
        let _ = four.home.run(&["token", "get", &format!("rotor/{name}")]).exits(0);
    }
}

#[test]
fn naming_one_sends_it_and_says_what_it_may_cost() {
    let four = Four::new();
    four.loses_the_answer("a");
    let cost =
        "if the provider processed it, sending the same refresh token again revokes the grant";
    let dry = four.refresh(&["rotor/a", "--force", "--dry-run"], 0);
    assert!(dry["planned"][0]["reason"].as_str().unwrap().contains(cost), "{dry}");
    let many = four.refresh(&["--all", "--force", "--dry-run"], 0);
    assert_eq!(many["planned"][0]["action"], "wait", "{many}");
    assert!(!four.is_revoked("a"));
    let run = four.refresh(&["rotor/a", "rotor/c", "--force"], 4);
    assert!(run["warnings"][0].as_str().unwrap().contains(cost), "{run}");
    assert_eq!(run["warnings"].as_array().unwrap().len(), 1, "the other one costs nothing");
    assert!(four.is_revoked("a") && !four.is_revoked("c"));
}

#[test]
fn what_a_crash_left_in_doubt_is_left_out_as_well() {
    let four = Four::new();
    four.provider.control().script(Fate::ActThenHang);
    let mut child = four.home.command(&["refresh", "rotor/a", "--force"]).spawn().unwrap();
    let begun = std::time::Instant::now();
    while four.provider.control().family("a").unwrap().rotations == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let run = four.refresh(&["--all", "--force"], 3);
    assert_eq!((&run["left_out"], &run["summary"]["success"]), (&1.into(), &3.into()), "{run}");
    assert!(!four.is_revoked("a"));
}
