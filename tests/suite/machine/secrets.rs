//! A secret that is away for a moment is an outage of our own; and the four sources are read by one rule.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use e2e::daemon::wait_until;
use e2e::provider::eskiz;
use e2e::stage::{self, Stage};

const RETRY: &str = "retry = { attempts = 10, backoff = \"1s\" }";

/// Eskiz with its password from a command, `pass`, which is the script of the home.
fn with_command(script: &str, more: &str) -> Stage {
    let stage = Stage::eskiz("");
    let path = stage.home.path("pass");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let section = stage::eskiz_section(&stage.fake, more);
    let exec = format!("password = {{ exec = [\"{}\", \"CANARY\"] }}", path.display());
    stage.home.write_manifest(&section.replace(r#"password = { file = "eskiz.password" }"#, &exec));
    stage
}

#[test]
fn a_secret_that_is_away_for_a_moment_costs_no_token_and_is_tried_again_by_itself() {
    let stage = Stage::eskiz(RETRY).logged_in();
    let token = stage.token();
    let daemon = stage.home.serve();
    fs::rename(stage.home.path("eskiz.password"), stage.home.path("away")).unwrap();
    let failed = stage.refresh(&["--force", "--sync"]);
    assert_eq!(failed["error"]["code"], "secret.file_missing", "{failed}");
    assert_eq!(stage.state(), "late", "a person need not come");
    assert_eq!(stage.token(), token, "what is stored is served");
    let tries = || daemon.log().matches("secret.file_missing").count();
    wait_until("it is tried again", || tries() > 2);
    fs::rename(stage.home.path("away"), stage.home.path("eskiz.password")).unwrap();
    wait_until("it heals by itself", || stage.state() == "fresh");
    assert_eq!(stage.status()["generation"], 2);
}

#[test]
fn a_caller_without_a_token_is_told_to_come_again_while_a_secret_is_away() {
    let stage = Stage::eskiz(RETRY);
    fs::rename(stage.home.path("eskiz.password"), stage.home.path("away")).unwrap();
    let refused = stage.home.run(&["token", "get", "eskiz", "--json"]).exits(1).json();
    assert_eq!(refused["error"]["code"], "secret.file_missing");
    fs::rename(stage.home.path("away"), stage.home.path("eskiz.password")).unwrap();
    stage.next_try_comes();
    let _ = stage.token();
}

#[test]
fn a_command_that_fails_is_tried_again_and_its_complaint_is_told_without_what_it_printed() {
    let script = "test -e ./broken && { echo CANARY; echo \"no agent at $HOME for CANARY\" >&2; exit 2; }
test \"$USER\" = keeper && test \"$LANG\" = C.UTF-8 && test \"$XDG_RUNTIME_DIR\" = /run/user/7 || exit 3
cat eskiz.password";
    let mut stage = with_command(script, RETRY);
    for (name, value) in [
        ("HOME", "/home/keeper"),
        ("USER", "keeper"),
        ("LANG", "C.UTF-8"),
        ("XDG_RUNTIME_DIR", "/run/user/7"),
    ] {
        stage.home.set_env(name, value);
    }
    fs::write(stage.home.path("broken"), "").unwrap();
    let _daemon = stage.home.serve();
    wait_until("it has failed", || stage.state() == "expired");
    let error = stage.status()["last_attempt"]["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("exited with code 2 and said: no agent at /home/keeper for ***"),
        "{error}"
    );
    assert!(!message.contains("CANARY"), "{message}");
    fs::remove_file(stage.home.path("broken")).unwrap();
    wait_until("it heals by itself", || stage.state() == "fresh");
}

#[test]
fn a_line_end_and_a_byte_order_mark_are_no_part_of_a_secret_wherever_it_is() {
    let settings = eskiz::Settings::default();
    let mut stage = Stage::eskiz("");
    stage.home.set_env("ESKIZ_EMAIL", &format!("{}\n", settings.email));
    stage::write_secret(
        &stage.home,
        "eskiz.password",
        &format!("\u{feff}{}\r\n", settings.password),
    );
    assert_eq!(stage.refresh(&[])["outcome"], "success");
    let stage = with_command(&format!("printf '\\357\\273\\277{}\\r\\n'", settings.password), "");
    assert_eq!(stage.refresh(&[])["outcome"], "success");
}
