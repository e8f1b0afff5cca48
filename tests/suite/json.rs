//! What scripts read: one shape for ids, digests, errors and what was done, from every command. That each
//! reply fits its schema is checked wherever a test runs a command with `--json`; this runs each once.

use std::fs;

use e2e::daemon::{Daemon, wait_until};
use e2e::home::{Home, keys};
use e2e::schema;
use e2e::stage::{self, Stage};
use serde_json::{Value, json};

#[test]
fn every_command_prints_what_its_schema_says() {
    let stage = Stage::eskiz("schedule = \"0 2 * * *\"").logged_in();
    fs::write(stage.home.path("people.csv"), "name,access_token\nann,one\nbob,two\n").unwrap();
    let inspect = ["plugin", "inspect", "plugins/eskiz.wasm"];
    let digest = stage.home.run(&[&inspect[..], &["--json"]].concat()).exits(0).json();
    let digest = digest["digest"].as_str().unwrap().to_owned();
    for command in [
        &["init"][..],
        &["check"],
        &["status"],
        &["refresh", "--force"],
        &["refresh", "--dry-run"],
        &["token", "get", "eskiz"],
        &["token", "get", "eskiz", "--min-ttl", "40d"],
        &["token", "rejected", "eskiz", "--generation", "1"],
        &["connection", "list"],
        &["connection", "import", "eskiz", "people.csv"],
        &["connection", "add", "eskiz/cid", "--label", "gold"],
        &["connection", "show", "eskiz"],
        &["connection", "pause", "eskiz"],
        &["connection", "resume", "eskiz"],
        &["connection", "remove", "eskiz/cid"],
        &["disconnect", "eskiz/bob", "--force"],
        &["log"],
        &["stats"],
        &["schedule", "list"],
        &["schedule", "forecast"],
        &["check", "--effective"],
        &["provider", "add", "eskiz"],
        &["manifest", "reference"],
        &["manifest", "schema"],
        &["plugin", "list"],
        &inspect,
        &["plugin", "approve", "eskiz", "--digest", &digest],
        &["token", "clear", "eskiz/ann"],
        &["prune"],
        &["api-key", "create", "web", "--scope", "token:read"],
        &["api-key", "list"],
        &["api-key", "revoke", "web"],
        &["audit"],
        &["explain"],
        &["explain", "egress.tls_failed"],
    ] {
        // No daemon runs.
        let expected = if command == ["status"] { 5 } else { 0 };
        let run = stage.home.run(&[command, &["--json"]].concat()).exits(expected);
        assert!(run.json().is_object(), "{command:?}: {run:?}");
    }
    let _ = stage.home.run(&["doctor", "--json"]).exits(1).json();
    let set = stage.home.run_with_input(&["token", "set", "eskiz", "--json"], "abc\n").exits(0);
    assert_eq!(set.json()["id"], "eskiz/default");
    let nothing = stage.home.run(&["plugin", "replay", "eskiz", "--json"]).exits(1).json();
    assert_eq!(nothing["error"]["code"], "replay.nothing");
}

#[test]
fn an_id_is_the_provider_and_the_name_and_its_short_form_stands_beside_it() {
    let stage = Stage::eskiz("schedule = \"0 2 * * *\"").logged_in();
    let status = stage.status();
    assert_eq!((&status["id"], &status["short"]), (&"eskiz/default".into(), &"eskiz".into()));
    assert_eq!(status["last_attempt"]["connection"], "eskiz/default");
    let run = |arguments: &[&str]| stage.home.run(&[arguments, &["--json"]].concat()).json();
    assert_eq!(run(&["log"])["attempts"][0]["connection"], "eskiz/default");
    assert_eq!(run(&["refresh", "--dry-run"])["planned"][0]["connection"], "eskiz/default");
    assert_eq!(run(&["connection", "show", "eskiz/default"])["id"], "eskiz/default");
    assert_eq!(
        keys(&run(&["schedule", "list"])["schedules"][0]["next_refresh"]),
        ["eskiz/default"]
    );
    for done in [&["connection", "pause", "eskiz"][..], &["connection", "resume", "eskiz"]] {
        let expected = json!({ "done": true, "id": "eskiz/default", "short": "eskiz" });
        assert_eq!(run(done), expected, "{done:?}");
    }
    let _daemon = stage.home.serve();
    assert_eq!(run(&["refresh", "--force"])["queued"], json!(["eskiz/default"]));
}

#[test]
fn a_digest_is_written_in_one_way() {
    let stage = Stage::eskiz("").logged_in();
    let run =
        |arguments: &[&str]| stage.home.run(&[arguments, &["--json"]].concat()).exits(0).json();
    let inspected = run(&["plugin", "inspect", "plugins/eskiz.wasm"])["digest"].clone();
    assert!(inspected.as_str().unwrap().starts_with("sha256:"), "{inspected}");
    assert_eq!(run(&["plugin", "list"])["plugins"][0]["digest"], inspected);
    let approved = run(&["plugin", "approve", "eskiz", "--digest", inspected.as_str().unwrap()]);
    assert_eq!((&approved["digest"], &approved["file"]), (&inspected, &"eskiz.wasm".into()));
    let print = run(&["connection", "show", "eskiz"])["fingerprint"].clone();
    assert!(print.as_str().unwrap().starts_with("sha256:"), "{print}");
}

#[test]
fn init_says_which_files_there_are_and_which_it_has_made() {
    let home = Home::new("");
    fs::remove_file(home.path("keepfresh.key")).unwrap();
    let made = home.run(&["init", "--json"]).exits(0).json();
    assert_eq!(made["manifest"], json!({ "path": "keepfresh.toml", "created": false }));
    assert_eq!(made["key"]["created"], true);
    assert_eq!(home.run(&["init", "--json"]).exits(0).json()["key"]["created"], false);
}

#[test]
fn an_error_is_json_with_code_message_and_remedy_from_every_command() {
    let home = Home::new("");
    home.write_manifest("[providers.eskiz]\nshedule = \"0 2 * * *\"\n");
    for command in [
        &["check"][..],
        &["status"],
        &["refresh"],
        &["token", "get", "eskiz"],
        &["connection", "list"],
        &["connection", "import", "eskiz", "people.csv"],
        &["log"],
        &["log", "--follow"],
        &["stats"],
        &["doctor"],
        &["connect", "eskiz"],
        &["plugin", "approve", "eskiz"],
        &["serve"],
    ] {
        let refused = home.run(&[command, &["--json"]].concat()).exits(78).json();
        schema::fits("error", &refused);
        assert_eq!(refused["error"]["code"], "manifest.invalid", "{command:?}");
        assert_eq!(refused["problems"][0]["code"], "manifest.unknown_key", "{command:?}");
        let remedy = refused["problems"][0]["remedy"].as_str().unwrap();
        assert!(remedy.contains("write `schedule` instead"), "{command:?}: {remedy}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_json_too() {
    let home = Home::new("");
    for (wrong, told) in [
        (&["log", "--outcome", "good", "--json"][..], "success"),
        (&["frobnicate", "--json"], "frobnicate"),
        (&["token", "get", "--json"], "CONNECTION"),
        (&["explain", "nonsense", "--json"], "nonsense"),
    ] {
        let refused = home.run(wrong).exits(2);
        let error = refused.json()["error"].clone();
        assert_eq!(error["code"], "usage", "{wrong:?}");
        assert!(error["message"].as_str().unwrap().contains(told), "{wrong:?}: {error}");
        assert!(!error["message"].as_str().unwrap().contains('\n'), "{wrong:?}: {error}");
        assert!(!error["remedy"].as_str().unwrap().is_empty(), "{wrong:?}");
    }
}

/// The code and the exit of a command that fails.
fn failure(home: &Home, command: &[&str]) -> (String, i32) {
    let run = home.run(&[command, &["--json"]].concat());
    let json = run.json();
    let of_attempt = json["attempts"][0]["error"]["code"].as_str();
    let code = of_attempt.or(json["error"]["code"].as_str()).unwrap_or_default();
    (code.to_owned(), run.code)
}

#[test]
fn an_error_has_the_same_exit_from_every_command() {
    let wrong = Stage::eskiz("");
    stage::write_secret(&wrong.home, "eskiz.password", "wrong");
    let missing = Stage::eskiz("");
    fs::remove_file(missing.home.path("eskiz.password")).unwrap();
    let broken = Stage::eskiz("");
    fs::write(broken.home.path("plugins/eskiz.wasm"), "no component").unwrap();
    for (stage, code, exit) in [
        (&wrong, "provider.invalid_credentials", 4),
        (&missing, "secret.file_missing", 1),
        (&broken, "plugin.not_wasm", 4),
    ] {
        for command in [
            &["refresh"][..],
            &["refresh", "eskiz", "--force"],
            &["token", "get", "eskiz"],
            &["token", "get", "eskiz", "--min-ttl", "5m"],
        ] {
            assert_eq!(failure(&stage.home, command), (code.to_owned(), exit), "{command:?}");
        }
        let explained = stage.home.run(&["explain", code, "--json"]).exits(0).json();
        assert_eq!(explained["exit"], exit, "{code}");
    }
    let inspect = ["plugin", "inspect", "plugins/eskiz.wasm"];
    assert_eq!(failure(&broken.home, &inspect), ("plugin.not_wasm".to_owned(), 4));
}

#[test]
fn lines_of_the_log_fit_their_schemas() {
    let stage = Stage::eskiz("").logged_in();
    let (socket, log) = (stage.home.path("keepfresh.sock"), stage.home.path("serve.log"));
    let daemon = Daemon::start(stage.home.command(&["serve", "--json"]), &socket, log);
    let _ = stage.home.run(&["refresh", "--force", "--sync"]).exits(0);
    wait_until("it was logged", || daemon.log().contains("refreshed eskiz"));
    let lines = daemon.log();
    let lines = lines.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
    let lines = lines.inspect(|it| schema::fits("serve", it)).collect::<Vec<_>>();
    let refreshed = lines.iter().find(|it| it["message"] == "refreshed eskiz").unwrap();
    assert_eq!(refreshed["connection.id"], "eskiz/default");
    drop(daemon);
    let attempts = stage.home.run(&["log", "--json"]).exits(0).json()["attempts"].clone();
    let followed = followed(&stage.home);
    schema::fits("log-follow", &followed);
    assert_eq!(followed, attempts.as_array().unwrap().last().unwrap().clone());
    let id = followed["id"].as_str().unwrap();
    let shown = stage.home.run(&["log", "show", id, "--json"]).exits(0).json();
    assert_eq!(shown["attempt"], followed);
}

/// The first line of `log --follow --json`.
fn followed(home: &Home) -> Value {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let mut command = home.command(&["log", "--follow", "--json"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_schema_refuses_what_it_does_not_know() {
    let good = json!({ "done": true, "id": "eskiz/default", "short": "eskiz" });
    schema::fits("token-clear", &good);
    for (member, value) in [("id", json!("eskiz")), ("done", json!(false)), ("more", json!(1))] {
        let mut wrong = good.clone();
        wrong[member] = value;
        let refused = std::panic::catch_unwind(|| schema::fits("token-clear", &wrong));
        assert!(refused.is_err(), "{wrong}");
    }
}
