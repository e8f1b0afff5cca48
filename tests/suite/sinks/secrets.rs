//! A token is in the file that it is delivered to, and nowhere else.

use e2e::daemon::wait_until;

use super::{EACH, crowd, set, sink};

const CANARY: &str = "CANARY'\"$(id)`#;tok";

#[test]
fn a_token_that_cannot_be_delivered_is_shown_nowhere() {
    let bare =
        EACH.replace("token | quote", "token").replace("each", "bare").replace("out/", "out/bare-");
    let odd = EACH
        .replace("token | quote", "token + 1")
        .replace("each", "odd")
        .replace("out/", "out/odd-");
    let program = "\n[[sinks]]\nname = \"program\"\nprovider = \"rotor\"\ncommand = [\"/bin/sh\", \"-c\", \"cat; cat >&2; exit 3\"]\n";
    let crowd = crowd(&["a"], &format!("{EACH}{bare}{odd}{program}"));
    let home = &crowd.home;
    set(home, "a", CANARY);
    let mut command = home.command(&["serve"]);
    command.env("KEEPFRESH_LOG", "trace");
    let daemon =
        e2e::daemon::Daemon::start(command, &home.path("keepfresh.sock"), home.path("log"));
    wait_until("the file has it", || super::file(home, "a").contains("CANARY"));
    for (name, code) in [
        ("bare", "sink.value_refused"),
        ("odd", "sink.template"),
        ("program", "sink.command_failed"),
    ] {
        wait_until(name, || sink(home, name)["error"]["code"] == code);
    }
    let mut shown = daemon.log();
    for arguments in [
        &["sink", "list", "--json"][..],
        &["sink", "list"],
        &["sink", "run", "bare"],
        &["sink", "run", "odd", "--json"],
        &["doctor"],
        &["check"],
        &["audit"],
    ] {
        let run = home.run(arguments);
        shown = shown + &run.stdout + &run.stderr;
    }
    assert!(!shown.contains("CANARY"), "{shown}");
    daemon.stop();
    for name in ["keepfresh.db", "keepfresh.db-wal"] {
        let bytes = std::fs::read(home.path(name)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|it| it == b"CANARY"), "{name}");
    }
}
