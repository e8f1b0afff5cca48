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
