//! The socket itself: callers that say nothing or read nothing, paths that are too long for one, and
//! others who answer in the daemon's place.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::daemon::Daemon;
use e2e::home::Home;
use e2e::stage::Stage;

use crate::people::Crowd;

#[test]
fn a_stop_does_not_wait_for_those_who_say_nothing() {
    let stage = Stage::eskiz("");
    let daemon = stage.home.serve();
    let socket = stage.home.path("keepfresh.sock");
    let silent = UnixStream::connect(&socket).unwrap();
    let mut halting = UnixStream::connect(&socket).unwrap();
    halting.write_all(b"{\"command\":").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    assert!(daemon.stop().success(), "nothing was left undone");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    drop((silent, halting));
}

#[test]
fn those_who_say_nothing_are_let_go() {
    let stage = Stage::eskiz("");
    let _daemon = stage.home.serve();
    let mut halting = UnixStream::connect(stage.home.path("keepfresh.sock")).unwrap();
    halting.write_all(b"{\"command\":").unwrap();
    halting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(halting.read(&mut [0; 1]).unwrap(), 0, "it closed the connection");
    stage.home.run(&["status"]).exits(0);
}

#[test]
fn a_stop_does_not_wait_for_those_who_do_not_read() {
    let crowd = Crowd::new("");
    let rows = (0..2_000).map(|it| format!("n{it},a{it}\n")).collect::<Vec<_>>().concat();
    crowd.file("people.csv", &format!("name,access_token\n{rows}"));
    crowd.import(&["people.csv"]).exits(0);
    let daemon = crowd.home.serve();
    let mut deaf = UnixStream::connect(crowd.home.path("keepfresh.sock")).unwrap();
    deaf.write_all(b"{\"command\":\"status\",\"ids\":[]}\n").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    assert!(daemon.stop().success(), "nothing was left undone");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_socket_stands_beside_its_database_however_long_the_path() {
    let deep = ["a".repeat(100), "b".repeat(100)].join("/");
    let stage = Stage::eskiz("");
    let manifest = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage
        .home
        .write_manifest(&format!("[storage]\nurl = \"sqlite:{deep}/keepfresh.db\"\n{manifest}"));
    fs::create_dir_all(stage.home.path(&deep)).unwrap();
    let temporary = stage.home.path("temporary");
    fs::create_dir(&temporary).unwrap();
    // The test reaches the socket through a short name of its folder.
    std::os::unix::fs::symlink(stage.home.path(&deep), stage.home.path("s")).unwrap();
    let mut command = stage.home.command(&["serve"]);
    command.env("TMPDIR", &temporary);
    let socket = stage.home.path("s/keepfresh.sock");
    let daemon = Daemon::start(command, &socket, stage.home.path("serve.log"));
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let doctor = stage.home.run(&["doctor", "--json"]).json();
    let running = |it: &serde_json::Value| it["what"] == "daemon" && it["ok"] == true;
    assert!(doctor["findings"].as_array().unwrap().iter().any(running), "{doctor}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(daemon.stop().success());
    assert!(!socket.exists());
    assert_eq!(stage.home.run(&["status"]).code, 5, "nobody listens: it is done here");
}

#[test]
fn somebody_else_in_the_daemons_place_is_told_nothing() {
    let stage = Stage::eskiz("");
    let Some(mut stranger) = stranger(&stage.home) else { return };
    for (verb, input) in [
        (&["token", "set", "eskiz"][..], "CANARY_token"),
        (&["status"], ""),
        (&["token", "get", "eskiz"], ""),
        (&["connection", "add", "eskiz/ann", "--from", "-"], r#"{"access_token":"CANARY_token"}"#),
    ] {
        let refused = stage.home.run_with_input(verb, input).exits(5);
        assert!(refused.stderr.contains("error[daemon.foreign_user]"), "{refused:?}");
        assert!(refused.stderr.contains("65534"), "{refused:?}");
    }
    let _ = stranger.kill();
    let mut heard = String::new();
    stranger.stdout.take().unwrap().read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "", "nothing was sent");
    let _ = stranger.wait();
}

/// Another user who listens at the socket of `home`; `None`, in one line, where that cannot be played.
#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn stranger(home: &Home) -> Option<Child> {
    let perl = Path::new("/usr/bin/perl");
    if !rustix::process::geteuid().is_root() || !perl.exists() {
        eprintln!("skipped: playing another user needs root and perl");
        return None;
    }
    fs::set_permissions(home.path(""), Permissions::from_mode(0o777)).unwrap();
    let listen = "use IO::Socket::UNIX; $| = 1;
        my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 9) or die $!;
        chmod 0777, $ARGV[0]; print STDERR qq(up\n);
        while (my $c = $s->accept) { while (<$c>) { print } }";
    let mut command = Command::new(perl);
    command.args(["-e", listen]).arg(home.path("keepfresh.sock")).current_dir("/").uid(65_534);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    Some(child)
}
