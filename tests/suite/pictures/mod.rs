//! Pictures of terminals: what the main screens look like at 80 and 120 columns, with and without colour.
//! They are kept in `tests/snapshots`; `KEEPFRESH_PICTURES=write` writes them anew, for whoever has changed a
//! screen to look at.

/// Homes whose screens look the same at any time.
mod scenes;

use std::fs;
use std::path::{Path, PathBuf};

use e2e::home::Home;
use e2e::terminal::Terminal;

const PLAIN: [Terminal; 2] =
    [Terminal { columns: 80, colour: false }, Terminal { columns: 120, colour: false }];

const ALL: [Terminal; 4] = [
    PLAIN[0],
    PLAIN[1],
    Terminal { columns: 80, colour: true },
    Terminal { columns: 120, colour: true },
];

#[test]
fn a_few_connections_that_are_well() {
    let home = scenes::well();
    pictures(&home.home, "status", &["status"], &ALL);
    pictures(&home.home, "connection-list", &["connection", "list"], &PLAIN);
    pictures(&home.home, "connection-show", &["connection", "show", "jibit"], &PLAIN[..1]);
    pictures(&home.home, "schedule", &["schedule", "list"], &PLAIN);
    pictures(&home.home, "plugin-list", &["plugin", "list"], &PLAIN);
    pictures(&home.home, "check", &["check"], &PLAIN[..1]);
    pictures(&home.home, "stats", &["stats"], &PLAIN[..1]);
    pictures(&home.home, "refresh-dry-run", &["refresh", "--dry-run"], &PLAIN);
}

#[test]
fn a_few_connections_with_problems() {
    let home = scenes::ill();
    pictures(&home.home, "status-problems", &["status"], &ALL);
    pictures(&home.home, "log", &["log"], &ALL);
    pictures(&home.home, "doctor", &["doctor"], &PLAIN);
    pictures(&home.home, "refresh", &["refresh", "jibit", "--force"], &ALL[2..3]);
}

#[test]
fn two_thousand_connections() {
    let crowd = scenes::thousands();
    pictures(&crowd.home, "status-thousands", &["status"], &ALL);
    pictures(&crowd.home, "doctor-thousands", &["doctor"], &PLAIN[..1]);
}

#[test]
fn what_everybody_sees_first() {
    let home = Home::new("");
    for file in ["keepfresh.toml", "keepfresh.key"] {
        fs::remove_file(home.path(file)).unwrap();
    }
    pictures(&home, "init", &["init"], &PLAIN[..1]);
    pictures(&home, "help", &["--help"], &PLAIN);
    pictures(&home, "help-status", &["status", "--help"], &PLAIN[..1]);
    pictures(&home, "status-none", &["status"], &PLAIN[..1]);
}

#[test]
fn mistakes() {
    let home = scenes::well();
    pictures(&home.home, "error-name", &["status", "eskis"], &ALL);
    pictures(&home.home, "error-usage", &["refresh", "--bogus"], &PLAIN[..1]);
    pictures(&home.home, "error-code", &["explain", "egress.tls_failed"], &PLAIN[..1]);
    home.home.write_manifest(scenes::WRONG);
    pictures(&home.home, "check-problems", &["check"], &PLAIN);
}

/// Compares what a command shows on each terminal with its picture.
fn pictures(home: &Home, name: &str, command: &[&str], terminals: &[Terminal]) {
    for terminal in terminals {
        let shown = terminal.run(home, command);
        for row in &shown.broken {
            assert!(may_be_broken(row), "the terminal has broken a line of {command:?}: {row}");
        }
        let colour = if terminal.colour { "-colour" } else { "" };
        let file = format!("{name}-{}{colour}.txt", terminal.columns);
        let text = format!("$ keepfresh {}\n{}\n", command.join(" "), shown.rows.join("\n"));
        compare(&folder().join(file), &scenes::stable(&text));
    }
}

/// A command or an address stays whole, so that it can be copied, and so does a line of the manifest.
fn may_be_broken(row: &str) -> bool {
    ["→ ", "://", "keepfresh ", " | "].iter().any(|it| row.contains(it))
}

fn compare(file: &Path, shown: &str) {
    if writes() {
        fs::write(file, shown).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == shown,
        "{} shows something else; if that is meant, write it with KEEPFRESH_PICTURES=write:\n{shown}",
        file.display()
    );
}

#[expect(clippy::disallowed_methods, reason = "whoever has changed a screen says so")]
fn writes() -> bool {
    std::env::var("KEEPFRESH_PICTURES").is_ok_and(|it| it == "write")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}
