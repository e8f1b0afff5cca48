//! What is planned for the next 24 hours: counted by the hour and by the provider, and told where it is more than the
//! limits let through.

use std::fmt::Write as _;

use e2e::database::Database;
use e2e::provider::{FakeProvider, Kind, jibit};
use e2e::stage::{self, Stage};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::Served;
use crate::people::Crowd;

/// Three hundred tokens that end in three hours, and a rate of a hundred an hour.
fn herd() -> Crowd {
    let crowd = Crowd::new("rate = \"100/h\"\nrefresh_before = \"10m\"");
    let end = crowd.fake.control().now().as_second() + 3 * 3_600;
    let mut text = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..300 {
        let pair = crowd.fake.control().issue_family(&format!("u{number}"));
        let _ = writeln!(text, "u{number},{},{},{end}", pair.access_token, pair.refresh_token);
    }
    crowd.file("people.csv", &text);
    let _ = crowd.import(&["people.csv"]).exits(0);
    crowd
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn an_hour_with_more_than_the_rate_lets_through_is_told_before_it_comes() {
    let crowd = herd();
    let forecast = crowd.home.run(&["schedule", "forecast", "--json"]).exits(0).json();
    assert_eq!((&forecast["due"], &forecast["overdue"]), (&300.into(), &0.into()));
    let hours = forecast["hours"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[0]["from"]), (24, &forecast["counted_at"]));
    assert_eq!((&hours[2]["due"], &forecast["busiest"]), (&300.into(), &hours[2]));
    let rotor = &forecast["providers"][0];
    assert_eq!((&rotor["provider"], &rotor["hours"]), (&"rotor".into(), &forecast["hours"]));
    let allowed = json!({
        "rate": "100/h", "concurrency": 8, "took_ms": null, "an_hour": 100, "limited_by": "rate",
    });
    assert_eq!(rotor["allowed"], allowed);
    let too_much = &rotor["too_much"];
    assert_eq!((&too_much["due"], &too_much["fit"]), (&300.into(), &100.into()));
    assert_eq!(too_much["from"], hours[2]["from"]);
    assert!(time(&too_much["done_by"]) > time(&hours[3]["from"]), "{too_much}");

    let text = crowd.home.run(&["schedule", "forecast"]).exits(0).stdout;
    for said in [
        "300 refreshes are planned in the 24 hours from 20",
        "overdue: 0",
        "rotor: 300 refreshes are due in the hour from ",
        "100 fit into it (rate = \"100/h\"); the rest is done by ",
        "This is the next refresh of each connection.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn what_is_overdue_is_counted_apart_and_what_is_paused_is_not() {
    let crowd = herd();
    let database = Database::at(&crowd.home.path("keepfresh.db"));
    database.run("update connections set due_at = 1000 where name in ('u1', 'u2', 'u3')");
    let _ = crowd.home.run(&["connection", "pause", "rotor/u3"]).exits(0);
    let forecast = crowd.home.run(&["schedule", "forecast", "--json"]).exits(0).json();
    assert_eq!((&forecast["due"], &forecast["overdue"]), (&297.into(), &2.into()));
}

#[test]
fn without_a_connection_nothing_is_planned() {
    let crowd = Crowd::new("");
    let nothing = crowd.home.run(&["schedule", "forecast"]).exits(0);
    assert!(nothing.stderr.contains("nothing is planned"), "{nothing:?}");
    let forecast = crowd.home.run(&["schedule", "forecast", "--json"]).exits(0).json();
    assert_eq!((&forecast["busiest"], &forecast["providers"]), (&Value::Null, &json!([])));
}

#[test]
fn how_long_refreshes_take_says_how_many_fit_where_there_is_no_rate() {
    let stage = Stage::eskiz("").logged_in();
    let forecast = stage.home.run(&["schedule", "forecast", "--json"]).exits(0).json();
    let allowed = &forecast["providers"][0]["allowed"];
    let took = allowed["took_ms"].as_u64().unwrap();
    let fit = 7 * (3_600_000 / took.max(1));
    assert_eq!((&allowed["an_hour"], &allowed["limited_by"]), (&fit.into(), &"concurrency".into()));
    assert_eq!(forecast["providers"][0]["too_much"], Value::Null);
}

#[test]
fn a_program_sees_the_providers_that_its_key_reaches_all_of() {
    let stage = Stage::eskiz("");
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let both = stage::eskiz_section(&stage.fake, "") + &stage::jibit_section(&jibit, "");
    stage.home.write_manifest(&both);
    let served = Served::over(stage, "");
    let seen = |grant: &[&str]| {
        let caller = served.with_key(&grant.join("-").replace([':', '-'], ""), grant);
        let forecast = caller.get("/api/v1/forecast").is(200).json();
        let providers = forecast["providers"].as_array().unwrap().iter();
        providers.map(|it| it["provider"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let read = ["--scope", "connection:read"];
    assert_eq!(seen(&read), ["eskiz", "jibit"]);
    assert_eq!(seen(&[&read[..], &["--provider", "jibit"]].concat()), ["jibit"]);
    assert!(seen(&[&read[..], &["--label", "gold"]].concat()).is_empty());
    let other = served.with_key("tokens", &["--scope", "token:read"]);
    assert_eq!(other.get("/api/v1/forecast").is(403).code(), "auth.scope");
}
