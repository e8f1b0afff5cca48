//! Says all that it can read of an answer, under whatever declarations a test writes into it: its
//! descriptor is text in its own data, which `e2e::artifacts::declaring` replaces. So one component does
//! for every descriptor that a test wants to see refused, approved or made use of.

use guests::raw::{log_in, say, take, tokens};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::http::Response;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure, Field, Kind, Logins, Rotation};

/// Lines of a word and what it says, after the mark that the test looks for.
#[used]
static DECLARED: [u8; 8192] = padded(
    b"declared:name says-all\nversion 0.1.0\nsetting base_url\nsecret key\n\
      access POST {base_url}/token with key\nreads fact /**\nreads text \n",
);

const MARK: usize = "declared:".len();

/// No zeros, which a linker may leave out.
const fn padded(text: &[u8]) -> [u8; 8192] {
    let mut all = [b'\n'; 8192];
    let mut at = 0;
    while at < text.len() {
        all[at] = text[at];
        at += 1;
    }
    all
}

/// Where tokens have been seen, and more places than that.
const POINTERS: &[&str] = &[
    "",
    "/",
    "/0",
    "/a",
    "/access_token",
    "/accessToken",
    "/token",
    "/token/value",
    "/token/0",
    "/tokens",
    "/tokens/0",
    "/tokens/access",
    "/tokens/access/value",
    "/session_id",
    "/sessionId",
    "/authorization",
    "/auth",
    "/auth/token",
    "/cookie",
    "/cookies/0",
    "/passwd",
    "/password",
    "/key",
    "/bearer",
    "/ticket",
    "/credential",
    "/credentials/value",
    "/jwt",
    "/note",
    "/pin",
    "/error",
    "/message",
    "/url",
    "/data",
    "/data/token",
    "/data/session_id",
    "/errors/0",
];

const HEADERS: &[&str] = &[
    "Set-Cookie",
    "Authorization",
    "WWW-Authenticate",
    "Authentication-Info",
    "Location",
    "X-Auth-Token",
    "X-Subject-Token",
    "X-Api-Key",
    "X-Session-Id",
    "X-Echo",
    "Link",
    "ETag",
];

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        let text = String::from_utf8_lossy(&core::hint::black_box(&DECLARED)[MARK..]);
        let descriptor = Descriptor::new("", "", "").logins(Logins::UNATTENDED);
        text.lines().filter(|it| !it.is_empty()).fold(descriptor, declare)
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        let answer = log_in(&connection)?;
        let seen = read(&answer);
        // What is taken is struck out of the log afterwards: before, the log hides nothing.
        aloud(&seen);
        let taken = POINTERS.iter().filter(|it| answer.secret(it).is_some()).collect::<Vec<_>>();
        let in_headers = HEADERS.iter().filter(|it| answer.secret_header(it).is_some());
        let in_headers = in_headers.collect::<Vec<_>>();
        let again = read(&answer);
        aloud(&format!("taken {taken:?} {in_headers:?}, and then {again}"));
        take(&answer, "/access_token").map(tokens).map_err(|_| Failure::Other(seen))
    }

    fn refresh(connection: Connection, _: TokenSet) -> Result<TokenSet, Failure> {
        Self::login(connection)
    }
}

fn declare(it: Descriptor, line: &str) -> Descriptor {
    let (word, said) = line.split_once(' ').unwrap_or((line, ""));
    let said = &said.replace("\\n", "\n").replace("\\e", "\u{1b}");
    match word {
        "name" => Descriptor { name: said.clone(), title: said.clone(), ..it },
        "version" => Descriptor { version: said.clone(), ..it },
        "setting" => match said.split_once('=') {
            Some((name, default)) => it.setting(Field::optional(name, name, "").or(default)),
            None => it.setting(Field::required(said, said, "")),
        },
        "secret" => it.secret(Field::required(said, said, "")),
        "access" => {
            let (request, carries) = said.split_once(" with ").unwrap_or((said, ""));
            let carries = carries.split(',').filter(|it| !it.is_empty());
            it.access(request, &carries.collect::<Vec<_>>())
        }
        "reads" => {
            let (kind, place) = said.split_once(' ').unwrap_or((said, ""));
            it.reads(kind_of(kind), &[place])
        }
        "sealed" => it.sealed(said),
        "signs" => it.signs(said),
        "schedule" => it.schedule(said),
        "lifetime" => it.lifetime(said.parse().unwrap_or_default()),
        "rotation" if said == "strict" => it.rotation(Rotation::Strict),
        "rotation" => it.rotation(Rotation::None),
        _ => panic!("declares no {word}"),
    }
}

fn kind_of(name: &str) -> Kind {
    match name {
        "number" => Kind::Number,
        "date" => Kind::Date,
        "code" => Kind::Code,
        "text" => Kind::Text,
        "address" => Kind::Address,
        _ => Kind::Fact,
    }
}

/// Everything that comes as text.
fn read(answer: &Response) -> String {
    let mut seen = format!("shape {:?}", answer.shape());
    for pointer in POINTERS {
        let all = [answer.text(pointer), answer.json(pointer)];
        seen.extend(all.into_iter().flatten().map(|it| format!("; {pointer} is {it}")));
    }
    for name in HEADERS {
        seen.extend(answer.header(name).map(|it| format!("; {name} is {it}")));
    }
    seen
}

fn aloud(text: &str) {
    let characters = text.chars().collect::<Vec<_>>();
    for part in characters.chunks(500) {
        say(&part.iter().collect::<String>());
    }
}

sdk::export!(Plugin);
