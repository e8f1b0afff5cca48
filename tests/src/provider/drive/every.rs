//! What holds for each fake: faults are those of the script, and the journal keeps no secret.

use crate::provider::{
    FakeProvider, Kind,
    answer::Answer,
    drive::{ask, basic, start},
    script::{Fate, Scenario},
};

fn every() -> Vec<FakeProvider> {
    Kind::all().into_iter().map(start).collect()
}

#[test]
fn a_scripted_answer_is_given_without_acting() {
    for fake in every() {
        for (answer, status) in [
            (Answer::rate_limited(None), 429),
            (Answer::rate_limited(Some("3")), 429),
            (Answer::server_error(), 500),
            (Answer::bad_gateway(), 502),
            (Answer::login_page(), 200),
            (Answer::truncated_json(), 200),
        ] {
            fake.control().script(answer);
            assert_eq!(ask(&fake, "POST /token", "", "").status, status);
        }
        assert!(fake.control().journal().iter().all(|it| !it.acted));
    }
}

#[test]
fn a_cut_leaves_nothing_or_half() {
    for fake in every() {
        fake.control().script(Fate::CutBefore);
        assert_eq!(ask(&fake, "GET /", "", "").status, 0);
        fake.control().script(Fate::CutAfter);
        assert_eq!(ask(&fake, "GET /", "", "").status, 0);
        fake.control().script(Scenario::from(Fate::CutBefore).on("/elsewhere"));
        assert_ne!(ask(&fake, "GET /", "", "").status, 0);
        let acted: Vec<_> = fake.control().journal().iter().map(|it| it.acted).collect();
        assert_eq!(acted, [false, true, true]);
    }
}

#[test]
fn a_secret_in_a_query_a_header_or_a_body_is_kept_as_a_fingerprint() {
    for fake in every() {
        let body = r#"{"password": "s3cret-a", "token": "s3cret-b", "refresh": "s3cret-c"}"#;
        basic(&fake, "POST /any?token=s3cret-d&code=s3cret-e", "user:s3cret-f", body);
        ask(&fake, "GET /any", "Authorization: Token s3cret-g\r\n", "");
        let text = format!("{:?}", fake.control().journal());
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("scheme_token") && text.contains("refresh"));
    }
}

#[test]
fn a_family_can_be_issued_and_revoked_wherever_there_are_families() {
    for fake in every() {
        let pair = fake.control().issue_family("a");
        fake.control().revoke_everything();
        let revoked = fake.control().family("a").is_none_or(|it| it.revoked);
        let kept = fake.control().families().len();
        assert!(revoked && kept == usize::from(!pair.refresh_token.is_empty()));
    }
}
