//! A browser without a window: fetches a page, follows where it is sent, keeps no cookies. And the
//! program's `connect` beside it, which waits for such a browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

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
        match location.filter(|_| (300..400).contains(&status)) {
            Some(next) => way.push(next),
            None => return Page { way, status, body },
        }
    }
}

/// Fetches one page.
///
/// # Panics
/// When nobody answers.
pub fn fetch(url: &str) -> (u16, Option<String>, String) {
    let rest = url.strip_prefix("http://").expect("plain http on this machine");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream =
        TcpStream::connect(host.replace("localhost", "127.0.0.1")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
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
        let all = [&["connect", "--no-browser", "--wait", "60s"], arguments].concat();
        let mut command = home.command(&all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let messages = BufReader::new(child.stderr.take().expect("its messages are a pipe"));
        Self { child, messages, said: String::new() }
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
