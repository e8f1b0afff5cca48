//! Spends what is not its own: the memory of the host and the time of the host, not those of its
//! sandbox. The setting `misdeed` chooses how.

use guests::raw::{
    around, came_through, copy, log_in, other, say, secret, send, setting, take, tokens,
};
use guests::secrets::{Encoding, Part, Secret};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::http::{Body, Field as Named, Method, Response, Value};
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::bindings::profile::exports::keepfresh::provider::profile;
use sdk::{Descriptor, Failure, Field, Rotation};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("spends")
            .setting(Field::required("misdeed", "Misdeed", "Which."))
            .rotation(Rotation::None)
            .requests(16)
            .reads(sdk::Kind::Text, &["/**"])
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        let key = secret(&connection, "key")?;
        match setting(&connection, "misdeed") {
            "deep-body" => deep_body(&connection),
            "deep-pointer" => deep_pointer(&log_in(&connection)?),
            "doubles" => doubles(key),
            "fields" => fields(&connection, key),
            "answers" => answers(&connection),
            "copies" => copies(key),
            "secrets" => secrets(key),
            "metadata" => metadata(&connection, 900),
            "more-metadata" => metadata(&connection, 2000),
            "takes" => {
                let answer = log_in(&connection)?;
                came_through(&format!("{:?}", (answer.secret(""), answer.secret("/a"))))
            }
            "shouts" => shouts(&log_in(&connection)?),
            "composes" => composes(key),
            "looks" => looks(&log_in(&connection)?, "/"),
            "looks-at-all" => looks(&log_in(&connection)?, ""),
            "looks-once" => {
                let answer = log_in(&connection)?;
                // However much of a text is looked at depends on the longest secret.
                drop(around(&"x".repeat(60 << 10), key, "", Encoding::Plain));
                came_through(&format!("{}", answer.json("").unwrap_or_default().len()))
            }
            "alike" => {
                alike(key);
                say(&"a".repeat(70_000));
                came_through("a line that is slow to look at")
            }
            "alike-at-the-end" => {
                alike(key);
                Err(other("a".repeat(70_000)))
            }
            "claims" => claims(&log_in(&connection)?),
            "profile" => take(&log_in(&connection)?, "/access_token").map(tokens),
            misdeed => Err(other(format!("knows no {misdeed}"))),
        }
    }

    fn refresh(connection: Connection, _: TokenSet) -> Result<TokenSet, Failure> {
        Self::login(connection)
    }
}

impl profile::Guest for Plugin {
    fn fetch(_: Connection, _: TokenSet) -> Result<String, Failure> {
        Ok(format!("{{\"fact\":\"{}\"}}", "x".repeat(64 << 10)))
    }
}

/// The name of a member that is 20,000 objects deep.
fn deep_body(connection: &Connection) -> Result<TokenSet, Failure> {
    let field = Named { name: "/a".repeat(20_000), value: Value::Text("x".to_owned()) };
    let url = format!("{}/token", setting(connection, "base_url"));
    let answer = send(Method::Post, url, Body::Json(vec![field]))?;
    came_through(&format!("answered {}", answer.status()))
}

/// The same as a question.
fn deep_pointer(answer: &Response) -> Result<TokenSet, Failure> {
    let deep = "/0".repeat(20_000);
    let seen = (answer.json(&deep), answer.text(&deep), answer.secret(&deep).is_some());
    Err(other(format!("saw {seen:?}")))
}

/// 64 times itself, and again.
fn doubles(key: &Secret) -> Result<TokenSet, Failure> {
    let mut last = copy(key);
    for _ in 0..6 {
        let parts = (0..64).map(|_| Part::Secret(&last)).collect::<Vec<_>>();
        last = Secret::compose(&parts, Encoding::Plain);
    }
    came_through(&format!("{last:?}"))
}

/// A request that is small as it is described.
fn fields(connection: &Connection, key: &Secret) -> Result<TokenSet, Failure> {
    let large = around(&"x".repeat(60 << 10), key, "", Encoding::Plain);
    let field = |index| Named { name: format!("f{index}"), value: Value::Secret(&large) };
    let url = format!("{}/token", setting(connection, "base_url"));
    let answer = send(Method::Post, url, Body::Form((0..800).map(field).collect()))?;
    came_through(&format!("answered {}", answer.status()))
}

fn answers(connection: &Connection) -> Result<TokenSet, Failure> {
    let held = (0..16).map(|_| log_in(connection)).collect::<Result<Vec<_>, _>>()?;
    came_through(&format!("holds {} answers", held.len()))
}

/// Large secrets, all open.
fn copies(key: &Secret) -> Result<TokenSet, Failure> {
    let large = |index| {
        let filler = "x".repeat(60_000);
        around(&format!("{index:04}{filler}"), key, "", Encoding::Plain)
    };
    let held = (0..250_u32).map(large).collect::<Vec<_>>();
    came_through(&format!("holds {} secrets", held.len()))
}

/// Six hundred secrets, none of them open for long.
fn secrets(key: &Secret) -> Result<TokenSet, Failure> {
    for index in 0..600 {
        drop(around(&index.to_string(), key, "", Encoding::Plain));
    }
    came_through("600 secrets")
}

/// Secrets that begin alike for as long as they can.
fn alike(key: &Secret) {
    for index in 0..200 {
        drop(around(&"a".repeat(60_000 - index), key, "", Encoding::Plain));
    }
}

fn metadata(connection: &Connection, kibibytes: usize) -> Result<TokenSet, Failure> {
    let token = take(&log_in(connection)?, "/access_token")?;
    let fact = |index| (format!("fact {index}"), "x".repeat(1024));
    let metadata = (0..kibibytes).map(fact).collect();
    Ok(TokenSet { metadata, ..tokens(token) })
}

/// Many secrets to look for, then much to look at.
fn shouts(answer: &Response) -> Result<TokenSet, Failure> {
    for index in 0..400 {
        drop(answer.secret(&format!("/{index}")));
    }
    let line = "%41&amp;\\u0041".repeat(60_000);
    loop {
        say(&line);
    }
}

fn composes(key: &Secret) -> Result<TokenSet, Failure> {
    let filler = "x".repeat(48 << 10);
    loop {
        drop(around(&filler, key, "", Encoding::Plain));
    }
}

fn looks(answer: &Response, pointer: &str) -> Result<TokenSet, Failure> {
    loop {
        drop(core::hint::black_box(answer.json(pointer)));
    }
}

fn claims(answer: &Response) -> Result<TokenSet, Failure> {
    let token = take(answer, "/access_token")?;
    loop {
        drop(core::hint::black_box(token.claims()));
    }
}

sdk::export!(Plugin, profile);
