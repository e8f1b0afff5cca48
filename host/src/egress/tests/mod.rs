//! The gate against real sockets. The servers are a few raw bytes, so that they can lie as no real
//! server would.

#![expect(clippy::disallowed_methods, reason = "a test server spawns as it likes")]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::egress::{Body, EgressError, Gate, Lookup, Method, Pattern, Policy, Request, Response};

/// What each answer becomes.
mod answers;

/// What is dialled, and what arrives there.
mod reach;

/// Connections that are kept.
mod reuse;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(500);

/// A server on 127.0.0.1 that answers every connection with the same bytes and closes it.
struct Server {
    port: u16,
    seen: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// What a server does after its bytes.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hang,
}

impl Server {
    async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        Self::start(bytes.into(), Then::Close).await
    }

    async fn start(bytes: Vec<u8>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, seen: Arc::default(), heard: Arc::default() };
        let (seen, heard) = (Arc::clone(&server.seen), Arc::clone(&server.heard));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, bytes.clone(), then, Arc::clone(&heard)));
            }
        });
        server
    }

    fn connections(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    async fn heard(&self) -> String {
        String::from_utf8(self.heard.lock().await.clone()).unwrap()
    }
}

async fn serve(mut stream: TcpStream, bytes: Vec<u8>, then: Then, heard: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = vec![0; 64 * 1024];
    let read = stream.read(&mut buffer).await.unwrap_or(0);
    heard.lock().await.extend_from_slice(&buffer[..read]);
    // The client may have left already; that is its right.
    let _ = stream.write_all(&bytes).await;
    match then {
        Then::Close => drop(stream.shutdown().await),
        Then::Hang => std::future::pending().await,
    }
}

fn ok(body: &[u8], headers: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Every name leads to these addresses.
fn leading_to(addresses: &[&str]) -> Gate {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Gate::new(Lookup::new(move |_| {
        let addresses = addresses.clone();
        async move { Ok(addresses) }
    }))
}

fn policy(url: &str, networks: &[&str]) -> Policy {
    Policy {
        plugin: "eskiz".into(),
        provider: "eskiz".into(),
        patterns: vec![Pattern::expand(&format!("POST {url}"), &|_| None).unwrap()],
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        plaintext: true,
    }
}

fn request(url: &str) -> Request {
    Request {
        method: Method::Post,
        url: url.into(),
        query: vec![("q".into(), "s3cret-query".into())],
        headers: vec![("Authorization".into(), "Bearer s3cret-header".into())],
        body: Body::Json("{\"refresh_token\":\"s3cret-body\"}".into()),
        carries: std::collections::BTreeSet::new(),
        repeatable: false,
    }
}

/// Sends to `good.example`, which leads to this machine, with the grant that allows it.
async fn send_to(port: u16, deadline: Duration) -> Result<Response, EgressError> {
    let url = format!("http://good.example:{port}/t");
    let policy = policy(&url, &["127.0.0.0/8"]);
    let result = leading_to(&["127.0.0.1"]).send(&policy, request(&url), deadline).await;
    let result = result.and_then(|it| it.open("good.example"));
    if let Err(error) = &result {
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("s3cret"), "{text}");
        }
    }
    result
}

fn assert_unreadable(error: &EgressError, code: &str) {
    assert!(matches!(error, EgressError::Unreadable { .. }), "{error:?}");
    assert_eq!(error.code().text(), code, "{error}");
    assert!(error.to_string().ends_with("; outcome unknown"), "{error}");
}

fn assert_in_doubt(error: &EgressError, code: &str) {
    assert!(matches!(error, EgressError::InDoubt { .. }), "{error:?}");
    assert_eq!(error.code().text(), code, "{error}");
    assert!(error.to_string().ends_with("; outcome unknown"), "{error}");
}

fn assert_not_sent(error: &EgressError, code: &str) {
    assert!(matches!(error, EgressError::NotSent { .. }), "{error:?}");
    assert_eq!(error.code().text(), code, "{error}");
    assert!(error.to_string().ends_with("nothing was sent"), "{error}");
}
