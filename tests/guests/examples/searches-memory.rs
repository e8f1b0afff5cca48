//! Takes everything of an answer that can be had, then searches its own memory, all of it, for two
//! words: one that the provider says in a place that plugins may read, and one that is in every secret
//! of the test. What it found is the text of its failure.

use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::http::{
    self, Body, Field, Method, Request, Response, Value,
};
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure};

/// `VISIBLE_` and `CANARY_`, each byte inverted: a search must not find its own question.
const READABLE: [u8; 8] = [!b'V', !b'I', !b'S', !b'I', !b'B', !b'L', !b'E', !b'_'];
const SECRET: [u8; 7] = [!b'C', !b'A', !b'N', !b'A', !b'R', !b'Y', !b'_'];

/// Answers and what was read of them, kept until the search is over.
struct Loot(Option<Response>, Vec<Option<String>>);

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("searches-memory")
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        let loot = plunder(&connection);
        search(&loot)
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        let mut loot = plunder(&connection);
        loot.1.push(current.access_token.claims());
        search(&loot)
    }
}

fn plunder(connection: &Connection) -> Loot {
    let url = connection.settings.iter().find(|(name, _)| name == "base_url");
    let url = format!("{}/token", url.map(|(_, url)| url.as_str()).unwrap_or_default());
    let field = |(name, secret)| Field { name: String::clone(name), value: Value::Secret(secret) };
    let body = Body::Json(connection.secrets.iter().map(|(name, it)| field((name, it))).collect());
    let (query, headers) = (Vec::new(), Vec::new());
    let sent = http::send(&Request { method: Method::Post, url, query, headers, body });
    let Ok(answer) = sent else { return Loot(None, vec![Some(format!("{:?}", sent.err()))]) };
    let mut read = vec![answer.json(""), answer.text("")];
    for pointer in ["/access_token", "/refresh_token", "/echo", "/note", "/errors"] {
        let secret = answer.secret(pointer);
        read.extend([answer.json(pointer), answer.text(pointer)]);
        read.extend(secret.map(|it| it.claims()));
    }
    for name in ["authorization", "set-cookie", "x-echo", "content-type"] {
        read.extend([answer.header(name), answer.secret_header(name).and_then(|it| it.claims())]);
    }
    read.extend(connection.secrets.iter().map(|(_, secret)| secret.claims()));
    Loot(Some(answer), read)
}

fn search(loot: &Loot) -> Result<TokenSet, Failure> {
    let (readable, secret) = (count(&READABLE), count(&SECRET));
    let answered = loot.0.as_ref().map_or(0, Response::status);
    let taken = loot.1.iter().flatten().count();
    Err(Failure::Other(format!(
        "answered {answered}; took {}; the readable word is {}, secrets are there {secret} times",
        if taken > 0 { "something" } else { "nothing" },
        if readable > 0 { "there" } else { "not there" },
    )))
}

/// How often the inverted `word` stands in the whole of linear memory.
fn count(word: &[u8]) -> usize {
    let size = core::arch::wasm32::memory_size(0) << 16;
    (1..size - word.len()).filter(|start| stands_at(*start, word)).count()
}

fn stands_at(start: usize, word: &[u8]) -> bool {
    word.iter().zip(start..).all(|(inverted, at)| byte(at) == !std::hint::black_box(*inverted))
}

#[expect(unsafe_code, reason = "every byte of linear memory can be read, and that is the point")]
fn byte(at: usize) -> u8 {
    // SAFETY: `at` is below the size of linear memory, and a byte has no alignment.
    unsafe { core::ptr::read_volatile(core::ptr::with_exposed_provenance(at)) }
}

sdk::export!(Plugin);
