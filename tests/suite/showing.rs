//! What the commands say, to people and to scripts. The names in the JSON are what others script
//! against: a test that fails here is a change that breaks somebody.

use e2e::database::Database;
use e2e::home::{is_time, keys};
use e2e::provider::answer::Answer;
use e2e::provider::script::{Fate, Scenario};
use e2e::stage::Stage;
use serde_json::{Value, json};

const ATTEMPT: [&str; 11] = [
    "connection",
    "duration_ms",
    "error",
    "generation",
    "id",
    "outcome",
    "provider_ms",
    "reason",
    "started_at",
    "trigger",
    "waited_ms",
];

const CONNECTION: [&str; 13] = [
    "changed_since_token",
    "expires_at",
    "generation",
    "id",
    "labels",
    "last_attempt",
    "name",
    "next_refresh_at",
    "next_step",
    "provider",
    "sentence",
    "short",
    "state",
];

#[test]
fn status_has_its_stable_names() {
    let stage = Stage::eskiz("").logged_in();
    let status = stage.home.run(&["status", "--json"]).exits(5).json();
    assert_eq!(keys(&status), ["connections", "daemon"]);
    let connection = &status["connections"][0];
    assert_eq!(keys(connection), CONNECTION);
    assert_eq!(keys(&connection["last_attempt"]), ATTEMPT);
    for (key, value) in [
        ("id", "eskiz/default"),
        ("short", "eskiz"),
        ("provider", "eskiz"),
        ("name", "default"),
        ("state", "fresh"),
    ] {
        assert_eq!(connection[key], value);
    }
    assert!(is_time(&connection["expires_at"]) && is_time(&connection["next_refresh_at"]));
    let sentence = connection["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with("Valid for 29d") && sentence.contains("Refresh due in"),
        "{sentence}"
    );
    let text = stage.home.run(&["status", "eskiz"]).exits(5).stdout;
    assert!(text.starts_with("✓ eskiz  fresh") && text.contains(sentence), "{text}");
}

#[test]
fn a_connection_that_was_never_tried_is_new_and_says_what_to_do() {
    let stage = Stage::eskiz("");
    let connection = stage.status();
    assert_eq!(connection["state"], "new");
    assert_eq!(connection["next_step"], "keepfresh refresh eskiz");
    assert!(connection["last_attempt"].is_null() && connection["expires_at"].is_null());
}

#[test]
fn refresh_has_its_stable_names_and_its_sum() {
    let stage = Stage::eskiz("");
    let good = stage.run_refresh(&[]).exits(0).json();
    assert_eq!(keys(&good), ["attempts", "summary"]);
    assert_eq!(keys(&good["attempts"][0]), ATTEMPT);
    assert_eq!(keys(&good["summary"]), ["failed", "skipped", "success"]);
    assert!(is_time(&good["attempts"][0]["started_at"]) && good["attempts"][0]["error"].is_null());
    stage.control().script(Answer::bad_gateway());
    let bad = stage.run_refresh(&["--force"]).exits(1).json();
    assert_eq!(keys(&bad["attempts"][0]["error"]), ["case", "code", "message", "remedy"]);
    assert_eq!(bad["attempts"][0]["generation"], 1, "the one that still counts");
    let text = stage.home.run(&["refresh", "--force"]).exits(0);
    assert!(text.stdout.starts_with("✓ eskiz success"), "{text:?}");
    assert!(text.stderr.contains("1 refreshed, 0 failed, 0 skipped"), "{text:?}");
}

#[test]
fn a_dry_run_says_what_would_happen_and_why_and_sends_nothing() {
    let stage = Stage::eskiz("");
    let plan = |arguments: &[&str]| {
        let run = stage.home.run(&[&["refresh", "--dry-run", "--json"], arguments].concat());
        let planned = run.exits(0).json()["planned"][0].clone();
        assert_eq!(keys(&planned), ["action", "connection", "reason"]);
        planned["action"].as_str().unwrap().to_owned()
    };
    assert_eq!(plan(&[]), "login");
    assert_eq!(stage.control().seen(), 0);
    let stage = stage.logged_in();
    let plan = |arguments: &[&str]| {
        let run = stage.home.run(&[&["refresh", "--dry-run"], arguments].concat());
        run.exits(0).stdout
    };
    assert!(plan(&[]).contains("skip") && plan(&[]).contains("still valid"));
    assert!(plan(&["--force"]).contains("refresh") && plan(&["--force"]).contains("forced"));
    assert_eq!(stage.control().seen(), 1);
}

#[test]
fn the_log_is_newest_first_and_can_be_narrowed() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Answer::bad_gateway());
    let _ = stage.refresh(&["--force"]);
    let _ = stage.refresh(&["--force"]);
    let log = |arguments: &[&str]| {
        let log = stage.home.run(&[&["log", "--json"], arguments].concat()).exits(0).json();
        assert_eq!(keys(&log), ["attempts"]);
        log["attempts"].as_array().unwrap().clone()
    };
    let outcomes = |attempts: &[Value]| {
        attempts.iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = log(&[]);
    assert_eq!(outcomes(&all), ["success", "failed", "success"]);
    assert_eq!(keys(&all[0]), ATTEMPT);
    assert!(all[0]["started_at"].as_str() > all[2]["started_at"].as_str());
    assert_eq!(outcomes(&log(&["--outcome", "failed"])), ["failed"]);
    assert_eq!(log(&["--limit", "1"]).len(), 1);
    assert_eq!(log(&["--provider", "eskiz", "--since", "1h"]).len(), 3);
    assert_eq!(log(&["eskiz"]).len(), 3);
    let text = stage.home.run(&["log"]).exits(0).stdout;
    assert!(
        text.trim_start().starts_with("STARTED") && text.contains("[provider.unavailable]"),
        "{text}"
    );
}

#[test]
fn statistics_count_outcomes_durations_and_causes() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Answer::bad_gateway());
    let _ = stage.refresh(&["--force"]);
    let _ = stage.refresh(&["--force"]);
    let _ = stage.refresh(&[]);
    let stats = stage.home.run(&["stats", "--json"]).exits(0).json();
    let names = ["causes", "failed", "p50_ms", "p95_ms", "skipped", "success", "success_rate"];
    assert_eq!(keys(&stats["providers"]["eskiz"]), names);
    let mut whole = stats.clone();
    whole.as_object_mut().unwrap().retain(|name, _| name != "since" && name != "providers");
    assert_eq!(whole, stats["providers"]["eskiz"], "there is no other");
    assert!(is_time(&stats["since"]) && stats["p95_ms"].as_u64().unwrap() < 1_000, "{stats}");
    assert_eq!(
        (&stats["success"], &stats["failed"], &stats["skipped"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(stats["success_rate"], 0.6667, "in as many digits as it has sense");
    assert_eq!(stats["causes"]["provider.unavailable"], 1);
    let text = stage.home.run(&["stats", "--since", "1h"]).exits(0).stdout;
    assert!(
        text.contains("eskiz     66.7 %  2") && text.contains("provider.unavailable × 1"),
        "{text}"
    );
    let _ = stage.home.run(&["prune", "--older-than", "0s"]).exits(0);
    assert_eq!(log_of(&stage).len(), 1);
    let pruned = stage.home.run(&["stats", "--json", "--provider", "eskiz"]).exits(0).json();
    assert_eq!(pruned["providers"], stats["providers"], "a prune takes nothing away");
    Database::at(&stage.home.path("keepfresh.db")).run("update hours set hour = hour - 25");
    let day = |since: &str| stage.home.run(&["stats", "--json", "--since", since]).exits(0).json();
    assert!(day("24h")["success_rate"].is_null() && day("24h")["providers"] == json!({}));
    for longer in ["7d", "30d"] {
        assert_eq!(day(longer)["providers"], stats["providers"], "{longer}");
    }
}

fn log_of(stage: &Stage) -> Vec<Value> {
    let log = stage.home.run(&["log", "--json"]).exits(0).json();
    log["attempts"].as_array().unwrap().clone()
}

#[test]
fn waiting_for_a_turn_is_no_time_of_the_provider() {
    let stage = Stage::eskiz("rate = \"1/s\"");
    stage.control().script(Scenario::from(Fate::Act).delay_before(200).always());
    let _ = stage.refresh(&[]);
    let daemon = stage.home.serve();
    let _ = stage.refresh(&["--force", "--sync"]);
    let _ = stage.refresh(&["--force", "--sync"]);
    drop(daemon);
    let last = log_of(&stage).remove(0);
    let ms = |name: &str| last[name].as_u64().unwrap_or_else(|| panic!("{name} of {last}"));
    assert!(ms("waited_ms") >= 400, "{last}");
    assert!((200..400).contains(&ms("provider_ms")), "{last}");
    assert!(ms("duration_ms") >= ms("waited_ms") + ms("provider_ms"), "{last}");
    let stats = stage.home.run(&["stats", "--json"]).exits(0).json();
    assert!((200..=470).contains(&stats["p95_ms"].as_u64().unwrap()), "{stats}");
}

#[test]
fn one_attempt_is_shown_with_everything_about_it() {
    let stage = Stage::eskiz("").logged_in();
    stage.control().script(Answer::bad_gateway());
    let failed = stage.refresh(&["--force"]);
    let id = failed["id"].as_str().unwrap();
    let shown = stage.home.run(&["log", "show", id, "--json"]).exits(0).json();
    assert_eq!(shown["attempt"], log_of(&stage)[0]);
    let text = stage.home.run(&["log", "show", id]).exits(0).stdout;
    for line in ["outcome     failed", "[provider.unavailable]", "remedy", "waited      0 ms"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let other = "0198c0de-0000-7000-8000-000000000000";
    let none = stage.home.run(&["log", "show", other]).exits(1);
    assert!(none.stderr.contains("error[attempt.unknown]"), "{none:?}");
    let _ = stage.home.run(&["log", "show", "first"]).exits(2);
}

#[test]
fn a_connection_is_shown_whole_but_for_its_secrets() {
    let stage = Stage::jibit("settings.product = \"trf\"").logged_in();
    let shown = stage.home.run(&["connection", "show", "jibit", "--json"]).exits(0).json();
    for key in CONNECTION {
        assert!(shown.get(key).is_some(), "{key}");
    }
    assert_eq!(shown["settings"]["product"], "trf");
    assert_eq!(shown["secrets"]["api_key"], "env");
    assert_eq!(shown["secrets"]["secret_key"], "file");
    assert_eq!(shown["fingerprint"].as_str().unwrap().len(), "sha256:01234567".len());
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1);
    let text = stage.home.run(&["connection", "show", "jibit"]).exits(0).stdout;
    assert!(text.contains("api_key = env, secret_key = file"), "{text}");
    let listed =
        stage.home.run(&["connection", "list", "--json", "--provider", "jibit"]).exits(0).json();
    assert_eq!(keys(&listed["connections"][0]), CONNECTION);
}
