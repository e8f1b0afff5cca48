//! Connections and refreshes.

use e2e::daemon::wait_until;
use e2e::provider::script::{Fate, Scenario};
use e2e::stage::Stage;
use serde_json::json;

use super::Served;

const ESKIZ: &str = "/api/v1/connections/eskiz";

#[test]
fn a_connection_is_shown_as_the_command_line_shows_it() {
    let served = Served::eskiz();
    let shown = served.socket().get(ESKIZ).is(200).json();
    let command = served.stage.home.run(&["connection", "show", "eskiz", "--json"]).json();
    assert_eq!(shown, command);
    let list = served.socket().get("/api/v1/connections").is(200).json();
    assert_eq!(list["connections"], json!([served.stage.status()]));
    assert_eq!(list["next"], json!(null));
}

#[test]
fn a_list_comes_in_pages() {
    let served = Served::over(Stage::eskiz(""), "");
    for name in ["a", "b", "c", "d"] {
        let new = json!({ "provider": "eskiz", "name": name });
        served.socket().post("/api/v1/connections", &new).is(201);
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = served.socket().get(&format!("/api/v1/connections?limit=2{after}")).is(200);
        let page = page.json();
        let rows = page["connections"].as_array().unwrap();
        assert!(rows.len() <= 2);
        names.extend(rows.iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace('/', "%2F"));
    }
    assert_eq!(names, ["a", "b", "c", "d", "default"]);
    for wrong in ["limit=0", "limit=501"] {
        let answer = served.socket().get(&format!("/api/v1/connections?{wrong}")).is(400);
        assert_eq!(answer.code(), "http.query_invalid");
    }
}

#[test]
fn a_connection_is_added_with_its_secrets_and_removed() {
    let served = Served::over(Stage::eskiz(""), "");
    let new = json!({
        "provider": "eskiz", "name": "second", "labels": ["gold"],
        "secrets": { "password": "swordfish" },
        "token": { "access_token": "abc", "expires_in": 3600 },
    });
    let added = served.socket().post("/api/v1/connections", &new).is(201);
    assert_eq!(added.header("location"), "/api/v1/connections/eskiz~second");
    assert!(!added.text().contains("swordfish") && !added.text().contains("abc"));
    let shown = added.json();
    assert_eq!(shown["labels"], json!(["gold"]));
    assert_eq!(shown["secrets"]["password"], "its own");
    let token = served.socket().get("/api/v1/connections/eskiz~second/token").is(200).json();
    assert_eq!(token["token"], "abc");
    let again = served.socket().post("/api/v1/connections", &new).is(409);
    assert_eq!(again.code(), "connection.exists");
    served.socket().send("DELETE", "/api/v1/connections/eskiz~second", None).is(204);
    served.socket().get("/api/v1/connections/eskiz~second").is(404);
    let listed = served.socket().send("DELETE", ESKIZ, None).is(409);
    assert_eq!(listed.code(), "connection.of_manifest");
}

#[test]
fn what_cannot_be_added_is_refused_by_name() {
    let served = Served::over(Stage::eskiz(""), "");
    for (new, status, says) in [
        (json!({ "provider": "nobody", "name": "a" }), 404, "not in the manifest"),
        (json!({ "provider": "eskiz", "name": "a b" }), 400, "not allowed"),
        (json!({ "provider": "eskiz" }), 400, "missing field `name`"),
        (json!({ "provider": "eskiz", "name": "a", "lables": [] }), 400, "unknown field `lables`"),
        (json!({ "provider": "eskiz", "name": "a", "settings": { "nope": "1" } }), 400, "nope"),
        (json!({ "provider": "eskiz", "name": "a", "token": { "token": "x" } }), 400, "no column"),
    ] {
        let answer = served.socket().post("/api/v1/connections", &new);
        assert_eq!(answer.status, status, "{new} {}", answer.text());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{new}: {detail}");
    }
}

#[test]
fn a_connection_is_paused_for_a_while_and_resumed() {
    let served = Served::eskiz();
    let pause = json!({ "seconds": 3600, "reason": "holidays" });
    let paused = served.socket().post(&format!("{ESKIZ}/pause"), &pause).is(200).json();
    assert_eq!(paused["state"], "paused");
    assert!(paused["sentence"].as_str().unwrap().contains("holidays"), "{paused}");
    let resumed = served.socket().send("POST", &format!("{ESKIZ}/resume"), None).is(200).json();
    assert_eq!(resumed["state"], "fresh");
}

#[test]
fn a_refresh_is_begun_and_its_end_is_waited_for_if_wanted() {
    let served = Served::eskiz();
    let force = json!({ "force": true });
    let ended = served.socket().post(&format!("{ESKIZ}/refresh?wait=30s"), &force).is(200).json();
    assert_eq!(ended["attempt"]["outcome"], "success", "{ended}");
    assert_eq!(ended["attempt"]["generation"], 2);
    let fresh = served.socket().post(&format!("{ESKIZ}/refresh?wait=30s"), &json!({})).is(200);
    assert_eq!(fresh.json()["attempt"]["outcome"], "skipped");
    for wrong in ["wait=61s", "wait=soon", "wait=-1s"] {
        let answer = served.socket().post(&format!("{ESKIZ}/refresh?{wrong}"), &force).is(400);
        assert_eq!(answer.code(), "http.query_invalid");
    }
    let nobody = served.socket().post("/api/v1/connections/nobody/refresh", &force).is(404);
    assert_eq!(nobody.code(), "connection.provider_unknown");
}

#[test]
fn whoever_does_not_wait_is_told_where_to_look() {
    let served = Served::eskiz();
    served.stage.control().script(Scenario::from(Fate::Act).delay_before(3_000));
    let force = json!({ "force": true });
    let begun = served.socket().post(&format!("{ESKIZ}/refresh"), &force).is(202);
    let attempt = begun.json()["attempt"].clone();
    assert_eq!(attempt["outcome"], json!(null), "{attempt}");
    let place = begun.header("location").to_owned();
    assert!(place.ends_with(attempt["id"].as_str().unwrap()), "{place}");
    assert_eq!(served.socket().get(&place).is(200).json()["id"], attempt["id"]);
    let joined = served.socket().post(&format!("{ESKIZ}/refresh"), &force).is(202).json();
    assert_eq!(joined["attempt"]["id"], attempt["id"], "a second one joins it");
    wait_until("it has ended", || !served.socket().get(&place).json()["outcome"].is_null());
}

#[test]
fn attempts_statistics_schedules_and_plugins_are_those_of_the_command_line() {
    let served = Served::eskiz();
    let command = |arguments: &[&str]| served.stage.home.run(arguments).exits(0).json();
    let http = |path: &str| served.socket().get(path).is(200).json();
    let log = command(&["log", "--json"]);
    assert_eq!(http("/api/v1/attempts")["attempts"], log["attempts"]);
    assert_eq!(http("/api/v1/attempts?outcome=failed")["attempts"], json!([]));
    assert_eq!(http("/api/v1/stats?since=1h"), command(&["stats", "--since", "1h", "--json"]));
    assert_eq!(http("/api/v1/plugins"), command(&["plugin", "list", "--json"]));
    assert_eq!(http("/api/v1/schedules"), command(&["schedule", "list", "--json"]));
    assert_eq!(
        http("/api/v1/providers"),
        json!({ "providers": [{ "name": "eskiz", "plugin": "eskiz" }] })
    );
}
