//! Every ill-behaved plugin in one daemon, all at once, again and again.

use e2e::daemon::wait_until;
use e2e::home::Home;
use serde_json::Value;

use crate::hostile::{Stage, attempt};

/// Guests that never get a token from a fake without a script, and the code that each is stopped with.
const GUESTS: &[(&str, &str)] = &[
    ("big-body", "egress.body_too_large"),
    ("calls-elsewhere", "egress.host_denied"),
    ("calls-other-path", "egress.path_denied"),
    ("eats-memory", "plugin.memory_exceeded"),
    ("huge-log", "plugin.hostcall_too_large"),
    ("leaks-handles", "plugin.resources_exceeded"),
    ("prints-secret", "plugin.trapped"),
    ("recurses", "plugin.stack_overflow"),
    ("reveals", "plugin.import_denied"),
    ("sends-nine", "egress.too_many_requests"),
    ("sets-host-header", "egress.header_denied"),
    ("spins-forever", "plugin.cpu_exceeded"),
];

/// Guests that do several kinds of harm: the guest, which kind, and the code.
const MISDEEDS: &[(&str, &str, &str)] = &[
    ("asks-itself", "composed", "provider.failed"),
    ("asks-itself", "signs", "plugin.signing_undeclared"),
    ("sends-astray", "plain", "egress.secret_denied"),
    ("sends-astray", "signed", "egress.secret_denied"),
    ("sends-astray", "extra-twice", "plugin.output_invalid"),
    ("spends", "composes", "plugin.cpu_exceeded"),
    ("spends", "copies", "plugin.host_memory_exceeded"),
    ("spends", "deep-body", "egress.json_invalid"),
    ("spends", "doubles", "plugin.secret_too_large"),
    ("spends", "fields", "egress.body_too_large"),
    ("spends", "looks", "plugin.cpu_exceeded"),
    ("spends", "more-metadata", "plugin.hostcall_too_large"),
    ("spends", "secrets", "plugin.resources_exceeded"),
    ("spends", "shouts", "plugin.cpu_exceeded"),
];

#[test]
fn a_daemon_full_of_ill_behaved_plugins_goes_on_refreshing_the_others() {
    let stage = Stage::new();
    let sections = GUESTS.iter().map(|(guest, _)| stage.section(guest));
    let misdeeds = MISDEEDS.iter().map(|(guest, misdeed, _)| section(&stage, guest, misdeed));
    let mut home = stage.home(&sections.chain(misdeeds).collect::<String>());
    let several = ["asks-itself", "sends-astray", "spends"];
    for guest in GUESTS.iter().map(|(guest, _)| *guest).chain(several) {
        home = home.with_guest(guest);
    }
    let daemon = home.serve();
    let pid = daemon.pid();
    for round in 2..5 {
        wait_until("the round before is over", || generation(&home) >= round - 1);
        each_is_stopped(&home);
        assert!(generation(&home) >= round, "round {round}");
    }
    assert_eq!(daemon.pid(), pid);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
    assert!(daemon.stop().success(), "and it ends in order");
}

fn each_is_stopped(home: &Home) {
    let run = home.run(&["refresh", "--force", "--sync", "--json"]).json();
    assert_eq!(attempt(&run["attempts"], "eskiz")["outcome"], "success", "{run:#}");
    let guests = GUESTS.iter().map(|(guest, code)| ((*guest).to_owned(), code));
    let misdeeds = MISDEEDS.iter().map(|(guest, misdeed, code)| (name(guest, misdeed), code));
    for (guest, code) in guests.chain(misdeeds) {
        let attempt = attempt(&run["attempts"], &guest);
        assert_eq!(attempt["outcome"], "failed", "{attempt:#}");
        assert_eq!(attempt["error"]["code"], *code, "{attempt:#}");
    }
}

/// The provider of a guest that does one of several kinds of harm.
fn name(guest: &str, misdeed: &str) -> String {
    format!("{guest}-{misdeed}")
}

fn section(stage: &Stage, guest: &str, misdeed: &str) -> String {
    let (name, other) = (name(guest, misdeed), stage.eskiz.base_url());
    let (settings, signer) = match guest {
        "sends-astray" => {
            (format!(r#", other_url = "{other}""#), r#", signer = { env = "GUEST_KEY" }"#)
        }
        _ => (String::new(), ""),
    };
    let section = stage.section_of(&name, &format!(r#"{settings}, misdeed = "{misdeed}""#), signer);
    section.replace(
        &format!("[providers.{name}]"),
        &format!("[providers.{name}]\nplugin = \"{guest}\""),
    )
}

fn generation(home: &Home) -> u64 {
    let status = home.run(&["status", "eskiz", "--json"]).json();
    status["connections"][0]["generation"].as_u64().filter(|_| status != Value::Null).unwrap_or(0)
}
