//! Process 1 of a container: it hears signals and collects the orphans of everybody.

use std::path::Path;
use std::process::{Command, Stdio};

use e2e::artifacts;
use e2e::daemon::{Daemon, wait_until};
use e2e::stage::{self, Stage};
use rustix::process::{Pid, Signal, kill_process};

/// `serve` as process 1, where this user may make such a place. `None` says why nothing is tested.
fn in_a_container(stage: &Stage) -> Option<Daemon> {
    let may = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).output();
    if !may.is_ok_and(|it| it.status.success()) {
        e2e::say("skipped: this user may not make namespaces");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    let plain = stage.home.command(&["serve"]);
    command.arg(artifacts::keepfresh()).arg("serve");
    command.current_dir(plain.get_current_dir().unwrap());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, it)| Some((name, it?))));
    command.stdin(Stdio::null());
    let (socket, log) = (stage.home.path("keepfresh.sock"), stage.home.path("serve.log"));
    Some(Daemon::start(command, &socket, log))
}

/// Children of a process: their ids.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|it| it.parse().ok()).collect()
}

fn is_zombie(pid: u32) -> bool {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    text.is_ok_and(|it| it.contains(") Z "))
}

#[test]
fn orphans_are_collected_and_signals_are_heard() {
    let stage = Stage::eskiz("");
    // Each reading of the password leaves something behind that ends a little later.
    let exec =
        r#"password = { exec = ["sh", "-c", "(sleep 0.2) >/dev/null 2>&1 & cat eskiz.password"] }"#;
    let section = stage::eskiz_section(&stage.fake, "");
    let section = section.replace(r#"password = { file = "eskiz.password" }"#, exec);
    stage.home.write_manifest(&section);
    let Some(daemon) = in_a_container(&stage) else { return };
    wait_until("it has logged in", || stage.state() == "fresh");
    for _ in 0..5 {
        assert_eq!(stage.refresh(&["--force", "--sync"])["outcome"], "success");
    }
    let first = children(daemon.pid())[0];
    let left = || {
        let grandchildren = children(first).into_iter().flat_map(children).collect::<Vec<_>>();
        children(first).iter().chain(&grandchildren).filter(|it| is_zombie(**it)).count()
    };
    std::thread::sleep(std::time::Duration::from_millis(400));
    wait_until("no zombie is left", || left() == 0);
    let pid = Pid::from_raw(first.cast_signed()).unwrap();
    let reloads = || daemon.log().matches("reloaded").count();
    let before = reloads();
    kill_process(pid, Signal::HUP).unwrap();
    wait_until("it reloads", || reloads() > before);
    kill_process(pid, Signal::TERM).unwrap();
    wait_until("it stops in order", || daemon.log().contains("stopped"));
}
