//! Figures for Prometheus, and what is made of them in `contrib/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use serde_json::Value;

use super::Served;

/// What `/metrics` says once something has happened.
fn figures() -> String {
    let served = Served::eskiz();
    let caller = served.with_key("prometheus", &["--scope", "connection:read"]);
    served.socket().get("/api/v1/connections/eskiz/token").is(200);
    let force = serde_json::json!({ "force": true });
    served.socket().post("/api/v1/connections/eskiz/refresh?wait=30s", &force).is(200);
    served.stage.control().script(Scenario::from(Answer::bad_gateway()).always());
    served.socket().post("/api/v1/connections/eskiz/refresh?wait=30s", &force).is(200);
    let answer = caller.get("/metrics").is(200);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    answer.text()
}

#[test]
fn what_has_happened_is_counted() {
    let text = figures();
    for line in [
        "keepfresh_refresh_attempts_total{provider=\"eskiz\",outcome=\"success\"} 1\n",
        "keepfresh_refresh_attempts_total{provider=\"eskiz\",outcome=\"failed\"} 1\n",
        "keepfresh_tokens_served_total{provider=\"eskiz\"} 1\n",
        "keepfresh_connections{provider=\"eskiz\"} 1\n",
        "keepfresh_connections_needing_a_person{provider=\"eskiz\"} 0\n",
        "keepfresh_config_last_reload_successful 1\n",
        "keepfresh_token_state{connection=\"eskiz/default\",provider=\"eskiz\",state=\"late\"} 1\n",
        "keepfresh_token_state{connection=\"eskiz/default\",provider=\"eskiz\",state=\"fresh\"} 0\n",
        "keepfresh_token_expiry_timestamp_seconds{connection=\"eskiz/default\",provider=\"eskiz\"} 1",
        "keepfresh_provider_breaker_open{provider=\"eskiz\"} ",
        "route=\"/api/v1/connections/{id}/refresh\",status=\"200\"} 2\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn a_token_that_replaces_a_rejected_one_is_counted_as_well() {
    let stage = Stage::eskiz("").logged_in();
    stage.token_ages();
    let served = Served::over(stage, "");
    let token = served.socket().get("/api/v1/connections/eskiz/token").is(200).json();
    let refused = serde_json::json!({ "generation": token["generation"] });
    served.socket().post("/api/v1/connections/eskiz/rejected", &refused).is(200);
    let text = served.socket().get("/metrics").is(200).text();
    let line = "keepfresh_tokens_served_total{provider=\"eskiz\"} 2\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn figures_are_for_who_may_see_connections() {
    let served = Served::eskiz();
    served.address().get("/metrics").is(401);
    served.with_key("web", &["--scope", "token:read"]).get("/metrics").is(403);
}

/// Every name of a figure that some text asks for.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|it| it.starts_with("keepfresh_")).map(str::to_owned).collect()
}

fn contrib(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join("contrib").join(name)).unwrap()
}

#[test]
fn alerts_and_dashboard_ask_for_figures_that_exist() {
    let there = names(&figures());
    let dashboard: Value = serde_json::from_str(&contrib("grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|it| it["targets"].as_array().unwrap());
    let queries = targets.map(|it| it["expr"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(queries.len() >= 8, "{queries:?}");
    let rules = contrib("alerts.yml");
    let asked = names(&(queries.join("\n") + &rules));
    assert!(asked.len() >= 8, "{asked:?}");
    let gone = asked.difference(&there).collect::<Vec<_>>();
    assert!(gone.is_empty(), "{gone:?} of {there:?}");
    for line in ["expr:", "for:", "summary:"] {
        assert!(rules.matches(line).count() >= 6, "{line}");
    }
}
