//! The callers of `examples/callers`, run against a provider that ends a token early: one refresh, and no
//! failed call. What is not installed is said in one line and passes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::say;
use e2e::servers::installed;
use e2e::stage::Stage;
use tempfile::TempDir;

use super::{Served, key};

/// Where the provider shows who asks; a token that it does not accept is a 401.
const USER: &str = "/api/auth/user";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn example(name: &str) -> String {
    root().join("examples/callers").join(name).display().to_string()
}

/// Whether `program` can be run with these arguments, which do nothing.
fn runs(program: &str, arguments: &[&str], what: &str) -> bool {
    let ran = Command::new(program).args(arguments).output();
    let runs = ran.is_ok_and(|it| it.status.success());
    if !runs {
        say(&format!("not tested with {what}: it is not installed; run ./dev servers"));
    }
    runs
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
    if !runs("node", &["--version"], "Node") {
        return;
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
    let Some(python) = installed("django").map(|it| it.join("bin/python")) else { return };
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

/// A folder with a copy of an example, as an application would have it.
fn copied(name: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(to);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(example(name), copy).unwrap();
    folder
}

#[test]
fn a_program_with_axios_gets_through() {
    let Some(axios) = installed("axios") else { return };
    let folder = copied("keepfresh_axios.mjs", "keepfresh_axios.mjs");
    symlink(axios.join("node_modules"), folder.path().join("node_modules")).unwrap();
    let program = "import axios from 'axios'; import { keepfresh } from './keepfresh_axios.mjs'; \
                   const client = keepfresh(axios.create({ responseType: 'text' }), 'eskiz'); \
                   console.log((await client.get(process.argv[2])).data);";
    fs::write(folder.path().join("main.mjs"), program).unwrap();
    check(|url| {
        let mut command = Command::new("node");
        command.arg(folder.path().join("main.mjs")).arg(url);
        command
    });
}

#[test]
fn a_service_of_a_php_application_gets_through() {
    if !runs("php", &["-r", "curl_version();"], "PHP and its curl extension") {
        return;
    }
    let program = "require $argv[1]; \
                   $service = new App\\Services\\Keepfresh('eskiz', getenv('KEEPFRESH_KEY'), getenv('KEEPFRESH_URL')); \
                   $answer = $service->send('GET', $argv[2]); \
                   echo $answer['body']; exit($answer['status'] === 200 ? 0 : 1);";
    check(|url| {
        let mut command = Command::new("php");
        command.args(["-r", program, "--", &example("Keepfresh.php"), url]);
        command
    });
}

/// What Go compiles.
const OF_GO: &str = r#"package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"example/keepfresh"
)

func main() {
	url := os.Getenv("KEEPFRESH_URL") + "/api/v1/connections/eskiz"
	client := http.Client{Transport: keepfresh.Transport{URL: url, Key: os.Getenv("KEEPFRESH_KEY")}}
	answer, err := client.Get(os.Args[1])
	if err != nil || answer.StatusCode != 200 {
		fmt.Println(err, answer)
		os.Exit(1)
	}
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(string(body))
}
"#;

#[test]
fn a_program_of_go_gets_through() {
    if !runs("go", &["version"], "Go") {
        return;
    }
    let folder = copied("keepfresh.go", "keepfresh/keepfresh.go");
    fs::write(folder.path().join("main.go"), OF_GO).unwrap();
    fs::write(folder.path().join("go.mod"), "module example\n\ngo 1.19\n").unwrap();
    let program = folder.path().join("program");
    let mut build = Command::new("go");
    // Compiled packages are kept between runs, and nothing is fetched.
    build.env("GOCACHE", root().join("target/servers/go")).env("GOFLAGS", "-mod=mod");
    build.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "0");
    let built = build.args(["build", "-o"]).arg(&program).arg(".").current_dir(&folder).output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    check(|url| {
        let mut command = Command::new(&program);
        command.arg(url);
        command
    });
}

#[test]
fn a_caller_is_short() {
    for file in fs::read_dir(root().join("examples/callers")).unwrap() {
        let path = file.unwrap().path();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 40 || path.ends_with("README.md"), "{}: {lines}", path.display());
    }
}
