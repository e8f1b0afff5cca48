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
        .route("/devices", get(devices).post(decide_device))
        .route("/consent", post(consent))
        .route("/account", get(account).post(lock_account))
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    user_code: String,
    approve: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    deny: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    locked: bool,
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

async fn devices(State(control): State<Control>) -> Json<Vec<String>> {
    Json(control.waiting_devices())
}

/// Says `ok: false` when no device waits under this code.
async fn decide_device(State(control): State<Control>, Json(wish): Json<Decision>) -> Json<Value> {
    let Decision { user_code, approve } = wish;
    let waited =
        if approve { control.approve_device(&user_code) } else { control.deny_device(&user_code) };
    Json(json!({"ok": waited}))
}

async fn consent(State(control): State<Control>, Json(wish): Json<Consent>) -> Json<Value> {
    control.deny_consent(wish.deny);
    done()
}

async fn account(State(control): State<Control>) -> Json<Value> {
    let (sent, wrong) = (control.sent_messages(), control.wrong_logins());
    Json(json!({"sent_messages": sent, "wrong_logins": wrong}))
}

async fn lock_account(State(control): State<Control>, Json(wish): Json<Account>) -> Json<Value> {
    control.lock_account(wish.locked);
    done()
}

fn done() -> Json<Value> {
    Json(json!({"ok": true}))
}
