//! The page of an attempt: why it failed, what helps, and what was asked of the provider; the same on the command line
//! and over HTTP.

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use serde_json::Value;

use super::facts::Pages;

/// The newest attempt.
fn newest(pages: &Pages) -> String {
    let log = pages.served.stage.home.run(&["log", "--json"]).json();
    log["attempts"][0]["id"].as_str().unwrap().to_owned()
}

fn exchanges(pages: &Pages, id: &str) -> Value {
    let shown = pages.served.stage.home.run(&["log", "show", id, "--json"]).json();
    let api = pages.served.socket().get(&format!("/api/v1/attempts/{id}")).is(200).json();
    assert_eq!(api["exchanges"], shown["exchanges"], "they say the same");
    assert_eq!(api["plugin_digest"], shown["plugin_digest"]);
    shown["exchanges"].clone()
}

#[test]
fn the_requests_of_an_attempt_are_kept_without_what_was_in_them() {
    let pages = Pages::over(Stage::eskiz("").logged_in());
    let id = newest(&pages);
    let made = exchanges(&pages, &id);
    let base = pages.served.stage.fake.base_url();
    assert_eq!(made.as_array().unwrap().len(), 1, "{made}");
    assert_eq!(made[0]["method"], "POST");
    assert_eq!(made[0]["address"], format!("{base}/api/auth/login"));
    assert_eq!(made[0]["status"], 200);
    assert!(
        made[0]["sent_bytes"].as_u64().unwrap() > 20
            && made[0]["received_bytes"].as_u64().unwrap() > 20
    );
    let people = pages.served.stage.home.run(&["log", "show", &id]).exits(0).stdout;
    assert!(people.contains("POST") && people.contains("/api/auth/login"), "{people}");
    let text = pages.text(&format!("/attempts/{id}"));
    assert!(text.contains(&format!("POST {base}/api/auth/login 200")), "{text}");
    assert!(text.contains("Where its time went") && text.contains("success"), "{text}");
}

#[test]
fn a_failure_says_what_it_means_and_what_helps() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    let pages = Pages::over(stage);
    let _ = pages.served.stage.home.run(&["refresh", "eskiz", "--force", "--sync"]);
    let id = newest(&pages);
    let made = exchanges(&pages, &id);
    assert_eq!(made[0]["status"], 502, "{made}");
    let text = pages.text(&format!("/attempts/{id}"));
    for said in [
        "failed",
        "What it means",
        "What helps",
        "Refresh now",
        "provider.",
        "502",
        "forced by a person",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let support = pages.caller().get(&format!("/ui/attempts/{id}/support")).is(200);
    assert!(support.header("content-disposition").contains(&format!("attempt-{id}.json")));
    let told = support.json();
    assert_eq!(told["attempt"]["id"], id);
    assert_eq!(told["exchanges"], made);
    assert!(told["meaning"].is_string());
}

#[test]
fn an_attempt_that_is_not_there_is_no_page() {
    let pages = Pages::over(Stage::eskiz(""));
    for id in ["0198c0de-0000-7000-8000-000000000000", "nonsense", "%3Cscript%3E"] {
        pages.caller().get(&format!("/ui/attempts/{id}")).is(404);
    }
}
