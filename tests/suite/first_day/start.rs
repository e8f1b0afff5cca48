//! The first start, with something missing: whatever was tried before, `init` puts it right.

use std::fs;

use e2e::database::Database;
use e2e::home::Home;
use e2e::stage::Stage;

/// A home whose key is not there yet.
fn without_key() -> Stage {
    let stage = Stage::eskiz("");
    fs::remove_file(stage.home.path("keepfresh.key")).unwrap();
    stage
}

fn has_database(home: &Home) -> bool {
    home.path("keepfresh.db").exists()
}

#[test]
fn a_command_before_there_is_a_key_leaves_no_database_and_init_goes_on() {
    for verb in [
        &["status"][..],
        &["refresh"],
        &["serve"],
        &["token", "get", "eskiz"],
        &["doctor"],
        &["connection", "list"],
        &["connect", "eskiz"],
    ] {
        let stage = without_key();
        let refused = stage.home.run(verb).exits(78);
        assert!(refused.stderr.contains("make one with: keepfresh init"), "{verb:?}: {refused:?}");
        assert!(!has_database(&stage.home), "{verb:?}");
        let _ = stage.home.run(&["init"]).exits(0);
        let _ = stage.home.run(&["refresh"]).exits(0);
    }
}

#[test]
fn a_key_that_is_no_key_leaves_no_database_either() {
    let stage = Stage::eskiz("");
    fs::write(stage.home.path("keepfresh.key"), "no key").unwrap();
    for verb in [&["status"][..], &["refresh"], &["serve"]] {
        let refused = stage.home.run(verb).exits(78);
        assert!(refused.stderr.contains("error[vault.key_invalid]"), "{refused:?}");
        assert!(!has_database(&stage.home), "{verb:?}");
    }
}

#[test]
fn an_empty_keyring_is_no_obstacle_to_a_new_key() {
    let stage = Stage::eskiz("");
    let _ = stage.home.run(&["connection", "pause", "eskiz"]).exits(0);
    // As a start that failed has left it: with tables, and nothing that was ever sealed.
    Database::at(&stage.home.path("keepfresh.db")).run("delete from keyring");
    fs::remove_file(stage.home.path("keepfresh.key")).unwrap();
    let made = stage.home.run(&["init"]).exits(0);
    assert!(made.stderr.contains("wrote ./keepfresh.key"), "{made:?}");
    let _ = stage.home.run(&["connection", "resume", "eskiz"]).exits(0);
    let _ = stage.home.run(&["refresh"]).exits(0);
    let nothing = without_key();
    fs::write(nothing.home.path("keepfresh.db"), "").unwrap();
    let _ = nothing.home.run(&["init"]).exits(0);
    let _ = nothing.home.run(&["refresh"]).exits(0);
}

#[test]
fn a_start_that_fails_closes_the_database() {
    let (stage, other) = (Stage::eskiz("").logged_in(), Home::new(""));
    fs::copy(other.path("keepfresh.key"), stage.home.path("keepfresh.key")).unwrap();
    for verb in [&["status"][..], &["refresh"], &["serve"]] {
        let refused = stage.home.run(verb).exits(78);
        assert!(refused.stderr.contains("error[vault.wrong_key]"), "{refused:?}");
        for beside in ["keepfresh.db-wal", "keepfresh.db-shm"] {
            assert!(!stage.home.path(beside).exists(), "{verb:?} leaves {beside}");
        }
    }
}
