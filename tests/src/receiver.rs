//! Somebody at an address who takes what is sent there, writes it down, and answers as a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::daemon::wait_until;

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// `POST`, say.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers, in small letters.
    pub headers: BTreeMap<String, String>,
    /// All of the body.
    pub body: String,
}

/// A receiver on loopback. It answers 200, and what was scripted before that. It ends with the test's process.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    received: Vec<Received>,
    /// Heads, each with how long it takes.
    script: VecDeque<(String, Duration)>,
}

impl Receiver {
    /// Starts it.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::<Mutex<Shared>>::default();
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let shared = Arc::clone(&theirs);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// The URL of a path that begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answer, behind those that were scripted before: a status line without `HTTP/1.1`, and headers on
    /// lines of their own.
    pub fn answers(&self, head: &str) {
        self.lock().script.push_back((head.to_owned(), Duration::ZERO));
    }

    /// The next answer is a success that takes so long, behind those that were scripted before.
    pub fn takes(&self, long: Duration) {
        self.lock().script.push_back(("200 OK".to_owned(), long));
    }

    /// Everything that came, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// Waits until so much has come, and gives it.
    ///
    /// # Panics
    /// When that takes too long, or more has come.
    pub fn receives(&self, count: usize) -> Vec<Received> {
        wait_until(&format!("{count} requests have come"), || self.lock().received.len() >= count);
        let received = self.received();
        assert_eq!(received.len(), count, "{received:#?}");
        received
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Received {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What a webhook says it is.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let Some(received) = read(&mut stream) else { return };
    let scripted = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.received.push(received);
        shared.script.pop_front()
    };
    let (head, long) = scripted.unwrap_or_else(|| ("200 OK".to_owned(), Duration::ZERO));
    thread::sleep(long);
    let head = head.replace('\n', "\r\n");
    let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes());
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).ok().filter(|it| *it > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.filter_map(header).collect::<BTreeMap<_, _>>();
    let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).ok().filter(|it| *it > 0)?;
        body.extend_from_slice(&piece[..count]);
    }
    Some(Received { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
