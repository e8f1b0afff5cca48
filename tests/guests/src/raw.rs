//! The contract without the SDK's manners, for guests that misbehave with handles.

use sdk::Failure;
use sdk::bindings::keepfresh::provider::http::{
    self, Body, Field, Method, Request, Response, Value,
};
use sdk::bindings::keepfresh::provider::log::{Level, log};
use sdk::bindings::keepfresh::provider::secrets::{Encoding, Part, Secret};
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};

/// A setting; empty when there is none of that name.
pub fn setting<'c>(connection: &'c Connection, name: &str) -> &'c str {
    let found = connection.settings.iter().find(|(it, _)| it == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// A secret of the connection.
pub fn secret<'c>(connection: &'c Connection, name: &str) -> Result<&'c Secret, Failure> {
    let found = connection.secrets.iter().find(|(it, _)| it == name);
    found.map(|(_, secret)| secret).ok_or_else(|| other(format!("there is no secret {name}")))
}

/// Sends this and nothing more.
pub fn send(method: Method, url: String, body: Body<'_>) -> Result<Response, Failure> {
    let (query, headers) = (Vec::new(), Vec::new());
    http::send(&Request { method, url, query, headers, body })
        .map_err(|it| other(format!("was not answered: {it:?}")))
}

/// Sends one secret in a JSON body to `path` of `base_url`.
pub fn post(connection: &Connection, path: &str, secret: &Secret) -> Result<Response, Failure> {
    let field = Field { name: "key".to_owned(), value: Value::Secret(secret) };
    let url = format!("{}{path}", setting(connection, "base_url"));
    send(Method::Post, url, Body::Json(vec![field]))
}

/// Logs in as the provider wants it.
pub fn log_in(connection: &Connection) -> Result<Response, Failure> {
    post(connection, "/token", secret(connection, "key")?)
}

/// What an answer has at a pointer, taken without reading it.
pub fn take(answer: &Response, pointer: &str) -> Result<Secret, Failure> {
    answer.secret(pointer).ok_or_else(|| other(format!("nothing to take at {pointer}")))
}

/// A token set of one token.
pub fn tokens(access_token: Secret) -> TokenSet {
    TokenSet {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_at: None,
        refresh_token: None,
        refresh_expires_at: None,
        scopes: Vec::new(),
        extra: Vec::new(),
        metadata: Vec::new(),
    }
}

/// A text and a secret and a text, joined.
pub fn around(before: &str, secret: &Secret, after: &str, encoding: Encoding) -> Secret {
    let text = |it: &str| Part::Text(it.to_owned());
    Secret::compose(&[text(before), Part::Secret(secret), text(after)], encoding)
}

/// The secret itself, as a handle of the plugin's own making.
pub fn copy(secret: &Secret) -> Secret {
    around("", secret, "", Encoding::Plain)
}

/// A line in the log.
pub fn say(text: &str) {
    log(Level::Info, text);
}

/// A failure that nothing is made of.
pub fn other(text: impl Into<String>) -> Failure {
    Failure::Other(text.into())
}

/// The failure of a guest that the host should have stopped.
pub fn came_through<T>(what: &str) -> Result<T, Failure> {
    Err(other(format!("came through: {what}")))
}
