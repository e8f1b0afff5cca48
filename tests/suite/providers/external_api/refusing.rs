//! One wrong login is one too many already: whatever the server says of it, nothing is tried again, and
//! no account is ever locked.

use e2e::provider::login::{ErrorStyle, Format, Lock};
use e2e::stage::write_secret;

use crate::providers::external_api::{COMMON, Case, FORMATS, Many, Told};

fn everywhere() -> Many {
    let mut cases = Vec::new();
    for (format, error_style) in FORMATS {
        for (told, path) in [(Told::Whole, "/login"), (Told::Server, COMMON[4])] {
            cases.push(Case::new(told, path, |it| {
                (it.format, it.error_style) = (format, error_style);
            }));
        }
    }
    Many::new(cases)
}

fn write_wrong_secrets(many: &Many) {
    write_secret(&many.home, "password", "wrong");
    write_secret(&many.home, "client_secret", "wrong");
}

#[test]
fn a_wrong_password_is_sent_once_whatever_the_server_says_of_it() {
    let many = everywhere();
    write_wrong_secrets(&many);
    for (number, (case, attempt, _)) in many.refresh(&[]).into_iter().enumerate() {
        let code = &attempt["error"]["code"];
        assert_eq!(code, "provider.invalid_credentials", "{case:?}: {attempt}");
        // A client may have to say who it is in the body, so its refusal is made sure of.
        let most = if case.is_client() { 2 } else { 1 };
        let wrong = many.all[number].1.control().wrong_logins();
        assert!((1..=most).contains(&wrong), "{case:?}: {wrong} wrong logins");
    }
}

#[test]
fn a_wrong_password_that_nobody_forces_is_never_sent_again() {
    let many = everywhere();
    write_wrong_secrets(&many);
    many.refresh(&[]);
    many.all.iter().for_each(|(_, fake)| fake.control().clear_journal());
    for (number, (case, fake)) in many.all.iter().enumerate() {
        let name = format!("case-{number}");
        let _ = many.home.run(&["token", "get", &name]).exits(4);
        assert_eq!(fake.control().journal().len(), 0, "{case:?}");
    }
}

#[test]
fn an_account_is_not_locked_by_a_person_who_insists() {
    for lock in [Lock::Forbidden, Lock::TooMany] {
        let mut case = Case::new(Told::Server, "/api/login", |it| {
            (it.format, it.error_style) = (Format::JsonEmail, ErrorStyle::Laravel422);
        });
        case.server.lock = lock;
        let many = Many::new([case]);
        many.succeed(&[]);
        write_secret(&many.home, "password", "wrong");
        let control = many.all[0].1.control();
        control.revoke_everything();
        for forced in 1..=4 {
            many.refresh(&["--force"]);
            assert_eq!(control.wrong_logins(), forced, "{lock:?}: one for each command");
        }
        write_secret(&many.home, "password", "demo-password");
        many.succeed(&["--force"]);
    }
}

#[test]
fn a_locked_account_is_not_knocked_at() {
    for (lock, code) in
        [(Lock::Forbidden, "provider.misconfigured"), (Lock::TooMany, "provider.rate_limited")]
    {
        let mut case = Case::new(Told::Server, "/api/login", |_| ());
        (case.server.lock, case.server.most_wrong) = (lock, 0);
        let many = Many::new([case]);
        let refreshed = many.refresh(&[]);
        let (_, attempt, _) = &refreshed[0];
        assert_eq!(attempt["error"]["code"], code, "{attempt}");
        let paths = many.all[0].1.control().journal();
        let last = paths.last().unwrap();
        assert_eq!(last.path, "/api/login", "nothing after it was tried");
    }
}
