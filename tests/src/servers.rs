//! Servers and a browser that others wrote, so that a test does not only meet our own idea of a provider:
//! `oidc-provider`, Django with its login packages, Chromium. `./dev servers` installs them. A test whose
//! server is not installed says so in one line and passes. What they serve: `tests/servers/README.md`.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// How long a server may take to be ready, on a machine that is busy with other tests.
const START: Duration = Duration::from_mins(1);

/// A server on loopback; killed when dropped.
pub struct RealServer {
    base_url: String,
    folder: TempDir,
    child: Child,
}

/// The package that a Django logs people in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// `djangorestframework-simplejwt`: found at `/api/token/` and `/api/auth/token/`.
    SimpleJwt,

    /// `dj-rest-auth` with a token that does not expire: found at `/api/auth/login`.
    DjRestAuth,

    /// The same with JWTs.
    DjRestAuthJwt,

    /// `django-oauth-toolkit`: found at `/o/token/` and `/oauth/token/`.
    OauthToolkit,
}

impl RealServer {
    /// An OAuth server, or nothing if it is not installed. `options` are those of
    /// `tests/servers/oidc/server.mjs`: `["--access-ttl", "2"]`.
    ///
    /// # Panics
    /// When it is installed and does not become ready.
    pub fn oidc(options: &[&str]) -> Option<Self> {
        let home = installed("oidc")?;
        let folder = folder();
        let mut command = Command::new("node");
        command.arg(home.join("server.mjs")).arg("0").arg("--keys").arg(folder.path());
        command.args(options);
        Self::start(command, folder)
    }

    /// A Django with this login, or nothing if it is not installed. `options` are those of
    /// `tests/servers/django/server.py`: `["--throttle", "3"]`.
    ///
    /// # Panics
    /// When it is installed and does not become ready.
    pub fn django(login: Login, options: &[&str]) -> Option<Self> {
        let home = installed("django")?;
        let mut command = Command::new(home.join("bin/python"));
        command.arg(root().join("tests/servers/django/server.py")).args([login.flavour(), "0"]);
        command.args(options);
        Self::start(command, folder())
    }

    /// A mail server, or nothing if it is not installed. `options` are those of `tests/servers/channels/smtp.py`.
    ///
    /// # Panics
    /// When it is installed and does not become ready.
    pub fn smtp(options: &[&str]) -> Option<Self> {
        let folder = folder();
        let mut command = Command::new(python("channels")?);
        command.arg(root().join("tests/servers/channels/smtp.py")).arg(folder.path());
        command.args(options);
        Self::start(command, folder)
    }

    /// What a mail server has taken, oldest first.
    ///
    /// # Panics
    /// When that cannot be read.
    pub fn mails(&self) -> Vec<Value> {
        let file = |number: usize| self.folder.path().join(format!("mail-{number}.json"));
        let texts = (1..).map_while(|it| fs::read_to_string(file(it)).ok());
        texts.map(|it| serde_json::from_str(&it).expect("a mail is JSON")).collect()
    }

    /// The authority of its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The URL of a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// The private key of the client `jwt`, as PEM: `rs256` or `es256`.
    pub fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.pem"))
    }

    /// What it has written on standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Asks for something behind the client's back: `families`, `requests`.
    ///
    /// # Panics
    /// When it is refused.
    pub fn ask(&self, what: &str) -> Value {
        self.control("GET", what, "")
    }

    /// Does something behind the client's back: `family`, `device`, `fault`, `revoke`.
    ///
    /// # Panics
    /// When it is refused.
    pub fn tell(&self, what: &str, body: &Value) -> Value {
        self.control("POST", what, &body.to_string())
    }

    fn start(mut command: Command, folder: TempDir) -> Option<Self> {
        let log = File::create(folder.path().join("server.log")).expect("a log file");
        // It ends with its standard input, too: a test that is killed leaves nothing behind.
        command.arg("--until-stdin-ends").env("TMPDIR", folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let Ok(mut child) = command.spawn() else {
            return skipped(&format!("{} cannot be started", command.get_program().display()));
        };
        let stdout = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut server = Self { base_url: String::new(), folder, child };
        let (sender, ready) = mpsc::channel();
        thread::spawn(move || {
            // Read to the end, so that it never writes into a pipe that nobody empties.
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("ready ") {
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        let url = ready.recv_timeout(START);
        server.base_url = url.unwrap_or_else(|_| panic!("it is not ready: {}", server.log()));
        Some(server)
    }

    /// One exchange by hand: the tests' HTTP clients belong to what is tested.
    fn control(&self, method: &str, what: &str, body: &str) -> Value {
        let address = self.base_url.trim_start_matches("http://");
        let length = body.len();
        let head = format!("{method} /__control/{what} HTTP/1.0\r\nHost: {address}\r\n");
        let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        let mut stream = TcpStream::connect(address).expect("the server is there");
        stream.write_all(request.as_bytes()).expect("and listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("and answers");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(head.contains(" 200 "), "{method} {what}: {answer}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Login {
    fn flavour(self) -> &'static str {
        match self {
            Self::SimpleJwt => "simplejwt",
            Self::DjRestAuth => "dj-rest-auth",
            Self::DjRestAuthJwt => "dj-rest-auth-jwt",
            Self::OauthToolkit => "oauth-toolkit",
        }
    }
}

/// What a person reads who opens `url` in Chromium, signs in as `alice`, agrees, and arrives at the
/// loopback callback; or why they did not arrive. Nothing if no browser is installed.
pub fn browser(url: &str) -> Option<Result<String, String>> {
    let page = browse(&["authorize", url])?;
    Some(page.map(|it| it["text"].as_str().unwrap_or_default().to_owned()))
}

/// The same with all that `tests/servers/oidc/browser.mjs` can be asked for:
/// `["device", uri, code]`, `["authorize", url, "--deny"]`. Gives the last page with its `url`,
/// `status`, `title` and `text`.
///
/// # Panics
/// When the browser's script says something else than it should.
pub fn browse(arguments: &[&str]) -> Option<Result<Value, String>> {
    let home = installed("oidc")?;
    chromium()?;
    let folder = folder();
    let mut command = Command::new("node");
    command.arg(home.join("browser.mjs")).args(arguments).stdin(Stdio::null());
    let Ok(output) = command.env("TMPDIR", folder.path()).output() else {
        return skipped("node cannot be started");
    };
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Some(Ok(serde_json::from_slice(&output.stdout).expect("the last page is one line of JSON")))
}

/// Chromium; nothing, and a line that says so, where there is none.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    let chromium = PathBuf::from(named);
    if chromium.exists() { Some(chromium) } else { skipped("Chromium is not installed") }
}

/// The Python of what `./dev servers` installed under this name, or nothing if that is not installed.
pub fn python(name: &str) -> Option<PathBuf> {
    Some(installed(name)?.join("bin/python"))
}

/// The folder of what `./dev servers` installed under this name; nothing, and a line that says so, if it did
/// not.
pub fn installed(name: &str) -> Option<PathBuf> {
    found(name).or_else(|| skipped(&format!("{name} is not installed")))
}

/// The same without a word.
pub fn found(name: &str) -> Option<PathBuf> {
    let normally = || root().join("target/servers");
    let servers = std::env::var_os("KEEPFRESH_SERVERS").map_or_else(normally, PathBuf::from);
    let home = servers.join(name);
    // Written last.
    home.join("stamp").exists().then_some(home)
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn skipped<T>(why: &str) -> Option<T> {
    eprintln!("skipped: {why}; run ./dev servers");
    None
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("keepfresh-server-").tempdir().expect("a temporary folder")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}
