//! A request as plain data. A secret is named, never held: the runner finds it when the request
//! is sent, and tests compare requests without having one.

use crate::bindings::keepfresh::provider::http::Method;
use crate::bindings::keepfresh::provider::secrets::{Encoding, JwtAlgorithm};

/// One request. `{name}` in the URL is a setting of the connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// Address with `{setting}` placeholders, written like the descriptor's `access`.
    pub url: String,
    /// Query parameters.
    pub query: Vec<(String, Value)>,
    /// Headers.
    pub headers: Vec<(String, Value)>,
    /// The body.
    pub body: Body,
}

/// A request's body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// A JSON object; a name that starts with `/` points to a nested member.
    Json(Vec<(String, Value)>),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Value)>),
    /// `multipart/form-data`.
    Multipart(Vec<(String, Value)>),
}

/// A value in a request, or a secret that becomes part of a token set.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Plain text.
    Text(String),
    /// JSON text: a number, an array, an object. In a JSON body only.
    Json(String),
    /// A secret, by where it is found.
    Secret(Place),
    /// Pieces joined in the host, then encoded.
    Compose(Vec<Value>, Encoding),
    /// A JWT that the host signs.
    SignedJwt(Box<SignedJwt>),
}

/// A JWT to be signed with a key that the plugin never sees.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedJwt {
    /// The key: PEM, or the bytes of an HMAC key.
    pub key: Value,
    /// How it signs.
    pub algorithm: JwtAlgorithm,
    /// The header as a JSON object; the host adds `alg`.
    pub header: String,
    /// The claims as a JSON object.
    pub claims: String,
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A secret of the connection, by its name in the descriptor.
    Connection(String),
    /// The access token of the current token set.
    AccessToken,
    /// The refresh token of the current token set.
    RefreshToken,
    /// An `extra` member of the current token set.
    Extra(String),
    /// Kept from an earlier answer, or handed in by the host, such as `code`.
    Kept(String),
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let (url, body) = (url.into(), Body::Empty);
        Self { method, url, query: Vec::new(), headers: Vec::new(), body }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A POST request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// A PATCH request.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new(Method::Patch, url)
    }

    /// A DELETE request.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: Value) -> Self {
        self.query.push((name.into(), value));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: Value) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json<N: Into<String>>(mut self, members: impl IntoIterator<Item = (N, Value)>) -> Self {
        self.body = Body::Json(named(members));
        self
    }

    /// Sets a form body.
    #[must_use]
    pub fn form<N: Into<String>>(mut self, fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        self.body = Body::Form(named(fields));
        self
    }

    /// Sets a multipart body.
    #[must_use]
    pub fn multipart<N: Into<String>>(
        mut self,
        parts: impl IntoIterator<Item = (N, Value)>,
    ) -> Self {
        self.body = Body::Multipart(named(parts));
        self
    }
}

impl Request {
    /// What of a connection's secrets and tokens goes with it, by the names that a descriptor declares.
    pub(crate) fn carried(&self) -> Vec<String> {
        self.values().flat_map(Value::carried).collect()
    }

    /// Whether the current refresh token goes with it.
    pub(crate) fn spends_refresh_token(&self) -> bool {
        self.values().any(|value| value.is_made_of(&Place::RefreshToken))
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        let body = match &self.body {
            Body::Empty => &[][..],
            Body::Json(fields) | Body::Form(fields) | Body::Multipart(fields) => fields,
        };
        self.query.iter().chain(&self.headers).chain(body).map(|(_, value)| value)
    }
}

impl Value {
    fn is_made_of(&self, wanted: &Place) -> bool {
        match self {
            Self::Text(_) | Self::Json(_) => false,
            Self::Secret(place) => place == wanted,
            Self::Compose(values, _) => values.iter().any(|it| it.is_made_of(wanted)),
            Self::SignedJwt(jwt) => jwt.key.is_made_of(wanted),
        }
    }

    fn carried(&self) -> Vec<String> {
        match self {
            Self::Text(_) | Self::Json(_) => Vec::new(),
            Self::Secret(place) => vec![place.carried_as()],
            Self::Compose(values, _) => values.iter().flat_map(Self::carried).collect(),
            Self::SignedJwt(jwt) => jwt.key.carried(),
        }
    }
}

impl Place {
    fn carried_as(&self) -> String {
        match self {
            Self::Connection(name) => name.clone(),
            Self::AccessToken => "access-token".to_owned(),
            Self::RefreshToken => "refresh-token".to_owned(),
            Self::Extra(_) => "extra-tokens".to_owned(),
            Self::Kept(name) => match name.as_str() {
                "code" | "code_verifier" | "device_code" => name.replace('_', "-"),
                _ => "answer".to_owned(),
            },
        }
    }
}

fn named<N: Into<String>>(fields: impl IntoIterator<Item = (N, Value)>) -> Vec<(String, Value)> {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Plain text.
pub fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// JSON text, for a member that is not a string.
pub fn json(json: impl Into<String>) -> Value {
    Value::Json(json.into())
}

/// A secret of the connection.
pub fn secret(name: impl Into<String>) -> Value {
    Value::Secret(Place::Connection(name.into()))
}

/// The current access token.
pub fn access_token() -> Value {
    Value::Secret(Place::AccessToken)
}

/// The current refresh token.
pub fn refresh_token() -> Value {
    Value::Secret(Place::RefreshToken)
}

/// An `extra` secret of the current token set.
pub fn extra(name: impl Into<String>) -> Value {
    Value::Secret(Place::Extra(name.into()))
}

/// A secret that an earlier step of the same flow kept.
pub fn kept(name: impl Into<String>) -> Value {
    Value::Secret(Place::Kept(name.into()))
}

/// Pieces joined by the host, then encoded.
pub fn compose(parts: impl IntoIterator<Item = Value>, encoding: Encoding) -> Value {
    Value::Compose(parts.into_iter().collect(), encoding)
}

/// `Bearer` and the current access token.
pub fn bearer() -> Value {
    compose([text("Bearer "), access_token()], Encoding::Plain)
}

/// HTTP Basic credentials: `user` and `password`, without the word `Basic`.
pub fn basic(user: Value, password: Value) -> Value {
    compose([user, text(":"), password], Encoding::Base64)
}

/// HTTP Basic credentials of an OAuth client: RFC 6749 2.3.1 has both encoded as in a form first.
pub fn client_basic(id: impl Into<String>, secret: Value) -> Value {
    let encoded = |value| compose([value], Encoding::Form);
    compose([encoded(text(id)), text(":"), encoded(secret)], Encoding::Base64)
}

/// A whole `Authorization: Basic` value of credentials such as [`basic`] makes.
pub fn basic_header(credentials: Value) -> Value {
    compose([text("Basic "), credentials], Encoding::Plain)
}
