//! After a clean stop everything is in one file, which copied alone is a backup. Before, `docs/backup.md` says how.

use std::fs;

use e2e::database::Database;
use e2e::home::Home;
use e2e::stage::Stage;

/// How many token sets are in a copy of the database's file alone.
fn in_a_copy(home: &Home) -> i64 {
    fs::create_dir_all(home.path("copy")).unwrap();
    fs::copy(home.path("keepfresh.db"), home.path("copy/keepfresh.db")).unwrap();
    let copy = Database::at(&home.path("copy/keepfresh.db"));
    copy.number("select max(generation) from connections")
}

#[test]
fn after_a_stop_the_file_alone_is_a_copy() {
    let stage = Stage::eskiz("");
    let daemon = stage.home.serve();
    for _ in 0..2 {
        assert_eq!(stage.refresh(&["--force", "--sync"])["outcome"], "success");
    }
    let generation = stage.status()["generation"].as_i64().unwrap();
    assert!(daemon.stop().success());
    assert!(!stage.home.path("keepfresh.db-wal").exists(), "nothing is left beside it");
    assert_eq!(in_a_copy(&stage.home), generation);
}

#[test]
fn after_a_command_without_a_daemon_the_file_alone_is_a_copy() {
    let stage = Stage::eskiz("").logged_in();
    assert_eq!(in_a_copy(&stage.home), 1);
    for verb in [&["status"][..], &["check"], &["token", "get", "eskiz"], &["log"]] {
        let _ = stage.home.run(verb).exits(if verb == ["status"] { 5 } else { 0 });
        assert!(!stage.home.path("keepfresh.db-wal").exists(), "{verb:?}");
    }
}

#[test]
fn a_copy_that_was_made_while_the_daemon_ran_serves_what_was_there() {
    let stage = Stage::eskiz("").logged_in();
    let daemon = stage.home.serve();
    let token = stage.token();
    let copy = stage.home.path("copy.db");
    let database = Database::at(&stage.home.path("keepfresh.db"));
    database.texts("vacuum into ?", &[copy.to_str().unwrap()]);
    assert_eq!(stage.refresh(&["--force", "--sync"])["outcome"], "success", "it goes on");
    assert!(daemon.stop().success());
    assert_eq!(Database::at(&copy).integrity(), ["ok"]);
    fs::rename(copy, stage.home.path("keepfresh.db")).unwrap();
    assert_eq!((stage.status()["generation"].as_u64(), stage.token()), (Some(1), token));
}
