//! Where approvals are kept when the manifest's folder cannot be written, and what holds when nothing can be.

use std::fs;
use std::process::Command;

use e2e::artifacts;
use e2e::stage::{self, Stage};

/// A stage whose manifest is in `conf` and whose database is in `state`.
fn apart() -> Stage {
    let stage = Stage::eskiz("");
    for folder in ["conf", "state"] {
        fs::create_dir(stage.home.path(folder)).unwrap();
    }
    let sections = "[storage]\nurl = \"sqlite:../state/keepfresh.db\"\n[vault]\nkey = \"file:../keepfresh.key\"\n[plugins]\ndir = \"../plugins\"\n";
    let section = stage::eskiz_section(&stage.fake, "");
    let section = section.replace("\"eskiz.password\"", "\"../eskiz.password\"");
    fs::write(stage.home.path("conf/keepfresh.toml"), sections.to_owned() + &section).unwrap();
    stage
}

/// Runs `keepfresh` where `conf` is mounted read-only, also for root. `None` where this user may not mount.
fn read_only(stage: &Stage, verb: &str) -> Option<(bool, String)> {
    let may = Command::new("unshare").args(["--mount", "true"]).output();
    if !may.is_ok_and(|it| it.status.success()) {
        e2e::say("skipped: this user may not make namespaces");
        return None;
    }
    let keepfresh = artifacts::keepfresh().display().to_string();
    let script = format!(
        "mount --bind conf conf && mount -o remount,bind,ro conf && exec {keepfresh} --config conf/keepfresh.toml {verb}"
    );
    let plain = stage.home.command(&[]);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    command.current_dir(plain.get_current_dir().unwrap());
    command.envs(plain.get_envs().filter_map(|(name, it)| Some((name, it?))));
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(text).unwrap()))
}

#[test]
fn approvals_are_beside_the_database_where_the_manifest_cannot_be_written() {
    let stage = apart();
    let Some((done, text)) = read_only(&stage, "refresh") else { return };
    assert!(done, "{text}");
    let lock = stage.home.path("state/keepfresh.lock");
    assert!(lock.exists() && !stage.home.path("conf/keepfresh.lock").exists());
    // The next start remembers: a file of that name that asks for something else has to wait.
    stage.home.drop_plugin(&artifacts::plugin("jibit"), "eskiz");
    let (_, text) = read_only(&stage, "plugin list --json").unwrap();
    assert!(text.contains("asks for more than was approved"), "{text}");
}

#[test]
fn what_cannot_be_recorded_is_not_approved() {
    let stage = apart();
    // There is one beside the manifest, which knows nothing of this plugin and cannot be written.
    fs::write(stage.home.path("conf/keepfresh.lock"), "").unwrap();
    for _ in 0..2 {
        let Some((done, text)) = read_only(&stage, "refresh --force") else { return };
        assert!(!done && text.contains("its approval cannot be recorded"), "{text}");
        assert_eq!(stage.control().seen(), 0);
    }
}
