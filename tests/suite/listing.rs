//! What is there: schedules with their ticks, and plugin files with what they ask for.

use std::fs;

use e2e::artifacts;
use e2e::home::{is_time, keys};
use e2e::stage::Stage;
use serde_json::Value;

#[test]
fn a_day_with_a_star_and_a_day_of_the_week_must_both_match() {
    let stage = Stage::eskiz("schedule = \"0 2 */10 * 1\"\ntimezone = \"UTC\"");
    let _ = stage.home.run(&["check"]).exits(0);
    let list = stage.home.run(&["schedule", "list", "--json"]).exits(0).json()["schedules"].clone();
    let runs = list[0]["next_runs"].as_array().unwrap().clone();
    assert!(!runs.is_empty(), "{list}");
    for run in runs {
        let time: jiff::Timestamp = run.as_str().unwrap().parse().unwrap();
        let day = jiff::tz::TimeZone::UTC.to_datetime(time);
        assert_eq!(day.weekday(), jiff::civil::Weekday::Monday, "{day}");
        assert!([1, 11, 21, 31].contains(&day.day()), "{day}");
    }
}

#[test]
fn schedules_are_listed_with_their_next_ticks() {
    let stage = Stage::eskiz(
        "schedule = \"0 2 * * *\"\nbackup_schedule = \"30 6,18 * * *\"\ntimezone = \"Asia/Tashkent\"",
    );
    let stage = stage.logged_in();
    let list = stage.home.run(&["schedule", "list", "--json"]).exits(0).json()["schedules"].clone();
    let names = ["expression", "kind", "next_refresh", "next_runs", "provider", "timezone"];
    assert_eq!(keys(&list[0]), names);
    assert_eq!(
        (&list[0]["expression"], &list[1]["kind"]),
        (&"0 2 * * *".into(), &"backup_schedule".into())
    );
    let runs = list[0]["next_runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert!(runs.iter().all(|it| it.as_str().unwrap().ends_with("T21:00:00Z")));
    assert!(is_time(&list[0]["next_refresh"]["eskiz/default"]));
    let text = stage.home.run(&["schedule", "list"]).exits(0).stdout;
    assert!(text.contains("0 2 * * *") && text.contains("eskiz (Asia/Tashkent) ....."), "{text}");
    assert!(text.contains("Next tick: in ") && text.contains("eskiz: next refresh in "), "{text}");
}

#[test]
fn plugins_are_listed_with_who_uses_them_and_why_not() {
    let stage = Stage::eskiz("[providers.rubbish]");
    fs::write(stage.home.path("plugins/rubbish.wasm"), "no component").unwrap();
    let list = stage.home.run(&["plugin", "list", "--json"]).exits(0).json()["plugins"].clone();
    let names = ["digest", "file", "name", "providers", "refused", "running", "version"];
    assert_eq!(keys(&list[0]), names);
    assert_eq!(
        (&list[0]["file"], &list[0]["providers"][0]),
        (&"eskiz.wasm".into(), &"eskiz".into())
    );
    assert_eq!(
        (&list[1]["file"], list[1]["providers"].as_array().unwrap().len()),
        (&"jibit.wasm".into(), 0)
    );
    let of_nobody = (&list[1]["name"], &list[1]["refused"], &list[1]["running"]);
    assert_eq!(of_nobody, (&Value::Null, &Value::Null, &Value::Null), "it is not looked into");
    assert_eq!(list[1]["digest"].as_str().unwrap().len(), "sha256:".len() + 64);
    assert_eq!(keys(&list[2]["refused"]), ["case", "code", "message", "remedy"]);
    let text = stage.home.run(&["plugin", "list"]).exits(0).stdout;
    for state in ["ready", "not used by any provider", "refused: ["] {
        assert!(text.contains(state), "{state}: {text}");
    }
}

#[test]
fn a_plugin_file_is_inspected_without_being_used() {
    let stage = Stage::eskiz("");
    let file = artifacts::plugin("jibit");
    let file = file.to_str().unwrap();
    let report = stage.home.run(&["plugin", "inspect", file, "--json"]).exits(0).json();
    for key in ["name", "version", "digest", "imports", "exports", "access", "secrets", "settings"]
    {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!((&report["name"], &report["version"]), (&"jibit".into(), &"0.1.0".into()));
    let digest = report["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    assert_eq!(report["access"].as_array().unwrap().len(), 8);
    let secrets = report["secrets"].as_array().unwrap();
    let names = secrets.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(names, ["api_key", "secret_key"]);
    assert!(
        report["imports"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it == "keepfresh:provider/http@1.0.0")
    );
    let text = stage.home.run(&["plugin", "inspect", file]).exits(0).stdout;
    assert!(text.contains("POST {base_url}/ide/v1/tokens/generate"), "{text}");
    let none = stage.home.run(&["plugin", "inspect", "keepfresh.toml"]).exits(4);
    assert!(none.stderr.contains("error[plugin."), "{none:?}");
}
