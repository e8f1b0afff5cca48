//! Providers with manners of their own: why they refuse, and what protects a login that they do not know.

use std::net::TcpListener;

use e2e::provider::authorization::rules::Pkce;
use e2e::provider::oauth;
use e2e::visitor::{fetch, walk};

use crate::connecting::Desk;

fn desk(more: &str) -> Desk {
    Desk::oauth(oauth::Settings::default(), more)
}

#[test]
fn a_provider_that_refuses_is_quoted_and_the_case_is_the_one_that_fits() {
    for (error, said, code, helps) in [
        (
            "access_denied",
            "Your device is not compliant",
            "connect.denied",
            "a rule of the provider's",
        ),
        ("temporarily_unavailable", "Back at noon", "provider.unavailable", "try again later"),
        ("unauthorized_client", "", "connect.denied", "registration"),
        ("invalid_scope", "no such scope: x", "connect.denied", "check `scopes`"),
    ] {
        let desk = desk("");
        desk.fake.control().behave(|it| it.refusal = Some((error.to_owned(), said.to_owned())));
        let (page, run) = desk.connect("me");
        let run = run.exits(1);
        assert!(run.stderr.contains(&format!("error[{code}]")), "{run:?}");
        assert!(run.stderr.contains(helps) && run.stderr.contains(said), "{run:?}");
        assert!(page.body.contains("Not connected") && page.body.contains(said), "{page:?}");
    }
}

#[test]
fn what_a_provider_says_cannot_act_on_the_page_or_the_terminal() {
    let desk = desk("");
    let said = "<script>alert(1)</script> \u{1b}[2J token ghp_A1b2C3d4E5f6G7h8I9j0K1";
    desk.fake.control().behave(|it| {
        it.refusal = Some(("access_denied".to_owned(), said.to_owned()));
    });
    let (page, run) = desk.connect("me");
    assert!(!page.body.contains("<script>"), "{page:?}");
    for text in [&page.body, &run.stderr] {
        assert!(!text.contains('\u{1b}') && !text.contains("A1b2C3d4"), "{text}");
    }
}

#[test]
fn a_provider_whose_id_tokens_have_no_nonce_is_named_with_its_setting() {
    let without = desk(", scopes = \"openid\"");
    without.fake.control().behave(|it| it.repeats_nonce = false);
    let run = without.connect("me").1.exits(1);
    assert!(run.stderr.contains("connect.nonce_mismatch"), "{run:?}");
    assert!(run.stderr.contains("nonce = \"none\""), "{run:?}");
    let with = desk(", scopes = \"openid\", nonce = \"none\"");
    with.fake.control().behave(|it| it.repeats_nonce = false);
    let mut connecting = with.begin("me", &[]);
    let url = connecting.address();
    assert_eq!(Desk::parameter(&url, "nonce"), None, "what is not checked is not asked for");
    walk(&url);
    connecting.end().exits(0);
}

#[test]
fn a_provider_that_refuses_a_challenge_is_connected_without_one() {
    let settings = || oauth::Settings { pkce: Pkce::Refused, ..oauth::Settings::default() };
    let run = Desk::oauth(settings(), "").connect("me").1.exits(1);
    assert!(run.stderr.contains("the setting `pkce`"), "{run:?}");
    let desk = Desk::oauth(settings(), ", pkce = \"none\"");
    desk.connect("me").1.exits(0);
    desk.home.run(&["refresh", "oauth2/me", "--force"]).exits(0);
}

#[test]
fn a_provider_that_sends_people_back_with_a_form_is_understood() {
    let desk = desk(", response_mode = \"form_post\"");
    desk.fake.control().behave(|it| it.form_post_only = true);
    let (page, run) = desk.connect("me");
    assert!(page.body.contains("Connected"), "{page:?}");
    assert!(page.way.last().unwrap().ends_with("/callback"), "the code is in no address: {page:?}");
    run.exits(0);
}

#[test]
fn localhost_is_both_of_its_addresses_or_refused() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://localhost:{free}/callback");
    let settings = oauth::Settings { redirect_uris: vec![address], ..oauth::Settings::default() };
    let desk = Desk::oauth(settings, "");
    let port = free.to_string();
    let arguments = ["--host", "localhost", "--port", port.as_str()];
    let mut connecting = desk.begin("me", &arguments);
    let url = connecting.address();
    let (_, back, _) = fetch(&url);
    let six = back.unwrap().replace("localhost", "[::1]");
    let has_six = TcpListener::bind("[::1]:0").is_ok();
    let page = if has_six { fetch(&six).2 } else { walk(&url).body };
    assert!(page.contains("Connected"), "{page}");
    connecting.end().exits(0);
    if has_six {
        let _other = TcpListener::bind(format!("[::1]:{port}")).unwrap();
        let run = desk.begin("me", &arguments).end().exits(1);
        assert!(run.stderr.contains("connect.port_taken"), "{run:?}");
        assert!(run.stderr.contains(&format!("[::1]:{port}")), "{run:?}");
    }
}

#[test]
fn a_person_pastes_the_address_that_a_browser_elsewhere_ended_at() {
    let desk = desk("");
    let mut connecting = desk.begin("me", &["--paste"]);
    let url = connecting.address();
    connecting.line_with("paste that whole address").unwrap();
    let (_, ended_at, _) = fetch(&url);
    connecting.type_in("hello");
    connecting.line_with("that is not the address").unwrap();
    connecting.type_in("http://127.0.0.1:1/callback?code=guessed&state=guessed");
    connecting.line_with("belongs to another login").unwrap();
    connecting.type_in(&format!("  {}  ", ended_at.unwrap()));
    connecting.end().exits(0);
    assert_eq!(desk.show("me")["state"], "fresh");
}

#[test]
fn who_pastes_has_the_page_on_this_machine_as_well() {
    let desk = desk("");
    let mut connecting = desk.begin("me", &["--paste"]);
    assert!(walk(&connecting.address()).body.contains("Connected"));
    connecting.end().exits(0);
}
