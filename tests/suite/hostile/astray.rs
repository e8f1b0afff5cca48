//! Each request carries the secrets that were declared for it and no others, whatever a plugin makes of
//! them on the way. The other address must not hear of it.

use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::rotor;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind};
use serde_json::json;

use crate::hostile::{Ending, Stage, attempt, stops_in};

/// A second provider, to which the key may not go.
struct Astray {
    stage: Stage,
    other: FakeProvider,
    home: Home,
}

impl Astray {
    fn new(misdeed: &str) -> Self {
        let stage = Stage::new();
        let other = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
        let settings = format!(r#", other_url = "{}", misdeed = "{misdeed}""#, other.base_url());
        let signer = r#", signer = { env = "SIGNER" }"#;
        let home = stage.home(&stage.section_of("sends-astray", &settings, signer));
        let home = home.with_guest("sends-astray").with_env("SIGNER", "a key that signs");
        Self { stage, other, home }
    }

    fn refused(&self, text: &str) {
        let Ending { code, message } = stops_in(&self.home, "sends-astray");
        assert_eq!((code.as_str(), message.as_str()), ("egress.secret_denied", text));
        assert_eq!(self.other.control().seen(), 0);
    }

    fn succeeds(&self) {
        let run = self.home.run(&["refresh", "--force", "--json"]).exits(0);
        assert_eq!(attempt(&run.json()["attempts"], "sends-astray")["outcome"], "success");
    }
}

#[test]
fn a_secret_does_not_go_to_another_address_that_was_declared() {
    Astray::new("plain")
        .refused("sends-astray may not send key to 127.0.0.1/access (it may carry: access-token)");
    Astray::new("nothing")
        .refused("sends-astray may not send key to 127.0.0.1/nothing (it may carry: nothing)");
}

#[test]
fn no_place_of_a_request_is_forgotten() {
    for misdeed in ["in-the-query", "in-a-header", "in-a-form", "in-parts"] {
        Astray::new(misdeed)
            .refused("sends-astray may not send key to 127.0.0.1/answer (it may carry: answer)");
    }
}

#[test]
fn what_is_made_of_a_secret_goes_no_further_than_the_secret() {
    Astray::new("composed")
        .refused("sends-astray may not send key to 127.0.0.1/access (it may carry: access-token)");
    Astray::new("encoded")
        .refused("sends-astray may not send key to 127.0.0.1/answer (it may carry: answer)");
    Astray::new("signed")
        .refused("sends-astray may not send key to 127.0.0.1/signer (it may carry: signer)");
}

#[test]
fn a_token_that_is_made_of_a_secret_goes_no_further_than_the_secret() {
    let astray = Astray::new("returned");
    astray.succeeds();
    astray
        .refused("sends-astray may not send key to 127.0.0.1/access (it may carry: access-token)");
}

#[test]
fn a_refresh_token_that_is_made_of_a_secret_stays_so_while_it_is_kept() {
    let astray = Astray::new("kept");
    astray.succeeds();
    astray.succeeds();
    astray.refused(
        "sends-astray may not send key to 127.0.0.1/refresh (it may carry: refresh-token)",
    );
}

#[test]
fn a_further_token_that_is_made_of_a_secret_goes_no_further_than_the_secret() {
    let astray = Astray::new("extra");
    astray.succeeds();
    astray.refused("sends-astray may not send key to 127.0.0.1/extra (it may carry: extra-tokens)");
}

#[test]
fn two_tokens_of_one_name_are_refused_before_one_answers_for_the_other() {
    const KEPT: &str = "nothing was saved; the provider's answer is kept for a replay";
    for (misdeed, name) in [("extra-twice", "a"), ("extra-namesake", "access_token")] {
        let astray = Astray::new(misdeed);
        let text = format!("sends-astray.login returned two tokens called `{name}`; {KEPT}");
        stops_in(&astray.home, "sends-astray").is("plugin.output_invalid", &text);
    }
}

#[test]
fn a_secret_that_the_provider_repeats_goes_no_further_than_the_secret() {
    let key = rotor::Settings::default().key;
    for repeated in [format!("your key is {key}"), base64(&key), key.to_uppercase()] {
        for misdeed in ["echoed", "echo-returned"] {
            let astray = Astray::new(misdeed);
            let answer = Answer::json(200, &json!({ "access_token": repeated }));
            astray.stage.rotor.control().script(Scenario::from(answer).on("/token"));
            let place = if misdeed == "echoed" { "answer" } else { "access" };
            let (carries, over) = if misdeed == "echoed" {
                ("answer", "key")
            } else {
                astray.succeeds();
                ("access-token", "answer, key")
            };
            astray.refused(&format!(
                "sends-astray may not send {over} to 127.0.0.1/{place} (it may carry: {carries})"
            ));
        }
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("user:{text}"))
}
