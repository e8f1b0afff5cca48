//! Drives each fake over a raw socket, to prove that it is as strict as the service it stands for.

mod device;
mod eskiz;
mod every;
mod faults;
mod finnotech;
mod google;
mod jibit;
mod login;
mod oauth;
mod playmobile;
mod propelauth;
mod rotor;
mod signing;

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::provider::{
    FakeProvider, Kind,
    call::{form_decoded, form_encoded},
};

/// What came back. Nothing at all is status 0.
#[derive(Debug, Default)]
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A parameter of the redirect; empty when it is not there.
    fn redirected(&self, name: &str) -> String {
        let line = self.head.lines().find_map(|it| it.strip_prefix("location: "));
        let query = line.and_then(|it| it.split_once('?')).map(|(_, query)| query);
        let pairs = query.unwrap_or_default().split('&').filter_map(|it| it.split_once('='));
        let value = pairs.into_iter().find(|it| it.0 == name).map(|it| form_decoded(it.1));
        value.unwrap_or_default()
    }

    /// The status and the error code of RFC 6749.
    fn error(&self) -> (u16, String) {
        (self.status, self.text("/error"))
    }
}

fn start(kind: Kind) -> FakeProvider {
    FakeProvider::start(kind).expect("a free loopback port")
}

fn send(fake: &FakeProvider, line: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(fake.address()).expect("the fake listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the request leaves");
    stream
}

fn receive(mut stream: TcpStream) -> Got {
    let mut bytes = Vec::new();
    // A reset is what some cuts look like; what came before it counts.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Got::default() };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

fn ask(fake: &FakeProvider, line: &str, headers: &str, body: &str) -> Got {
    receive(send(fake, line, headers, body))
}

fn json(fake: &FakeProvider, line: &str, body: &Value) -> Got {
    ask(fake, line, "Content-Type: application/json\r\n", &body.to_string())
}

fn form(fake: &FakeProvider, line: &str, body: &str) -> Got {
    ask(fake, line, "Content-Type: application/x-www-form-urlencoded\r\n", body)
}

fn bearer(fake: &FakeProvider, line: &str, token: &str) -> Got {
    ask(fake, line, &format!("Authorization: Bearer {token}\r\n"), "")
}

fn get(fake: &FakeProvider, path: &str) -> Got {
    ask(fake, &format!("GET {path}"), "", "")
}

fn basic(fake: &FakeProvider, line: &str, user: &str, body: &str) -> Got {
    let kind = if body.starts_with('{') { "json" } else { "x-www-form-urlencoded" };
    let user = STANDARD.encode(user);
    let headers = format!("Content-Type: application/{kind}\r\nAuthorization: Basic {user}\r\n");
    ask(fake, line, &headers, body)
}

/// Pairs as a form or a query.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", form_encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Where a client listens for its code.
const CALLBACK: &str = "http://127.0.0.1:49152/callback";
