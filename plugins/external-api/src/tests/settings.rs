//! Settings that cannot work, and what is declared.

use sdk::Provider as _;
use sdk::testing::{context, login};

use crate::Plugin;

fn refused(settings: &[(&str, &str)]) -> String {
    let played = login::<Plugin>(&context::<Plugin>(settings), &[]);
    assert!(played.requests.is_empty());
    let (case, text) = (played.case(), played.text());
    assert_eq!(case, "misconfigured");
    text.to_owned()
}

#[test]
fn a_setting_that_cannot_work_is_refused_before_anything_is_sent() {
    for (name, value, text) in [
        (
            "format",
            "xml",
            "must be one of `json-email`, `json-username`, `form`, `client-credentials`",
        ),
        ("token_pointer", "data.token", "must look like /data/token"),
        ("lifetime", "1h", "must be a number of seconds"),
        ("lifetime", "0", "must be a number of seconds"),
    ] {
        let said = refused(&[("login_url", "https://a.example/login"), (name, value)]);
        assert_eq!(said, format!("the setting `{name}` {text}"));
    }
    let said = refused(&[("login_url", "a.example/login")]);
    assert_eq!(said, "the setting `login_url` must begin with https:// or http://");
    assert_eq!(refused(&[]), "the setting `login_url` is missing");
}

#[test]
fn only_what_is_needed_is_declared() {
    let described = Plugin::describe();
    assert!(described.secrets.iter().all(|field| !field.required));
    assert_eq!(described.access.len(), 3);
    assert_eq!(described.extra, [("requests".to_owned(), "16".to_owned())]);
}
