//! Finds a secret in raw bytes: as it is, reversed, in hex, percent-encoded in whole or in part, as JSON
//! quotes it, and in base64 of either alphabet wherever in a longer text it begins.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter ones would be found everywhere.
const SHORTEST: usize = 6;

/// Something to look for.
pub(super) struct Needle {
    form: &'static str,
    secret: String,
    bytes: Vec<u8>,
}

impl fmt::Display for Needle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in the form {}", self.secret, self.form)
    }
}

/// Looks for many secrets in one pass.
pub(super) struct Scanner {
    needles: Vec<Needle>,
    /// By the first two bytes: whether any needle begins so.
    starts: Vec<bool>,
}

impl Scanner {
    pub(super) fn new(secrets: &[String]) -> Self {
        let needles = secrets.iter().flat_map(|it| needles(it)).collect::<Vec<_>>();
        let mut starts = vec![false; 1 << 16];
        for needle in &needles {
            starts[start(&needle.bytes)] = true;
        }
        Self { needles, starts }
    }

    /// The first secret in `bytes`.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<&Needle> {
        let candidate = |at: &usize| self.starts[start(&bytes[*at..])];
        let found = |at| self.needles.iter().find(|it| bytes[at..].starts_with(&it.bytes));
        (0..bytes.len().saturating_sub(1)).filter(candidate).find_map(found)
    }
}

pub(super) fn base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A text as a provider may repeat it.
pub(super) fn spellings(text: &str) -> Vec<String> {
    let bytes = |write: &dyn Fn(u8) -> String| text.bytes().map(write).collect::<String>();
    let characters = |write: &dyn Fn(u32) -> String| -> String {
        text.chars().map(|it| write(u32::from(it))).collect()
    };
    let html = text.replace('&', "&amp;").replace('"', "&quot;");
    let mut all = vec![
        text.to_owned(),
        text.to_uppercase(),
        bytes(&|it| format!("%{it:02X}")),
        bytes(&|it| format!("%{it:02x}")),
        encoded(text.as_bytes(), "+"),
        encoded(text.as_bytes(), "%20"),
        encoded(text.as_bytes(), "%20").to_lowercase(),
        encoded(encoded(text.as_bytes(), "+").as_bytes(), "+"),
        html,
        characters(&|it| format!("&#{it};")),
        characters(&|it| format!("&#x{it:X};")),
        characters(&|it| format!("\\u{it:04x}")),
        serde_json::Value::from(text).to_string(),
        bytes(&|it| format!("\\x{it:02x}")),
        bytes(&|it| format!("{it:02x}")),
        bytes(&|it| format!("{it:02X}")),
    ];
    for before in ["", "a", "ab"] {
        let joined = format!("{before}{text}");
        all.extend([STANDARD_NO_PAD.encode(&joined), URL_SAFE_NO_PAD.encode(&joined)]);
    }
    all
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

fn needles(secret: &str) -> Vec<Needle> {
    let raw = secret.as_bytes();
    let json = serde_json::Value::from(secret).to_string();
    let hex = |upper| {
        raw.iter().map(move |it| if upper { format!("{it:02X}") } else { format!("{it:02x}") })
    };
    let percent = |upper| hex(upper).flat_map(|it| ["%".to_owned(), it]).collect::<String>();
    let mut forms = vec![
        ("raw", raw.to_vec()),
        ("reversed", raw.iter().rev().copied().collect()),
        ("json", json.trim_matches('"').as_bytes().to_vec()),
        ("hex", hex(false).collect::<String>().into_bytes()),
        ("HEX", hex(true).collect::<String>().into_bytes()),
        ("percent", percent(false).into_bytes()),
        ("PERCENT", percent(true).into_bytes()),
        ("form", encoded(raw, "+").into_bytes()),
        ("url", encoded(raw, "%20").into_bytes()),
    ];
    for shift in 0..3 {
        forms.push(("base64", in_base64(&STANDARD_NO_PAD, raw, shift)));
        forms.push(("base64url", in_base64(&URL_SAFE_NO_PAD, raw, shift)));
    }
    forms.retain(|(_, bytes)| bytes.len() >= SHORTEST);
    let needle = |(form, bytes)| Needle { form, secret: secret.to_owned(), bytes };
    forms.into_iter().map(needle).collect()
}

/// What is the same in the base64 of every text that has `raw` after so many bytes, modulo three.
fn in_base64(engine: &impl base64::Engine, raw: &[u8], shift: usize) -> Vec<u8> {
    let text = engine.encode([&vec![0; shift], raw].concat()).into_bytes();
    let (first, whole) = ((shift * 4).div_ceil(3), (shift + raw.len()) * 4 / 3);
    text[first..whole.max(first)].to_vec()
}

/// As a browser sends it: only what has to be is written as a number.
fn encoded(raw: &[u8], space: &str) -> String {
    let one = |byte: &u8| match byte {
        b' ' => space.to_owned(),
        it if it.is_ascii_alphanumeric() || b"-._".contains(it) => char::from(*it).to_string(),
        it => format!("%{it:02X}"),
    };
    raw.iter().map(one).collect()
}

const SECRET: &str = "CANARY_x_0123&/+\"=% y";

/// Whether a scanner for the secret finds it in `text`.
fn finds(text: &str) -> bool {
    Scanner::new(&[SECRET.to_owned()]).find(text.as_bytes()).is_some()
}

#[test]
fn a_secret_is_found_in_every_form() {
    assert!(finds(&format!("x {SECRET} y")));
    assert!(finds(&serde_json::json!({ "a": SECRET }).to_string()));
    assert!(finds(&format!("{SECRET:?}")));
    assert!(finds(&SECRET.chars().rev().collect::<String>()));
    assert!(finds("key=CANARY_x_0123%26%2F%2B%22%3D%25+y&"));
    assert!(finds("key=CANARY_x_0123%26%2F%2B%22%3D%25%20y&"));
    let pairs = |before: &str| {
        let pair = |it| [before.to_owned(), format!("{it:02x}")].concat();
        SECRET.bytes().map(pair).collect::<Vec<_>>().concat()
    };
    let hex = pairs("");
    assert!(finds(&hex) && finds(&hex.to_uppercase()));
    assert!(finds(&pairs("%").to_uppercase()));
}

#[test]
fn a_secret_is_found_in_base64_wherever_it_begins() {
    for before in ["", "a", "ab", "abc", "user:", "user@host:"] {
        for after in ["", ".", "..", "..."] {
            let text = format!("{before}{SECRET}{after}");
            assert!(finds(&STANDARD_NO_PAD.encode(&text)), "{text}");
            assert!(finds(&URL_SAFE_NO_PAD.encode(&text)), "{text}");
        }
    }
}

#[test]
fn what_is_no_secret_is_not_found() {
    assert!(!finds("") && !finds("x") && !finds("canary_x_0123 CANARY CANARY-x"));
}
