//! What a plugin declared is all that it reaches: redirects and documents that point elsewhere lead to
//! nothing, and a provider on this machine needs the operator's line.

use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use e2e::stage::Stage;

use crate::providers::subject::{First, Make, each_subject, plain};

fn attempt(stage: &Stage) -> serde_json::Value {
    // By its name: what an answer has left in doubt is sent only then.
    stage.refresh(&[&stage.id(), "--force"])
}

/// Another server of this machine, which the operator has not named, gets nothing.
fn follows_no_redirect(make: Make) {
    let subject = plain(make);
    let stage = subject.started("");
    let old = stage.token();
    let stranger = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let mut away = Answer::redirect(&format!("{}/token", stranger.base_url()));
        away.status = status;
        stage.control().script(Scenario::from(away).always());
        let failed = attempt(&stage);
        assert_eq!(failed["outcome"], "failed", "{} at {status}: {failed}", subject.name);
        assert_eq!(stranger.control().seen(), 0, "{} followed a {status}", subject.name);
        assert_eq!(stage.token(), old, "{} at {status}", subject.name);
    }
    stage.control().clear_script();
    let recovered = (0..3).any(|_| attempt(&stage)["outcome"] == "success");
    assert!(recovered, "{}: {}", subject.name, stage.status());
}

/// The same server at a path that was not declared: external-api alone may ask anywhere at its server.
fn follows_no_redirect_to_another_path(make: Make) {
    let subject = plain(make);
    let stage = subject.started("");
    let away = Answer::redirect(&format!("{}/admin", stage.fake.base_url()));
    stage.control().script(Scenario::from(away).always());
    assert_eq!(attempt(&stage)["outcome"], "failed", "{}", subject.name);
    assert_eq!(stage.count("/admin"), 0, "{}: {:?}", subject.name, stage.seen());
}

/// Without the operator's line nothing is sent, and the line is in the message.
fn is_refused_this_machine(make: Make) {
    let subject = plain(make);
    let stage = subject.stage("");
    let base = stage.fake.base_url();
    if subject.name != subject.connection {
        stage.home.run(&["connection", "add", subject.connection]).exits(0);
    }
    if subject.first != First::LogsIn {
        subject.set_token(&stage);
    }
    stage.home.write_manifest(&subject.section_without_egress(&base, ""));
    let run = stage.run_refresh(&["--force"]).exits(4).json();
    let error = &run["attempts"][0]["error"];
    let code = error["code"].as_str().unwrap();
    assert!(code.starts_with("egress."), "{}: {error}", subject.name);
    let remedy = format!("[providers.{}]: egress = {{", subject.name);
    assert!(error["message"].as_str().unwrap().contains(&remedy), "{}: {error}", subject.name);
    assert_eq!(stage.control().seen(), 0, "{}", subject.name);
}

macro_rules! stays {
    ($($subject:ident $first:ident $life:ident,)+) => {$(
        mod $subject {
            use crate::providers::elsewhere;
            use crate::providers::subject::$subject as make;

            #[test]
            fn a_redirect_to_another_server_is_not_followed() {
                elsewhere::follows_no_redirect(make);
            }

            #[test]
            fn a_redirect_to_another_path_is_not_followed() {
                elsewhere::follows_no_redirect_to_another_path(make);
            }

            #[test]
            fn a_provider_on_this_machine_is_refused_with_the_line_that_would_allow_it() {
                elsewhere::is_refused_this_machine(make);
            }
        }
    )+};
}

each_subject!(stays);
