//! Programs that read a token from their input: Redis, by its own client, and one that hangs.

use std::fs;
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;
use e2e::databases::Redis;
use e2e::home::Home;
use e2e::stage::Stage;

/// Adds to the manifest of a home.
fn add(home: &Home, text: &str) {
    let before = fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(before + text));
}

#[test]
fn redis_has_the_current_token() {
    let Some(redis) = Redis::start() else { return };
    let stage = Stage::eskiz("").logged_in();
    let port = redis.port();
    add(
        &stage.home,
        &format!(
            "\n[[sinks]]\nprovider = \"eskiz\"\ncommand = [\"redis-cli\", \"-p\", \"{port}\", \"-x\", \"SET\", \"token:{{{{ provider }}}}:{{{{ name }}}}\"]\n"
        ),
    );
    let daemon = stage.home.serve();
    let first = stage.token();
    wait_until("Redis has it", || redis.ask(&["GET", "token:eskiz:default"]) == first);
    assert_eq!(stage.refresh(&[&stage.id(), "--force", "--sync"])["outcome"], "success");
    let second = stage.token();
    assert_ne!(first, second);
    wait_until("Redis has the next", || redis.ask(&["GET", "token:eskiz:default"]) == second);
    assert!(!daemon.log().contains(&second), "{}", daemon.log());
}

#[test]
fn what_a_command_prints_is_seen_nowhere_and_a_failure_is_told_by_its_exit_code() {
    let stage = Stage::eskiz("").logged_in();
    add(
        &stage.home,
        "\n[[sinks]]\nname = \"loud\"\nconnection = \"eskiz\"\ncommand = [\"sh\", \"-c\", \"tee /dev/stderr; exit 7\"]\n",
    );
    let daemon = stage.home.serve();
    let list = || stage.home.run(&["sink", "list", "--json"]).exits(0);
    wait_until("it fails", || list().json()["sinks"][0]["state"] == "failing");
    let listed = list();
    let failing = listed.json()["sinks"][0].clone();
    assert_eq!(failing["error"]["code"], "sink.command_failed");
    assert!(listed.stdout.contains("the command sh exited with code 7"), "{failing}");
    let token = stage.token();
    let run = stage.home.run(&["sink", "run", "loud"]);
    assert_ne!(run.code, 0);
    let said = daemon.log() + &listed.stdout + &run.stdout + &run.stderr;
    assert!(!said.contains(&token), "{said}");
}

#[test]
fn a_command_that_hangs_ends_with_the_daemon_and_so_does_what_it_has_started() {
    let stage = Stage::eskiz("").logged_in();
    let pid = stage.home.path("pid");
    add(
        &stage.home,
        &format!(
            "\n[[sinks]]\nconnection = \"eskiz\"\ncommand = [\"sh\", \"-c\", \"sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait\"]\ntimeout = \"5m\"\n",
            pid.display()
        ),
    );
    let daemon = stage.home.serve();
    wait_until("it runs", || pid.exists());
    let child = fs::read_to_string(&pid).unwrap().trim().to_owned();
    let runs = || {
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    };
    assert!(runs());
    let begun = Instant::now();
    assert!(daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    wait_until("it is gone", || !runs());
}
