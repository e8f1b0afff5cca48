//! Moving in from Laravel and moving out: columns that are encrypted, and an export that another Keepfresh reads.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use e2e::home::{Home, Run};
use serde_json::json;

use crate::people::{Crowd, counts};

/// What Laravel stores for `ya29.laravel-token` with the key below, serialised by PHP.
const SEALED: &str = "eyJpdiI6IkJ3Y0hCd2NIQndjSEJ3Y0hCd2NIQnc9PSIsInZhbHVlIjoibjI4WTBPb0hsWVpDRGxjVlVtZ3BOeHZROU1iZkVNWGRrQmFENFY4Y1JGND0iLCJtYWMiOiJjODkwZDgwNjgyYjliNzBmYjM1ZThiNTUzOGRhZjE3Yzk5MjBmODYzNGU0ZGZhNmEzOWMwMjY4ODQ4YmZmNTcxIiwidGFnIjoiIn0=";
const KEY: &str = "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[test]
fn columns_that_laravel_has_encrypted_are_opened_with_its_key() {
    let mut crowd = Crowd::new("");
    crowd.file("users.csv", &format!("name,access_token,refresh_token\nann,{SEALED},{SEALED}\n"));
    let import = ["connection", "import", "rotor", "users.csv"];
    let run = crowd.home.run(&import).exits(1);
    assert!(run.stderr.contains("line 2: its access_token is encrypted by Laravel"), "{run:?}");
    assert!(crowd.list(&[]).is_empty());
    // A key is named by its place. One on the command line is not even repeated.
    let run = crowd.home.run(&[import.as_slice(), &["--laravel-key", KEY]].concat()).exits(78);
    assert!(run.stderr.contains("secret.source_form") && !run.stderr.contains("MDEy"), "{run:?}");
    crowd.home.set_env("APP_KEY", "base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let other = crowd.home.run(&[import.as_slice(), &["--laravel-key", "env:APP_KEY"]].concat());
    assert!(other.exits(1).stderr.contains("its access_token cannot be opened: its MAC"));
    crowd.home.set_env("APP_KEY", "short");
    let short = crowd.home.run(&[import.as_slice(), &["--laravel-key", "env:APP_KEY"]].concat());
    assert!(short.exits(1).stderr.contains("env:APP_KEY holds no key of Laravel"));
    crowd.file(".env", &format!("APP_NAME=Shop\nAPP_KEY={KEY}\n"));
    crowd.home.run(&[import.as_slice(), &["--laravel-key", "file:.env"]].concat()).exits(0);
    let served = crowd.home.run(&["token", "get", "rotor/ann"]).exits(0).stdout;
    assert_eq!(served.trim(), "ya29.laravel-token");
}

/// Another Keepfresh for the same provider.
fn another(crowd: &Crowd) -> Home {
    let manifest = std::fs::read_to_string(crowd.home.path("keepfresh.toml")).unwrap();
    Home::new(&manifest).with_guest("rotor")
}

fn export(crowd: &Crowd, more: &[&str]) -> Run {
    crowd.home.run(&[&["connection", "export", "rotor"], more].concat())
}

#[test]
fn another_keepfresh_goes_on_with_what_was_exported() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann", "bob"], 3_600));
    crowd.import(&["people.csv", "--label", "gold", "--label", "a b"]).exits(0);
    for file in ["out.jsonl", "out.csv"] {
        let run = export(&crowd, &[file, "--yes"]).exits(0);
        assert!(run.stderr.contains("2 access_token, 2 refresh_token"), "{run:?}");
        assert!(run.stderr.contains("stop the daemon, or pause them"), "{run:?}");
        let there = another(&crowd);
        let exported = std::fs::read(crowd.home.path(file)).unwrap();
        std::fs::write(there.path(file), exported).unwrap();
        let run = there.run(&["connection", "import", "rotor", file, "--json"]).exits(0);
        assert_eq!(counts(&run), [2, 0, 0, 0, 0]);
        assert_eq!(run.json()["remarks"], json!([]), "all of it is read literally");
        let shown = |home: &Home| {
            let shown = home.run(&["connection", "show", "rotor/ann", "--json"]).exits(0).json();
            ["labels", "expires_at", "scopes", "token_type", "settings"].map(|it| shown[it].clone())
        };
        assert_eq!(shown(&there), shown(&crowd.home));
        // What is exported again is the same, so nothing got lost.
        let again = |home: &Home| {
            home.run(&["connection", "export", "rotor", "-", "--yes"]).exits(0).stdout
        };
        assert_eq!(again(&there), again(&crowd.home));
        let token = |home: &Home| home.run(&["token", "get", "rotor/ann"]).exits(0).stdout;
        assert_eq!(token(&there), token(&crowd.home));
    }
    // The last one refreshes what it was given.
    let there = another(&crowd);
    std::fs::copy(crowd.home.path("out.csv"), there.path("out.csv")).unwrap();
    there.run(&["connection", "import", "rotor", "out.csv"]).exits(0);
    there.run(&["refresh", "rotor/ann", "--force"]).exits(0);
    assert_eq!(crowd.fake.control().family("ann").unwrap().rotations, 1);
}

#[test]
fn secrets_of_a_connection_go_along_and_what_the_manifest_has_does_not() {
    let manifest = "[providers.eskiz]\nsecrets = { email = { env = \"CANARY_EMAIL\" }, password = { env = \"CANARY_PASSWORD\" } }\n";
    let home = Home::new(manifest).with_plugin("eskiz");
    let row = json!({ "name": "ann", "secrets": { "email": "ann@example.com", "password": " p,\"x\"\nNULL" } });
    std::fs::write(home.path("ann.jsonl"), row.to_string()).unwrap();
    home.run(&["connection", "import", "eskiz", "ann.jsonl"]).exits(0);
    let run = home.run(&["connection", "export", "eskiz/ann", "-", "--yes"]).exits(0);
    let line: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&line["name"], &line["secrets"]), (&row["name"], &row["secrets"]));
    assert!(run.stderr.contains("1 secret.email, 1 secret.password"), "{run:?}");
    let all = home.run(&["connection", "export", "eskiz", "all.csv", "--yes", "--json"]).exits(0);
    assert_eq!(all.json()["connections"], 2);
    let text = std::fs::read_to_string(home.path("all.csv")).unwrap();
    assert!(text.contains("secret.password") && !text.contains("CANARY"), "{text}");
    home.run(&["connection", "import", "eskiz", "all.csv", "--dry-run"]).exits(0);
}

#[test]
fn nothing_goes_out_without_a_word_and_nothing_is_overwritten() {
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    for file in ["out.jsonl", "-"] {
        let run = export(&crowd, &[file]).exits(2);
        assert!(run.stderr.contains("error[export.unconfirmed]"), "{run:?}");
        assert!(run.stderr.contains("1 access_token, 1 refresh_token"), "{run:?}");
        assert!(run.stderr.contains("--yes") && run.stdout.is_empty(), "{run:?}");
    }
    assert!(!crowd.home.path("out.jsonl").exists());
    crowd.file("out.jsonl", "mine\n");
    let run = export(&crowd, &["out.jsonl", "--yes"]).exits(1);
    assert!(run.stderr.contains("error[export.exists]"), "{run:?}");
    assert_eq!(std::fs::read_to_string(crowd.home.path("out.jsonl")).unwrap(), "mine\n");
    let run = export(&crowd, &["absent/out.jsonl", "--yes"]).exits(1);
    assert!(run.stderr.contains("error[export.unwritable]"), "{run:?}");
    let run = crowd.home.run(&["connection", "export", "rotor/bob", "x.jsonl", "--yes"]).exits(1);
    assert!(run.stderr.contains("there is no connection rotor/bob"), "{run:?}");
    let run = crowd.home.run(&["connection", "export", "roto", "x.jsonl", "--yes"]).exits(1);
    assert!(run.stderr.contains("did you mean `rotor`"), "{run:?}");
    let run = export(&crowd, &["x.jsonl", "--label", "gold", "--yes"]).exits(1);
    assert!(run.stderr.contains("error[export.nothing]"), "{run:?}");
    let folder = std::fs::read_dir(crowd.home.path("")).unwrap().filter_map(Result::ok);
    let left =
        folder.filter(|it| it.file_name().to_string_lossy().starts_with(".keepfresh-export"));
    assert_eq!(left.count(), 0, "nothing is left of a file that was not made");
}

#[test]
#[expect(clippy::print_stderr, reason = "it prints why it did not look")]
fn a_person_is_asked_and_the_answer_counts() {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script` to make a terminal with (package bsdutils)");
        return;
    }
    let crowd = Crowd::new("");
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    for (answer, goes_out) in [("n", false), ("", false), ("y", true)] {
        let command = crowd.home.command(&[]);
        let program = command.get_program().to_string_lossy().into_owned();
        let line = format!("{program} connection export rotor out.jsonl");
        let mut terminal = std::process::Command::new("script");
        terminal.args(["-qec", &line, "/dev/null"]).current_dir(crowd.home.path(""));
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = terminal.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        drop(stdin);
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(
            said.contains("1 access_token, 1 refresh_token") && said.contains("go on? [y/N]"),
            "{said}"
        );
        assert_eq!(crowd.home.path("out.jsonl").exists(), goes_out, "{answer}: {said}");
    }
}

#[test]
fn the_file_is_for_its_owner_alone_also_through_a_daemon() {
    let crowd = Crowd::new("");
    let daemon = crowd.home.serve();
    crowd.file("people.csv", &crowd.roster(&["ann"], 3_600));
    crowd.import(&["people.csv"]).exits(0);
    let mut shell = std::process::Command::new("sh");
    let command = crowd.home.command(&["connection", "export", "rotor", "out.csv", "--yes"]);
    let program = command.get_program().to_string_lossy().into_owned();
    shell.current_dir(crowd.home.path("")).args(["-c", "umask 0; exec \"$0\" \"$@\"", &program]);
    assert!(shell.args(command.get_args()).status().unwrap().success());
    let mode = std::fs::metadata(crowd.home.path("out.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(daemon);
}
