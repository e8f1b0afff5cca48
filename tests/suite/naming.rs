//! Names that nothing has, and connections that the manifest no longer lists.

use e2e::stage::Stage;

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
    let shown = stage.home.run(&["status", "--json"]).exits(0).json();
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
