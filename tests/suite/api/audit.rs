//! Who did what.

use serde_json::{Value, json};

use super::Served;

const TOKEN: &str = "/api/v1/connections/eskiz/token";

fn entries(served: &Served, arguments: &[&str]) -> Vec<Value> {
    let run = served.stage.home.run(&[&["audit", "--json"], arguments].concat()).exits(0);
    run.json()["entries"].as_array().unwrap().clone()
}

#[test]
fn whoever_reads_a_token_is_counted_by_the_hour() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    for _ in 0..25 {
        caller.get(TOKEN).is(200);
    }
    served.stage.home.run(&["token", "get", "eskiz"]).exits(0);
    let read = entries(&served, &["--action", "token.read"]);
    // An hour may begin in between.
    let count = |name: Value| {
        let of = read.iter().filter(|it| it["key_name"] == name);
        of.map(|it| it["count"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((count("web".into()), count(Value::Null)), (25, 1), "{read:?}");
    assert!(read.len() <= 4, "{read:?}");
    assert!(read.iter().all(|it| it["subject"] == "eskiz/default"), "{read:?}");
}

#[test]
fn whoever_changes_something_is_written_down() {
    let served = Served::eskiz();
    let caller = served.with_key("ops", &["--scope", "admin"]);
    caller.post("/api/v1/connections/eskiz/pause", &json!({ "reason": "holidays" })).is(200);
    caller.send("POST", "/api/v1/connections/eskiz/resume", None).is(200);
    caller.send("DELETE", TOKEN, None).is(204);
    served.stage.home.run(&["connection", "add", "eskiz/second"]).exits(0);
    // The daemon logs in for it at once, and is not disturbed in that.
    e2e::daemon::wait_until("it is removed", || {
        served.stage.home.run(&["connection", "remove", "eskiz/second"]).code == 0
    });
    let done = entries(&served, &[]);
    let plain = done.iter().map(|it| {
        let who = if it["key_name"] == "ops" { "ops" } else { "user" };
        format!("{who} {} {}", it["action"].as_str().unwrap(), it["subject"].as_str().unwrap())
    });
    assert_eq!(
        plain.filter(|it| !it.contains("connection.refreshed")).collect::<Vec<_>>(),
        [
            "user connection.removed eskiz/second",
            "user connection.added eskiz/second",
            "ops token.cleared eskiz/default",
            "ops connection.resumed eskiz/default",
            "ops connection.paused eskiz/default",
            "user key.created ops",
        ]
    );
    let paused = entries(&served, &["--action", "connection.paused"]);
    assert_eq!(paused[0]["detail"], "holidays");
    let http = caller.get("/api/v1/audit?subject=eskiz%2Fsecond").is(200).json();
    assert_eq!(http["entries"].as_array().unwrap().len(), 2, "{http}");
}

#[test]
fn what_was_refused_is_not_written_down_as_done() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    caller.send("DELETE", TOKEN, None).is(403);
    served.stage.home.run(&["connection", "remove", "eskiz"]).exits(1);
    let done = entries(&served, &[]);
    let wrong = ["token.cleared", "connection.removed"];
    assert!(done.iter().all(|it| !wrong.contains(&it["action"].as_str().unwrap())), "{done:?}");
}

#[test]
fn commands_without_a_daemon_are_written_down_too() {
    let stage = e2e::stage::Stage::eskiz("").logged_in();
    stage.home.run(&["token", "get", "eskiz"]).exits(0);
    stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    let done = stage.home.run(&["audit", "--json"]).exits(0).json();
    let actions = done["entries"].as_array().unwrap().iter();
    let actions = actions.map(|it| it["action"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(actions, ["connection.paused", "token.read", "connection.refreshed"]);
    let table = stage.home.run(&["audit"]).exits(0).stdout;
    assert!(table.contains("WHEN") && table.contains("connection.paused"), "{table}");
}

#[test]
fn the_last_use_of_a_key_is_shown() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    let used = |served: &Served| {
        let list = served.stage.home.run(&["api-key", "list", "--json"]).exits(0).json();
        list["keys"][0]["last_used_at"].clone()
    };
    assert_eq!(used(&served), Value::Null);
    caller.get(TOKEN).is(200);
    assert!(e2e::home::is_time(&used(&served)));
}
