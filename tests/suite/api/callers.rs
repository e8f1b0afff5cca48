//! The callers of `examples/callers`, run against a provider that ends a token early: one refresh, and no
//! failed call. What is not installed is said in one line and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::say;
use e2e::stage::Stage;

use super::{Served, key};

/// Where the provider shows who asks; a token that it does not accept is a 401.
const USER: &str = "/api/auth/user";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn example(name: &str) -> String {
    root().join("examples/callers").join(name).display().to_string()
}

/// Python with the packages of the callers, as `./dev servers` installs it.
fn python() -> Option<PathBuf> {
    let python = root().join("target/servers/django/bin/python");
    let has = |it: &PathBuf| it.exists();
    Some(python).filter(has).or_else(|| {
        say("not tested with Python: run ./dev servers");
        None
    })
}

/// Calls the provider twice with `program`: with a token that works, and after the provider has ended it.
fn check(program: impl Fn(&str) -> Command) {
    let stage = Stage::eskiz("").logged_in();
    stage.token_ages();
    let served = Served::over(stage, "");
    let key = key(&served.stage.home, "caller", &["--scope", "token:read"]);
    let url = format!("{}{USER}", served.stage.fake.base_url());
    let call = || {
        let mut command = program(&url);
        command
            .env("KEEPFRESH_KEY", &key)
            .env("KEEPFRESH_URL", format!("http://{}", super::address(&served.daemon)));
        let output = command.output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{shown} {}", String::from_utf8_lossy(&output.stderr));
        assert!(shown.contains('@'), "who asks: {shown}");
    };
    call();
    assert_eq!(served.stage.count(USER), 1);
    let got = |stage: &Stage| stage.count("/login") + stage.count("/refresh");
    let before = got(&served.stage);
    served.stage.control().revoke_everything();
    call();
    assert_eq!(served.stage.count(USER), 3, "the call was refused once and repeated");
    assert!(
        got(&served.stage) > before && got(&served.stage) <= before + 2,
        "{:?}",
        served.stage.seen()
    );
    call();
    assert_eq!(served.stage.count(USER), 4);
    assert!(got(&served.stage) <= before + 2, "{:?}", served.stage.seen());
}

#[test]
fn a_shell_script_gets_through() {
    check(|url| {
        let mut command = Command::new("bash");
        command.args([&example("keepfresh.sh"), "eskiz", url]);
        command
    });
}

#[test]
fn a_shell_script_says_why_there_is_no_token() {
    let served = Served::over(Stage::eskiz(""), "");
    let key = key(&served.stage.home, "caller", &["--scope", "connection:read"]);
    let mut command = Command::new("bash");
    command.args([&example("keepfresh.sh"), "eskiz", "http://127.0.0.1:1/"]);
    command
        .env("KEEPFRESH_KEY", &key)
        .env("KEEPFRESH_URL", format!("http://{}", super::address(&served.daemon)));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("auth.scope"), "{output:?}");
}

#[test]
fn a_program_of_node_gets_through() {
    if Command::new("node").arg("--version").output().is_err() {
        return say("not tested with Node: it is not installed");
    }
    check(|url| {
        let program = format!(
            "import {{ keepfresh }} from {:?}; const a = await keepfresh('eskiz')({url:?}); \
             if (!a.ok) process.exit(1); console.log(await a.text());",
            example("keepfresh.mjs")
        );
        let mut command = Command::new("node");
        command.args(["--input-type=module", "-e", &program]);
        command
    });
}

fn of_python(name: &str, session: &str) {
    let Some(python) = python() else { return };
    check(|url| {
        let program = format!(
            "import sys; sys.path.insert(0, {:?})\nimport {name}\n{session}\na = client.get({url:?})\na.raise_for_status(); print(a.text)",
            root().join("examples/callers").display().to_string()
        );
        let mut command = Command::new(&python);
        command.args(["-c", &program]);
        command
    });
}

#[test]
fn a_program_with_requests_gets_through() {
    let session = "import requests; client = requests.Session(); client.auth = keepfresh_requests.Keepfresh('eskiz')";
    of_python("keepfresh_requests", session);
}

#[test]
fn a_program_with_httpx_gets_through() {
    of_python(
        "keepfresh_httpx",
        "import httpx; client = httpx.Client(auth=keepfresh_httpx.Keepfresh('eskiz'))",
    );
}

#[test]
fn a_caller_is_short() {
    for file in std::fs::read_dir(root().join("examples/callers")).unwrap() {
        let path = file.unwrap().path();
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 40 || path.ends_with("README.md"), "{}: {lines}", path.display());
    }
}
