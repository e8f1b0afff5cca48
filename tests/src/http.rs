//! A caller of the HTTP API that sends what a test says, byte for byte, and reads what comes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::events::{Duplex, Events};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the API is.
#[derive(Clone, Debug)]
pub enum Place {
    /// At an address.
    Address(SocketAddr),
    /// At a socket.
    Socket(PathBuf),
}

/// A caller with headers of its own.
#[derive(Clone, Debug)]
pub struct Http {
    place: Place,
    headers: Vec<(String, String)>,
}

/// What came.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, in small letters.
    pub headers: BTreeMap<String, String>,
    /// All of the body.
    pub body: Vec<u8>,
}

impl Http {
    /// A caller without a key.
    pub fn at(place: Place) -> Self {
        Self { place, headers: Vec::new() }
    }

    /// The same with this key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// The same with a header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// Asks without a body.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(&body.to_string()))
    }

    /// Sends one request on a connection of its own.
    pub fn send(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.raw(self.request(method, path, body))
    }

    /// Asks for events, and reads them one by one.
    ///
    /// # Panics
    /// When nobody listens, or there are none for this caller.
    pub fn events(&self, query: &str) -> Events {
        let request = self.request("GET", &format!("/api/v1/events{query}"), None);
        let stream: Box<dyn Duplex> = match &self.place {
            Place::Address(address) => {
                let stream = TcpStream::connect(address).expect("the API listens");
                stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
                Box::new(stream)
            }
            Place::Socket(path) => {
                let stream = UnixStream::connect(path).expect("the API listens");
                stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
                Box::new(stream)
            }
        };
        Events::begin(stream, &request)
    }

    /// A request as it is sent.
    fn request(&self, method: &str, path: &str, body: Option<&str>) -> String {
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        let has = |name: &str| self.headers.iter().any(|(it, _)| it == name);
        for (name, value) in [("host", "localhost"), ("connection", "close")] {
            if !has(name) {
                let _ = write!(request, "{name}: {value}\r\n");
            }
        }
        for (name, value) in &self.headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        if let Some(body) = body {
            if !has("content-type") {
                request += "content-type: application/json\r\n";
            }
            let _ = write!(request, "content-length: {}\r\n", body.len());
        }
        format!("{request}\r\n{}", body.unwrap_or_default())
    }

    /// Sends those bytes and reads until the other side closes.
    ///
    /// # Panics
    /// When nobody listens, or what comes is no answer.
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let came = self.exchange(bytes.as_ref());
        Answer::read(&came).unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&came)))
    }

    /// Sends a request without a body, waits until it has certainly been read, and hangs up.
    ///
    /// # Panics
    /// When nobody listens at an address.
    pub fn hang_up(&self, method: &str, path: &str) {
        let Place::Address(address) = &self.place else { panic!("callers at addresses hang up") };
        let mut stream = TcpStream::connect(address).expect("the API listens");
        stream.write_all(self.request(method, path, None).as_bytes()).expect("it is read");
        stream.set_read_timeout(Some(Duration::from_millis(300))).expect("it can be set");
        let _ = stream.read(&mut [0; 16]);
    }

    /// The same, whatever comes.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.place {
            Place::Address(address) => {
                let stream = TcpStream::connect(address).expect("the API listens");
                stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
                exchange(stream, bytes)
            }
            Place::Socket(path) => {
                let stream = UnixStream::connect(path).expect("the API listens");
                stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
                exchange(stream, bytes)
            }
        }
    }
}

fn exchange(mut stream: impl Read + io::Write, bytes: &[u8]) -> Vec<u8> {
    let mut came = Vec::new();
    // Whoever is refused early closes before all was sent.
    let _ = stream.write_all(bytes);
    let _ = stream.read_to_end(&mut came);
    came
}

/// What is in the chunks, as far as they came.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|it| it == b"\r\n") {
        let length = std::str::from_utf8(&body[..end]).ok();
        let length = length.and_then(|it| usize::from_str_radix(it, 16).ok()).unwrap_or(0);
        let rest = &body[end + 2..];
        if length == 0 || rest.len() < length {
            break;
        }
        whole.extend_from_slice(&rest[..length]);
        body = rest.get(length + 2..).unwrap_or_default();
    }
    whole
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: BTreeMap<_, _> = lines.filter_map(header).collect();
        let body = &bytes[end + 4..];
        let in_chunks = headers.get("transfer-encoding").is_some_and(|it| it == "chunked");
        let body = if in_chunks { unchunked(body) } else { body.to_vec() };
        Some(Self { status, headers, body })
    }

    /// A header.
    ///
    /// # Panics
    /// When it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|it| panic!("{it}: {}", self.text()))
    }

    /// The code of an error, with a check that it is told as RFC 9457 has it.
    ///
    /// # Panics
    /// When it is not.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("urn:keepfresh:error:{code}"));
        assert!(problem["title"].as_str().is_some_and(|it| !it.is_empty()), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|it| !it.is_empty()), "{problem}");
        code
    }

    /// Itself, if it has this status.
    ///
    /// # Panics
    /// When it has another.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "a check may be all that is wanted"
    )]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, self.text());
        self
    }
}
