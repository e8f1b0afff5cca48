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

#[test]
fn a_daemon_full_of_ill_behaved_plugins_goes_on_refreshing_the_others() {
    let stage = Stage::new();
    let sections = GUESTS.iter().map(|(guest, _)| stage.section(guest)).collect::<String>();
    let mut home = stage.home(&sections);
    for (guest, _) in GUESTS {
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
    for (guest, code) in GUESTS {
        let attempt = attempt(&run["attempts"], guest);
        assert_eq!(attempt["outcome"], "failed", "{attempt:#}");
        assert_eq!(attempt["error"]["code"], *code, "{attempt:#}");
    }
}

fn generation(home: &Home) -> u64 {
    let status = home.run(&["status", "eskiz", "--json"]).json();
    status["connections"][0]["generation"].as_u64().filter(|_| status != Value::Null).unwrap_or(0)
}
