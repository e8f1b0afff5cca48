//! PropelAuth: a user with organisations, and a grant that dies once and for all but is never thrown
//! away.

use e2e::provider::Kind;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use serde_json::json;

use crate::providers::subject::{self, plain};
use crate::providers::{probe, show};

const TOKEN: &str = "POST /propelauth/oauth/token";
const USERINFO: &str = "GET /propelauth/oauth/userinfo";
const ORG: &str = "c4e1f7a8-5b26-4d39-9f70-6a1d8e02b345";

#[test]
fn a_profile_has_the_organisations_by_their_ids_in_both_shapes() {
    for active_org in [false, true] {
        let mut subject = plain(subject::propelauth);
        let Kind::PropelAuth(settings) = &mut subject.kind else { panic!("another fake") };
        settings.active_org = active_org;
        let stage = subject.started("probe = \"1h\"");
        assert!(probe(&stage), "active organisation: {active_org}");
        let profile = show(&stage)["profile"].clone();
        assert_eq!(profile["name"], "Demo User");
        let organization = &profile["organizations"][ORG];
        assert_eq!(organization["org_name"], "Demo Org", "{profile:#}");
        assert_eq!(organization["user_role"], "Owner", "{profile:#}");
        assert_eq!(organization["user_permissions"], json!(["can_view_billing"]));
    }
}

#[test]
fn a_token_that_is_refused_at_the_profile_is_refreshed_and_the_profile_asked_again() {
    let stage = plain(subject::propelauth).started("probe = \"1h\"");
    stage.control().script(Scenario::from(Answer::unauthorized()).on("/propelauth/oauth/userinfo"));
    assert!(probe(&stage));
    assert_eq!(stage.seen(), [USERINFO, TOKEN, USERINFO]);
    let shown = show(&stage);
    assert_eq!((&shown["generation"], &shown["state"]), (&json!(2), &json!("fresh")));
    assert_eq!(shown["profile"]["email"], "demo@example.com");
}

#[test]
fn a_token_that_is_refused_again_and_again_is_refreshed_once() {
    let stage = plain(subject::propelauth).started("probe = \"1h\"");
    let refused = Scenario::from(Answer::unauthorized()).on("/propelauth/oauth/userinfo");
    stage.control().script(refused.always());
    assert!(!probe(&stage));
    assert_eq!(stage.seen(), [USERINFO, TOKEN, USERINFO]);
}

#[test]
fn a_grant_that_died_waits_for_the_user_and_nothing_is_thrown_away() {
    let stage = plain(subject::propelauth).started("");
    let old = stage.token();
    let dead = Answer::json(400, &json!({ "error": "invalid_grant" }));
    stage.control().script(dead);
    let failed = stage.refresh(&["--force"]);
    assert_eq!(failed["error"]["code"], "provider.grant_expired");
    let status = stage.status();
    assert_eq!(status["state"], "reconnect");
    assert_eq!(status["next_step"], "keepfresh connect propelauth/ann");
    assert_eq!(stage.token(), old, "the token works until its end");
    assert_eq!(stage.seen(), [TOKEN], "nobody tries by themselves");
    // The refresh token was kept as well: when PropelAuth takes it after all, it is as before.
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    assert_eq!(stage.state(), "fresh");
    assert_eq!(stage.control().family("propelauth").unwrap().rotations, 1);
}

#[test]
fn a_page_of_a_gateway_logs_nobody_out() {
    for status in [400, 401, 403] {
        let stage = plain(subject::propelauth).started("");
        let page = "<!doctype html><title>Access denied</title>";
        stage.control().script(Answer::new(status, "text/html", page));
        let failed = stage.refresh(&["--force"]);
        assert_eq!(failed["error"]["code"], "provider.unexpected", "{status}: {failed}");
        assert_eq!(stage.state(), "late", "{status}");
        assert_eq!(stage.refresh(&["--force"])["outcome"], "failed", "the page is read once more");
        let named = stage.refresh(&[&stage.id(), "--force"]);
        assert_eq!(named["outcome"], "success", "{}", stage.status());
    }
}

#[test]
fn a_refresh_without_the_next_refresh_token_is_not_stored() {
    let stage = plain(subject::propelauth).started("");
    let (old, generation) = (stage.token(), show(&stage)["generation"].clone());
    let half = json!({ "access_token": "only-an-access-token", "expires_in": 1_800 });
    stage.control().script(Answer::json(200, &half));
    let failed = stage.refresh(&["--force"]);
    assert_eq!(failed["error"]["code"], "provider.unexpected");
    let shown = show(&stage);
    assert_eq!((&shown["generation"], &shown["captured_answers"]), (&generation, &json!(1)));
    assert_eq!(stage.token(), old);
}

#[test]
fn disconnecting_needs_the_key_and_ends_the_session() {
    let stage = plain(subject::propelauth).started("");
    let _ = stage.home.run(&["disconnect", "propelauth/ann"]).exits(0);
    assert_eq!(stage.seen(), ["POST /api/backend/v1/logout"]);
    assert!(stage.control().family("propelauth").unwrap().revoked);
}
