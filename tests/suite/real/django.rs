//! `external-api` is given the address of a server and nothing else, and finds its way.

use e2e::home::Home;
use e2e::servers::{Login, RealServer};
use e2e::visitor::fetch;
use serde_json::Value;

/// A home with `external-api` against this server, by its base address alone.
fn home(server: &RealServer, secrets: &str, settings: &str) -> Home {
    let home = Home::new(&format!(
        "[providers.external-api]\nrefresh_before = \"5m\"\n\
         settings = {{ login_url = \"{}\"{settings} }}\nsecrets = {{ {secrets} }}\n\
         egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n",
        server.base_url()
    ));
    home.with_plugin("external-api")
        .with_env("EMAIL", "ann@example.com")
        .with_env("PASSWORD", "correct-horse-9")
        .with_env("SECRET", "svc-secret")
}

const PERSON: &str = "email = { env = \"EMAIL\" }, password = { env = \"PASSWORD\" }";
const NAMED: &str = "username = { env = \"NAME\" }, password = { env = \"PASSWORD\" }";

fn show(home: &Home) -> Value {
    home.run(&["connection", "show", "external-api", "--json"]).exits(0).json()
}

fn fact(shown: &Value, name: &str) -> String {
    let pairs = shown["metadata"].as_array().unwrap();
    let found = pairs.iter().find(|it| it[0] == name);
    found.map(|it| it[1].as_str().unwrap().to_owned()).unwrap_or_default()
}

/// Logs in, and gives what it found.
fn finds_its_way(home: &Home) -> Value {
    let run = home.run(&["refresh", "external-api"]);
    assert_eq!(run.code, 0, "{run:#?}");
    home.run(&["refresh", "external-api", "--force"]).exits(0);
    let shown = show(home);
    assert_eq!(shown["state"], "fresh", "{shown:#}");
    shown
}

#[test]
fn a_django_with_simplejwt_is_found_and_refreshed() {
    let Some(server) = RealServer::django(Login::SimpleJwt, &[]) else { return };
    let shown = finds_its_way(&home(&server, NAMED, "").with_env("NAME", "ann"));
    assert!(fact(&shown, "endpoint").ends_with("/api/auth/token/"), "{shown:#}");
    assert!(fact(&shown, "refresh_endpoint").ends_with("/api/auth/token/refresh/"), "{shown:#}");
}

#[test]
fn a_django_with_dj_rest_auth_is_found_and_its_key_is_a_token() {
    let Some(server) = RealServer::django(Login::DjRestAuth, &[]) else { return };
    let home = home(&server, PERSON, "");
    let shown = finds_its_way(&home);
    assert!(fact(&shown, "endpoint").ends_with("/api/auth/login"), "{shown:#}");
    let header = home.run(&["token", "get", "external-api", "--header"]).exits(0).stdout;
    assert!(header.starts_with("Authorization: Token "), "{header}");
}

#[test]
fn a_django_with_dj_rest_auth_and_jwt_is_found() {
    let Some(server) = RealServer::django(Login::DjRestAuthJwt, &[]) else { return };
    let home = home(&server, PERSON, "");
    let shown = finds_its_way(&home);
    assert_eq!(fact(&shown, "token_at"), "/access", "{shown:#}");
    assert!(!shown["expires_at"].is_null(), "{shown:#}");
}

#[test]
fn a_django_with_oauth_toolkit_is_found() {
    let Some(server) = RealServer::django(Login::OauthToolkit, &[]) else { return };
    let secret = "client_secret = { env = \"SECRET\" }";
    let shown = finds_its_way(&home(&server, secret, ", client_id = \"svc\""));
    assert!(fact(&shown, "endpoint").ends_with("/oauth/token/"), "{shown:#}");
    assert_eq!(fact(&shown, "format"), "client-credentials", "{shown:#}");
}

#[test]
fn a_wrong_password_is_tried_once() {
    let Some(server) = RealServer::django(Login::SimpleJwt, &[]) else { return };
    let home = home(&server, NAMED, "").with_env("NAME", "ann").with_env("PASSWORD", "wrong");
    home.run(&["refresh", "external-api"]).exits(4);
    let (_, _, seen) = fetch(&server.url("/__control/requests"));
    assert_eq!(seen.matches("401").count(), 1, "{seen}");
    assert_eq!(show(&home)["state"], "misconfigured");
}

#[test]
fn a_server_that_throttles_is_left_alone_as_long_as_it_says() {
    let Some(server) = RealServer::django(Login::SimpleJwt, &["--throttle", "1"]) else { return };
    let home = home(&server, NAMED, "").with_env("NAME", "ann");
    // The first request of all finds its way only if the path was right at once: others are throttled.
    home.run(&["refresh", "external-api"]);
    let run = home.run(&["refresh", "external-api", "--force"]);
    let shown = show(&home);
    assert_eq!(
        shown["last_attempt"]["error"]["code"], "provider.rate_limited",
        "{run:?} {shown:#}"
    );
}
