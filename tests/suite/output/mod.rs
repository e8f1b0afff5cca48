//! What commands say to people: few lines, each on its own, and one way to write a time.

/// The log of the daemon.
mod daemon;

/// Readers that go away, and disks that are full.
mod pipes;

use e2e::database::Database;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;

use crate::people::Crowd;

/// Forty people, whose tokens live for `seconds`.
fn forty(seconds: i64) -> Crowd {
    let crowd = Crowd::new("");
    let names = (10..50).map(|it| format!("c{it}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, seconds));
    let _ = crowd.import(&["people.csv"]).exits(0);
    crowd
}

#[test]
fn a_bulk_that_fails_names_each_cause_once_and_not_each_connection() {
    let crowd = forty(-1);
    crowd.fake.control().script(Scenario::from(Answer::bad_gateway()).always());
    let run = crowd.home.run(&["refresh"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert_eq!(run.stdout, "", "nobody reads forty lines");
    assert!(run.stderr.contains(" of rotor failed  ["), "{}", run.stderr);
    assert!(run.stderr.contains("more\n    → keepfresh log --provider rotor --outcome failed"));
    assert!(run.stderr.contains("\n0 refreshed, "), "{}", run.stderr);
    assert!(run.stderr.lines().count() < 12, "{}", run.stderr);
}

#[test]
fn the_doctor_counts_what_is_ill_and_names_a_few() {
    let crowd = forty(86_400);
    Database::at(&crowd.home.path("keepfresh.db")).run(
        "update connections
         set problem = 'misconfigured', failures = 1, error_code = 'provider.misconfigured',
             error_message = 'the client is unknown', due_at = null, due_trigger = null
         where name < 'c40'",
    );
    let shown = crowd.home.run(&["doctor"]).exits(1).stdout;
    let found = "✕ connections: 30 misconfigured of 40: rotor/c10, rotor/c11, rotor/c12, rotor/c13, rotor/c14 and 25 more; see: keepfresh status";
    assert!(shown.lines().any(|it| it == found), "{shown}");
    assert!(shown.lines().all(|it| it.chars().count() < 200), "{shown}");
}

#[test]
fn a_secret_that_many_lack_is_named_once() {
    let names =
        ["a", "b", "c"].map(|it| format!("[[providers.eskiz.connections]]\nname = \"{it}\""));
    let stage = Stage::eskiz(&names.join("\n"));
    std::fs::remove_file(stage.home.path("eskiz.password")).unwrap();
    let shown = stage.home.run(&["doctor"]).exits(1).stdout;
    assert!(shown.contains("✕ secret password of eskiz/a and 2 more: "), "{shown}");
    assert_eq!(shown.matches("secret password").count(), 1, "{shown}");
}

#[test]
fn a_refresh_that_the_daemon_does_says_how_many_are_queued() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let queued = stage.home.run(&["refresh", "--force"]).exits(0);
    assert_eq!(queued.stdout, "eskiz queued\n");
    assert!(queued.stderr.starts_with("1 queued: the daemon refreshes them"), "{queued:?}");
    assert!(!queued.stderr.contains("0 refreshed"), "{queued:?}");
    drop(daemon);
    let none = stage.home.run(&["refresh", "--failed"]).exits(0);
    assert_eq!(none.stderr, "nothing to refresh: no connection is selected\n");
}

/// Whether a text has a time as JSON has it.
fn has_a_time_of_scripts(text: &str) -> bool {
    let is_digit = |it: Option<&u8>| it.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let at = |it: usize| it > 0 && is_digit(bytes.get(it - 1)) && is_digit(bytes.get(it + 1));
    bytes.iter().enumerate().any(|(index, it)| *it == b'T' && at(index))
}

#[test]
fn people_read_one_way_to_write_a_time_and_scripts_another() {
    let stage = Stage::eskiz("schedule = \"0 2 * * *\"\ntimezone = \"Asia/Tashkent\"").logged_in();
    stage.control().script(Answer::bad_gateway());
    let _ = stage.home.run(&["refresh", "--force"]);
    for (command, times) in [
        (&["log"][..], 2),
        (&["connection", "show", "eskiz"], 3),
        (&["check"], 1),
        (&["status"], 0),
        (&["refresh", "--dry-run"], 0),
        (&["schedule", "list"], 0),
    ] {
        let shown = stage.home.run(command);
        let shown = shown.stdout + &shown.stderr;
        assert!(!has_a_time_of_scripts(&shown), "{command:?}: {shown}");
        assert!(shown.matches(" UTC").count() >= times, "{command:?}: {shown}");
        let json = stage.home.run(&[command, &["--json"]].concat());
        assert!(!json.stdout.contains(" UTC\""), "{command:?}: {json:?}");
    }
    assert!(stage.home.run(&["check"]).stdout.contains("02:00 in Asia/Tashkent"));
}
