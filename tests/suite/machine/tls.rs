//! What a TLS server can have against us: each is named. The server is that of the `openssl` command; without
//! it these tests are skipped.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::stage::{self, Stage};
use rustix::process::Signal;

/// `openssl s_server` with a certificate of its own authority, and a home whose provider it is.
struct Server {
    stage: Stage,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a line of shell in the folder of the home.
fn shell(home: &Home, script: &str) -> bool {
    let run = Command::new("sh").args(["-ec", script]).current_dir(home.path("")).output();
    run.is_ok_and(|it| it.status.success())
}

impl Server {
    /// One whose certificate is valid from `from`, with `more` arguments. `None` where there is no openssl.
    fn start(from: &str, more: &[&str]) -> Option<Self> {
        let mut stage = Stage::eskiz("");
        let make = format!(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=ca -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout s.key -out s.csr
printf 'subjectAltName=DNS:localhost' > s.ext; touch index
printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n' > ca.cnf
echo 01 > serial
openssl ca -batch -config ca.cnf -startdate {from} -enddate 20900101000000Z -extfile s.ext -cert ca.pem -keyfile ca.key -in s.csr -out s.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=other -keyout other.key -out other.pem"
        );
        if !shell(&stage.home, &make) {
            e2e::say("skipped: there is no openssl that makes certificates");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-cert", "s.pem", "-key", "s.key", "-accept"]);
        command.arg(format!("127.0.0.1:{port}")).args(more).current_dir(stage.home.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        wait_until("it listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        fs::copy(stage.home.path("ca.pem"), stage.home.path("bundle.pem")).unwrap();
        let bundle = stage.home.path("bundle.pem").display().to_string();
        stage.home.set_env("SSL_CERT_FILE", &bundle);
        let section = stage::eskiz_section(&stage.fake, "timeout = \"3s\"");
        let url = format!("https://localhost:{port}");
        stage.home.write_manifest(&section.replace(&stage.fake.base_url(), &url));
        Some(Self { stage, child })
    }

    /// Why a login fails.
    fn complaint(&self) -> String {
        self.stage.refresh(&["--force", "--sync"])["error"]["message"].to_string()
    }
}

#[test]
fn a_provider_that_wants_a_client_certificate_is_told_from_a_lost_answer() {
    for version in ["-tls1_3", "-tls1_2"] {
        let Some(server) =
            Server::start("20200101000000Z", &["-Verify", "1", "-verify_return_error", version])
        else {
            return;
        };
        let said = server.complaint();
        assert!(
            said.contains("want a client certificate")
                || said.contains("wants a client certificate"),
            "{version}: {said}"
        );
        assert!(said.contains("nothing was sent"), "{said}");
    }
}

#[test]
fn a_clock_that_is_behind_a_certificate_is_suspected() {
    let Some(server) = Server::start("20800101000000Z", &[]) else { return };
    let said = server.complaint();
    assert!(said.contains("not valid yet; is the clock of this machine right?"), "{said}");
}

#[test]
fn authorities_that_were_withdrawn_are_trusted_no_longer_after_a_reload() {
    let Some(server) = Server::start("20200101000000Z", &[]) else { return };
    let home = &server.stage.home;
    let daemon = home.serve();
    // It is reached: what it answers is a page, which no plugin understands.
    assert!(!server.complaint().contains("certificate"), "{}", server.complaint());
    fs::copy(home.path("other.pem"), home.path("bundle.pem")).unwrap();
    daemon.signal(Signal::HUP);
    wait_until("it is reloaded", || daemon.log().contains("reloaded"));
    thread::sleep(Duration::from_millis(100));
    let said = server.complaint();
    assert!(said.contains("unknown authority"), "{said}");
}
