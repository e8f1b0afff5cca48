//! Tokens that look like anything, in answers that look like anything, before a plugin that declared to
//! read all that can be declared and says all that it sees: of none of them is anything in the log, in
//! the text of a failure, or in a file.

use std::fs;

use e2e::artifacts;
use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::{Value, json};

use crate::canary::{Canaries, forms};

/// The most that a descriptor may ask for: facts everywhere.
const FACTS: &str = "reads fact /**\nreads text ";

/// Texts everywhere, and each header that is not named like a secret.
const TEXTS: &str = "reads text /**\nreads text \nreads text header:X-Echo\nreads fact header:Link\n\
                     reads fact header:ETag\nreads address header:Location";

/// A greedy plugin, its provider, and the secrets of both.
struct Stage {
    canaries: Canaries,
    key: String,
    home: Home,
    fake: FakeProvider,
}

impl Stage {
    fn new(reads: &str) -> Self {
        let mut canaries = Canaries::new();
        let key = canaries.hatch("key");
        let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        let manifest = format!(
            "[providers.greedy]\nsettings = {{ base_url = \"{}\" }}\nsecrets = {{ key = {{ env = \"KEY\" }} }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}",
            fake.base_url()
        );
        let home = Home::new(&manifest).with_env("KEY", &key).with_env("KEEPFRESH_LOG", "trace");
        let declared = format!(
            "name greedy\nversion 0.1.0\nsetting base_url\nsecret key\naccess POST {{base_url}}/token with key\nrotation none\n{reads}"
        );
        fs::write(home.path("plugins/greedy.wasm"), artifacts::declaring(&declared)).unwrap();
        Self { canaries, key, home, fake }
    }

    /// What the plugin says of this answer: in the log, and in the text of its failure.
    fn says_of(&self, answer: &Answer) -> String {
        self.fake.control().clear_script();
        self.fake.control().script(Scenario::from(answer.clone()).on("/token").always());
        let arguments = ["refresh", "--force", "--json"];
        let run = self.home.run(&arguments);
        self.canaries.not_said_by(&run, &arguments);
        let said = format!("{}{}", run.stderr, run.stdout);
        assert!(said.contains("shape Shape::"), "it did look: {said}");
        said
    }
}

#[test]
fn a_token_is_not_seen_whatever_the_answer_is() {
    for reads in [FACTS, TEXTS] {
        let mut stage = Stage::new(reads);
        for (what, answer) in bodies(&mut stage.canaries) {
            // Any word may be a fact, and the operator has seen that it is declared so.
            if (what, reads) == ("a list", FACTS) {
                continue;
            }
            let said = stage.says_of(&answer);
            assert!(!said.contains("is CANARY"), "{what}: {said}");
        }
        stage.canaries.not_in_files(&stage.home);
    }
}

#[test]
fn a_token_is_not_seen_in_whatever_header() {
    for reads in [FACTS, TEXTS] {
        let mut stage = Stage::new(reads);
        for (name, value) in headers(&mut stage.canaries) {
            let answer = Answer::json(400, &json!({ "error": "no" })).header(name, &value);
            stage.says_of(&answer);
        }
        stage.canaries.not_in_files(&stage.home);
    }
}

/// What no rule can tell from a word is readable where it was declared; once it was taken as a secret it
/// is not, wherever it stands.
#[test]
fn what_was_taken_as_a_secret_is_read_no_longer() {
    let stage = Stage::new(FACTS);
    let body = json!({ "data": "swordfish", "note": "it is swordfish", "errors": ["swordfish"] });
    let said = stage.says_of(&Answer::json(400, &body));
    let (before, after) = said.split_once("and then").unwrap();
    assert!(before.contains("swordfish"), "{before}");
    let after = after.lines().filter(|it| it.contains("sandbox::log")).collect::<String>();
    assert!(!after.contains("swordfish"), "{after}");
}

#[test]
fn an_echoed_key_is_sealed_in_every_spelling() {
    for reads in [FACTS, TEXTS] {
        let stage = Stage::new(reads);
        for spelling in forms::spellings(&stage.key) {
            let text = format!("VISIBLE {spelling} is wrong");
            let body = json!({ "note": text, "pin": spelling, "errors": [text], "data": { "token": text } });
            let answer = Answer::json(400, &body).header("x-echo", &text.replace('\n', " "));
            let said = stage.says_of(&answer);
            assert!(!said.contains("VISIBLE"), "{spelling}: {said}");
            assert!(!said.contains(&spelling), "{spelling}: {said}");
        }
        for page in forms::spellings(&stage.key) {
            let said =
                stage.says_of(&Answer::new(400, "text/html", format!("<p>VISIBLE {page}</p>")));
            assert!(!said.contains("VISIBLE"), "{page}: {said}");
        }
    }
}

/// Bodies that hold tokens, each with a word for it.
fn bodies(canaries: &mut Canaries) -> Vec<(&'static str, Answer)> {
    let mut all = Vec::new();
    let mut token = || canaries.hatch_plain("t");
    for (what, body) in [
        (
            "a name twice",
            format!(r#"{{"access_token":"{}","access_token":"{}"}}"#, token(), token()),
        ),
        ("a comma too many", format!(r#"{{"access_token":"{}",}}"#, token())),
        ("no quotes", format!("{{access_token:'{}'}}", token())),
        ("half of a pair", format!(r#"{{"access_token":"{}","a":"\ud800"}}"#, token())),
        ("half a document", format!(r#"{{"access_token":"{}","a":"#, token())),
        ("a second document", format!(r#"{{"access_token":"{}"}} {{}}"#, token())),
        ("100 deep", format!("{}\"{}\"{}", "[".repeat(100), token(), "]".repeat(100))),
        ("XML", format!("<response><token>{}</token></response>", token())),
        ("XML with an attribute", format!(r#"<response token="{}"/>"#, token())),
        ("a line of a file", format!("key: {}", token())),
        ("a form", format!("token={}&token_type=bearer", token())),
        ("a cookie", format!("SESSION {}; path=/", token())),
        ("a word", token()),
        ("a quoted word", format!("\"{}\"", token())),
        ("a list", json!([token()]).to_string()),
        ("not UTF-8", token()),
    ] {
        let mut answer = Answer::new(200, "application/json", body);
        if what == "not UTF-8" {
            answer.body.push(0xff);
        }
        all.push((what, answer));
    }
    all.extend(members(canaries).into_iter().map(|(what, body)| (what, Answer::json(200, &body))));
    all
}

/// JSON whose members hold tokens: of the kind that any rule finds, and short words that only their
/// names give away.
fn members(canaries: &mut Canaries) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for short in [false, true] {
        let mut token = || {
            let number = canaries.all.len();
            if short {
                canaries.keep(&format!("Canary{number}q"))
            } else {
                canaries.hatch_plain("t")
            }
        };
        all.extend([
            ("a token", json!({ "access_token": token() })),
            ("a token in a wrapper", json!({ "token": { "value": token() } })),
            ("tokens", json!({ "tokens": [token(), token()] })),
            ("tokens by name", json!({ "tokens": { "access": { "value": token() } } })),
            ("a session", json!({ "session_id": token(), "data": { "session_id": token() } })),
            ("authorization", json!({ "authorization": format!("Basic {}", token()) })),
            ("a cookie", json!({ "cookie": token(), "cookies": [token()] })),
            ("a password", json!({ "passwd": token(), "password": token() })),
            ("a key", json!({ "key": token() })),
            ("a bearer", json!({ "bearer": token(), "ticket": token() })),
            ("credentials", json!({ "credential": token(), "credentials": { "value": token() } })),
            ("auth", json!({ "auth": { "token": token() } })),
            ("a sentence", json!({ "message": format!("your token: {}", token()) })),
        ]);
    }
    // A fact may be a sentence, and says what the sentence says.
    all.retain(|(what, _)| *what != "a sentence");
    let jwts = [
        jwt("{\"alg\":\"none\"}"),
        jwt("{ \"alg\": \"none\" }"),
        jwt("\n{\"typ\":\"JWT\"}"),
        jwe(),
    ];
    for token in jwts.map(|it| canaries.keep(&it)) {
        all.extend([
            ("a JWT", json!({ "data": token, "note": { "a": token } })),
            ("a JWT in a sentence", json!({ "note": format!("Bearer {token} is too old") })),
            (
                "a JWT in an address",
                json!({ "url": format!("https://a.example/cb#id_token={token}") }),
            ),
            ("a JWT in a list", json!({ "errors": [token] })),
            ("a JWT as a name", json!({ token: 1 })),
        ]);
    }
    let numbers =
        [4_611_686_018_427_387_904_u64, 90_071_992_547_409].map(|it| (it, it.to_string()));
    for (number, text) in numbers {
        canaries.keep(&text);
        all.extend([
            ("a number", json!({ "access_token": number, "token": number, "key": number })),
            ("a number in a wrapper", json!({ "credentials": { "value": number } })),
        ]);
    }
    all
}

/// Headers that hold tokens.
fn headers(canaries: &mut Canaries) -> Vec<(&'static str, String)> {
    let mut token = || canaries.hatch_plain("t");
    vec![
        ("x-auth-token", token()),
        ("x-subject-token", token()),
        ("x-api-key", token()),
        ("x-session-id", token()),
        ("authorization", format!("Bearer {}", token())),
        ("set-cookie", format!("sid={}; path=/", token())),
        ("www-authenticate", format!("Bearer error=\"x\", nonce=\"{}\"", token())),
        ("authentication-info", format!("nextnonce=\"{}\"", token())),
        ("location", format!("https://a.example/cb?token={}", token())),
        ("location", format!("https://a.example/cb#access_token={}", token())),
        ("location", format!("https://a.example/t/{}/x", token())),
        ("location", format!("https://user:{}@a.example/", token())),
        ("x-echo", format!("token={}", token())),
        ("x-other", token()),
    ]
}

fn jwt(header: &str) -> String {
    let claims = forms::base64_url(br#"{"sub":"VISIBLE"}"#);
    format!("{}.{claims}.c2lnbmF0dXJl", forms::base64_url(header.as_bytes()))
}

fn jwe() -> String {
    format!("{}..AAAA.BBBB.CCCC", forms::base64_url(br#"{"alg":"dir","enc":"A128GCM"}"#))
}
