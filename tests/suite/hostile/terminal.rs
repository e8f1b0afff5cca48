//! What plugins, providers, rows, files and callers say, on its way to a terminal: no command prints a
//! character that a terminal obeys or that nobody sees, and nobody's text begins a line of its own.

use std::fs;

use e2e::home::{Home, Run};
use keepfresh::model::plain::is_plain;

use crate::hostile::Stage;

/// What the guest says of itself, without the byte that no argument can have.
const PAINT: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\r\nforged\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\u{e0041}\u{7f}";

const GUEST: &str = "paints-terminal";

#[test]
fn no_command_prints_what_a_terminal_obeys_or_nobody_sees() {
    let stage = Stage::new();
    let home = home(&stage);
    let odd = odd_file(&home);
    for verb in [
        &["plugin", "inspect", "plugins/paints-terminal.wasm"][..],
        &["plugin", "inspect", &odd],
        &["plugin", "list"],
        &["plugin", "approve", GUEST],
        &["plugin", "approve", PAINT],
        &["check"],
        &["refresh"],
        &["refresh", "--force"],
        &["refresh", "--dry-run"],
        &["token", "get", GUEST],
        &["status"],
        &["connection", "list"],
        &["connection", "show", GUEST],
        &["connection", "pause", GUEST, "--reason", PAINT],
        &["status"],
        &["log"],
        &["stats"],
        &["schedule", "list"],
        &["doctor"],
        &["connect", GUEST, "--no-browser"],
        &["connection", "add", "paints-terminal/ann", "--setting", &format!("note={PAINT}")],
        &["connection", "add", "paints-terminal/bob", "--setting", &format!("{PAINT}=x")],
        &["connection", "add", "paints-terminal/cid", "--label", PAINT],
        &["connection", "show", "paints-terminal/ann"],
        &["connection", "show", "paints-terminal/cid"],
        &["connection", "list", "--label", PAINT],
        &["log", "--provider", PAINT],
        // Mistakes, which are quoted.
        &["status", PAINT],
        &["log", "--since", PAINT],
        &["refresh", "--provider", PAINT],
        &["--config", PAINT, "status"],
        &[PAINT],
    ] {
        shows_plainly(&home.run(verb), verb);
        let json = [verb, &["--json"]].concat();
        shows_plainly(&home.run(&json), &json);
    }
}

#[test]
fn no_row_and_no_manifest_paints_the_terminal() {
    let stage = Stage::new();
    let home = home(&stage);
    let row = |members: serde_json::Value| members.to_string();
    for file in [
        row(serde_json::json!({ "name": PAINT })),
        row(serde_json::json!({ "name": "a", PAINT: "x" })),
        row(serde_json::json!({ "name": "a", "labels": [PAINT] })),
        row(serde_json::json!({ "name": "a", "settings": { PAINT: "x" } })),
        row(serde_json::json!({ "name": "a", "secrets": { PAINT: "x" } })),
        row(serde_json::json!({ "name": "a", "access_token": PAINT, "token_type": PAINT })),
    ] {
        fs::write(home.path("rows.json"), &file).unwrap();
        let verb = ["connection", "import", GUEST, "rows.json", "--skip-bad"];
        shows_plainly(&home.run(&verb), &[&file]);
        shows_plainly(&home.run(&verb[..4]), &[&file]);
        shows_plainly(&home.run(&["status"]), &[&file]);
    }
    let escaped = PAINT.chars().map(|it| format!("\\U{:08X}", u32::from(it)));
    let escaped = escaped.collect::<Vec<_>>().concat();
    for line in [
        format!("\"{escaped}\" = 1"),
        format!("[providers.\"{escaped}\"]"),
        format!("[providers.x]\nschedule = \"{escaped}\"\ntimezone = \"{escaped}\""),
        format!("[providers.x]\nplugin = \"{escaped}\"\nprobe = \"{escaped}\""),
        "x = \"\u{202e}\u{200b}\" # \u{2066}".to_owned(),
    ] {
        home.write_manifest(&(line.clone() + "\n"));
        shows_plainly(&home.run(&["check"]), &[&line]);
        shows_plainly(&home.run(&["check", "--json"]), &[&line]);
    }
}

#[test]
fn a_daemon_logs_plainly_too() {
    let stage = Stage::new();
    let home = home(&stage).with_env("KEEPFRESH_LOG", "debug");
    odd_file(&home);
    let daemon = home.serve();
    home.run(&["refresh", "--force", "--sync"]);
    let log = daemon.log();
    assert!(log.contains("keepfresh is ready"), "{log}");
    for line in log.lines() {
        assert!(is_plain(line), "{line:?}");
        assert!(!line.trim_start().starts_with("forged"), "{log}");
    }
}

fn shows_plainly(run: &Run, verb: &[&str]) {
    let shown = format!("{}{}", run.stdout, run.stderr);
    assert!(!shown.is_empty() && !shown.contains("internal.panic"), "{verb:?}: {run:?}");
    for line in shown.lines() {
        assert!(is_plain(line), "{verb:?}: {line:?}");
        assert!(!line.trim_start().starts_with("forged"), "{verb:?}: {shown}");
    }
    assert!(!shown.contains('\r'), "{verb:?}: {shown:?}");
}

fn home(stage: &Stage) -> Home {
    stage.home(&stage.section(GUEST)).with_guest(GUEST)
}

/// A file of the plugin folder whose name is the attack.
fn odd_file(home: &Home) -> String {
    let name = format!("plugins/{PAINT}.wasm").replace(']', "");
    fs::write(home.path(&name), "no plugin").unwrap();
    name
}
