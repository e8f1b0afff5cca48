//! The three routes of a service with one token, called as its users call them.

use e2e::stage::Stage;

use super::Served;

#[test]
fn its_users_call_the_routes_that_they_know() {
    let served = Served::eskiz();
    let caller = served.with_key("monitor", &["--scope", "connection:write"]);
    let status = caller.get("/api/token/status").is(200).json();
    assert_eq!((&status["valid"], &status["state"]), (&true.into(), &"fresh".into()));
    assert!(status["expires_in"].as_u64().unwrap() > 3600, "{status}");
    let refreshed = caller.send("POST", "/api/token/refresh", None).is(200).json();
    assert_eq!(refreshed["last_attempt"]["outcome"], "success", "{refreshed}");
    assert_eq!(served.stage.count("/refresh"), 1);
    let cleared = caller.send("DELETE", "/api/token", None).is(200).json();
    assert_eq!(cleared["success"], true);
    e2e::daemon::wait_until("the daemon has logged in anew", || {
        let status = caller.get("/api/token/status").is(200).json();
        status["last_attempt"]["reason"] == "logged in" && status["valid"] == true
    });
}

#[test]
fn where_there_are_several_one_has_to_be_named() {
    let served = Served::over(Stage::eskiz(""), "");
    served.stage.home.run(&["connection", "add", "eskiz/second"]).exits(0);
    let which = served.socket().get("/api/token/status").is(400);
    assert_eq!(which.code(), "http.query_invalid");
    assert!(which.json()["detail"].as_str().unwrap().contains("?connection="));
    let named = served.socket().get("/api/token/status?connection=eskiz~second").is(200).json();
    assert_eq!(named["connection"], "eskiz/second");
    let bound = ["--scope", "connection:read", "--provider", "nobody"];
    served.stage.home.run(&[&["api-key", "create", "none"], &bound[..]].concat()).exits(1);
}
