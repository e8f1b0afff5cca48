//! Names that nothing has, and connections that the manifest no longer lists.

use e2e::database::Database;
use e2e::stage::Stage;

use crate::people::Crowd;

#[test]
fn a_name_that_nothing_has_is_an_error_with_the_nearest_one() {
    let stage = Stage::eskiz("");
    let _ = stage.home.run(&["refresh"]).exits(0);
    for (command, told) in [
        (&["refresh", "--provider", "eskis"][..], "did you mean `eskiz`?"),
        (&["refresh", "--provider", "nope"], "these are there: eskiz"),
        (&["stats", "--provider", "eskizz"], "did you mean `eskiz`?"),
        (&["log", "--provider", "eskis"], "did you mean `eskiz`?"),
        (&["log", "nope"], "there is no provider `nope`"),
        (&["log", "eskiz/defalt"], "did you mean eskiz?"),
        (&["connection", "list", "--provider", "eskis"], "did you mean `eskiz`?"),
        (&["connection", "show", "eskis"], "did you mean `eskiz`?"),
        (&["status", "eskiz/someone-else"], "keepfresh connection list --provider eskiz"),
    ] {
        let run = stage.home.run(command);
        assert_ne!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains(told), "{command:?}: {run:?}");
    }
    let _ = stage.home.run(&["log", "eskiz"]).exits(0);
    let _ = stage.home.run(&["stats", "--provider", "eskiz"]).exits(0);
}

#[test]
fn a_connection_that_was_taken_out_of_the_manifest_says_so_and_can_be_removed() {
    let one = "\n[[providers.eskiz.connections]]\nname = \"a\"\n";
    let two = format!("{one}[[providers.eskiz.connections]]\nname = \"b\"\n");
    let stage = Stage::eskiz(&two);
    let _ = stage.home.run(&["refresh", "--all"]).exits(0);
    let listed = stage.home.run(&["connection", "remove", "eskiz/b"]);
    assert!(listed.stderr.contains("eskiz/b is in the manifest"), "{listed:?}");
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&manifest.replace(&two, one));
    let shown = stage.home.run(&["status", "--json"]).json();
    let b = shown["connections"].as_array().unwrap().iter().find(|it| it["name"] == "b").unwrap();
    assert_eq!((&b["orphaned"], &b["state"]), (&true.into(), &"fresh".into()), "{b:#}");
    assert_eq!(b["next_step"], "keepfresh connection remove eskiz/b");
    let _ = stage.home.run(&["connection", "remove", "eskiz/b"]).exits(0);
    let shown = stage.home.run(&["status", "--json"]).exits(5).json();
    assert_eq!(shown["connections"].as_array().unwrap().len(), 1, "{shown:#}");
    let log = stage.home.run(&["log", "eskiz/b", "--json"]).exits(0).json();
    assert!(!log["attempts"].as_array().unwrap().is_empty(), "its log stays: {log:#}");
}

#[test]
fn connections_of_a_provider_that_is_gone_can_be_removed() {
    let stage = Stage::eskiz("");
    let _ = stage.home.run(&["refresh"]).exits(0);
    stage.home.write_manifest("");
    let status = stage.home.run(&["status", "--json"]).json();
    assert_eq!(status["connections"][0]["orphaned"], true, "{status:#}");
    let _ = stage.home.run(&["connection", "remove", "eskiz"]).exits(0);
    let _ = stage.home.run(&["status"]).exits(0);
}

#[test]
fn a_status_of_many_shows_what_needs_somebody_and_counts_the_rest() {
    let crowd = Crowd::new("");
    let names = (10..50).map(|it| format!("c{it}")).collect::<Vec<_>>();
    let file = crowd.roster(&names.iter().map(String::as_str).collect::<Vec<_>>(), 86_400);
    crowd.file("people.csv", &file);
    let _ = crowd.import(&["people.csv"]).exits(0);
    Database::at(&crowd.home.path("keepfresh.db")).run(
        "update connections
         set problem = 'misconfigured', failures = 1, error_code = 'provider.misconfigured',
             error_message = 'the client is unknown', due_at = null, due_trigger = null
         where name < 'c22'",
    );
    let shown = crowd.home.run(&["status"]).exits(4).stdout;
    let lines = shown.lines().collect::<Vec<_>>();
    assert_eq!(lines.len(), 6, "{shown}");
    assert!(lines[0].contains("12 of rotor  misconfigured"), "{shown}");
    assert!(lines[1].contains("c10, c11, c12, c13, c14 and 7 more"), "{shown}");
    assert!(lines[3].starts_with("40 connections: 12 misconfigured, 28 fresh"), "{shown}");
    assert_eq!(lines[4], "12 of 40 need a person");
    let fresh = crowd.home.run(&["status", "--state", "fresh", "--all"]).exits(5).stdout;
    assert_eq!(fresh.lines().filter(|it| it.contains(" fresh ")).count(), 28, "{fresh}");
    let broken = ["status", "--provider", "rotor", "--state", "misconfigured", "--json"];
    let broken = crowd.home.run(&broken).exits(4).json();
    assert_eq!(broken["connections"].as_array().unwrap().len(), 12);
}

#[test]
fn a_manifest_is_found_where_people_look() {
    let stage = Stage::eskiz("");
    let _ = stage.home.run(&["refresh"]).exits(0);
    let folder = stage.home.path("config/keepfresh");
    std::fs::create_dir_all(&folder).unwrap();
    let manifest = stage.home.path("keepfresh.toml");
    let elsewhere = |name: &str, value: &std::path::Path| {
        let mut command = stage.home.command(&["check"]);
        let output = command.current_dir(&folder).env(name, value).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(!elsewhere("KEEPFRESH_CONFIG", &manifest).contains("cannot be read"));
    std::fs::write(folder.join("keepfresh.toml"), "[nonsense]\n").unwrap();
    let here = stage.home.path("config");
    std::fs::create_dir_all(stage.home.path("empty")).unwrap();
    let mut command = stage.home.command(&["check"]);
    let output = command.current_dir(stage.home.path("empty")).env("XDG_CONFIG_HOME", &here);
    let output = output.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("nonsense") && text.contains("config/keepfresh"), "{text}");
    let named = stage.home.run(&["check", "--config", "keepfresh.toml"]);
    assert_eq!(named.code, 0, "{named:?}");
}
