//! What is current as a signed request: others can tell that it is ours, and the same state has the same id.

use std::fs;
use std::process::{Command, Stdio};

use e2e::daemon::wait_until;
use e2e::home::Home;
use e2e::receiver::{Received, Receiver};
use e2e::servers;
use e2e::stage::{self, Stage};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A home whose token goes to this receiver, with these lines besides.
fn sending(receiver: &Receiver, more: &str) -> Stage {
    let made = Stage::eskiz("").logged_in();
    stage::write_secret(&made.home, "hook.secret", SECRET);
    let url = receiver.url("/tokens");
    add(
        &made.home,
        &format!(
            "\n[[sinks]]\nname = \"app\"\nconnection = \"eskiz\"\nwebhook = {{ url = \"{url}\", secret = {{ file = \"hook.secret\" }}, egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }} }}\n{more}\n"
        ),
    );
    made
}

fn add(home: &Home, text: &str) {
    let before = fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&(before + text));
}

/// Whether a library of others takes the signature.
fn is_verified(python: &std::path::Path, received: &Received) -> bool {
    let headers = serde_json::to_string(&received.headers).unwrap();
    let verify = "import json, sys\nfrom standardwebhooks.webhooks import Webhook\nWebhook(sys.argv[1]).verify(sys.argv[3], json.loads(sys.argv[2]))\n";
    let mut command = Command::new(python);
    command.args(["-c", verify, SECRET, &headers, &received.body]).stdin(Stdio::null());
    command.output().unwrap().status.success()
}

#[test]
fn the_current_token_is_sent_and_others_can_tell_that_it_is_ours() {
    let receiver = Receiver::start();
    let stage = sending(&receiver, "");
    let daemon = stage.home.serve();
    let received = receiver.receives(1).remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/tokens"));
    assert_eq!(received.headers["content-type"], "application/json");
    let token = stage.token();
    assert!(received.body.contains(&token) && received.json().is_object(), "{}", received.body);
    assert!(!daemon.log().contains(&token), "{}", daemon.log());
    if let Some(python) = servers::python("channels") {
        assert!(is_verified(&python, &received));
        let changed = Received { body: received.body.replace(&token, "other"), ..received };
        assert!(!is_verified(&python, &changed), "it was changed on its way");
    }
}

#[test]
fn a_body_of_ones_own_is_signed_as_it_is_made() {
    let receiver = Receiver::start();
    let more = "template = \"\"\"{\\\"access\\\":  {{ token | tojson }} }\"\"\"";
    let stage = sending(&receiver, more);
    let _daemon = stage.home.serve();
    let received = receiver.receives(1).remove(0);
    assert_eq!(received.body, format!("{{\"access\":  \"{}\" }}", stage.token()));
    if let Some(python) = servers::python("channels") {
        assert!(is_verified(&python, &received));
    }
}

#[test]
fn the_same_state_has_the_same_id_at_every_try_and_the_next_has_another() {
    let receiver = Receiver::start();
    receiver.answers("503 Busy");
    let stage = sending(&receiver, "");
    let _daemon = stage.home.serve();
    let tries = receiver.receives(2);
    let id = |received: &Received| received.headers["webhook-id"].clone();
    assert_eq!(id(&tries[0]), id(&tries[1]), "it is the same");
    assert_eq!(stage.refresh(&[&stage.id(), "--force", "--sync"])["outcome"], "success");
    wait_until("the next comes", || receiver.received().len() == 3);
    assert_ne!(id(&tries[0]), id(&receiver.received()[2]));
}

#[test]
fn a_receiver_that_wants_nothing_is_told_with_a_code_of_sinks() {
    let receiver = Receiver::start();
    for _ in 0..20 {
        receiver.answers("302 Found\nLocation: http://elsewhere.example/");
    }
    let stage = sending(&receiver, "");
    let _daemon = stage.home.serve();
    let sink = || stage.home.run(&["sink", "list", "--json"]).exits(0).json()["sinks"][0].clone();
    wait_until("it fails", || sink()["state"] == "failing");
    assert_eq!(sink()["error"]["code"], "sink.webhook_redirect", "{}", sink());
}
