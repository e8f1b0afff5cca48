//! Tables of other systems, kept current by the whole program: the columns that a Laravel application has for its users'
//! tokens, its table of attempts, and the state of an integration. The database may be down for a day.

use std::time::{Duration, Instant};

use e2e::databases::{Databank, Engine};
use e2e::inside::Inside;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use keepfresh::delivery::Delivery;
use keepfresh::model::attempt::Trigger;
use keepfresh::refresher::Ask;
use serde_json::{Value, json};

use super::tables::on;
use crate::providers::subject::{self, plain};
use crate::schedule::{HOUR, eskiz};

/// The fourth system's users.
const USERS: &str = r#"
[[sinks]]
name = "users"
provider = "propelauth"
sql = { url = { env = "APP_DATABASE_URL" }, table = "users", key = { id = "{{ name }}" } }
set = { avatar = "{{ profile.picture_url | default(none) }}", name = "{{ profile.name | default(none) }}", data = "{{ profile }}", email_verified_at = "{{ now if profile.email_confirmed else none }}" }
on_token = { propel_access_token = "{{ token }}", requires_reauthentication = "{{ false }}" }
on_reconnect = { propel_access_token = "{{ none }}", requires_reauthentication = "{{ true }}" }
on_removed = { propel_access_token = "{{ none }}", requires_reauthentication = "{{ true }}" }
"#;

/// Its table of attempts.
const SYNCS: &str = r#"
[[sinks]]
name = "syncs"
provider = "propelauth"
sql = { url = { env = "APP_DATABASE_URL" }, table = "propel_token_syncs", key = { user_id = "{{ name }}", synced_at = "{{ attempt.ended_at }}" } }
on_attempt = { success = "{{ attempt.success }}", failure_reason = "{{ attempt.message }}" }
"#;

/// A user of PropelAuth with a token, and a database that its application has.
async fn stage(bank: &Databank, sinks: &str) -> Stage {
    let (boolean, json, time) = match bank.engine {
        Engine::Postgres => ("boolean", "jsonb", "timestamp(0)"),
        Engine::Mariadb => ("tinyint(1)", "json", "timestamp null"),
        Engine::Sqlite => ("boolean", "text", "datetime"),
    };
    bank.ask(&format!(
        "create table users (id varchar(50) primary key, name varchar(255), avatar varchar(255), \
         email_verified_at {time}, propel_access_token text, requires_reauthentication {boolean}, data {json})"
    ))
    .await;
    bank.ask(&format!(
        "create table propel_token_syncs (user_id varchar(50), success {boolean}, failure_reason text, synced_at {time})"
    ))
    .await;
    bank.ask("insert into users (id, name) values ('ann', 'before'), ('bob', 'before')").await;
    let url = bank.url();
    let mut stage =
        tokio::task::block_in_place(|| plain(subject::propelauth).started("probe = \"1h\""));
    let inside = Inside::open(&stage.home).await;
    assert!(inside.app.refresher.profiles.probe(&"propelauth/ann".parse().unwrap()).await.unwrap());
    drop(inside);
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&(manifest + sinks));
    stage.home.set_env("APP_DATABASE_URL", &url);
    stage
}

/// Refreshes the connection, whether that is due or not.
fn again(stage: &Stage) -> Value {
    stage.refresh(&[&stage.id(), "--force", "--sync"])
}

/// Waits until a query has this answer.
async fn comes(bank: &Databank, sql: &str, expected: Option<&str>) {
    let begun = Instant::now();
    loop {
        let value = bank.value(sql).await;
        if value.as_deref() == expected {
            return;
        }
        let patience = begun.elapsed() < Duration::from_secs(30);
        assert!(patience, "{sql}: {value:?} and not {expected:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn sink(stage: &Stage, name: &str) -> Value {
    let all = stage.home.run(&["sink", "list", "--json"]).exits(0).json();
    let found = all["sinks"].as_array().unwrap().iter().find(|it| it["name"] == name);
    found.unwrap_or_else(|| panic!("{all}")).clone()
}

const TOKEN: &str = "select propel_access_token from users where id = 'ann'";

/// Whether Ann has to log in again, as 0 or 1.
fn must_log_in(bank: &Databank) -> &'static str {
    match bank.engine {
        Engine::Postgres => "select requires_reauthentication::int from users where id = 'ann'",
        _ => "select requires_reauthentication from users where id = 'ann'",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_have_their_token_and_lose_it_when_they_must_log_in_again_postgres() {
    on(Engine::Postgres, users_have_their_token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_have_their_token_and_lose_it_when_they_must_log_in_again_mariadb() {
    on(Engine::Mariadb, users_have_their_token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_have_their_token_and_lose_it_when_they_must_log_in_again_sqlite() {
    on(Engine::Sqlite, users_have_their_token).await;
}

async fn users_have_their_token(bank: Databank) {
    let stage = stage(&bank, USERS).await;
    let daemon = tokio::task::block_in_place(|| stage.home.serve());
    let first = tokio::task::block_in_place(|| stage.token());
    comes(&bank, TOKEN, Some(&first)).await;
    let second = tokio::task::block_in_place(|| {
        assert_eq!(again(&stage)["outcome"], "success");
        stage.token()
    });
    assert_ne!(first, second);
    comes(&bank, TOKEN, Some(&second)).await;
    assert_eq!(bank.value(must_log_in(&bank)).await.as_deref(), Some("0"));
    tokio::task::block_in_place(|| {
        stage.control().script(Answer::json(400, &json!({ "error": "invalid_grant" })));
        assert_eq!(again(&stage)["error"]["code"], "provider.grant_expired");
    });
    comes(&bank, TOKEN, None).await;
    assert_eq!(bank.value(must_log_in(&bank)).await.as_deref(), Some("1"));
    let others = "select count(*) from users where id = 'bob' and propel_access_token is null and name = 'before'";
    assert_eq!(bank.value(others).await.as_deref(), Some("1"), "nobody else's row is touched");
    let log = daemon.log();
    assert!(!log.contains(&first) && !log.contains(&second), "{log}");
    assert!(!log.contains(e2e::databases::PASSWORD), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_is_a_row_once_also_if_the_program_is_killed() {
    let Some(bank) = Databank::start(Engine::Postgres).await else { return };
    let stage = stage(&bank, SYNCS).await;
    let mut daemon = tokio::task::block_in_place(|| stage.home.serve());
    for round in 0..6 {
        let outcome = tokio::task::block_in_place(|| {
            if round == 3 {
                stage.control().script(Answer::json(503, &json!({})));
            }
            again(&stage)["outcome"].clone()
        });
        assert!(outcome == "success" || round == 3, "{round}: {outcome}");
        daemon = tokio::task::block_in_place(|| {
            daemon.kill();
            // The column has whole seconds, and so do its keys.
            std::thread::sleep(Duration::from_millis(1_100));
            stage.home.serve()
        });
    }
    let count = "select count(*) from propel_token_syncs where success";
    comes(&bank, count, Some("5")).await;
    let failed =
        "select count(*) from propel_token_syncs where not success and failure_reason <> ''";
    comes(&bank, failed, Some("1")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bank.value("select count(*) from propel_token_syncs").await.as_deref(), Some("6"));
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_says_how_its_last_sync_went() {
    let Some(bank) = Databank::start(Engine::Mariadb).await else { return };
    bank.ask(
        "create table integrations (id varchar(50) primary key, access_token text, last_sync_status varchar(20), \
         last_sync_message text, last_synced_at timestamp null)",
    )
    .await;
    bank.ask("insert into integrations (id) values ('shop')").await;
    let sinks = r#"
[[sinks]]
provider = "google-oauth"
sql = { url = { env = "APP_DATABASE_URL" }, table = "integrations", key = { id = "{{ name }}" } }
on_token = { access_token = "{{ token }}", last_sync_status = "success", last_sync_message = "{{ none }}", last_synced_at = "{{ issued_at }}" }
on_failure = { last_sync_status = "error", last_sync_message = "{{ message }}" }
on_reconnect = { last_sync_status = "error", last_sync_message = "{{ message }}" }
"#;
    let (stage, _daemon) = tokio::task::block_in_place(|| {
        let mut stage = plain(subject::google_oauth).started("");
        let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
        stage.home.write_manifest(&(manifest + sinks));
        stage.home.set_env("APP_DATABASE_URL", &bank.url());
        let daemon = stage.home.serve();
        (stage, daemon)
    });
    let status = "select last_sync_status from integrations";
    comes(&bank, status, Some("success")).await;
    tokio::task::block_in_place(|| {
        stage.control().script(Scenario::from(Answer::server_error()).always());
        let failed = again(&stage);
        assert_eq!(failed["outcome"], "failed", "{failed}");
    });
    comes(&bank, status, Some("error")).await;
    let message = bank.value("select last_sync_message from integrations").await.unwrap();
    assert!(!message.is_empty(), "it says why");
    let token = bank.value("select access_token from integrations").await;
    let current = tokio::task::block_in_place(|| stage.token());
    assert_eq!(token.as_deref(), Some(current.as_str()), "the token is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_delays_nothing_and_is_filled_when_it_is_back() {
    let Some(mut bank) = Databank::start(Engine::Postgres).await else { return };
    let stage = stage(&bank, USERS).await;
    bank.stop();
    let daemon = tokio::task::block_in_place(|| stage.home.serve());
    let token = tokio::task::block_in_place(|| {
        e2e::daemon::wait_until("it fails", || sink(&stage, "users")["state"] == "failing");
        let failing = sink(&stage, "users");
        assert_eq!(failing["error"]["code"], "sink.database_unreachable", "{failing}");
        assert_eq!(again(&stage)["outcome"], "success", "nobody waits for it");
        stage.token()
    });
    bank.begin().await;
    tokio::task::block_in_place(|| stage.home.run(&["sink", "run", "users"]).exits(0));
    comes(&bank, TOKEN, Some(&token)).await;
    tokio::task::block_in_place(|| assert_eq!(sink(&stage, "users")["state"], "ok"));
    assert!(!daemon.log().contains(e2e::databases::PASSWORD), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_down_for_a_day_is_filled_within_an_hour_of_being_back() {
    let Some(mut bank) = Databank::start(Engine::Postgres).await else { return };
    let names = (0..20).map(|it| format!("c{it}")).collect::<Vec<_>>();
    bank.ask("create table tokens (name text primary key, token text not null)").await;
    let listed = names.iter().map(|it| format!("{{ name = \"{it}\" }}")).collect::<Vec<_>>();
    let (provider, home) = eskiz(720 * HOUR, &format!("connections = [{}]", listed.join(", ")));
    let url = bank.url();
    std::fs::write(home.path("url"), url).unwrap();
    let sink = "\n[[sinks]]\nname = \"tokens\"\nprovider = \"eskiz\"\nsql = { url = { file = \"url\" }, table = \"tokens\", key = { name = \"{{ name }}\" }, insert = true }\non_token = { token = \"{{ token }}\" }\n";
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(manifest + sink));
    bank.stop();
    let inside = Inside::open(&home).await;
    let _delivery = Delivery::start(inside.app.delivery(&inside.app.scheduler())).await.unwrap();
    for name in &names {
        let id = format!("eskiz/{name}").parse().unwrap();
        let _ = inside.app.refresher.attempts.refresh(&id, Ask::new(Trigger::Forced)).await;
    }
    let step = Duration::from_mins(10);
    for _ in 0..(24 * 6) {
        inside.advance(step, &[&provider]);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bank.begin().await;
    let back = inside.app.clock.now();
    let begun = Instant::now();
    while bank.value("select count(*) from tokens").await.as_deref() != Some("20") {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is not filled");
        if inside.app.clock.now() < back + HOUR {
            inside.advance(Duration::from_mins(1), &[&provider]);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
