//! `PlayMobile`: the token is the credentials, and whatever is asked, no message is ever sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::provider::playmobile::{Settings, Unauthorized};
use e2e::provider::{Kind, playmobile};

use crate::providers::subject::{self, Subject, plain};
use crate::providers::{probe, show};

fn behaving(change: impl FnOnce(&mut Settings)) -> Subject {
    let mut subject = plain(subject::playmobile);
    let Kind::PlayMobile(settings) = &mut subject.kind else { panic!("another fake") };
    change(settings);
    subject
}

#[test]
fn nothing_that_is_asked_sends_a_message() {
    let stage = plain(subject::playmobile).started("probe = \"1h\"");
    for _ in 0..3 {
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
    }
    assert!(probe(&stage));
    stage.control().reject_credentials(true);
    assert_eq!(stage.refresh(&["--force"])["outcome"], "failed");
    assert_eq!(stage.control().sent_messages(), 0);
    for entry in stage.control().journal() {
        assert_eq!(
            (entry.path.as_str(), &*entry.fields),
            ("/broker-api/send", &["messages".to_owned()][..])
        );
    }
}

#[test]
fn the_token_is_the_name_and_the_password_for_http_basic() {
    let subject = plain(subject::playmobile);
    let stage = subject.started("");
    let got = stage.home.run(&["token", "get", "playmobile", "--json"]).exits(0).json();
    let Kind::PlayMobile(playmobile::Settings { login, password, .. }) = &subject.kind else {
        panic!("another fake")
    };
    assert_eq!(got["token"], STANDARD.encode(format!("{login}:{password}")));
    assert_eq!((&got["token_type"], &got["expires_at"]), (&"Basic".into(), &().into()));
    let sentence = show(&stage)["sentence"].as_str().unwrap().to_owned();
    let said = "Valid; the provider gives no expiry. Refresh due in ";
    assert!(sentence.starts_with(said), "{sentence}");
}

#[test]
fn a_locked_account_is_for_a_person_and_recovers_when_it_is_unlocked() {
    for code_as_text in [false, true] {
        let stage = behaving(|it| it.code_as_text = code_as_text).started("");
        stage.control().lock_account(true);
        let failed = stage.refresh(&["--force"]);
        assert_eq!(failed["error"]["code"], "provider.misconfigured");
        assert!(stage.status()["sentence"].as_str().unwrap().contains("account is locked"));
        stage.control().lock_account(false);
        assert_eq!(stage.refresh(&[])["outcome"], "success");
    }
}

#[test]
fn a_wrong_password_is_known_by_the_status_whatever_stands_beside_it() {
    for unauthorized in [Unauthorized::Empty, Unauthorized::Html, Unauthorized::Json] {
        let stage = behaving(|it| it.unauthorized = unauthorized).stage("");
        stage.control().reject_credentials(true);
        let failed = stage.refresh(&[]);
        assert_eq!(failed["error"]["code"], "provider.invalid_credentials", "{unauthorized:?}");
    }
}

#[test]
fn a_complaint_about_the_missing_messages_is_good_news() {
    for code in [101, 103, 202, 401, 404] {
        let stage = behaving(|it| it.empty_code = code).started("probe = \"1h\"");
        let reply = format!("error code {code}");
        assert_eq!(show(&stage)["profile"]["reply"], reply);
    }
}
