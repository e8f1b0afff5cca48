//! A browser without a window: fetches a page, follows where it is sent, keeps no cookies. And the
//! program's `connect` beside it, which waits for such a browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::home::{Home, Run};

/// Where a walk ended.
#[derive(Debug)]
pub struct Page {
    /// Every address on the way, the last one included.
    pub way: Vec<String>,
    /// The status of the last page.
    pub status: u16,
    /// What it shows.
    pub body: String,
}

/// Redirects before a walk counts as a circle.
const MOST_STEPS: usize = 10;

/// Fetches `url` and follows redirects to the end.
///
/// # Panics
/// When somebody on the way does not answer, or the way is a circle.
pub fn walk(url: &str) -> Page {
    let mut way = vec![url.to_owned()];
    loop {
        assert!(way.len() < MOST_STEPS, "a circle: {way:#?}");
        let (status, location, body) = fetch(way.last().expect("there is a first"));
        if let Some((action, fields)) = form(&body) {
            let (status, _, body) = post(&action, &fields);
            way.push(action);
            return Page { way, status, body };
        }
        match location.filter(|_| (300..400).contains(&status)) {
            Some(next) => way.push(next),
            None => return Page { way, status, body },
        }
    }
}

/// The address and the body of a form that sends itself.
fn form(page: &str) -> Option<(String, String)> {
    let after = |text: &str, mark: &str| {
        let (_, rest) = text.split_once(mark)?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let action = after(page.split_once("document.forms[0].submit()")?.1, "action=\"")?;
    let fields = page.split("<input ").skip(1).filter_map(|it| {
        let (name, value) = (after(it, "name=\"")?, after(it, "value=\"")?);
        Some(format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F")))
    });
    Some((action, fields.collect::<Vec<_>>().join("&")))
}

/// Sends a form.
///
/// # Panics
/// When nobody answers.
pub fn post(url: &str, fields: &str) -> (u16, Option<String>, String) {
    let length = fields.len();
    let kind = "application/x-www-form-urlencoded";
    ask(url, "POST", &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n"), fields)
}

/// Fetches one page.
///
/// # Panics
/// When nobody answers.
pub fn fetch(url: &str) -> (u16, Option<String>, String) {
    ask(url, "GET", "", "")
}

fn ask(url: &str, method: &str, more: &str, body: &str) -> (u16, Option<String>, String) {
    let rest = url.strip_prefix("http://").expect("plain http on this machine");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream =
        TcpStream::connect(host.replace("localhost", "127.0.0.1")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n{body}"
    )
    .expect("the request leaves");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    let header = |name: &str| {
        let line = head.lines().find(|it| it.to_ascii_lowercase().starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    (status, header("location:"), body.to_owned())
}

/// A `keepfresh connect` that waits for a person.
pub struct Connecting {
    child: Child,
    messages: BufReader<std::process::ChildStderr>,
    /// What it has said so far.
    pub said: String,
}

impl Connecting {
    /// Starts it; no browser is opened.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(home: &Home, arguments: &[&str]) -> Self {
        Self::begin(home, &[&["--no-browser", "--wait", "60s"], arguments].concat())
    }

    /// Starts it with these arguments alone.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn begin(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(&[&["connect"], arguments].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let messages = BufReader::new(child.stderr.take().expect("its messages are a pipe"));
        Self { child, messages, said: String::new() }
    }

    /// Types a line.
    ///
    /// # Panics
    /// When it does not listen.
    pub fn type_in(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("its input is a pipe");
        writeln!(stdin, "{line}").expect("it reads what is typed");
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// The next line that holds `word`; `None` when it ends before that.
    ///
    /// # Panics
    /// When its messages cannot be read.
    pub fn line_with(&mut self, word: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.messages.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            self.said += &line;
            if line.contains(word) {
                return Some(line.trim().to_owned());
            }
        }
    }

    /// The next address that it wants a browser to open.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn address(&mut self) -> String {
        let line = self.line_with("http");
        line.unwrap_or_else(|| panic!("it asks for no browser: {}", self.said))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn end(mut self) -> Run {
        let mut rest = String::new();
        self.messages.read_to_string(&mut rest).expect("text");
        let output = self.child.wait_with_output().expect("it ends");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: self.said + &rest,
        }
    }
}
