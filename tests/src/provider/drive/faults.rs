//! Faults, journal and control over the wire.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, json};

use crate::provider::{
    FakeProvider, Kind,
    answer::Answer,
    drive::{Got, ask, form, json as post_json, receive, send, start},
    fingerprint::fingerprint,
    rotor::Settings,
    script::{Fate, Scenario},
};

const TOKEN: &str = "POST /token";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn rotor() -> (FakeProvider, String) {
    let fake = start(Kind::Rotor(Settings::default()));
    let first = fake.control().issue_family("a");
    (fake, format!("grant_type=refresh_token&refresh_token={}", first.refresh_token))
}

fn rotations(fake: &FakeProvider) -> (u64, u64) {
    let audit = fake.control().family("a").expect("the family");
    (audit.rotations, audit.undelivered)
}

fn under(scenario: impl Into<Scenario>) -> (Got, FakeProvider) {
    let (fake, body) = rotor();
    fake.control().script(scenario);
    let got = form(&fake, TOKEN, &body);
    (got, fake)
}

#[test]
fn a_cut_before_acting_closes_without_a_byte_and_rotates_nothing() {
    let (got, fake) = under(Fate::CutBefore);
    assert_eq!((got.status, rotations(&fake)), (0, (0, 0)));
    let entry = &fake.control().journal()[0];
    assert_eq!((entry.acted, entry.status, entry.delivered), (false, None, false));
}

#[test]
fn a_cut_after_acting_closes_without_a_byte_and_has_rotated() {
    let (got, fake) = under(Fate::CutAfter);
    assert_eq!((got.status, rotations(&fake)), (0, (1, 1)));
    let entry = &fake.control().journal()[0];
    assert_eq!((entry.acted, entry.status, entry.delivered), (true, None, false));
}

#[test]
fn a_cut_in_the_body_leaves_a_body_shorter_than_its_length() {
    let (got, fake) = under(Fate::CutBody);
    let promised = got.head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let promised: usize = promised.expect("a length").parse().expect("a number");
    assert_eq!((got.status, got.body.len()), (200, promised / 2));
    assert_eq!(rotations(&fake), (1, 1));
}

#[test]
fn a_spoiled_answer_leaves_whole_and_its_rotation_counts_as_undelivered() {
    for fate in [Fate::ActThenAnswer(Answer::bad_gateway()), Fate::Truncate] {
        let (got, fake) = under(fate);
        assert!(!got.body.is_empty());
        assert_eq!(rotations(&fake), (1, 1));
        assert!(fake.control().journal()[0].delivered);
    }
}

#[test]
fn canned_answers_come_once_each_and_in_order() {
    let (fake, body) = rotor();
    let answers = [
        (Answer::unauthorized(), 401, ""),
        (Answer::forbidden(), 403, ""),
        (Answer::rate_limited(Some("7")), 429, "retry-after: 7"),
        (Answer::rate_limited(None), 429, ""),
        (Answer::server_error(), 500, ""),
        (Answer::bad_gateway(), 502, "text/html"),
        (Answer::login_page(), 200, "text/html"),
        (Answer::truncated_json(), 200, "application/json"),
        (Answer::redirect("http://127.0.0.1:1/"), 302, "location: http://127.0.0.1:1/"),
    ];
    for (answer, ..) in &answers {
        fake.control().script(answer.clone());
    }
    for (_, status, header) in answers {
        let got = form(&fake, TOKEN, &body);
        assert_eq!(got.status, status);
        assert!(got.head.contains(header), "{}", got.head);
    }
    assert_eq!(rotations(&fake), (0, 0));
    assert_eq!(form(&fake, TOKEN, &body).status, 200);
}

#[test]
fn members_join_the_next_answer_only() {
    let (fake, body) = rotor();
    fake.control().merge_next(Map::from_iter([("poison".to_owned(), json!(true))]));
    let got = form(&fake, TOKEN, &body);
    assert_eq!(got.json()["poison"], true);
    let next = form(&fake, TOKEN, "key=demo-key");
    assert_eq!((next.status, next.json().get("poison")), (200, None));
}

#[test]
fn a_rotation_happens_although_the_client_goes_away() {
    let (fake, body) = rotor();
    fake.control().script(Scenario::from(Fate::Act).delay_before(100));
    drop(send(&fake, TOKEN, FORM, &body));
    wait_until(|| rotations(&fake).0 == 1);
    let entry = &fake.control().journal()[0];
    assert_eq!((entry.acted, entry.delivered, rotations(&fake).1), (true, false, 1));
}

#[test]
fn a_request_is_acted_on_although_the_client_leaves_at_once() {
    let fake = start(Kind::Rotor(Settings::default()));
    // A burst, so that most requests are read together with the end of their connection.
    for _ in 0..200 {
        drop(send(&fake, TOKEN, FORM, "key=demo-key"));
    }
    wait_until(|| fake.control().families().len() == 200);
}

#[test]
fn half_a_request_is_not_acted_on() {
    let fake = start(Kind::Rotor(Settings::default()));
    let mut stream = TcpStream::connect(fake.address()).expect("the fake listens");
    let head =
        format!("{TOKEN} HTTP/1.1\r\nHost: fake\r\n{FORM}Content-Length: 12\r\n\r\nkey=demo-ke");
    stream.write_all(head.as_bytes()).expect("the request leaves");
    drop(stream);
    assert_eq!(form(&fake, TOKEN, "key=wrong").status, 401);
    assert_eq!((fake.control().seen(), fake.control().families().len()), (1, 0));
}

#[test]
fn a_hung_request_is_in_the_journal_without_an_answer() {
    let (fake, body) = rotor();
    fake.control().script(Fate::ActThenHang);
    let stream = send(&fake, TOKEN, FORM, &body);
    wait_until(|| rotations(&fake).0 == 1);
    assert_eq!(fake.control().journal()[0].status, None);
    drop(fake);
    assert_eq!(receive(stream).status, 0, "a fake that stops cuts its connections");
}

#[test]
fn from_now_on_the_password_is_wrong() {
    let (got, fake) = under(Fate::RejectCredentials);
    assert_eq!(got.status, 200, "a refresh shows no password");
    assert_eq!(form(&fake, TOKEN, "key=demo-key").status, 401);
    let (got, _fake) = under(Fate::RevokeEverything);
    assert_eq!((got.status, got.text("/error")), (400, "invalid_grant".to_owned()));
}

#[test]
fn the_journal_names_fields_and_holds_no_secret() {
    let (fake, body) = rotor();
    let token = body.rsplit_once('=').expect("a form").1;
    form(&fake, TOKEN, &body);
    let entry = &fake.control().journal()[0];
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str(), entry.status),
        ("POST", "/token", Some(200))
    );
    assert_eq!(entry.fields, ["grant_type", "refresh_token"]);
    assert_eq!(entry.presented["refresh_token"], fingerprint(token));
    assert!(entry.delivered);
    assert!(!ask(&fake, "GET /__control/journal", "", "").body.contains(token));
}

#[test]
fn a_journal_that_is_off_still_counts() {
    let (fake, body) = rotor();
    fake.control().limit_journal(0);
    form(&fake, TOKEN, &body);
    assert_eq!((fake.control().seen(), fake.control().journal().len()), (1, 0));
    assert_eq!(rotations(&fake), (1, 0));
}

#[test]
fn another_process_controls_a_fake_over_http() {
    let fake = start(Kind::Rotor(Settings::default()));
    let pair = post_json(&fake, "POST /__control/issue", &json!({"name": "far"}));
    let many = post_json(&fake, "POST /__control/issue", &json!({"name": "b", "count": 3}));
    assert_eq!(many.json().as_array().map(Vec::len), Some(3));
    let scenario = json!({"path": "/token", "fate": {"answer": {"status": 503, "body": "no"}}});
    assert_eq!(post_json(&fake, "POST /__control/script", &scenario).json()["pending"], 1);
    let body = format!("grant_type=refresh_token&refresh_token={}", pair.text("/refresh_token"));
    assert_eq!(form(&fake, TOKEN, &body).status, 503);

    let credentials = json!({"set": {"key": "changed"}});
    assert_eq!(post_json(&fake, "POST /__control/credentials", &credentials).status, 200);
    assert_eq!(form(&fake, TOKEN, "key=changed").status, 200);
    assert_eq!(
        post_json(&fake, "POST /__control/advance", &json!({"seconds": 2_592_000})).status,
        200
    );
    assert_eq!(
        form(&fake, TOKEN, &body).text("/error_description"),
        "the refresh token is expired"
    );
    assert_eq!(ask(&fake, "GET /__control/families", "", "").json()[0]["name"], "far");
    assert_eq!(ask(&fake, "GET /__control/journal", "", "").json()["seen"], 3);
    assert_eq!(post_json(&fake, "POST /__control/script", &json!({"fat": 1})).status, 422);
}

/// What another thread does at once, but not before we look.
fn wait_until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "it did not happen in ten seconds");
        thread::sleep(Duration::from_millis(1));
    }
}
