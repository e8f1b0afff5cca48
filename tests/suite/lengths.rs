//! Lengths of time and moments that no calendar holds, wherever somebody may give one: each is refused
//! or counted as the last moment there is, and ends nothing.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use e2e::home::{Home, Run};
use e2e::stage::Stage;
use serde_json::{Value, json};

use crate::people::{Crowd, counts};

/// Every flag that takes a length of time.
const FLAGS: &[&[&str]] = &[
    &["token", "get", "eskiz", "--min-ttl"],
    &["refresh", "--active-within"],
    &["connection", "list", "--active-within"],
    &["connection", "pause", "eskiz", "--for"],
    &["log", "--since"],
    &["stats", "--since"],
    &["prune", "--older-than"],
    &["connect", "eskiz", "--no-browser", "--wait"],
];

#[test]
fn a_length_that_is_too_long_is_a_mistake_of_the_caller() {
    let home = Home::new("");
    for flag in FLAGS {
        for length in [
            "36501d",
            "300000000d",
            "876001h",
            "9223372036854775807s",
            "18446744073709551615s",
            "99999999999999999999d",
            "-1d",
            "-5m",
            "",
            "5",
        ] {
            let run = home.run(&[flag, [length].as_slice()].concat());
            assert!(ends_well(&run) && run.code == 2, "{flag:?} {length}: {run:?}");
        }
    }
}

#[test]
fn the_longest_length_is_a_length_like_any_other() {
    let stage = Stage::eskiz("").logged_in();
    for attended in [false, true] {
        let daemon = attended.then(|| stage.home.serve());
        for flag in FLAGS {
            let run = stage.home.run(&[flag, ["36500d"].as_slice()].concat());
            // Eskiz logs in by itself, so nobody can be sent to it.
            let expected = i32::from(flag[0] == "connect");
            assert!(ends_well(&run) && run.code == expected, "{flag:?}: {run:?}");
            stage.home.run(&["status", "eskiz"]).exits(if attended { 0 } else { 5 });
        }
        stage.home.run(&["connection", "resume", "eskiz"]).exits(0);
        drop(daemon);
    }
}

#[test]
fn a_daemon_survives_lengths_that_no_command_line_lets_through() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let nothing = json!({ "ids": [], "provider": null, "failed": false, "label": null, "active_within_s": u64::MAX });
    for command in [
        json!({ "command": "token-get", "id": "eskiz", "min_ttl_s": u64::MAX }),
        json!({ "command": "pause", "id": "eskiz", "for_s": u64::MAX, "reason": null }),
        json!({ "command": "stats", "provider": null, "since_s": u64::MAX }),
        json!({ "command": "prune", "older_than_s": u64::MAX }),
        json!({ "command": "connections", "selection": nothing }),
        json!({ "command": "refresh", "selection": nothing, "force": false, "dry_run": true, "wait": true }),
        json!({ "command": "log", "provider": null, "connection": null, "outcome": null, "since_s": u64::MAX, "after": null, "limit": 9 }),
    ] {
        let answer = ask(&stage, &command);
        assert!(answer["done"].is_object(), "{command}: {answer}");
    }
    assert_eq!(stage.state(), "paused");
    stage.home.run(&["connection", "show", "eskiz"]).exits(0);
    stage.home.run(&["connection", "resume", "eskiz"]).exits(0);
    assert!(!daemon.log().contains("panic"), "{}", daemon.log());
}

#[test]
fn every_length_of_the_manifest_has_bounds() {
    for key in [
        "refresh_before = X",
        "timeout = X",
        "jitter = X",
        "probe = X",
        "active_within = X",
        "retry = { backoff = X }",
        "rotation = { grace = X }",
    ] {
        for length in
            ["300000000d", "9223372036854775807s", "99999999999999999999h", "7304484d", "-1d"]
        {
            let key = key.replace('X', &format!("\"{length}\""));
            let home = Home::new("");
            home.write_manifest(&format!("[providers.eskiz]\n{key}\n"));
            let run = home.run(&["check", "--json"]).exits(78);
            assert!(ends_well(&run), "{key}: {run:?}");
            assert_eq!(run.json()["problems"][0]["code"], "manifest.duration", "{key}: {run:?}");
        }
    }
}

#[test]
fn moments_at_both_ends_of_the_calendar_end_nothing() {
    let (first, last) = ("-009999-01-02T01:59:59Z", "9999-12-30T22:00:00.999999999Z");
    let crowd = Crowd::new("schedule = \"0 2 * * *\"\nactive_within = \"7d\"\nprobe = \"30m\"");
    for (name, moment) in [("first", first), ("last", last)] {
        for (member, expected) in [("expires_at", 1), ("refresh_expires_at", 1), ("active_at", 1)] {
            let name = format!("{name}-{member}").replace('_', "-");
            let row =
                json!({ "name": name, "access_token": "a", "refresh_token": "r", member: moment });
            crowd.file("row.json", &row.to_string());
            assert_eq!(counts(&crowd.import(&["row.json"]).exits(0))[0], expected);
        }
    }
    let text = json!({ "access_token": "a", "refresh_token": "r", "expires_at": last }).to_string();
    crowd.home.run_with_input(&["token", "set", "rotor/first-expires-at"], &text).exits(0);
    for attended in [false, true] {
        let daemon = attended.then(|| crowd.home.serve());
        for verb in [
            &["status"][..],
            &["connection", "list"],
            &["connection", "show", "rotor/last-expires-at"],
            &["connection", "show", "rotor/first-active-at"],
            &["token", "get", "rotor/last-expires-at"],
            &["token", "get", "rotor/last-active-at"],
            &["token", "get", "rotor/last-refresh-expires-at"],
            &["token", "get", "rotor/first-refresh-expires-at", "--min-ttl", "36500d"],
            &["refresh", "--dry-run"],
            &["refresh", "--all", "--sync"],
            &["schedule", "list"],
            &["log"],
            &["doctor"],
        ] {
            let run = crowd.home.run(verb);
            let unattended = !attended && verb == ["status"];
            assert!(ends_well(&run) && (run.code == 5) == unattended, "{verb:?}: {run:?}");
        }
        if let Some(daemon) = daemon {
            assert!(!daemon.log().contains("panic"), "{}", daemon.log());
        }
    }
}

fn ends_well(run: &Run) -> bool {
    let said = format!("{}{}", run.stdout, run.stderr);
    run.code != 101 && run.code != -1 && !said.contains("panic") && !said.contains("damaged")
}

/// What a daemon answers a command that no command line would send.
fn ask(stage: &Stage, command: &Value) -> Value {
    let mut stream = UnixStream::connect(stage.home.path("keepfresh.sock")).unwrap();
    stream.write_all(format!("{command}\n").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {command}: {text}"))
}
