//! Pipes that end, modes, owners, limits and proxies: each is quiet, or named with what helps.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output};

use e2e::artifacts;
use e2e::home::Home;
use e2e::stage::Stage;

/// Runs a line of shell with `keepfresh` in it, in that home.
fn shell(home: &Home, script: &str) -> Output {
    let plain = home.command(&[]);
    let mut command = Command::new("bash");
    command.args([
        "-c",
        &script.replace("keepfresh ", &format!("{} ", artifacts::keepfresh().display())),
    ]);
    command.current_dir(plain.get_current_dir().unwrap());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, it)| Some((name, it?))));
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_reader_that_goes_away_is_no_error_of_any_command() {
    let stage = Stage::eskiz("").logged_in();
    for command in [
        "completions bash",
        "completions zsh",
        "explain --markdown",
        "status",
        "log --json",
        "--help",
        "check",
    ] {
        for reader in ["| true", "| head -c 1 >/dev/null", ">&-"] {
            let ended = shell(&stage.home, &format!("keepfresh {command} {reader}"));
            assert_eq!(stderr(&ended).matches("bug").count(), 0, "{command} {reader}: {ended:?}");
            assert_eq!(stderr(&ended).matches("panic").count(), 0, "{command} {reader}: {ended:?}");
        }
    }
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask_is() {
    let stage = Stage::eskiz("");
    let done = shell(&stage.home, "umask 000; keepfresh refresh && keepfresh check");
    assert!(done.status.success(), "{done:?}");
    let open = ["keepfresh.toml", "keepfresh.lock"];
    let mut seen = 0;
    for entry in fs::read_dir(stage.home.path("")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with("keepfresh.") {
            continue;
        }
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let allowed = if open.contains(&name.as_str()) { 0o644 } else { 0o700 };
        assert_eq!(mode & !allowed, 0, "{name} has mode {mode:o}");
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn looking_creates_nothing() {
    let stage = Stage::eskiz("");
    let files = || {
        let names = fs::read_dir(stage.home.path("")).unwrap().map(|it| it.unwrap().file_name());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        names
    };
    let before = files();
    for verb in [
        &["status"][..],
        &["log"],
        &["stats"],
        &["schedule", "list"],
        &["plugin", "list"],
        &["check"],
        &["connection", "list"],
        &["refresh", "--dry-run"],
    ] {
        let _ = stage.home.run(verb).exits(if verb == ["status"] { 5 } else { 0 });
        assert_eq!(files(), before, "{verb:?}");
    }
    assert_eq!(stage.state(), "new");
}

#[test]
fn files_of_another_user_are_named_with_owner_and_remedy() {
    let stage = Stage::eskiz("").logged_in();
    if !rustix::process::geteuid().is_root() {
        e2e::say("skipped: only root can be somebody else");
        return;
    }
    // The folder and what is no business of this test belong to the other one.
    let other = 65_534;
    for name in ["", "keepfresh.key", "eskiz.password", "plugins"] {
        chown(stage.home.path(name), Some(other), Some(other)).unwrap();
    }
    let mut command = stage.home.command(&["refresh"]);
    let refused = command.uid(other).gid(other).output().unwrap();
    let text = stderr(&refused);
    assert!(text.contains("belongs to user 0, and this is user 65534"), "{text}");
    assert!(text.contains("chown 65534"), "{text}");
}

#[test]
fn a_manifest_that_is_a_folder_is_called_one() {
    let home = Home::new("");
    fs::create_dir(home.path("folder")).unwrap();
    let text = home.run(&["check", "--config", "folder"]).exits(78).stderr;
    assert!(text.contains("it is a folder"), "{text}");
}

#[test]
fn limits_of_the_process_are_named_where_they_stop_it() {
    let stage = Stage::eskiz("").logged_in();
    for (limit, command, said) in [
        ("ulimit -n 14", "refresh --force", "only 14 files open; raise the limit (`ulimit -n`"),
        ("ulimit -n 40", "doctor", "only 40 files open"),
        ("ulimit -v 2000000", "status", "lift the limit (`ulimit -v unlimited`"),
    ] {
        let ended = shell(&stage.home, &format!("{limit}; keepfresh {command}"));
        let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert!(text.contains(said), "{limit}: {text}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_named_where_nothing_is_reached() {
    let mut stage = Stage::eskiz("");
    stage.home.set_env("HTTPS_PROXY", "http://user:CANARY@proxy.example:3128");
    let section = stage_section(&stage);
    stage.home.write_manifest(&section);
    let failed = stage.refresh(&[])["error"]["message"].to_string();
    assert!(failed.contains("HTTPS_PROXY is set, but keepfresh uses no proxy"), "{failed}");
    let doctor = stage.home.run(&["doctor"]).stdout;
    assert!(doctor.contains("HTTPS_PROXY is set"), "{doctor}");
    assert!(!failed.contains("CANARY") && !doctor.contains("CANARY"));
}

/// The stage's section with an address where nobody listens.
fn stage_section(stage: &Stage) -> String {
    let section = e2e::stage::eskiz_section(&stage.fake, "");
    section.replace(&stage.fake.base_url(), "http://127.0.0.1:9")
}
