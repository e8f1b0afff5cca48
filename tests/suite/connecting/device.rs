//! A code that a person types in on another machine.

use e2e::daemon::wait_until;
use e2e::provider::answer::Answer;
use e2e::provider::oauth;
use e2e::provider::script::{Fate, Scenario};
use serde_json::json;

use crate::connecting::Desk;

fn desk() -> Desk {
    let settings = oauth::Settings { device_interval: 1, ..oauth::Settings::default() };
    Desk::oauth(settings, "")
}

/// The code that the program shows.
fn code(line: &str) -> &str {
    line.rsplit(' ').next().unwrap()
}

#[test]
fn a_person_agrees_on_another_machine() {
    let desk = desk();
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(line.contains(&format!("{}/activate", desk.fake.base_url())), "{line}");
    assert!(desk.fake.control().approve_device(code(&line)));
    connecting.end().exits(0);
    assert_eq!(desk.show("tv")["state"], json!("fresh"));
    desk.home.run(&["refresh", "oauth2/tv", "--force"]).exits(0);
}

#[test]
fn a_person_who_refuses_is_believed() {
    let desk = desk();
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(desk.fake.control().deny_device(code(&line)));
    let run = connecting.end().exits(4);
    assert!(run.stderr.contains("the person refused"), "{run:?}");
    assert!(desk.home.run(&["connection", "show", "oauth2/tv"]).stderr.contains("no connection"));
}

/// A device whose first polls meet these answers is connected all the same.
fn outlasts(odd: [Answer; 2]) {
    let desk = desk();
    for answer in odd {
        desk.fake.control().script(Scenario::from(answer).on("/token").times(1));
    }
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(connecting.line_with("still waiting for the login").is_some(), "{}", connecting.said);
    assert!(desk.fake.control().approve_device(code(&line)));
    connecting.end().exits(0);
    assert_eq!(desk.show("tv")["state"], json!("fresh"));
}

fn page(status: u16) -> Answer {
    Answer::new(status, "text/html", "<html>Sign in to the network</html>")
}

#[test]
fn a_poll_that_meets_somebody_on_the_way_is_asked_again() {
    outlasts([page(200), page(403)]);
}

#[test]
fn a_poll_that_is_sent_elsewhere_or_was_too_slow_is_asked_again() {
    outlasts([Answer::redirect("http://portal.example/"), page(408)]);
}

#[test]
fn a_network_that_is_away_is_waited_for_and_the_interval_holds_again() {
    let desk = desk();
    desk.fake.control().script(Scenario::from(Fate::CutBefore).on("/token").times(2));
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    let control = desk.fake.control();
    // Polls after 1, 2 and 4 seconds; then again each second, which a longer wait would not reach.
    wait_until("polls go on", || {
        control.journal().iter().filter(|it| it.path == "/token").count() >= 5
    });
    assert!(desk.fake.control().approve_device(code(&line)));
    connecting.end().exits(0);
}

#[test]
fn a_wish_to_slow_down_is_no_end() {
    let desk = desk();
    let slower = Answer::json(400, &json!({ "error": "slow_down" }));
    desk.fake.control().script(Scenario::from(slower).on("/token").times(1));
    let mut connecting = desk.begin("tv", &["--device"]);
    let line = connecting.line_with("and type").unwrap();
    assert!(desk.fake.control().approve_device(code(&line)));
    connecting.end().exits(0);
}

#[test]
fn polls_end_with_the_code_and_say_what_was_wrong() {
    let settings =
        oauth::Settings { device_interval: 1, device_lifetime: 4, ..oauth::Settings::default() };
    let desk = Desk::oauth(settings, "");
    desk.fake.control().script(Scenario::from(Fate::CutBefore).on("/token").always());
    let mut connecting = desk.begin("tv", &["--device"]);
    connecting.line_with("and type").unwrap();
    let run = connecting.end().exits(1);
    assert!(
        run.stderr.contains("the code expired before it was confirmed (the last poll:"),
        "{run:?}"
    );
}

#[test]
fn a_code_that_ran_out_ends_the_wait() {
    let desk = desk();
    let mut connecting = desk.begin("tv", &["--device"]);
    connecting.line_with("and type").unwrap();
    desk.fake.control().advance(601);
    assert!(connecting.end().exits(4).stderr.contains("the code expired"));
}
