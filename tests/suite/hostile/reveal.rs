//! Secrets in clear are for plugins that the operator trusts with them, and even those cannot log them.

use e2e::provider::rotor;

use crate::hostile::{Stage, attempt};

#[test]
fn a_plugin_that_imports_reveal_does_not_run_without_the_grant() {
    let stage = Stage::new();
    stage.stops("reveals").is(
        "plugin.import_denied",
        "reveals imports keepfresh:provider/reveal@1.0.0, which plugins do not get without a grant; to let it read secrets in plain text, add to [providers.reveals]: grants = [\"reveal\"]",
    );
    assert_eq!(stage.rotor.control().seen(), 0);
}

#[test]
fn what_a_trusted_plugin_reads_is_struck_out_of_what_it_logs() {
    let stage = Stage::new();
    let section = format!("{}\ngrants = [\"reveal\"]", stage.section("reveals"));
    let home = stage.home(&section).with_guest("reveals").with_env("KEEPFRESH_LOG", "trace");
    let run = home.run(&["refresh", "--json"]).exits(0);
    assert_eq!(attempt(&run.json()["attempts"], "reveals")["outcome"], "success");
    assert!(run.stderr.contains("key is [sealed]"), "{}", run.stderr);
    assert!(!run.stderr.contains(&rotor::Settings::default().key), "{}", run.stderr);
}

/// The request is kept by the address that the plugin declares, and not by the one that it has made.
#[test]
fn what_a_trusted_plugin_puts_into_a_path_is_in_no_attempt() {
    let stage = Stage::new();
    let section = format!("{}\ngrants = [\"reveal\"]", stage.section("puts-in-path"));
    let home = stage.home(&section).with_guest("puts-in-path");
    let run = home.run(&["refresh", "puts-in-path", "--json"]);
    let id = attempt(&run.json()["attempts"], "puts-in-path")["id"].as_str().unwrap().to_owned();
    let seen = stage.rotor.control().journal();
    let backwards = rotor::Settings::default().key.chars().rev().collect::<String>();
    assert!(seen.iter().any(|it| it.path.contains(&backwards)), "it was sent: {seen:?}");
    let shown = home.run(&["log", "show", &id, "--json"]).exits(0);
    let exchange = &shown.json()["exchanges"][0];
    assert_eq!(exchange["address"], format!("{}/paths/*", stage.rotor.base_url()));
    assert_eq!(exchange["status"], 404);
    let kept = e2e::database::Database::at(&home.path("keepfresh.db"));
    let kept = kept.texts("select coalesce(exchanges, '') from attempts", &[]).join(" ");
    assert!(kept.contains("/paths/*"), "{kept}");
    assert!(!kept.contains(&backwards) && !shown.stdout.contains(&backwards));
}
