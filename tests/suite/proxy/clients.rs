//! Clients that people use, pointed at the proxy instead of the provider. What is not installed is said in one line
//! and passes.

use std::path::Path;
use std::process::Command;

use e2e::say;

use super::Passed;

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        say(&format!("not tested with {program}: install it"));
    }
    found
}

fn base(passed: &Passed) -> (String, String) {
    let address = crate::api::address(&passed.served.daemon);
    let key = crate::api::key(&passed.served.stage.home, "client", &["--scope", "proxy:use"]);
    (format!("http://{address}/proxy/eskiz"), key)
}

#[test]
fn curl_uploads_downloads_and_gets_through_a_refused_token() {
    if !installed("curl") {
        return;
    }
    let passed = Passed::open();
    passed.served.stage.token_ages();
    let (base, key) = base(&passed);
    let folder = passed.served.stage.home.path("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("up"), vec![b'x'; 5 << 20]).unwrap();
    let curl = |arguments: &[&str]| {
        let header = format!("Authorization: Bearer {key}");
        let mut command = Command::new("curl");
        command.current_dir(&folder).args(["-sS", "-f", "-H", &header]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // It asks first whether it may send so much.
    assert_eq!(curl(&["-T", "up", &format!("{base}/count")]), format!("{{\"bytes\":{}}}", 5 << 20));
    curl(&["-o", "down", &format!("{base}/bytes/3000000")]);
    assert_eq!(std::fs::metadata(folder.join("down")).unwrap().len(), 3_000_000);
    assert!(curl(&["-d", "a=1", &format!("{base}/form")]).contains("a=1"));
    passed.upstream.end(&passed.token());
    assert!(curl(&["-d", "a=1", &format!("{base}/form")]).contains("a=1"));
}

const REQUESTS: &str = r#"
import os, sys, requests
base, key = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = "Bearer " + key
assert session.post(base + "/x", json={"a": 1}).json()["body"] == '{"a": 1}'
assert session.post(base + "/count", data=(b"x" * 1000 for _ in range(1000))).json()["bytes"] == 1_000_000
with session.get(base + "/bytes/3000000", stream=True) as answer:
    assert sum(len(it) for it in answer.iter_content(65536)) == 3_000_000
assert session.get(base + "/away", allow_redirects=False).status_code == 302
assert session.put(base + "/x", files={"file": ("a.txt", b"hello")}).ok
print("done")
"#;

#[test]
fn pythons_requests_posts_streams_and_keeps_its_connection() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join("target/servers/django/bin/python");
    if !python.exists() {
        say("not tested with requests: run ./dev servers");
        return;
    }
    let passed = Passed::open();
    let (base, key) = base(&passed);
    let output = Command::new(python).args(["-c", REQUESTS, &base, &key]).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "done",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
