//! `disconnect`: the provider first, then here.

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::provider::{google, oauth};
use e2e::stage::Stage;
use serde_json::json;

use crate::connecting::Desk;

#[test]
fn a_grant_is_ended_at_the_provider_and_forgotten_here() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("ads").1.exits(0);
    let token = desk.home.run(&["token", "get", "google-oauth/ads"]).exits(0).stdout;
    let run = desk.home.run(&["disconnect", "google-oauth/ads"]).exits(0);
    assert!(run.stderr.contains("the provider has revoked the grant; deleted here"), "{run:?}");
    assert!(desk.fake.control().journal().iter().any(|it| it.path == "/revoke"));
    assert!(desk.home.run(&["connection", "list"]).exits(0).stdout.contains("no connections"));
    let database = std::fs::read(desk.home.path("keepfresh.db")).unwrap();
    assert!(!database.windows(token.trim().len()).any(|it| it == token.trim().as_bytes()));
    assert!(desk.home.run(&["log"]).stdout.contains("google-oauth/ads"), "its history stays");
}

#[test]
fn a_provider_that_does_not_answer_keeps_it_from_being_forgotten() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    desk.connect("me").1.exits(0);
    desk.fake.control().script(Scenario::from(Answer::bad_gateway()).always());
    let run = desk.home.run(&["disconnect", "oauth2/me"]).exits(1);
    assert!(run.stderr.contains("nothing was deleted"), "{run:?}");
    assert!(run.stderr.contains("keepfresh disconnect oauth2/me --force"), "{run:?}");
    assert_eq!(desk.show("me")["state"], "fresh");
    let run = desk.home.run(&["disconnect", "oauth2/me", "--force"]).exits(0);
    assert!(run.stderr.contains("the grant was not revoked"), "{run:?}");
    assert!(desk.home.run(&["connection", "list"]).stdout.contains("no connections"));
}

#[test]
fn a_grant_that_is_dead_already_is_forgotten() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("ads").1.exits(0);
    desk.fake.control().revoke_everything();
    desk.home.run(&["disconnect", "google-oauth/ads"]).exits(0);
}

#[test]
fn a_connection_of_the_manifest_stays_without_a_token_and_does_not_log_in_again() {
    let stage = Stage::eskiz("").logged_in();
    let run = stage.home.run(&["disconnect", "eskiz", "--json"]).exits(0);
    assert_eq!(
        run.json(),
        json!({ "done": true, "id": "eskiz/default", "short": "eskiz", "revoked": false, "removed": false })
    );
    let status = stage.status();
    assert_eq!(status["state"], "paused");
    assert!(status["sentence"].as_str().unwrap().contains("disconnected"), "{status}");
    let before = stage.control().seen();
    stage.home.run(&["refresh", "--json"]).exits(0);
    assert_eq!(stage.control().seen(), before);
}
