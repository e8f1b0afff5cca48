//! A plugin may join, encode and sign what it cannot read. None of that makes a value that says what is
//! in it: not at once, not after the provider repeated it, and not after it was stored as a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::rotor;
use e2e::provider::script::Scenario;
use serde_json::{Value, json};

use crate::hostile::{Ending, Stage, attempt, stops_in};

#[test]
fn a_jwt_that_a_plugin_puts_together_around_a_secret_says_nothing_of_itself() {
    comes_to(&Stage::new(), "composed").is("provider.failed", "its claims are [None, None]");
}

#[test]
fn a_jwt_that_a_plugin_signs_says_nothing_of_itself() {
    comes_to(&Stage::new(), "signed").is("provider.failed", "its claims are [None]");
}

#[test]
fn a_jwt_that_the_provider_repeats_says_nothing_of_itself() {
    let stage = Stage::new();
    stage.rotor.control().script(Scenario::from(repeated(&around_the_key())).on("/token"));
    comes_to(&stage, "echoed").is("provider.failed", "its claims are [None]");
    let encoded = URL_SAFE_NO_PAD.encode(around_the_key());
    let inside = format!("eyJhbGciOiJub25lIn0.{}.x", URL_SAFE_NO_PAD.encode(claims(&encoded)));
    stage.rotor.control().script(Scenario::from(repeated(&inside)).on("/token"));
    comes_to(&stage, "echoed").is("provider.failed", "its claims are [None]");
}

/// What the tests above find would be there if the provider had sent it.
#[test]
fn a_jwt_of_the_providers_own_says_who_it_is_for() {
    let stage = Stage::new();
    let own = format!("eyJhbGciOiJub25lIn0.{}.x", URL_SAFE_NO_PAD.encode(claims("somebody")));
    stage.rotor.control().script(Scenario::from(repeated(&own)).on("/token"));
    let claims = r#"its claims are [Some("{\"exp\":4102444800,\"sub\":\"somebody\"}")]"#;
    comes_to(&stage, "echoed").is("provider.failed", claims);
}

#[test]
fn a_jwt_of_a_plugins_own_is_stored_and_tells_neither_its_expiry_nor_its_claims() {
    let stage = Stage::new();
    let home = home(&stage, "stored").with_env("KEEPFRESH_LOG", "info");
    succeeds(&home);
    for generation in 1..4 {
        let shown = home.run(&["connection", "show", "asks-itself", "--json"]).exits(0).json();
        assert_eq!(
            (&shown["generation"], &shown["expires_at"]),
            (&json!(generation), &Value::Null)
        );
        let token = home.run(&["token", "get", "asks-itself"]).exits(0);
        assert_eq!(token.stdout.trim_end(), around_the_key());
        let log = succeeds(&home);
        assert!(log.contains("its claims are [None, None, None]"), "{log}");
    }
}

#[test]
fn a_secret_signs_only_if_that_was_declared() {
    for misdeed in ["signs", "signs-a-copy", "signs-jwt"] {
        let text = "asks-itself signs with `key`, which its descriptor does not list in `signs`";
        comes_to(&Stage::new(), misdeed).is("plugin.signing_undeclared", text);
    }
}

#[test]
fn a_key_that_is_mixed_with_another_does_not_sign() {
    let text =
        "asks-itself signs with `key`, `signer`, which its descriptor does not list in `signs`";
    comes_to(&Stage::new(), "signs-a-mix").is("plugin.signing_undeclared", text);
}

#[test]
fn a_text_is_no_key() {
    let text = "asks-itself signs with a text of its own, which is not a secret";
    comes_to(&Stage::new(), "signs-with-text").is("plugin.signing_undeclared", text);
}

fn comes_to(stage: &Stage, misdeed: &str) -> Ending {
    stops_in(&home(stage, misdeed), "asks-itself")
}

fn home(stage: &Stage, misdeed: &str) -> Home {
    let misdeed = format!(r#", misdeed = "{misdeed}""#);
    let signer = r#", signer = { env = "SIGNER" }"#;
    let home = stage.home(&stage.section_of("asks-itself", &misdeed, signer));
    home.with_guest("asks-itself").with_env("SIGNER", "a key that signs")
}

/// Refreshes, and gives what is logged of it.
fn succeeds(home: &Home) -> String {
    let run = home.run(&["refresh", "--force", "--json"]).exits(0);
    assert_eq!(attempt(&run.json()["attempts"], "asks-itself")["outcome"], "success", "{run:#?}");
    run.stderr
}

/// What the guest makes of the key.
fn around_the_key() -> String {
    let claims = claims(&rotor::Settings::default().key);
    format!("eyJhbGciOiJub25lIn0.{}.x", URL_SAFE_NO_PAD.encode(claims))
}

fn claims(subject: &str) -> String {
    format!(r#"{{"exp":4102444800,"sub":"{subject}"}}"#)
}

fn repeated(token: &str) -> Answer {
    Answer::json(200, &json!({ "access_token": token }))
}
