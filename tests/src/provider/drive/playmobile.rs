//! `PlayMobile` over the wire.

use serde_json::{Value, json};

use crate::provider::{
    FakeProvider, Kind,
    answer::Answer,
    drive::{Got, basic, form, json as post_json, start},
    playmobile::{Settings, Unauthorized},
};

const SEND: &str = "POST /broker-api/send";
const ACCOUNT: &str = "demo-login:demo-password";

fn playmobile(settings: Settings) -> FakeProvider {
    start(Kind::PlayMobile(settings))
}

fn send(fake: &FakeProvider, body: &Value) -> Got {
    basic(fake, SEND, ACCOUNT, &body.to_string())
}

fn message() -> Value {
    json!({
        "recipient": "998901234567", "message-id": "abc123",
        "sms": {"originator": "3700", "content": {"text": "hi"}},
    })
}

fn code(got: &Got) -> (u16, u64) {
    (got.status, got.json()["error-code"].as_u64().unwrap_or(0))
}

#[test]
fn good_messages_are_received_in_plain_text_and_counted() {
    let fake = playmobile(Settings::default());
    let timing = json!({"start-datetime": "2030-01-01 12:00", "send-evenly": 0});
    let body = json!({"priority": "", "timing": timing, "messages": [message(), message()]});
    let got = send(&fake, &body);
    assert_eq!((got.status, got.body.as_str()), (200, "Request is received"));
    assert!(got.head.contains("content-type: text/plain"));
    assert_eq!(fake.control().sent_messages(), 2);
}

#[test]
fn an_empty_list_shows_that_the_password_is_good_and_sends_nothing() {
    let fake = playmobile(Settings::default());
    assert_eq!(code(&send(&fake, &json!({"messages": []}))), (400, 103));
    fake.control().set_credential("password", "changed");
    assert_eq!(send(&fake, &json!({"messages": []})).status, 401);
    assert_eq!(fake.control().sent_messages(), 0);
}

#[test]
fn without_the_password_everything_is_unauthorized() {
    let statuses = |unauthorized| {
        let fake = playmobile(Settings { unauthorized, ..Settings::default() });
        let bare = post_json(&fake, SEND, &json!({"messages": [message()]}));
        assert_eq!((bare.status, fake.control().sent_messages()), (401, 0));
        assert!(bare.head.contains("www-authenticate: Basic"));
        basic(&fake, "GET /other", "demo-login:wrong", "").body
    };
    assert_eq!(statuses(Unauthorized::Empty), "");
    assert!(statuses(Unauthorized::Html).starts_with("<html>"));
    assert!(statuses(Unauthorized::Json).contains("error-code"));
}

#[test]
fn a_bad_message_has_its_code_and_none_is_sent() {
    let fake = playmobile(Settings::default());
    for (pointer, value, expected) in [
        ("/recipient", json!("+998901234567"), 202),
        ("/recipient", json!("79991234567"), 202),
        ("/message-id", json!(""), 205),
        ("/sms/originator", json!(null), 401),
        ("/sms/content", json!(null), 404),
        ("/sms/content/text", json!(""), 406),
    ] {
        let mut bad = message();
        *bad.pointer_mut(pointer).expect("a member") = value;
        let got = send(&fake, &json!({"messages": [message(), bad]}));
        assert_eq!(code(&got), (400, expected), "{pointer}");
    }
    assert_eq!(code(&send(&fake, &json!({"priority": "now", "messages": []}))), (400, 104));
    let timing = json!({"start-datetime": "tomorrow"});
    assert_eq!(code(&send(&fake, &json!({"timing": timing, "messages": []}))), (400, 302));
    assert_eq!(code(&send(&fake, &json!({"message": []}))), (400, 101));
    assert_eq!(code(&basic(&fake, SEND, ACCOUNT, "messages=a")), (400, 101));
    assert_eq!(fake.control().sent_messages(), 0);
}

#[test]
fn a_locked_account_is_told_so_by_its_code() {
    let fake = playmobile(Settings { code_as_text: true, ..Settings::default() });
    fake.control().lock_account(true);
    let got = send(&fake, &json!({"messages": [message()]}));
    assert_eq!((got.status, got.text("/error-code")), (400, "102".to_owned()));
    fake.control().lock_account(false);
    assert_eq!(send(&fake, &json!({"messages": [message()]})).status, 200);
}

#[test]
fn a_script_comes_before_the_account() {
    let fake = playmobile(Settings::default());
    fake.control().script(Answer::bad_gateway());
    assert_eq!(form(&fake, SEND, "").status, 502);
    assert_eq!(form(&fake, SEND, "").status, 401);
}
