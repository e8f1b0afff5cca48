//! The same control over HTTP, for a fake in another process. Holds no logic: each route is one method of `Control`.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::provider::{
    control::Control, journal::Entry, ledger::Audit, script::Scenario, service::Pair,
};

/// Routes under `/__control`, for a router with any state.
pub(crate) fn routes<S>(control: Control) -> Router<S> {
    Router::new()
        .route("/journal", get(journal).post(limit_journal).delete(clear_journal))
        .route("/families", get(families))
        .route("/script", post(script).delete(clear_script))
        .route("/advance", post(advance))
        .route("/credentials", post(credentials))
        .route("/issue", post(issue))
        .with_state(control)
}

#[derive(Serialize)]
struct Seen {
    seen: u64,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    limit: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Credentials {
    set: BTreeMap<String, String>,
    reject: Option<bool>,
    revoke_everything: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    name: String,
    count: Option<usize>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Issued {
    One(Pair),
    Many(Vec<Pair>),
}

async fn journal(State(control): State<Control>) -> Json<Seen> {
    Json(Seen { seen: control.seen(), entries: control.journal() })
}

async fn limit_journal(State(control): State<Control>, Json(limit): Json<Limit>) -> Json<Value> {
    control.limit_journal(limit.limit);
    done()
}

async fn clear_journal(State(control): State<Control>) -> Json<Value> {
    control.clear_journal();
    done()
}

async fn families(State(control): State<Control>) -> Json<Vec<Audit>> {
    Json(control.families())
}

async fn script(State(control): State<Control>, Json(scenario): Json<Scenario>) -> Json<Value> {
    control.script(scenario);
    Json(json!({"pending": control.pending_script()}))
}

async fn clear_script(State(control): State<Control>) -> Json<Value> {
    control.clear_script();
    done()
}

async fn advance(State(control): State<Control>, Json(by): Json<Advance>) -> Json<Timestamp> {
    control.advance(by.seconds);
    Json(control.now())
}

async fn credentials(State(control): State<Control>, Json(wish): Json<Credentials>) -> Json<Value> {
    for (name, value) in &wish.set {
        control.set_credential(name, value);
    }
    if let Some(rejecting) = wish.reject {
        control.reject_credentials(rejecting);
    }
    if wish.revoke_everything {
        control.revoke_everything();
    }
    done()
}

/// With a count: so many families, named `name-0` and on, in a list.
async fn issue(State(control): State<Control>, Json(wish): Json<Issue>) -> Json<Issued> {
    let Issue { name, count } = wish;
    let numbered = |index| control.issue_family(&format!("{name}-{index}"));
    Json(match count {
        None => Issued::One(control.issue_family(&name)),
        Some(count) => Issued::Many((0..count).map(numbered).collect()),
    })
}

fn done() -> Json<Value> {
    Json(json!({"ok": true}))
}
