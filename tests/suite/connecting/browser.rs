//! The authorization code with PKCE.

use e2e::database::Database;
use e2e::home::Run;
use e2e::provider::answer::Answer;
use e2e::provider::family::Class;
use e2e::provider::script::{Fate, Scenario};
use e2e::provider::{google, oauth, propelauth};
use e2e::visitor::walk;
use serde_json::json;

use crate::connecting::{BUSINESS, Desk};

#[test]
fn a_person_connects_google_and_the_token_is_served_and_refreshed() {
    let desk = Desk::google(google::Settings::default());
    let (page, run) = desk.connect("ads");
    assert!(page.body.contains("Connected"), "{page:?}");
    let run = run.exits(0);
    assert!(run.stdout.contains("google-oauth/ads connected."), "{run:?}");
    let shown = desk.show("ads");
    assert_eq!((&shown["state"], &shown["generation"]), (&json!("fresh"), &json!(1)));
    assert!(shown["scopes"].as_array().unwrap().contains(&json!(BUSINESS)));
    assert!(shown["profile"]["scope"].as_str().unwrap().contains(BUSINESS));
    assert_eq!(shown["attempts"][0]["reason"], "connected");
    let token = desk.home.run(&["token", "get", "google-oauth/ads"]).exits(0).stdout;
    assert!(token.starts_with("ya29."));
    desk.home.run(&["refresh", "google-oauth/ads", "--force"]).exits(0);
    assert_eq!(desk.show("ads")["generation"], 2);
}

#[test]
fn the_address_asks_for_offline_access_and_carries_what_the_host_made() {
    let desk = Desk::google(google::Settings::default());
    let mut connecting = desk.begin("ads", &[]);
    let url = connecting.address();
    let parameter = |name| Desk::parameter(&url, name);
    assert_eq!(parameter("access_type").as_deref(), Some("offline"));
    assert_eq!(parameter("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(parameter("prompt"), None, "nobody is asked twice for nothing");
    for secret in ["state", "code_challenge", "nonce"] {
        assert_eq!(parameter(secret).unwrap().len(), 43, "{secret}");
    }
    let back = parameter("redirect_uri").unwrap();
    assert!(back.starts_with("http://127.0.0.1:") && back.ends_with("/callback"), "{back}");
    walk(&url);
    connecting.end().exits(0);
}

#[test]
fn a_person_who_agreed_before_is_asked_again_when_no_refresh_token_came() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("first").1.exits(0);
    // The same account agrees at once, and Google then gives no refresh token.
    let (page, run) = desk.connect("second");
    let run = run.exits(0);
    let asked = page.way.iter().filter(|it| it.contains("/o/oauth2/v2/auth")).collect::<Vec<_>>();
    assert_eq!(asked.len(), 2, "{page:#?}");
    assert_eq!(Desk::parameter(asked[1], "prompt").as_deref(), Some("consent"));
    assert!(!run.stderr.contains("no refresh token was issued: google"), "{run:?}");
    let attempts = desk.show("second")["attempts"].clone();
    assert_eq!(attempts[0]["outcome"], "success");
    assert_eq!(attempts[1]["error"]["code"], "connect.no_refresh_token");
    desk.home.run(&["refresh", "google-oauth/second", "--force"]).exits(0);
}

#[test]
fn a_scope_that_the_person_did_not_grant_is_named_and_nothing_is_saved() {
    let settings = google::Settings {
        grant_scopes: Some(vec!["openid".to_owned()]),
        ..google::Settings::default()
    };
    let desk = Desk::google(settings);
    let (page, run) = desk.connect("ads");
    let run = run.exits(4);
    assert!(run.stderr.contains("business.manage"), "{run:?}");
    assert!(run.stderr.contains("tick every box"), "{run:?}");
    assert!(page.body.contains("Not connected"), "{page:?}");
    let gone = desk.home.run(&["connection", "show", "google-oauth/ads"]);
    assert!(gone.stderr.contains("there is no connection"), "{gone:?}");
}

#[test]
fn a_person_who_does_not_agree_changes_nothing() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("ads").1.exits(0);
    let before = desk.home.run(&["token", "get", "google-oauth/ads"]).stdout;
    desk.fake.control().deny_consent(true);
    let (page, run) = desk.connect("ads");
    assert!(page.body.contains("access was denied"), "{page:?}");
    assert!(run.exits(1).stderr.contains("connect.denied"));
    assert_eq!(desk.home.run(&["token", "get", "google-oauth/ads"]).stdout, before);
    assert_eq!(
        (&desk.show("ads")["state"], &desk.show("ads")["failures"]),
        (&json!("fresh"), &json!(0))
    );
}

#[test]
fn a_consent_that_fails_keeps_the_answer_that_could_not_be_read_and_one_that_holds_spends_it() {
    let desk = Desk::propelauth(propelauth::Settings::default());
    desk.connect("ann").1.exits(0);
    let database = Database::at(&desk.home.path("keepfresh.db"));
    let captured = || database.number("select count(*) from captures");
    let once = |status, body| Scenario::from(Answer::json(status, &body)).times(1);
    desk.fake.control().script(once(200, json!({ "new": "words" })).on("/propelauth/oauth/token"));
    desk.home.run(&["refresh", "propelauth/ann", "--force"]).exits(1);
    assert_eq!(captured(), 1, "the answer may hold the only refresh token that is left");
    let refused = json!({ "error": "invalid_grant" });
    desk.fake.control().script(once(400, refused).on("/propelauth/oauth/token"));
    desk.connect("ann").1.exits(4);
    assert_eq!(captured(), 1);
    desk.connect("ann").1.exits(0);
    assert_eq!(captured(), 0);
}

#[test]
fn a_dead_grant_is_connected_again_under_its_id_with_its_history() {
    let desk = Desk::google(google::Settings::default());
    desk.connect("ads").1.exits(0);
    desk.fake.control().revoke_everything();
    let refresh = desk.home.run(&["refresh", "google-oauth/ads", "--force"]).exits(4);
    assert!(refresh.stdout.contains("revoked access"), "{refresh:?}");
    let status = desk.home.run(&["status"]).exits(4);
    assert!(status.stdout.contains("→ keepfresh connect google-oauth/ads"), "{status:?}");
    desk.connect("ads").1.exits(0);
    let shown = desk.show("ads");
    assert_eq!((&shown["state"], &shown["generation"]), (&json!("fresh"), &json!(2)));
    let outcomes = shown["attempts"].as_array().unwrap().iter().map(|it| it["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["success", "failed", "success"]);
}

#[test]
fn any_provider_is_connected_by_its_issuer_alone() {
    let desk = Desk::oauth(oauth::Settings::default(), ", scopes = \"openid read\"");
    let (page, run) = desk.connect("me");
    assert!(page.body.contains("Connected"), "{page:?} {run:?}");
    run.exits(0);
    let shown = desk.show("me");
    assert_eq!((&shown["state"], &shown["scopes"]), (&json!("fresh"), &json!(["openid", "read"])));
    assert_eq!(shown["profile"]["active"], true, "{shown:#}");
    let before = desk.fake.control().seen();
    desk.home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
    assert_eq!(desk.fake.control().seen(), before + 1, "what was discovered is remembered");
}

#[test]
fn a_propelauth_user_is_connected_with_organisations() {
    let desk = Desk::propelauth(propelauth::Settings::default());
    let (page, run) = desk.connect("user-42");
    assert!(page.body.contains("Connected"), "{page:?} {run:?}");
    run.exits(0);
    let shown = desk.show("user-42");
    assert_eq!(shown["state"], "fresh");
    assert!(shown["profile"]["organizations"].is_object(), "{shown:#}");
    assert!(shown["profile"]["email"].is_string(), "{shown:#}");
}

#[test]
fn a_daemon_does_the_same() {
    let desk = Desk::oauth(oauth::Settings::default(), "");
    let daemon = desk.home.serve();
    let (page, run) = desk.connect("me");
    assert!(page.body.contains("Connected"), "{page:?} {run:?}");
    run.exits(0);
    assert_eq!(desk.show("me")["state"], "fresh");
    drop(daemon);
}

#[test]
fn a_plugin_that_logs_in_by_itself_says_so() {
    let stage = e2e::stage::Stage::eskiz("");
    let run = stage.home.run(&["connect", "eskiz", "--no-browser"]).exits(1);
    assert!(run.stderr.contains("it logs in by itself: keepfresh refresh"), "{run:?}");
}

#[test]
fn a_grant_that_a_lost_answer_has_ended_needs_a_person_for_scripts_too() {
    let desk = Desk::propelauth(propelauth::Settings {
        class: Class::Strict,
        ..propelauth::Settings::default()
    });
    desk.connect("ann").1.exits(0);
    desk.fake.control().script(Scenario::from(Fate::CutAfter).times(1));
    let unclear = desk.home.run(&["refresh", "propelauth/ann", "--force", "--json"]).exits(1);
    let error = |run: &Run| run.json()["attempts"][0]["error"].clone();
    assert_eq!(error(&unclear)["case"], "in-doubt");
    let dead = desk.home.run(&["refresh", "propelauth/ann", "--force", "--json"]).exits(4);
    assert_eq!(error(&dead)["code"], "refresh.grant_lost");
    assert_eq!(error(&dead)["case"], "grant-expired");
    assert_eq!(desk.show("ann")["state"], "reconnect");
    Database::at(&desk.home.path("keepfresh.db")).run("update connections set expires_at = 1");
    let get = ["token", "get", "propelauth/ann"];
    assert!(desk.home.run(&get).exits(4).stderr.contains("refresh.grant_lost"));
    // The same over the socket, with a daemon.
    let _daemon = desk.home.serve();
    desk.home.run(&get).exits(4);
}
