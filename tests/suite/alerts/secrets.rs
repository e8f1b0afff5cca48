//! Whatever goes wrong, nothing that is sent to people holds a secret.

use e2e::daemon::wait_until;
use e2e::provider::answer::Answer;
use e2e::provider::eskiz;
use e2e::provider::script::Scenario;
use e2e::receiver::Receiver;
use e2e::stage::{Stage, write_secret};

use super::{add, webhook};

#[test]
fn no_message_holds_a_secret_of_a_provider_or_of_the_channel() {
    let receiver = Receiver::start();
    let settings = eskiz::Settings::default();
    let (email, password) = (settings.email.clone(), settings.password.clone());
    let stage = Stage::eskiz_as(settings, "").logged_in();
    let token = stage.token();
    let echo = format!("{{\"message\":\"{password} {email} {token}\"}}");
    let answer = Answer::new(500, "application/json", echo);
    stage.control().script(Scenario::from(answer).always());
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    write_secret(&stage.home, "hook.secret", secret);
    add(&stage.home, &webhook(&receiver, "secret = { file = \"hook.secret\" }\nafter = \"0s\""));
    let _daemon = stage.home.serve();
    stage.home.run(&["refresh", "--force", "--sync"]);
    wait_until("it is told", || !receiver.received().is_empty());
    stage.home.run(&["channel", "test", "webhook"]).exits(0);
    for it in receiver.received() {
        let all = format!("{it:?}");
        for canary in [&password, &email, &token, &secret[6..]] {
            assert!(!all.contains(canary), "{canary} in {all}");
        }
    }
}
