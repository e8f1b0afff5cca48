//! A code that a person types in on another machine.

use e2e::provider::oauth;
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

#[test]
fn a_code_that_ran_out_ends_the_wait() {
    let desk = desk();
    let mut connecting = desk.begin("tv", &["--device"]);
    connecting.line_with("and type").unwrap();
    desk.fake.control().advance(601);
    assert!(connecting.end().exits(4).stderr.contains("the code expired"));
}
