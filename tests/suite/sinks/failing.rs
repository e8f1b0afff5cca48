//! A sink that fails delays nobody, and a connection that fails no other.

use std::fs;
use std::time::{Duration, Instant};

use e2e::daemon::wait_until;

use super::{EACH, add, crowd, file, holds, line, names, set, sink};

#[test]
fn one_that_cannot_be_written_holds_up_none_of_a_thousand() {
    let all = (0..1_000).map(|it| format!("u{it}")).collect::<Vec<_>>();
    let all = all.iter().map(String::as_str).collect::<Vec<_>>();
    let crowd = crowd(&all, EACH);
    let home = &crowd.home;
    // What is no file is not replaced.
    fs::create_dir(home.path("out/u500.env")).unwrap();
    let _daemon = home.serve();
    wait_until("all the others are there", || names(home).len() == 1_000);
    wait_until("it is told", || sink(home, "each")["waiting"] == 1);
    let it = sink(home, "each");
    assert_eq!(
        (&it["state"], &it["error"]["code"]),
        (&"failing".into(), &"sink.file".into()),
        "{it}"
    );
    set(home, "u7", "changed");
    holds(home, "u7", "T='changed'\n");
    fs::remove_dir(home.path("out/u500.env")).unwrap();
    holds(home, "u500", &line(home, "u500"));
    wait_until("nothing is wrong any more", || sink(home, "each")["state"] == "ok");
}

#[test]
fn a_folder_that_is_missing_is_told_of_and_filled_once_it_is_there() {
    let crowd = crowd(&["a", "b", "c", "d", "e"], EACH);
    let home = &crowd.home;
    fs::remove_dir(home.path("out")).unwrap();
    let check = home.run(&["check", "--json"]);
    assert!(check.stdout.contains("sink.folder_missing"), "{check:?}");
    let daemon = home.serve();
    wait_until("all wait", || sink(home, "each")["waiting"] == 5);
    let it = sink(home, "each");
    assert_eq!(it["error"]["code"], "sink.folder_missing", "{it}");
    let ran = home.run(&["sink", "run", "each", "--json"]).exits(1).json();
    assert_eq!((&ran["delivered"], &ran["failed"]), (&0.into(), &5.into()), "{ran}");
    fs::create_dir(home.path("out")).unwrap();
    let _ = home.run(&["sink", "run", "each", "rotor/a"]).exits(0);
    // The others do not wait for their time: the sink works again.
    wait_until("all are there", || names(home).len() == 5);
    wait_until("nothing is wrong any more", || sink(home, "each")["state"] == "ok");
    daemon.stop();
}

#[test]
fn a_program_that_hangs_delays_no_refresh_and_no_stop() {
    let hangs =
        "\n[[sinks]]\nname = \"hangs\"\nprovider = \"rotor\"\ncommand = [\"sleep\", \"60\"]\n";
    let crowd = crowd(&["a", "b"], &format!("{EACH}{hangs}"));
    let home = &crowd.home;
    let daemon = home.serve();
    holds(home, "a", &line(home, "a"));
    let begun = Instant::now();
    let _ = home.run(&["refresh", "rotor/a", "--force", "--sync"]).exits(0);
    holds(home, "a", &line(home, "a"));
    assert!(daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_template_that_names_what_is_not_there_says_so() {
    let named = EACH.replace("token | quote", "profile.first_name | quote");
    let crowd = crowd(&["a"], &named);
    let home = &crowd.home;
    let _daemon = home.serve();
    wait_until("it is told", || sink(home, "each")["error"]["code"] == "sink.template");
    let it = sink(home, "each");
    assert!(it["error"]["message"].as_str().unwrap().contains("`profile.first_name`"), "{it}");
    assert_eq!(file(home, "a"), "");
    let doctor = home.run(&["doctor", "--json"]);
    assert!(doctor.stdout.contains("sink.template"), "{doctor:?}");
}

#[test]
fn a_sink_that_is_not_there_and_a_connection_that_it_does_not_deliver_are_mistakes_of_usage() {
    let crowd = crowd(
        &["a"],
        &EACH
            .replace("provider = \"rotor\"", "label = \"gold\"")
            .replace("{{ name }}", "{{ provider }}-{{ name }}"),
    );
    let home = &crowd.home;
    let _ = home.run(&["sink", "run", "other"]).exits(2);
    let _ = home.run(&["sink", "run", "each", "rotor/a"]).exits(2);
    let ran = home.run(&["sink", "run", "each", "--json"]).exits(0).json();
    assert_eq!((&ran["delivered"], &ran["failed"]), (&0.into(), &0.into()));
    add(home, "\n[[sinks]]\nname = \"each\"\nlabel = \"a\"\ncommand = [\"true\"]\n");
    let _ = home.run(&["sink", "list"]).exits(78);
}
