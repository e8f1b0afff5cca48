//! Tries every way to say a secret aloud: the log, standard error, the message of a panic.

use guests::log::{Level, log};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::http::{
    self, Body, Field, Method, Request, Response, Value,
};
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("prints-secret")
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        print(&connection, "login")
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        say(&format!("its claims are {:?}", current.access_token.claims()));
        print(&connection, "refresh")
    }
}

fn print(connection: &Connection, call: &str) -> ! {
    for (name, value) in &connection.settings {
        say(&format!("{name} is {value}"));
    }
    for (name, secret) in &connection.secrets {
        say(&format!("{name} is {secret:?} or {:?}", secret.claims()));
    }
    let found = read(connection);
    for part in found.as_bytes().chunks(900) {
        say(&String::from_utf8_lossy(part));
    }
    eprintln!("{found}");
    panic!("{call} could read {found}");
}

/// Everything of the answer that can be had as text.
fn read(connection: &Connection) -> String {
    let Some((_, base_url)) = connection.settings.iter().find(|(name, _)| name == "base_url")
    else {
        return "nothing".to_owned();
    };
    let key = connection
        .secrets
        .iter()
        .map(|(name, secret)| Field { name: name.clone(), value: Value::Secret(secret) });
    let sent = http::send(&Request {
        method: Method::Post,
        url: format!("{}/token", base_url.trim_end_matches('/')),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Json(key.collect()),
    });
    let Ok(answer) = sent else { return format!("{:?}", sent.err()) };
    let pointers = ["/access_token", "/refresh_token", "/echo", "/errors", ""];
    let texts = pointers.map(|pointer| format!("{pointer}: {:?}", answer.text(pointer)));
    let claims = pointers.map(|pointer| answer.secret(pointer).map(|it| it.claims()));
    let headers = ["authorization", "set-cookie", "x-echo"];
    let headers = headers.map(|name| (answer.header(name), secret_header(&answer, name)));
    format!("{texts:?} with {claims:?} and {headers:?} in {:?}", answer.json(""))
}

fn secret_header(answer: &Response, name: &str) -> Option<String> {
    answer.secret_header(name).map(|it| format!("{:?}", it.claims()))
}

fn say(text: &str) {
    log(Level::Error, text);
}

sdk::export!(Plugin);
