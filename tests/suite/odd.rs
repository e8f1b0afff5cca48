//! Answers that are odd in every way that was ever reported: heads, lengths, encodings, character sets,
//! members beside the tokens. Each ends in tokens, or in an error by name; and no refresh token is sent
//! twice for any of them, at a provider that takes a second use for theft.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

use e2e::database::Database;
use e2e::home::Home;
use e2e::odd::OddServer;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use keepfresh::model::token::fingerprint;
use serde_json::Value;

/// How a body is sent.
type Head = (&'static str, fn(&[u8]) -> Vec<u8>);

/// What is in it; `#` is where the number of the answer goes.
type Body = (&'static str, fn(&str) -> Vec<u8>);

fn plain(body: &[u8], more: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8], more: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{more}\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

const HEADS: [Head; 24] = [
    ("a length", |it| plain(it, "content-type: application/json\r\n")),
    ("a length, twice", |it| plain(it, &format!("content-length: {}\r\n", it.len()))),
    ("no length", |it| [b"HTTP/1.1 200 OK\r\n\r\n", it].concat()),
    ("HTTP/1.0", |it| [b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n", it].concat()),
    ("chunks", |it| chunked(it, "transfer-encoding: chunked\r\n")),
    ("chunks, twice", |it| {
        chunked(it, "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n")
    }),
    ("chunks, in one line twice", |it| chunked(it, "transfer-encoding: chunked, chunked\r\n")),
    ("chunks and a length", |it| {
        chunked(it, "content-length: 3\r\ntransfer-encoding: chunked\r\n")
    }),
    ("chunks without their end", |it| {
        let head =
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", it.len());
        [head.as_bytes(), it].concat()
    }),
    ("a folded line", |it| plain(it, "x-a: b\r\n  c\r\n")),
    ("a line that is none", |it| plain(it, "not a header\r\n")),
    ("a name with a space", |it| plain(it, "x y: z\r\n")),
    ("a space before the colon", |it| plain(it, "x-a : z\r\n")),
    ("a header of bytes", |it| plain(it, "x-a: \u{e9}\u{1}\r\n")),
    ("300 headers", |it| plain(it, &"x-a: b\r\n".repeat(300))),
    ("a header of 50 KiB", |it| plain(it, &format!("x-a: {}\r\n", "b".repeat(50 << 10)))),
    ("hints before it", |it| {
        [b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", plain(it, "").as_slice()].concat()
    }),
    ("charset as encoding", |it| plain(it, "content-encoding: utf-8\r\n")),
    ("no encoding, by name", |it| plain(it, "content-encoding: none\r\n")),
    ("gzip that is none", |it| plain(it, "content-encoding: gzip\r\n")),
    ("gzip", |it| plain(&gzip(it), "content-encoding: gzip\r\n")),
    ("gzip, unsaid", |it| plain(&gzip(it), "content-type: application/json\r\n")),
    ("deflate", |it| plain(&zlib(it), "content-encoding: deflate\r\n")),
    ("deflate, bare", |it| plain(&deflate(it), "content-encoding: deflate\r\n")),
];

const BODIES: [Body; 14] = [
    ("as the RFC has it", |it| {
        format!(r#"{{"access_token":"{it}","token_type":"bearer","expires_in":3600}}"#).into()
    }),
    ("a byte order mark", |it| format!("\u{feff}{{\"access_token\":\"{it}\"}}").into()),
    ("UTF-16", |it| {
        let text = format!(r#"{{"access_token":"{it}","expires_in":"3600"}}"#);
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    }),
    ("a name in Latin-1", |it| {
        [format!(r#"{{"access_token":"{it}","name":"Ren"#).as_bytes(), b"\xe9\"}"].concat()
    }),
    ("a form", |it| format!("access_token={it}&token_type=bearer&expires_in=3600").into()),
    ("JSON in a string", |it| {
        Value::from(format!(r#"{{"access_token":"{it}"}}"#)).to_string().into()
    }),
    ("a notice before it", |it| {
        format!("<br />\n<b>Warning</b>: {{x}} in a.php\n{{\"access_token\":\"{it}\"}}\n").into()
    }),
    ("a guard before it", |it| format!(")]}}',\n{{\"access_token\":\"{it}\"}}").into()),
    ("a comment after it", |it| format!("{{\"access_token\":\"{it}\"}}\n<!-- 0.2 s -->").into()),
    ("a scope twice", |it| format!(r#"{{"access_token":"{it}","scope":"a","scope":"b"}}"#).into()),
    ("an empty refresh token", |it| {
        format!(r#"{{"access_token":"{it}","refresh_token":""}}"#).into()
    }),
    ("a refresh token that is none", |it| {
        format!(r#"{{"access_token":"{it}","refresh_token":"a\nb"}}"#).into()
    }),
    ("facts without end", |it| {
        format!(r#"{{"access_token":"{it}","scope":"{}"}}"#, "word ".repeat(5_000)).into()
    }),
    ("an odd type", |it| format!(r#"{{"access_token":"{it}","token_type":"Bot Token"}}"#).into()),
];

/// What it is, how it is sent, and the code that it comes to.
type Hopeless = (&'static str, fn() -> Vec<u8>, &'static str);

/// Answers that hold no tokens that anybody could read, and what is said of them.
const HOPELESS: [Hopeless; 8] = [
    ("nothing", Vec::new, "provider.connection_lost"),
    ("half a head", || b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(), "provider.connection_lost"),
    (
        "half a body",
        || plain(br#"{"access_token":"at-x","ref"#, "")[..60].to_vec(),
        "provider.connection_lost",
    ),
    ("not HTTP", || b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), "provider.http_invalid"),
    (
        "brotli",
        || plain(b"\x0b\x02\x80\x61\xff\x03", "content-encoding: br\r\n"),
        "provider.encoding_unsupported",
    ),
    (
        "half of gzip",
        || plain(&gzip(&[b'a'; 300])[..15], "content-encoding: gzip\r\n"),
        "provider.encoding_invalid",
    ),
    ("a page", || plain(b"<html>Please wait</html>", ""), "provider.unexpected"),
    ("an error word", || plain(b"unavailable_for_now", ""), "provider.unexpected"),
];

/// What is sent, and what it must come to: an access token, or a code.
struct Case {
    name: String,
    bytes: Vec<u8>,
    comes_to: Result<String, &'static str>,
}

/// Every pair of a head and a body, and the hopeless ones.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (head, send) in HEADS {
        for (body, write) in BODIES {
            let token = format!("at-{}-QWxhZGRpbg", cases.len());
            let written = write(&token);
            // What ends early is used only if it shows by itself that it is complete.
            let is_object = written.starts_with(b"{") && written.ends_with(b"}");
            if head.ends_with("without their end") && !is_object {
                continue;
            }
            let (name, bytes) = (format!("{body}, {head}"), send(&written));
            cases.push(Case { name, bytes, comes_to: Ok(token) });
        }
    }
    // Spread, so that no five in a row make the provider look as if it were down.
    for (place, (name, bytes, code)) in HOPELESS.iter().enumerate() {
        let case = Case { name: (*name).to_owned(), bytes: bytes(), comes_to: Err(code) };
        cases.insert((place + 1) * 20, case);
    }
    cases
}

#[test]
fn odd_answers_end_in_tokens_or_in_an_error_by_name_and_cost_no_second_use() {
    let cases = cases();
    assert!(cases.len() >= 320, "{}", cases.len());
    let server = OddServer::start(cases.iter().map(|it| it.bytes.clone()).collect());
    let home = Home::new(&format!(
        "[providers.odd]\nplugin = \"oauth2\"\nconnections = []\nrotation = \"strict\"\nconcurrency = 8\n\
         settings = {{ token_url = \"{}\", client_id = \"x\", grant = \"authorization_code\" }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        server.url()
    ))
    .with_plugin("oauth2");
    import(&home, cases.len());
    let refreshed = home.run(&["refresh", "--all", "--force", "--json"]).json();
    let attempts = by_connection(&refreshed["attempts"]);
    let stored = fingerprints(&home);
    for (number, case) in cases.iter().enumerate() {
        let id = format!("odd/c{number:03}");
        let attempt = &attempts[&id];
        match &case.comes_to {
            Ok(token) => {
                assert_eq!(attempt["outcome"], "success", "{}: {attempt:#}", case.name);
                assert_eq!(stored[&id], fingerprint(&token.as_str().into()), "{}", case.name);
            }
            Err(code) => {
                assert_eq!(attempt["error"]["code"], *code, "{}: {attempt:#}", case.name);
            }
        }
        assert_eq!(server.uses(number), 1, "{}", case.name);
    }
    // Whatever was captured is read again, and nothing is sent again.
    let _ = home.run(&["refresh", "--all", "--json"]);
    for (number, case) in cases.iter().enumerate().filter(|(_, it)| it.comes_to.is_err()) {
        assert_eq!(server.uses(number), 1, "{}", case.name);
    }
}

/// A connection for each answer, whose access token lives for years.
fn import(home: &Home, count: usize) {
    let mut file = "name,access_token,refresh_token,expires_at\n".to_owned();
    for number in 0..count {
        let _ = writeln!(file, "c{number:03},first-{number},rt-{number},2150-01-01T00:00:00Z");
    }
    std::fs::write(home.path("people.csv"), file).unwrap();
    let _ = home.run(&["connection", "import", "odd", "people.csv"]).exits(0);
}

/// What is stored for each connection.
fn fingerprints(home: &Home) -> HashMap<String, String> {
    let rows = Database::at(&home.path("keepfresh.db"))
        .texts("select id || ' ' || fingerprint from connections", &[]);
    let split = |it: &String| it.split_once(' ').map(|(id, it)| (id.to_owned(), it.to_owned()));
    rows.iter().filter_map(split).collect()
}

fn by_connection(rows: &Value) -> HashMap<String, Value> {
    let id = |it: &Value| it["connection"].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(|it| (id(it), it.clone())).collect()
}
