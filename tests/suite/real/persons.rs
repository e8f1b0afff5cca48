//! A person's consent in a real browser, rotation with reuse detection, a code on another machine, and
//! the end of a grant.

use std::time::Duration;

use e2e::home::Home;
use e2e::inside::Inside;
use e2e::servers::{RealServer, browse, browser};
use e2e::visitor::Connecting;
use keepfresh::model::attempt::{Outcome, Trigger};
use keepfresh::refresher::Ask;
use serde_json::json;

use crate::real::{moved_in, state, web};

#[test]
fn a_person_connects_in_a_real_browser() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = web(&server);
    let mut connecting = Connecting::start(&home, &["oauth2/me"]);
    let Some(page) = browser(&connecting.address()) else { return };
    assert!(page.as_ref().is_ok_and(|it| it.contains("Connected")), "{page:?} {}", server.log());
    connecting.end().exits(0);
    assert_eq!(state(&home), "fresh");
    let shown = home.run(&["connection", "show", "oauth2/me", "--json"]).exits(0).json();
    assert_eq!(shown["profile"]["active"], true, "introspected: {shown:#}");
    home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
    home.run(&["disconnect", "oauth2/me"]).exits(0);
    let families = server.ask("families").to_string();
    assert!(!families.contains("\"alive\":true"), "{families}");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_rotations_in_a_row_keep_the_family_alive() {
    let Some(server) = RealServer::oidc(&["--access-ttl", "3600"]) else { return };
    let home = web(&server);
    let (family, _) = moved_in(&server, &home);
    let inside = Inside::open(&home).await;
    let id = "oauth2/me".parse().unwrap();
    for round in 0..500 {
        let attempt =
            inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await.unwrap();
        assert_eq!(attempt.outcome(), Some(Outcome::Success), "round {round}: {attempt:?}");
    }
    let audit = server.ask(&format!("families/{family}"));
    assert_eq!(
        (&audit["refreshes"], &audit["reuses"], &audit["alive"]),
        (&json!(500), &json!(0), &json!(true)),
        "{audit}"
    );
}

#[test]
fn a_token_that_was_used_elsewhere_is_noticed_and_kept() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = web(&server);
    let (family, old) = moved_in(&server, &home);
    home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
    // Somebody uses the old one: the server ends the whole family.
    home.run_with_input(&["token", "set", "oauth2/me"], &old.to_string()).exits(0);
    let run = home.run(&["refresh", "oauth2/me", "--force"]).exits(4);
    assert!(run.stdout.contains("no longer accepts the refresh token"), "{run:?}");
    assert_eq!(state(&home), "reconnect");
    assert_eq!(server.ask(&format!("families/{family}"))["alive"], false);
}

#[test]
fn a_grant_that_is_ended_here_is_ended_there() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = web(&server);
    let (family, _) = moved_in(&server, &home);
    let run = home.run(&["disconnect", "oauth2/me"]).exits(0);
    assert!(run.stderr.contains("the provider has revoked the grant"), "{run:?}");
    assert_eq!(server.ask(&format!("families/{family}"))["alive"], false);
}

#[test]
fn a_token_that_was_withdrawn_there_is_noticed_by_asking() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = web(&server);
    let text = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&format!("{text}probe = \"10s\"\n"));
    let (family, _) = moved_in(&server, &home);
    server.tell("revoke", &json!({ "grant_id": family }));
    let daemon = home.serve();
    let begun = std::time::Instant::now();
    while state(&home) != "reconnect" {
        assert!(begun.elapsed() < Duration::from_secs(40), "{}", state(&home));
        std::thread::sleep(Duration::from_millis(250));
    }
    drop(daemon);
}

#[test]
fn a_person_agrees_on_another_machine() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = device(&server);
    let mut connecting = Connecting::start(&home, &["oauth2/me", "--device"]);
    let line = connecting.line_with("and type").unwrap();
    let code = line.rsplit(' ').next().unwrap();
    server.tell("device", &json!({ "user_code": code, "decision": "approve" }));
    connecting.end().exits(0);
    assert_eq!(state(&home), "fresh");
    home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
}

#[test]
fn another_account_is_noticed_by_its_id_token() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = device(&server);
    let connect = |account: &str, more: &[&str]| {
        let arguments = [&["oauth2/me", "--device"], more].concat();
        let mut connecting = Connecting::start(&home, &arguments);
        let line = connecting.line_with("and type").unwrap();
        let code = line.rsplit(' ').next().unwrap();
        let body = json!({ "user_code": code, "decision": "approve", "account": account });
        server.tell("device", &body);
        connecting.end()
    };
    connect("alice", &[]).exits(0);
    connect("alice", &[]).exits(0);
    assert!(connect("bob", &[]).exits(1).stderr.contains("connect.other_account"));
    connect("bob", &["--other-account"]).exits(0);
    assert_eq!(state(&home), "fresh");
}

#[test]
fn a_person_who_says_no_in_a_real_browser_is_quoted() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let home = web(&server);
    let mut connecting = Connecting::start(&home, &["oauth2/me"]);
    let Some(page) = browse(&["authorize", &connecting.address(), "--deny"]) else { return };
    assert!(page.as_ref().is_ok_and(|it| it.to_string().contains("access was denied")), "{page:?}");
    let run = connecting.end().exits(1);
    assert!(run.stderr.contains("the provider says: \"End-User aborted interaction\""), "{run:?}");
}

#[test]
fn a_real_browser_sends_a_form() {
    let Some(server) = RealServer::oidc(&[]) else { return };
    let settings = ", grant = \"authorization_code\", scopes = \"openid offline_access api:read\", response_mode = \"form_post\"";
    let home =
        crate::real::home(&server, "web", settings, "client_secret = { file = \"web.secret\" }");
    e2e::stage::write_secret(&home, "web.secret", "web-secret");
    let mut connecting = Connecting::start(&home, &["oauth2/me"]);
    let Some(page) = browser(&connecting.address()) else { return };
    assert!(page.as_ref().is_ok_and(|it| it.contains("Connected")), "{page:?} {}", server.log());
    connecting.end().exits(0);
    assert_eq!(state(&home), "fresh");
}

fn device(server: &RealServer) -> Home {
    let settings = ", grant = \"authorization_code\", client_auth = \"none\", scopes = \"openid offline_access\"";
    crate::real::home(server, "dev", settings, "")
}
