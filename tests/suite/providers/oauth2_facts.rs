//! Where an OAuth provider has its endpoints, what it says of a token, and what the token is for.

use e2e::provider::answer::Answer;
use e2e::provider::authorization::rules::{ClientAuth, Target};
use e2e::provider::oauth::Discovery;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::json;

use crate::providers::oauth2::client;
use crate::providers::subject::Subject;
use crate::providers::{fact, probe, show};

const ISSUER: &str = r#"issuer = "{base}", client_id = "demo-client""#;
const OPENID: &str = "GET /.well-known/openid-configuration";
const OAUTH: &str = "GET /.well-known/oauth-authorization-server";
const TOKEN: &str = "POST /token";

fn discovering(discovery: Discovery) -> Subject {
    let mut subject = client(ClientAuth::BasicOrPost, ISSUER);
    let Kind::OAuth(server) = &mut subject.kind else { panic!("another fake") };
    server.discovery = discovery;
    subject
}

#[test]
fn discovery_is_asked_once_and_remembered() {
    for (discovery, asked) in
        [(Discovery::OpenId, &[OPENID][..]), (Discovery::OAuth, &[OPENID, OAUTH])]
    {
        let stage = discovering(discovery).stage("");
        assert_eq!(stage.refresh(&[])["outcome"], "success");
        assert_eq!(stage.seen(), [asked, &[TOKEN]].concat());
        assert_eq!(stage.refresh(&["--force"])["outcome"], "success");
        assert_eq!(stage.seen(), [asked, &[TOKEN, TOKEN]].concat());
        let endpoint = fact(&show(&stage), "token_endpoint");
        assert_eq!(endpoint, Some(format!("{}/token", stage.fake.base_url())));
    }
}

#[test]
fn without_a_document_the_operator_says_where_the_endpoint_is() {
    let stage = discovering(Discovery::Off).stage("");
    let failed = stage.refresh(&[]);
    assert_eq!(failed["error"]["code"], "provider.misconfigured", "{failed}");
    assert!(failed["error"]["message"].as_str().unwrap().contains("token_url"), "{failed}");
    assert_eq!(stage.count("/token"), 0);
}

#[test]
fn an_endpoint_on_another_server_gets_no_secret() {
    let stranger = FakeProvider::start(Kind::Rotor(rotor::Settings::default())).unwrap();
    let stage = discovering(Discovery::Both).stage("");
    let base = stage.fake.base_url();
    let away = format!("{}/token", stranger.base_url());
    let document = json!({ "issuer": base, "token_endpoint": away });
    let lie = Scenario::from(Answer::json(200, &document)).on("/.well-known/").always();
    stage.control().script(lie);
    let failed = stage.refresh(&[]);
    assert_eq!(failed["error"]["code"], "provider.misconfigured", "{failed}");
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("token_url = \"{away}\"")), "{message}");
    assert_eq!((stranger.control().seen(), stage.count("/token")), (0, 0));
}

#[test]
fn a_document_of_another_issuer_is_refused() {
    let stage = discovering(Discovery::Both).stage("");
    let document = json!({
        "issuer": "https://other.example", "token_endpoint": format!("{}/token", stage.fake.base_url()),
    });
    let lie = Scenario::from(Answer::json(200, &document)).on("/.well-known/").always();
    stage.control().script(lie);
    let failed = stage.refresh(&[]);
    assert_eq!(failed["outcome"], "failed", "{failed}");
    assert_eq!(stage.count("/token"), 0, "{failed}");
}

#[test]
fn introspection_is_the_profile_of_a_token() {
    let stage = discovering(Discovery::Both).started("probe = \"1h\"");
    assert!(probe(&stage));
    let profile = show(&stage)["profile"].clone();
    assert_eq!((&profile["active"], &profile["sub"]), (&json!(true), &json!("demo-client")));
}

#[test]
fn a_token_that_is_no_longer_active_is_refreshed() {
    let stage = discovering(Discovery::Both).started("probe = \"1h\"");
    let old = stage.token();
    stage.control().revoke_everything();
    assert!(probe(&stage));
    assert_eq!(stage.seen(), ["POST /introspect", TOKEN, "POST /introspect"]);
    assert_ne!(stage.token(), old);
    assert_eq!(show(&stage)["profile"]["active"], true);
}

#[test]
fn what_a_token_is_for_is_said_in_the_words_of_the_provider() {
    for (parameter, settings) in [
        (
            "resource",
            r#"token_url = "{base}/token", client_id = "demo-client", resource = "https://api.example.com""#,
        ),
        (
            "audience",
            r#"token_url = "{base}/token", client_id = "demo-client", audience = "https://api.example.com""#,
        ),
    ] {
        let target = |value: &str| {
            let target = Target { parameter: parameter.to_owned(), value: value.to_owned() };
            let mut subject = client(ClientAuth::BasicOrPost, settings);
            let Kind::OAuth(server) = &mut subject.kind else { panic!("another fake") };
            server.target = Some(target);
            let stage = subject.stage("");
            let attempt = stage.refresh(&[]);
            (attempt["outcome"].clone(), attempt["error"]["code"].clone())
        };
        assert_eq!(target("https://api.example.com").0, "success", "{parameter}");
        assert_eq!(target("https://other.example.com").1, "provider.misconfigured", "{parameter}");
    }
}

#[test]
fn a_scope_that_the_provider_does_not_know_is_the_operators_to_correct() {
    let settings =
        r#"token_url = "{base}/token", client_id = "demo-client", scopes = "read everything""#;
    let stage = client(ClientAuth::BasicOrPost, settings).stage("");
    let failed = stage.refresh(&[]);
    assert_eq!(failed["error"]["code"], "provider.misconfigured");
    assert!(failed["error"]["message"].as_str().unwrap().contains("scopes"), "{failed}");
}
