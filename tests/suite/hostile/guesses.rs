//! A plugin that guesses a secret finds out nothing: a set with the guess in it is refused as a whole and
//! before anybody's eyes, and what comes back in the next call is what was there before.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use e2e::home::Home;
use e2e::provider::rotor;

use crate::hostile::{Ending, Stage, attempt, stops_in};

const KEPT: &str = "nothing was saved; the provider's answer is kept for a replay";

#[test]
fn a_right_guess_makes_the_whole_set_refused_in_whatever_spelling() {
    let stage = Stage::new();
    let home = home(&stage, "metadata", "");
    for guess in spellings(&rotor::Settings::default().key) {
        for (place, what) in [
            ("metadata", "metadata with a secret in it"),
            ("name", "metadata with a secret in it"),
            ("scope", "a scope with a secret in it"),
            ("extra", "a name of an extra token with a secret in it"),
        ] {
            guesses(&stage, &home, place, &guess);
            let text = format!("guesses.login returned {what}; {KEPT}");
            stops_in(&home, "guesses").is("plugin.output_invalid", &text);
        }
    }
}

#[test]
fn a_right_guess_as_the_type_of_a_token_is_refused_too() {
    let stage = Stage::new();
    let home = home(&stage, "type", "");
    for guess in spellings(&rotor::Settings::default().key) {
        guesses(&stage, &home, "type", &guess);
        if guess.contains([';', '\\', '=', ' ', '/']) {
            is_sent_as_bearer(&home);
            continue;
        }
        let Ending { code, message } = stops_in(&home, "guesses");
        assert_eq!(code, "plugin.output_invalid");
        assert!(message.contains("returned a token_type with a secret in it"), "{message}");
    }
}

#[test]
fn a_token_type_that_would_end_a_header_is_never_sent() {
    let stage = Stage::new();
    let home = home(&stage, "type", "");
    for odd in ["Bearer x", "Bearer\\r\\nX-Forged: 1", "", "Bea\u{202e}rer", "\"Bearer\""] {
        guesses(&stage, &home, "type", &odd.replace("\\r\\n", "\r\n"));
        is_sent_as_bearer(&home);
    }
}

/// Whatever the plugin says, right or wrong, comes to the same.
fn is_sent_as_bearer(home: &Home) {
    let run = home.run(&["refresh", "guesses", "--force", "--json"]).exits(0);
    assert_eq!(attempt(&run.json()["attempts"], "guesses")["outcome"], "success", "{run:?}");
    let token = home.run(&["token", "get", "guesses", "--json"]).exits(0).json();
    assert_eq!(token["token_type"], "Bearer", "{token}");
}

#[test]
fn what_is_remembered_shows_no_sign_of_a_guess() {
    let stage = Stage::new();
    let home = home(&stage, "nowhere", "").with_env("KEEPFRESH_LOG", "info");
    let first = r#"it is remembered that [("fact", "harmless")]"#;
    assert!(refreshes(&home).contains("it is remembered that []"));
    for place in ["metadata", "name", "scope", "extra"] {
        guesses(&stage, &home, place, &rotor::Settings::default().key);
        let run = home.run(&["refresh", "--force", "--json"]);
        assert_eq!(attempt(&run.json()["attempts"], "guesses")["outcome"], "failed", "{run:#?}");
        assert!(run.stderr.contains(first), "{}", run.stderr);
    }
    guesses(&stage, &home, "metadata", "a wrong one");
    assert!(refreshes(&home).contains(first), "the right ones left nothing");
    assert!(refreshes(&home).contains(r#"[("fact", "a wrong one")]"#), "and the wrong one did");
}

#[test]
fn a_guess_is_struck_out_of_long_lines_wherever_they_are_cut() {
    let stage = Stage::new();
    let key = rotor::Settings::default().key;
    for guess in [key.clone(), key.to_uppercase()] {
        let home = home(&stage, "log", "").with_env("KEEPFRESH_LOG", "info");
        guesses(&stage, &home, "log", &guess);
        let log = refreshes(&home);
        assert!(log.matches("[sealed]").count() > 100, "it was there: {log}");
        let half = guess.get(..4).unwrap();
        assert!(!log.contains(half), "and no half of it is: {log}");
    }
}

/// A text as others would write it.
fn spellings(text: &str) -> Vec<String> {
    let each = |write: &dyn Fn(u8) -> String| text.bytes().map(write).collect::<String>();
    vec![
        text.to_owned(),
        text.to_uppercase(),
        format!("it is {text}!"),
        STANDARD.encode(text),
        URL_SAFE_NO_PAD.encode(format!("x{text}")),
        each(&|it| format!("%{it:02X}")),
        each(&|it| format!("&#{it};")),
        each(&|it| format!("&#x{it:x};")),
        each(&|it| format!("\\u{it:04x}")),
        each(&|it| format!("{it:02x}")),
        each(&|it| format!("{it:02X}")),
        each(&|it| format!("%25{it:02x}")),
    ]
}

fn home(stage: &Stage, place: &str, guess: &str) -> Home {
    stage.home(&section(stage, place, guess)).with_guest("guesses")
}

/// Says the guess to the guest.
fn guesses(stage: &Stage, home: &Home, place: &str, guess: &str) {
    home.write_manifest(&stage.manifest(&section(stage, place, guess)));
}

fn section(stage: &Stage, place: &str, guess: &str) -> String {
    let backwards = serde_json::Value::from(guess.chars().rev().collect::<String>());
    stage.section_with("guesses", &format!(r#", place = "{place}", guess = {backwards}"#))
}

fn refreshes(home: &Home) -> String {
    let run = home.run(&["refresh", "--force", "--json"]).exits(0);
    assert_eq!(attempt(&run.json()["attempts"], "guesses")["outcome"], "success", "{run:#?}");
    run.stderr
}
