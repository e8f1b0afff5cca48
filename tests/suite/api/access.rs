//! Who may call, and what a key allows.

use std::os::unix::fs::PermissionsExt as _;

use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::home::Home;
use e2e::stage::{Stage, eskiz_section, jibit_section};
use serde_json::json;

use super::{Served, key};

const TOKEN: &str = "/api/v1/connections/eskiz/token";

#[test]
fn a_key_is_shown_once_and_is_not_in_the_database() {
    let served = Served::eskiz();
    let made = key(&served.stage.home, "web", &["--scope", "token:read"]);
    assert!(made.starts_with("kf_"), "{made}");
    let list = served.stage.home.run(&["api-key", "list", "--json"]).exits(0);
    let listed = &list.json()["keys"][0];
    assert_eq!((&listed["name"], &listed["scopes"]), (&"web".into(), &json!(["token:read"])));
    assert!(!list.stdout.contains(&made) && made.contains(listed["id"].as_str().unwrap()));
    served.address().with_key(&made).get(TOKEN).is(200);
    let secret = &made[made.len() - 40..];
    let Served { stage, daemon } = served;
    let log = daemon.log();
    assert!(daemon.stop().success());
    for file in ["keepfresh.db", "keepfresh.db-wal"] {
        let bytes = std::fs::read(stage.home.path(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()), "{file}");
    }
    assert!(!log.contains(secret));
}

#[test]
fn without_a_key_nothing_is_told() {
    let served = Served::eskiz();
    for path in [TOKEN, "/api/v1/connections", "/api/token/status", "/api/v1/plugins"] {
        let answer = served.address().get(path).is(401);
        assert_eq!(answer.code(), "auth.missing", "{path}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    served.address().get("/healthz").is(200);
    served.address().get("/readyz").is(200);
}

#[test]
fn a_wrong_key_a_revoked_one_and_an_expired_one_have_one_answer() {
    let served = Served::eskiz();
    let home = &served.stage.home;
    let good = key(home, "web", &["--scope", "token:read"]);
    let revoked = key(home, "old", &["--scope", "token:read"]);
    home.run(&["api-key", "revoke", "old"]).exits(0);
    let mut mistyped = good.clone();
    // This letter alone: one of the prefix would make it no key at all.
    mistyped.replace_range(20..21, if &good[20..21] == "x" { "y" } else { "x" });
    let mut wrong = Vec::new();
    for key in [&revoked, &mistyped, "kf_", "hunter2", ""] {
        let answer = served.address().with_key(key).get(TOKEN).is(401);
        assert_eq!(answer.code(), "auth.invalid");
        wrong.push(answer.json()["detail"].clone());
    }
    wrong.dedup();
    assert_eq!(wrong.len(), 1, "nobody learns which it was: {wrong:?}");
    let log = served.daemon.log();
    assert!(log.contains("it was revoked") && log.contains("mistyped"), "the log does: {log}");
    served.address().with_key(&good).get(TOKEN).is(200);
}

#[test]
fn a_revoked_key_stops_at_once() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    caller.get(TOKEN).is(200);
    served.stage.home.run(&["api-key", "revoke", "web"]).exits(0);
    caller.get(TOKEN).is(401);
    let again = served.stage.home.run(&["api-key", "revoke", "web"]).exits(1);
    assert!(again.stderr.contains("api_key.unknown"), "{again:?}");
}

#[test]
fn what_a_caller_asked_for_who_hangs_up_is_done_and_written_down() {
    let served = Served::eskiz();
    let admin = served.with_key("root", &["--scope", "admin"]);
    let caller = served.with_key("web", &["--scope", "token:read"]);
    caller.get(TOKEN).is(200);
    let database = Database::at(&served.stage.home.path("keepfresh.db"));
    // The write waits, and nobody for it.
    let held = database.hold();
    admin.hang_up("DELETE", "/api/v1/api-keys/web");
    drop(held);
    wait_until("the key stops", || caller.get(TOKEN).status == 401);
    let noted = || served.stage.home.run(&["audit", "--action", "key.revoked"]).stdout;
    wait_until("it is written down", || noted().contains("root"));
}

#[test]
fn a_key_whose_row_was_changed_by_hand_opens_nothing() {
    let served = Served::eskiz();
    let made = key(&served.stage.home, "web", &["--scope", "connection:read"]);
    let Served { stage, daemon } = served;
    assert!(daemon.stop().success());
    let database = Database::at(&stage.home.path("keepfresh.db"));
    database.run("update api_keys set grants = replace(grants, 'connection:read', 'admin')");
    // The log goes on, and the address of before stands in it.
    std::fs::write(stage.home.path("serve.log"), "").unwrap();
    let daemon = stage.home.serve();
    let served = Served { stage, daemon };
    let caller = served.address().with_key(&made);
    assert_eq!(caller.get("/api/v1/connections").is(401).code(), "auth.invalid");
}

#[test]
fn the_eleventh_wrong_key_in_a_minute_has_to_wait_and_a_right_one_has_not() {
    let served = Served::eskiz();
    let good = served.with_key("web", &["--scope", "token:read"]);
    for _ in 0..10 {
        served.address().with_key("kf_wrong").get(TOKEN).is(401);
    }
    let eleventh = served.address().with_key("kf_wrong").get(TOKEN).is(429);
    assert_eq!(eleventh.code(), "auth.throttled");
    let seconds: u64 = eleventh.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    good.get(TOKEN).is(200);
}

#[test]
fn a_scope_allows_what_it_says_and_no_more() {
    let served = Served::eskiz();
    let calls: [(&str, &str, u16); 5] = [
        ("GET", TOKEN, 0),
        ("GET", "/api/v1/connections", 0),
        ("POST", "/api/v1/connections/eskiz/pause", 0),
        ("POST", "/api/v1/connections/eskiz/resume", 0),
        ("GET", "/api/v1/audit", 0),
    ];
    for (scope, allowed) in [
        ("token:read", [true, false, false, false, false]),
        ("connection:read", [false, true, false, false, false]),
        ("connection:write", [false, true, true, true, false]),
        ("admin", [true; 5]),
    ] {
        let caller = served.with_key(&scope.replace(':', "-"), &["--scope", scope]);
        for ((method, path, _), allowed) in calls.iter().zip(allowed) {
            let answer = caller.send(method, path, None);
            if allowed {
                assert_eq!(answer.status, 200, "{scope} {path} {}", answer.text());
            } else {
                assert_eq!(answer.is(403).code(), "auth.scope", "{scope} {path}");
            }
        }
    }
}

/// Two providers, and one more connection with a label.
fn two_providers() -> Served {
    use e2e::provider::{FakeProvider, Kind, eskiz, jibit};
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let sections = eskiz_section(&eskiz, "") + &jibit_section(&jibit, "");
    let home: Home = e2e::stage::home(&sections);
    home.run(&["refresh"]).exits(0);
    let added = ["connection", "add", "eskiz/second", "--label", "gold"];
    home.run(&added).exits(0);
    // Both fakes end with the test.
    std::mem::forget(jibit);
    Served::over(Stage::of(home, eskiz, "eskiz"), "")
}

#[test]
fn a_bound_key_sees_only_what_it_is_bound_to() {
    let served = two_providers();
    let scopes = ["--scope", "token:read", "--scope", "connection:read"];
    let of_eskiz = served.with_key("of-eskiz", &[&scopes[..], &["--provider", "eskiz"]].concat());
    let golden = served.with_key("golden", &[&scopes[..], &["--label", "gold"]].concat());
    let ids = |caller: &e2e::http::Http| {
        let all = caller.get("/api/v1/connections").is(200).json();
        let all = all["connections"].as_array().unwrap().clone();
        all.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&of_eskiz), ["default", "second"]);
    assert_eq!(ids(&golden), ["second"]);
    of_eskiz.get(TOKEN).is(200);
    for foreign in ["jibit", "nobody", "jibit~nobody"] {
        let path = format!("/api/v1/connections/{foreign}/token");
        assert_eq!(of_eskiz.get(&path).is(404).code(), "connection.unknown");
    }
    golden.get("/api/v1/connections/eskiz~second").is(200);
    golden.get("/api/v1/connections/eskiz").is(404);
    let attempts = golden.get("/api/v1/attempts").is(200).json();
    let of_second = |it: &serde_json::Value| it["connection"] == "eskiz/second";
    assert!(attempts["attempts"].as_array().unwrap().iter().all(of_second), "{attempts}");
    let seen = of_eskiz.get("/api/v1/attempts").is(200).text();
    assert!(seen.contains("eskiz") && !seen.contains("jibit"), "{seen}");
    of_eskiz.get("/api/v1/stats").is(403);
    of_eskiz.get("/api/v1/stats?provider=eskiz").is(200);
    golden.get("/api/v1/stats?provider=eskiz").is(403);
    // Neither a cursor nor an error names what is not reached.
    for (caller, foreign) in [(&of_eskiz, "jibit"), (&golden, "jibit"), (&golden, "default")] {
        let reaches = |path: &str| foreign == "jibit" && path.contains("=eskiz");
        for path in [
            "/api/v1/connections?limit=1",
            "/api/v1/connections?limit=1&after=eskiz/default",
            "/api/v1/connections?failed=true&limit=1",
            "/api/v1/connections?provider=zz",
            "/api/v1/connections?provider=jibi",
            "/api/v1/attempts?provider=zz",
            "/api/v1/attempts?connection=jibit~defaul",
            "/api/v1/attempts?connection=eskiz~defaul",
            "/api/v1/events?provider=zz&after=0",
        ] {
            let answer = caller.get(path).text();
            let names = !path.contains(foreign) && answer.contains(foreign);
            let helps = ["did you mean", "these are there"].iter().any(|it| answer.contains(it));
            assert!(!names && (!helps || reaches(path)), "{path}: {answer}");
        }
    }
    for path in ["connections?provider=", "attempts?provider="] {
        let there = golden.get(&format!("/api/v1/{path}jibit")).is(404).text();
        let nowhere = golden.get(&format!("/api/v1/{path}zz")).is(404).text();
        let plain = |text: String| text.split("\"request_id\"").next().unwrap().to_owned();
        assert_eq!(plain(there), plain(nowhere));
    }
    let providers = of_eskiz.get("/api/v1/providers").is(200).json();
    assert_eq!(providers["providers"].as_array().unwrap().len(), 1, "{providers}");
}

#[test]
fn a_bound_key_makes_no_other_key() {
    let served = Served::eskiz();
    let bound = served.with_key("bound", &["--scope", "admin", "--provider", "eskiz"]);
    let wanted = json!({ "name": "more", "scopes": ["admin"] });
    assert_eq!(bound.post("/api/v1/api-keys", &wanted).is(403).code(), "auth.scope");
    let admin = served.with_key("root", &["--scope", "admin"]);
    let made = admin.post("/api/v1/api-keys", &wanted).is(201).json();
    let more = served.address().with_key(made["key"].as_str().unwrap());
    more.get("/api/v1/audit").is(200);
    assert_eq!(admin.post("/api/v1/api-keys", &wanted).is(409).code(), "api_key.name_taken");
    admin.send("DELETE", "/api/v1/api-keys/more", None).is(200);
    more.get("/api/v1/audit").is(401);
}

#[test]
fn the_user_of_the_daemon_needs_no_key_at_the_socket() {
    let served = Served::eskiz();
    served.socket().get(TOKEN).is(200);
    served.socket().get("/api/v1/audit").is(200);
    let socket = served.stage.home.path("keepfresh.http.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(served.daemon.stop().success());
    assert!(!socket.exists());
}
