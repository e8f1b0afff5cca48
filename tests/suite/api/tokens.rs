//! Tokens for programs.

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use serde_json::json;

use super::Served;

const TOKEN: &str = "/api/v1/connections/eskiz/token";

#[test]
fn a_program_gets_the_token_that_the_command_line_gets() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    let answer = caller.get(TOKEN).is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.json();
    assert_eq!(token["token"], served.stage.token());
    assert_eq!((&token["token_type"], &token["generation"]), (&"Bearer".into(), &1.into()));
    assert_eq!(token["expires_at"], served.stage.status()["expires_at"]);
    assert_eq!(token["short"], json!(null));
    assert_eq!(served.stage.seen().len(), 1, "the provider was asked once, for the login");
}

#[test]
fn a_token_that_would_not_live_long_enough_is_refreshed_first() {
    let settings = e2e::provider::eskiz::Settings { lifetime: 600, ..Default::default() };
    let served = Served::over(Stage::eskiz_as(settings, "").logged_in(), "");
    let caller = served.socket();
    let first = caller.get(&format!("{TOKEN}?min_ttl=300")).is(200).json();
    assert_eq!(first["generation"], 1);
    let long = caller.get(&format!("{TOKEN}?min_ttl=100000")).is(200).json();
    assert!(long["short"]["reason"].as_str().is_some_and(|it| !it.is_empty()), "{long}");
    let wrong = caller.get(&format!("{TOKEN}?min_ttl=soon")).is(400);
    assert_eq!(wrong.code(), "http.query_invalid");
}

#[test]
fn whether_a_token_is_there_at_once_or_a_router_finds_it_the_answer_is_the_same() {
    let served = Served::over(Stage::eskiz("").logged_in(), "hosts = [\"keep.example\"]");
    let read = served.with_key("web", &["--scope", "token:read"]);
    let bound = served.with_key("some", &["--scope", "token:read", "--label", "gold"]);
    let other = served.with_key("ops", &["--scope", "connection:read"]);
    let (nobody, twice) = (served.address(), read.with_key("kf_another"));
    let callers = [read.clone(), served.socket(), bound, other, nobody.clone(), twice];
    let told = [("origin", "https://elsewhere.example"), ("host", "elsewhere.example")];
    let told = told.into_iter().chain([
        ("host", "keep.example"),
        ("sec-fetch-site", "cross-site"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("idempotency-key", "one"),
    ]);
    let callers = callers.into_iter().chain(told.map(|(name, value)| read.with(name, value)));
    let queries =
        ["", "?min_ttl=60", "?min_ttl=-1", "?min_tl=1", "?min_ttl=1&min_ttl=1", "?a=kf_x"];
    // Whoever is wrong ten times has to wait.
    let wrong = (nobody.with_key("kf_no_such"), &queries[..1]);
    let mut handed_out = 0;
    for (caller, queries) in callers.map(|it| (it, &queries[..])).chain([wrong]) {
        let caller = caller.with("x-request-id", "the-same");
        for (plain, decoded) in
            [("eskiz", "%65skiz"), ("eskiz~no", "%65skiz~no"), ("a..b", "a%2e.b")]
        {
            for query in queries {
                let [straight, routed] = [plain, decoded].map(|name| {
                    let mut it = caller.get(&format!("/api/v1/connections/{name}/token{query}"));
                    it.headers.remove("date");
                    (it.status, it.text(), it.headers)
                });
                assert_eq!(straight, routed, "{caller:?} {plain}{query}");
                handed_out += if straight.0 == 200 { 2 } else { 0 };
            }
        }
    }
    let figures = served.socket().get("/metrics").text();
    let route = "route=\"/api/v1/connections/{id}/token\"";
    let routes = figures
        .lines()
        .filter(|it| it.contains("duration_seconds_count{") && it.contains("/token"));
    assert!(routes.clone().count() > 0 && routes.clone().all(|it| it.contains(route)), "{figures}");
    for counted in
        [format!("{route},status=\"200\"}}"), "served_total{provider=\"eskiz\"}".to_owned()]
    {
        assert!(figures.contains(&format!("{counted} {handed_out}\n")), "{handed_out}: {figures}");
    }
}

#[test]
fn a_refused_token_is_replaced_once_however_many_report_it() {
    let served = Served::eskiz();
    let caller = served.with_key("web", &["--scope", "token:read"]);
    let first = caller.get(TOKEN).is(200).json();
    // A token that has just been stored is not replaced for its age.
    let young = caller.post("/api/v1/connections/eskiz/rejected", &json!({ "generation": 1 }));
    assert_eq!(young.is(409).code(), "token.rejected_when_fresh");
    served.stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    let replaced = caller.post("/api/v1/connections/eskiz/rejected", &json!({ "generation": 1 }));
    let replaced = replaced.is(200).json();
    assert_eq!(replaced["generation"], 2, "whoever comes later gets what is there");
    assert_ne!(replaced["token"], first["token"]);
    let never = caller.post("/api/v1/connections/eskiz/rejected", &json!({ "generation": 9 }));
    assert_eq!(never.is(400).code(), "token.generation_unknown");
}

#[test]
fn a_token_is_stored_and_deleted_by_hand() {
    let served = Served::eskiz();
    let caller = served.with_key("ops", &["--scope", "connection:write", "--scope", "token:read"]);
    let stored = caller.send("PUT", TOKEN, Some(r#"{"access_token":"by-hand","expires_in":3600}"#));
    assert_eq!(stored.is(200).json()["generation"], 2);
    assert_eq!(caller.get(TOKEN).is(200).json()["token"], "by-hand");
    let wrong = caller.send("PUT", TOKEN, Some("{}")).is(400);
    assert_eq!(wrong.code(), "token.invalid");
    caller.send("DELETE", TOKEN, None).is(204);
    let next = caller.get(TOKEN).is(200).json();
    assert_ne!(next["token"], "by-hand", "the plugin logs in again");
}

#[test]
fn what_a_caller_gets_is_never_older_than_what_is_stored() {
    let served = Served::eskiz();
    let caller = served.socket();
    for generation in 1..=4 {
        let token = caller.get(TOKEN).is(200).json();
        assert_eq!(token["generation"], generation);
        served.stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    }
    served.stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    assert_eq!(caller.get(TOKEN).is(200).json()["generation"], 5);
}

#[test]
fn a_provider_that_is_down_is_a_503_with_the_code_that_commands_have() {
    let served = Served::over(Stage::eskiz(""), "");
    served.stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    let answer = served.socket().get(TOKEN).is(503);
    assert_eq!(answer.code(), "provider.unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(answer.json()["retryable"], true);
}
