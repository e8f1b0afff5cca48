//! A client that logs in for itself, with every way to say who it is.

use e2e::provider::authorization::rules::ClientAuth;
use e2e::provider::script::Fate;
use e2e::provider::{Kind, keys, oauth};
use e2e::stage::{Stage, write_secret};
use serde_json::Value;

use crate::providers::subject::{self, Subject, plain};

const BASE: &str = r#"token_url = "{base}/token", client_id = "demo-client""#;

/// A client of a server that knows its clients by `auth`.
pub(super) fn client(auth: ClientAuth, settings: &'static str) -> Subject {
    let mut subject = plain(subject::oauth2_client);
    subject.settings = settings;
    let Kind::OAuth(server) = &mut subject.kind else { panic!("another fake") };
    server.client_auth = auth;
    subject
}

fn signs(pem: &str, public: &str, settings: &'static str) -> Subject {
    let auth = ClientAuth::PrivateKeyJwt(public.to_owned());
    let secrets = vec![("private_key", pem.to_owned())];
    Subject { secrets, ..client(auth, settings) }
}

/// Logs in, and then again, which is what a refresh is without a refresh token.
fn logs_in_twice(subject: &Subject) -> Stage {
    let stage = subject.stage("");
    for arguments in [&[][..], &["--force"]] {
        let attempt = stage.refresh(arguments);
        assert_eq!(attempt["outcome"], "success", "{}: {attempt}", subject.settings);
    }
    assert_eq!(stage.seen(), ["POST /token", "POST /token"]);
    stage
}

#[test]
fn a_secret_is_sent_in_the_header_unless_the_settings_say_otherwise() {
    let stage = logs_in_twice(&client(ClientAuth::Basic, BASE));
    let entry = &stage.control().journal()[0];
    assert!(entry.presented.contains_key("basic"), "{entry:?}");
    assert!(!entry.fields.iter().any(|it| it == "client_secret"), "{entry:?}");
    let post = r#"token_url = "{base}/token", client_id = "demo-client", client_auth = "post""#;
    let stage = logs_in_twice(&client(ClientAuth::Post, post));
    let entry = &stage.control().journal()[0];
    assert!(entry.presented.contains_key("client_secret"), "{entry:?}");
    assert!(!entry.presented.contains_key("basic"), "{entry:?}");
}

#[test]
fn a_client_signs_with_rs256_and_with_es256() {
    let es = r#"token_url = "{base}/token", client_id = "demo-client", key_algorithm = "es256", key_id = "one""#;
    for (private, public, settings) in [
        (keys::RS256_PRIVATE, keys::RS256_PUBLIC, BASE),
        (keys::ES256_PRIVATE, keys::ES256_PUBLIC, es),
    ] {
        let stage = logs_in_twice(&signs(private, public, settings));
        let journal = stage.control().journal();
        let proof = |at: usize| journal[at].presented["client_assertion"].clone();
        assert_ne!(proof(0), proof(1), "a proof is used once");
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_the_operators_to_correct_and_not_shown() {
    let subject = signs(keys::ES256_PRIVATE, keys::ES256_PUBLIC, BASE);
    let stage = subject.stage("");
    let run = stage.run_refresh(&[]);
    let error = run.json()["attempts"][0]["error"].clone();
    assert!(error["code"].is_string(), "{error}");
    assert_eq!(stage.control().seen(), 0, "nothing was sent: {error}");
    let line = keys::ES256_PRIVATE.lines().nth(1).unwrap();
    assert!(!run.stdout.contains(line) && !run.stderr.contains(line));
}

#[test]
fn a_key_that_the_server_does_not_know_is_refused_once() {
    let subject = signs(keys::RS256_PRIVATE, keys::ES256_PUBLIC, BASE);
    let stage = subject.stage("");
    assert_eq!(stage.refresh(&[])["error"]["code"], "provider.invalid_credentials");
    assert_eq!(stage.state(), "misconfigured");
    let _ = stage.home.run(&["token", "get", "oauth2-client"]).exits(4);
    assert_eq!(stage.control().seen(), 1);
}

#[test]
fn a_secret_that_was_corrected_is_taken() {
    let subject = client(ClientAuth::Basic, BASE);
    let stage = subject.stage("");
    write_secret(&stage.home, "secrets/oauth2-client.client_secret", "wrong");
    assert_eq!(stage.refresh(&[])["error"]["code"], "provider.invalid_credentials");
    subject.write_secrets(&stage.home);
    assert_eq!(stage.refresh(&[])["outcome"], "success");
}

#[test]
fn a_client_logs_in_when_its_refresh_token_was_spent_by_a_lost_answer() {
    let own =
        r#"token_url = "{base}/token", client_id = "demo-client", grant = "client_credentials""#;
    let subject = client(ClientAuth::BasicOrPost, own);
    let stage = subject.stage("");
    subject.set_token(&stage);
    stage.control().script(Fate::CutAfter);
    assert_eq!(stage.refresh(&["--force"])["error"]["code"], "provider.connection_lost");
    stage.next_try_comes();
    assert_eq!(stage.refresh(&[])["outcome"], "skipped", "the access token works");
    let recovered = stage.refresh(&["oauth2-client", "--force"]);
    assert_eq!(recovered["outcome"], "success", "{recovered}");
    assert!(recovered["reason"].as_str().unwrap().starts_with("logged in again"), "{recovered}");
}

#[test]
fn a_person_who_cannot_be_logged_in_keeps_the_refresh_token_that_was_not_spent() {
    let stage = plain(subject::oauth2_person).started("");
    stage.control().script(Fate::CutBefore);
    assert_eq!(stage.refresh(&["--force"])["error"]["code"], "provider.connection_lost");
    stage.next_try_comes();
    assert_eq!(
        stage.refresh(&[])["outcome"],
        "skipped",
        "the access token works: {}",
        stage.status()
    );
    assert_eq!(stage.control().seen(), 1);
    let named = stage.refresh(&["oauth2-person", "--force"]);
    assert_eq!(named["outcome"], "success", "{named}");
    assert_eq!(stage.control().family("oauth2-person").unwrap().rotations, 1);
}

#[test]
fn a_public_client_refreshes_without_a_secret() {
    let mut subject = plain(subject::oauth2_person);
    let Kind::OAuth(server) = &mut subject.kind else { panic!("another fake") };
    server.client_auth = ClientAuth::Public;
    subject.secrets.clear();
    let stage = subject.started("");
    assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    let entry = &stage.control().journal()[0];
    assert_eq!(entry.presented.keys().collect::<Vec<_>>(), ["refresh_token"]);
}

#[test]
fn a_refresh_token_that_stays_is_kept_when_the_answer_leaves_it_out() {
    let mut subject = plain(subject::oauth2_person);
    let Kind::OAuth(server) = &mut subject.kind else { panic!("another fake") };
    *server = oauth::Settings { class: e2e::provider::family::Class::None, ..server.clone() };
    let stage = subject.started("");
    for _ in 0..3 {
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    }
    let presented = |it: &e2e::provider::journal::Entry| it.presented["refresh_token"].clone();
    let mut all = stage.control().journal().iter().map(presented).collect::<Vec<_>>();
    all.dedup();
    assert_eq!((all.len(), &stage.status()["generation"]), (1, &Value::from(4)));
}
