//! A plugin that tries to say every secret aloud, and one that searches its own memory for them, against
//! a provider that gives away all that it can.

use std::fs;

use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::{Value, json};

use crate::canary::{Canaries, MARK};

/// A guest that has a secret, a token that somebody set, and a provider that echoes.
struct Stage {
    canaries: Canaries,
    home: Home,
    fake: FakeProvider,
}

impl Stage {
    fn new(guest: &str) -> Self {
        let mut canaries = Canaries::new();
        let key = canaries.hatch("key");
        let fake = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        fake.control().script(Scenario::from(echo(&mut canaries, &key)).always());
        let manifest = format!(
            "[providers.{guest}]\nsettings = {{ base_url = \"{}\" }}\nsecrets = {{ key = {{ env = \"KEY\" }} }}\negress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}",
            fake.base_url()
        );
        let home = Home::new(&manifest).with_guest(guest).with_env("KEY", &key);
        Self { canaries, home: home.with_env("KEEPFRESH_LOG", "trace"), fake }
    }

    /// What a login of the guest, then a refresh, fail with; and what is logged of both.
    fn failures(&mut self, guest: &str) -> ([String; 2], String) {
        let login = self.attempt(&["refresh", "--force", "--json"]);
        let tokens = json!({
            "access_token": self.canaries.hatch_jwt("access"),
            "refresh_token": self.canaries.hatch_plain("refresh"),
        });
        self.home.run_with_input(&["token", "set", guest], &tokens.to_string()).exits(0);
        let refresh = self.attempt(&["refresh", "--force", "--json"]);
        ([login.0, refresh.0], login.1 + &refresh.1)
    }

    fn attempt(&self, arguments: &[&str]) -> (String, String) {
        let run = self.home.run(arguments);
        self.canaries.not_said_by(&run, arguments);
        let error = run.json()["attempts"][0]["error"].clone();
        (error["message"].as_str().unwrap().to_owned(), run.stderr)
    }
}

/// Everything that a careless provider says back, in every place of an answer.
fn echo(canaries: &mut Canaries, key: &str) -> Answer {
    let form = format!("key={}", percent(key));
    let body = json!({
        "access_token": canaries.hatch_jwt("access"),
        "refresh_token": canaries.hatch("refresh"),
        "id_token": canaries.hatch_jwt("id"),
        "clientSecret": canaries.hatch("secret"),
        "value": canaries.hatch_jwt("under_any_name"),
        "echo": format!("the key {key} is wrong"),
        "request": form,
        "nested": [{ "list": [key] }],
        "errors": { key: true },
        "quoted": json!({ "key": key }).to_string(),
        "note": "VISIBLE_note",
    });
    let cookie = canaries.hatch_plain("cookie");
    Answer::json(200, &body)
        .header("set-cookie", &format!("sid={cookie}"))
        .header("x-echo", &form)
        .header("x-note", "VISIBLE_header")
}

#[test]
fn a_plugin_that_says_aloud_all_it_can_see_says_no_secret() {
    let mut stage = Stage::new("prints-secret");
    let (failures, log) = stage.failures("prints-secret");
    let died =
        |call| format!("prints-secret.{call} trapped: wasm `unreachable` instruction executed");
    assert_eq!(failures, ["login", "refresh"].map(died));
    stage.canaries.not_in("the log", log.as_bytes());
    assert!(log.contains("VISIBLE_note") && log.contains("[sealed]"), "it did try: {log}");
    assert!(log.contains("VISIBLE_access"), "registered claims may be seen: {log}");
    assert!(
        !log.contains("could read"),
        "what it says on stderr and in a panic goes nowhere: {log}"
    );
    stage.canaries.not_in_files(&stage.home);
}

#[test]
fn the_memory_of_a_plugin_never_holds_a_secret() {
    let mut stage = Stage::new("searches-memory");
    let (failures, log) = stage.failures("searches-memory");
    let found =
        "answered 200; took something; the readable word is there, secrets are there 0 times";
    assert_eq!(failures, [found, found]);
    stage.canaries.not_in("the log", log.as_bytes());
}

/// The search of the test above would find a secret if there were one: here the provider says one in a
/// place that the plugin declares as a fact, which is the limit that the threat model names.
#[test]
fn the_search_of_a_plugins_memory_finds_what_is_there() {
    let mut stage = Stage::new("searches-memory");
    let body = json!({ "note": "VISIBLE_note", "pin": format!("{MARK}short") });
    stage.fake.control().script(Scenario::from(Answer::json(200, &body)).always());
    let ([login, _], _) = {
        stage.canaries = Canaries { all: vec!["nothing is looked for here".to_owned()] };
        stage.failures("searches-memory")
    };
    let found = login.strip_prefix("answered 200; took something; the readable word is there, ");
    let times = found.and_then(|it| it.strip_prefix("secrets are there ")).unwrap();
    assert_ne!(times, "0 times", "{login}");
}

#[test]
fn what_a_plugin_that_reads_secrets_says_is_cleaned() {
    let mut stage = Stage::new("reveals");
    let manifest = fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&format!("{manifest}\ngrants = [\"reveal\"]"));
    let run = stage.home.run(&["refresh", "--json"]).exits(0);
    stage.canaries.not_said_by(&run, &["refresh"]);
    assert!(run.stderr.contains("key is [sealed]"), "{}", run.stderr);
    let tokens = json!({ "access_token": stage.canaries.hatch_jwt("set") });
    stage.home.run_with_input(&["token", "set", "reveals"], &tokens.to_string()).exits(0);
    let run = stage.home.run(&["refresh", "--force", "--json"]).exits(0);
    stage.canaries.not_said_by(&run, &["refresh", "--force"]);
    assert!(run.stderr.contains("the access token is [sealed]"), "{}", run.stderr);
    let attempts = run.json()["attempts"].clone();
    assert_ne!(attempts, Value::Null);
    stage.canaries.not_in_files(&stage.home);
}

/// As a form has it.
fn percent(text: &str) -> String {
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        it if it.is_ascii_alphanumeric() || b"-._".contains(&it) => char::from(it).to_string(),
        it => format!("%{it:02X}"),
    };
    text.bytes().map(one).collect()
}
