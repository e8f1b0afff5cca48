//! Standard output that cannot be written: a reader that has had enough is no error and no bug, and a disk
//! that is full is one.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::stage::Stage;

use crate::people::Crowd;

const COMMANDS: &[&[&str]] = &[
    &["completions", "bash"],
    &["log"],
    &["log", "--json"],
    &["status"],
    &["status", "--json"],
    &["status", "--all"],
    &["connection", "list"],
    &["connection", "show", "eskiz"],
    &["check"],
    &["doctor"],
    &["stats"],
    &["schedule", "list"],
    &["plugin", "list"],
    &["plugin", "inspect", "plugins/eskiz.wasm"],
    &["token", "get", "eskiz"],
    &["refresh", "--dry-run"],
    &["refresh", "--force"],
    &["explain"],
    &["explain", "egress.tls_failed"],
    &["prune"],
    &["--help"],
    &["help", "connection"],
    &["--version"],
    &["init"],
    &["status", "nope"],
    &["frobnicate"],
];

#[test]
fn a_reader_that_has_had_enough_ends_every_command_quietly() {
    let stage = Stage::eskiz("").logged_in();
    for command in COMMANDS {
        let expected = stage.home.run(command).code;
        for both in [false, true] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let mut child = stage.home.command(command);
            child.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(Stdio::piped());
            if both {
                child.stderr(writer);
            }
            let output = child.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("bug") && !said.contains("panicked"), "{command:?}: {said}");
            assert_eq!(output.status.code(), Some(expected), "{command:?}: {said}");
        }
    }
}

#[test]
fn a_result_that_could_not_be_written_is_an_error() {
    let stage = Stage::eskiz("").logged_in();
    for command in [&["token", "get", "eskiz"][..], &["status", "--json"], &["completions", "zsh"]]
    {
        let mut child = stage.home.command(command);
        child.stdout(File::options().write(true).open("/dev/full").unwrap());
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("error[command.unprinted]"), "{command:?}: {said}");
        assert!(said.contains("No space left"), "{command:?}: {said}");
    }
}

#[test]
fn a_log_that_is_followed_ends_with_its_reader() {
    let stage = Stage::eskiz("").logged_in();
    let mut command = stage.home.command(&["log", "--follow"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = child.stdout.take().unwrap();
    let _ = reader.read(&mut [0; 64]).unwrap();
    drop(reader);
    let _ = stage.home.run(&["refresh", "--force"]).exits(0);
    wait_until("it has ended", || child.try_wait().unwrap().is_some());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_long_list_is_not_read_to_its_end_for_nobody() {
    let crowd = Crowd::new("");
    let names = (0..2_000).map(|it| format!("c{it}")).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    crowd.file("people.csv", &crowd.roster(&names, 86_400));
    let _ = crowd.import(&["people.csv"]).exits(0);
    let first = first_lines(&crowd.home, &["status", "--all"]);
    assert!(first.contains("rotor/c0"), "{first}");
}

/// What `head` gets.
fn first_lines(home: &Home, command: &[&str]) -> String {
    let mut child = home.command(command).stdout(Stdio::piped()).spawn().unwrap();
    let mut begin = [0; 200];
    child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
    // No daemon runs, which `status` says by its exit code.
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 5)));
    String::from_utf8_lossy(&begin).into_owned()
}
