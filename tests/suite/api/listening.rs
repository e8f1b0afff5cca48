//! Where the API listens: an address that is taken, one that others reach, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use e2e::stage::Stage;

use super::Served;

#[test]
fn an_address_that_is_taken_is_named_with_what_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let stage = Stage::eskiz("");
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&format!("[server]\nlisten = \"{address}\"\n{manifest}"));
    let run = stage.home.run(&["serve"]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains(&address.to_string()), "{run:?}");
    assert!(run.stderr.contains("server.listen"), "{run:?}");
}

#[test]
fn an_address_that_others_reach_needs_tls() {
    let stage = Stage::eskiz("");
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&format!("[server]\nlisten = \"0.0.0.0:0\"\n{manifest}"));
    let run = stage.home.run(&["check"]).exits(78);
    assert!(run.stderr.contains("behind_proxy = true"), "{run:?}");
}

#[test]
fn a_stop_does_not_wait_for_callers_who_say_nothing() {
    let served = Served::eskiz();
    let socket = served.stage.home.path("keepfresh.http.sock");
    let silent = UnixStream::connect(&socket).unwrap();
    let mut idle = UnixStream::connect(&socket).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut some = [0; 64];
    assert!(idle.read(&mut some).unwrap() > 0, "it was answered, and stays open");
    let begun = Instant::now();
    assert!(served.daemon.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop((silent, idle));
}

#[test]
fn without_an_address_only_the_socket_answers() {
    let stage = Stage::eskiz("");
    let daemon = stage.home.serve();
    let served = Served { stage, daemon };
    served.socket().get("/healthz").is(200);
    assert!(!served.daemon.log().contains("the HTTP API listens"), "{}", served.daemon.log());
}

#[test]
fn a_reload_changes_what_names_it_is_called_by() {
    let served = Served::eskiz();
    let caller = served.address().with("host", "keep.example");
    assert_eq!(caller.get("/healthz").is(421).code(), "http.host_denied");
    let manifest = std::fs::read_to_string(served.stage.home.path("keepfresh.toml")).unwrap();
    let more = manifest.replace("[server]\n", "[server]\nhosts = [\"keep.example\"]\n");
    served.stage.home.write_manifest(&more);
    e2e::daemon::wait_until("it is known by its name", || caller.get("/healthz").status == 200);
}

/// A client that trusts one certificate alone.
#[expect(clippy::disallowed_methods, reason = "it is a caller, and no way out")]
fn trusting(name: &str) -> reqwest::Client {
    let pem = std::fs::read(key_file(name)).unwrap();
    let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
    reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().unwrap()
}

fn key_file(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(name)
}

fn put(stage: &Stage, name: &str) {
    for (from, to) in [(".pem", "cert.pem"), (".key.pem", "key.pem")] {
        let new = stage.home.path(&format!("{to}.new"));
        std::fs::copy(key_file(&format!("tls-{name}{from}")), &new).unwrap();
        std::fs::rename(new, stage.home.path(to)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_tls_shows_its_certificate_and_the_next_one_when_it_is_renewed() {
    let stage = tokio::task::block_in_place(|| Stage::eskiz("").logged_in());
    put(&stage, "first");
    let tls = "tls = { certificate = \"cert.pem\", key = \"key.pem\" }";
    let served = Served::over(stage, tls);
    let url = format!("https://localhost:{}/healthz", super::address(&served.daemon).port());
    let asked =
        async |name| trusting(name).get(&url).send().await.is_ok_and(|it| it.status() == 200);
    assert!(asked("tls-first.pem").await, "{}", served.daemon.log());
    assert!(!asked("tls-second.pem").await);
    let clear = served.address().exchange(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(!clear.starts_with(b"HTTP/1.1 200"), "nothing is told in clear");
    put(&served.stage, "second");
    assert!(asked("tls-second.pem").await, "{}", served.daemon.log());
    assert!(!asked("tls-first.pem").await);
    std::fs::write(served.stage.home.path("cert.pem"), "nonsense").unwrap();
    assert!(asked("tls-second.pem").await, "what cannot be read leaves the one that is there");
}
