//! Servers that people run, in the shapes of their real answers with invented values: what the plugin
//! makes of each.

use sdk::testing::{Canned, context, login};
use sdk::{Context, Tokens};

use crate::Plugin;
use crate::tests::fact;

fn person(login: &str) -> Context {
    let mut context = context::<Plugin>(&[("login_url", login)]);
    context.secrets = vec!["email".to_owned(), "password".to_owned()];
    context
}

fn found(url: &str, answers: &[Canned]) -> Tokens {
    let played = login::<Plugin>(&person(url), answers);
    assert_eq!(played.requests.len(), answers.len());
    played.result.unwrap()
}

/// Format, place, type, and place of the refresh token.
fn summary(tokens: &Tokens) -> [String; 4] {
    let fact = |name| fact(tokens, name).unwrap_or_default();
    [fact("format"), fact("token_at"), tokens.token_type.clone(), fact("refresh_token_at")]
}

#[test]
fn simplejwt_names_its_member_and_gives_a_pair() {
    let named = Canned::new(400, r#"{"username":["This field is required."]}"#);
    let pair = Canned::new(200, r#"{"refresh":"r","access":"a"}"#).header("Allow", "POST, OPTIONS");
    let tokens = found("https://a.example/api/token/", &[named, pair]);
    assert_eq!(summary(&tokens), ["json-email", "/access", "Bearer", "/refresh"]);
    assert_eq!(fact(&tokens, "user_field").unwrap(), "username");
}

#[test]
fn dj_rest_auth_keeps_its_refresh_token_in_a_cookie() {
    let body =
        r#"{"access":"a","refresh":"","access_expiration":"2023-11-14T22:18:20Z","user":{"pk":1}}"#;
    let tokens = found("https://a.example/auth/login/", &[Canned::new(200, body)]);
    assert_eq!(summary(&tokens), ["json-email", "/access", "Bearer", ""]);
    assert_eq!(tokens.refresh_token, None);
    assert_eq!(tokens.expires_at, Some(1_700_000_300));
}

#[test]
fn rest_framework_wants_its_key_called_a_token() {
    let key = "0123456789abcdef0123456789abcdef01234567";
    let named = Canned::new(400, r#"{"username":["This field is required."]}"#);
    let token =
        Canned::new(200, &format!(r#"{{"token":"{key}"}}"#)).header("Allow", "POST, OPTIONS");
    let tokens = found("https://a.example/api-token-auth/", &[named, token]);
    assert_eq!(summary(&tokens), ["json-email", "/token", "Token", ""]);
    let key = Canned::new(200, &format!(r#"{{"key":"{key}"}}"#));
    let tokens = found("https://a.example/auth/login/", &[key]);
    assert_eq!(summary(&tokens), ["json-email", "/key", "Token", ""]);
}

#[test]
fn sanctum_wants_a_device_and_answers_in_plain_text() {
    let body = r#"{"message":"The device name field is required.","errors":{"device_name":["The device name field is required."]}}"#;
    let answers = [Canned::new(422, body), Canned::new(200, "1|AbCdEfGhIjKlMnOpQrSt")];
    let tokens = found("https://a.example/sanctum/token", &answers);
    assert_eq!(summary(&tokens), ["json-email", "the whole body", "Bearer", ""]);
    assert_eq!(tokens.expires_at, None);
}

#[test]
fn passport_is_a_token_endpoint_with_a_year() {
    let body =
        r#"{"token_type":"Bearer","expires_in":31536000,"access_token":"a","refresh_token":"r"}"#;
    let tokens = found("https://a.example", &[Canned::new(200, body)]);
    assert_eq!(summary(&tokens), ["form", "/access_token", "Bearer", "/refresh_token"]);
    assert_eq!(tokens.expires_at, Some(1_731_536_000));
}

#[test]
fn fastapi_takes_a_form() {
    let missing = |name: &str| {
        format!(r#"{{"type":"missing","loc":["body","{name}"],"msg":"Field required"}}"#)
    };
    let body = format!(r#"{{"detail":[{},{}]}}"#, missing("username"), missing("password"));
    let token = Canned::new(200, r#"{"access_token":"a","token_type":"bearer"}"#);
    let tokens = found("https://a.example/login", &[Canned::new(422, &body), token]);
    assert_eq!(summary(&tokens), ["form", "/access_token", "Bearer", ""]);
}

#[test]
fn devise_puts_its_token_into_a_header() {
    let answer = Canned::new(200, r#"{"id":1}"#).header("Authorization", "Bearer t");
    let tokens = found("https://a.example/login", &[answer]);
    assert_eq!(summary(&tokens), ["json-email", "header Authorization", "Bearer", ""]);
}

#[test]
fn an_endpoint_that_says_it_takes_forms_gets_one() {
    let body = r#"{"error":"invalid_request","error_description":"only application/x-www-form-urlencoded content-type bodies are supported on POST /token"}"#;
    let token =
        Canned::new(200, r#"{"access_token":"a","expires_in":"3600","token_type":"Bearer"}"#);
    let tokens = found("https://a.example/token", &[Canned::new(400, body), token]);
    assert_eq!(summary(&tokens), ["form", "/access_token", "Bearer", ""]);
    assert_eq!(fact(&tokens, "expiry_from").unwrap(), "how long the answer says");
}
