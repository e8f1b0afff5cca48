//! What was found is tried first the next time and shown; the operator's own token is for when nothing
//! else is left.

use e2e::provider::answer::Answer;
use e2e::provider::login::{ErrorStyle, Expiry, Format, Refresh, TokenAt};
use e2e::provider::script::Scenario;
use e2e::stage::write_secret;

use crate::providers::external_api::{Case, Many, Told};
use crate::providers::fact;

/// A login that takes some finding: the last path, with a name that is asked for.
fn hidden() -> Case {
    Case::new(Told::Server, "/api/auth/login", |it| {
        (it.format, it.error_style) = (Format::JsonUsername, ErrorStyle::Drf401);
        (it.token_at, it.refresh) = (TokenAt::NestedData, Refresh::None);
    })
}

#[test]
fn what_was_found_is_shown_and_asked_first_the_next_time() {
    let many = Many::new([hidden()]);
    let first = many.succeed(&[])[0];
    assert!(first > 5, "{first} requests");
    assert_eq!(many.succeed(&["--force"]), [1]);
    let shown = many.show(0);
    let endpoint = format!("{}/api/auth/login", many.all[0].1.base_url());
    for (name, value) in [
        ("endpoint", endpoint.as_str()),
        ("format", "json-email"),
        ("user_field", "username"),
        ("token_at", "/data/token"),
        ("expiry_from", "the token itself, a JWT"),
    ] {
        assert_eq!(fact(&shown, name).as_deref(), Some(value), "{name}: {}", shown["metadata"]);
    }
}

#[test]
fn another_address_begins_the_search_anew() {
    let many = Many::new([hidden()]);
    let first = many.succeed(&[])[0];
    let path = many.home.path("keepfresh.toml");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let base = many.all[0].1.base_url();
    many.home.write_manifest(&manifest.replace(&format!("{base}\""), &format!("{base}/\"")));
    assert_eq!(many.succeed(&["--force"]), [first]);
}

#[test]
fn a_server_that_is_down_for_a_while_is_waited_for() {
    let many = Many::new([hidden()]);
    many.succeed(&[]);
    let control = many.all[0].1.control();
    for answer in [Answer::nginx_not_found(), Answer::login_page()] {
        control.script(Scenario::from(answer).always());
        let refreshed = many.refresh(&["--force"]);
        let (_, attempt, _) = &refreshed[0];
        assert_eq!(attempt["error"]["code"], "provider.unexpected", "{attempt}");
        let shown = many.show(0);
        assert_eq!(shown["state"], "late", "no person is needed: {shown}");
        assert!(shown["next_refresh_at"].is_string());
        control.clear_script();
        // What was not understood is read once more first.
        let recovers = |_| many.refresh(&["case-0", "--force"])[0].1["outcome"] == "success";
        assert!((0..3).any(recovers), "{}", many.show(0));
    }
}

#[test]
fn the_operators_own_token_is_served_while_nothing_else_works() {
    let many = Many::new([hidden()]);
    let manifest = std::fs::read_to_string(many.home.path("keepfresh.toml")).unwrap();
    let line = "fallback_token = { file = \"fallback\" }";
    write_secret(&many.home, "fallback", "the-operators-own");
    many.home.write_manifest(&format!("{manifest}{line}\n"));
    let control = many.all[0].1.control();
    control.script(Scenario::from(Answer::server_error()).always());
    many.refresh(&[]);
    assert_eq!(many.token(0), "the-operators-own");
    control.clear_script();
    control.reject_credentials(true);
    many.refresh(&[]);
    assert_eq!(many.token(0), "the-operators-own", "wrong credentials are no reason to serve none");
    control.reject_credentials(false);
    many.succeed(&["--force"]);
    assert_ne!(many.token(0), "the-operators-own", "left as soon as a login works");
    control.script(Scenario::from(Answer::server_error()).always());
    many.refresh(&["--force"]);
    assert_ne!(many.token(0), "the-operators-own", "a token that still works is better");
}

#[test]
fn a_year_of_short_tokens_is_logged_in_for_when_the_refresh_token_dies() {
    let case = Case::new(Told::Whole, "/api/token/", |it| {
        (it.refresh, it.expiry) = (Refresh::RotatingSimpleJwt, Expiry::JwtExp);
    });
    let many = Many::new([case]);
    many.succeed(&[]);
    many.all[0].1.control().revoke_everything();
    let refreshed = many.refresh(&["--force"]);
    let (_, attempt, _) = &refreshed[0];
    assert_eq!(attempt["outcome"], "success");
    assert!(attempt["reason"].as_str().unwrap().starts_with("logged in again"), "{attempt}");
    assert_eq!(many.succeed(&["--force"]), [1]);
}
