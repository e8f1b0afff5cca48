//! The shape of a plugin: a flow is the next request and a function that reads its answer. Flows
//! take what they may know as values, the time included, and never reach for anything.

use crate::answer::Answer;
use crate::bindings::exports::keepfresh::provider::provider::Descriptor;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::request::Request;
use crate::settings::Settings;
use crate::tokens::{Source, Tokens};

/// A provider. Every function is pure: the runner does the work.
pub trait Provider {
    /// The plugin's data sheet.
    fn describe() -> Descriptor;

    /// Gets a first token from the stored credentials.
    fn login(context: &Context) -> Flow<Tokens>;

    /// Gets the next token from the current one.
    fn refresh(context: &Context) -> Flow<Tokens>;
}

/// Facts about the account behind a connection: `sdk::export!(Plugin, profile)`.
pub trait Profile: Provider {
    /// A JSON object.
    fn profile(context: &Context) -> Flow<String>;
}

/// Ends the grant at the provider: `sdk::export!(Plugin, revocation)`.
pub trait Revocation: Provider {
    /// Revokes the current token set.
    fn revoke(context: &Context) -> Flow<()>;
}

/// OAuth 2.0 authorization code with PKCE: `sdk::export!(Plugin, authorization)`.
pub trait Authorization: Provider {
    /// Where to send the person's browser. The host adds `state`, `nonce` and the code challenge.
    fn authorization_url(context: &Context, request: &AuthorizationRequest) -> Flow<String>;

    /// Trades the code, which is `kept("code")`, and the verifier, which is
    /// `kept("code_verifier")`, for a first token.
    fn exchange(context: &Context, redirect_uri: &str) -> Flow<Tokens>;
}

/// A person who agrees on another machine: `sdk::export!(Plugin, device)`.
pub trait Device: Provider {
    /// Asks for a code that the person types in.
    fn start(context: &Context, scopes: &[String]) -> Flow<DeviceGrant>;

    /// Asks whether the person has agreed to the code, which is `kept("device_code")`.
    fn poll(context: &Context) -> Flow<Progress>;
}

/// A code for a person, before the runner takes its secret half from where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceGrant {
    /// What a poll presents.
    pub device_code: Source,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// Seconds that the code works.
    pub expires_in: u32,
    /// Seconds between polls.
    pub interval: u32,
}

/// What a poll found.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The person has not decided yet.
    Pending,
    /// Poll more slowly from now on.
    SlowDown,
    /// The person has agreed.
    Granted(Box<Tokens>),
}

pub use crate::bindings::authorization::exports::keepfresh::provider::authorization::Request as AuthorizationRequest;

/// What a flow may know.
#[derive(Clone, Debug)]
pub struct Context {
    /// Id of the connection.
    pub id: String,
    /// Settings, with the descriptor's defaults filled in.
    pub settings: Settings,
    /// Names of the secrets that the connection has.
    pub secrets: Vec<String>,
    /// What is plain of the current token set; none during a login.
    pub current: Option<Current>,
    /// Metadata of the last token set that was stored, also of a dead one: what an earlier flow
    /// found out.
    pub remembered: Vec<(String, String)>,
    /// 32 hex digits that nobody can guess and no other call has, for a `jti` or a track id.
    pub unique: String,
    /// Unix seconds.
    pub now: u64,
}

impl Context {
    /// What an earlier flow found out under this name.
    pub fn remembered(&self, name: &str) -> Option<&str> {
        let found = self.remembered.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the connection has a secret of this name.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|it| it == name)
    }

    /// Whether the current token set has a refresh token.
    pub fn has_refresh_token(&self) -> bool {
        self.current.as_ref().is_some_and(|it| it.has_refresh_token)
    }

    /// Scopes of the current token set.
    pub fn scopes(&self) -> Vec<String> {
        self.current.as_ref().map(|it| it.scopes.clone()).unwrap_or_default()
    }
}

/// What is plain of the current token set.
#[derive(Clone, Debug, Default)]
pub struct Current {
    /// How callers present the access token.
    pub token_type: String,
    /// Unix seconds.
    pub expires_at: Option<u64>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Plain facts stored with the token set.
    pub metadata: Vec<(String, String)>,
}

/// The first step of a flow, or why there is none.
pub type Flow<T> = Result<Step<T>, Failure>;

/// What a flow does next.
pub enum Step<T> {
    /// Send a request and read its answer.
    Send(Exchange<T>),
    /// Finished.
    Done(T),
}

/// A request and how to read its answer.
pub struct Exchange<T> {
    /// What to send.
    pub request: Request,
    /// Secrets of the answer that later steps need: name and pointer.
    pub keep: Vec<(String, String)>,
    /// Reads the answer into the next step.
    pub read: Reading<T>,
}

/// Reads an answer into the next step.
pub type Reading<T> = Box<dyn FnOnce(&dyn Answer) -> Flow<T>>;

/// A flow of one request.
pub fn send<T: 'static>(
    request: Request,
    read: impl FnOnce(&dyn Answer) -> Result<T, Failure> + 'static,
) -> Flow<T> {
    send_then(request, |answer| read(answer).map(Step::Done))
}

/// A flow whose answer decides on the next step.
pub fn send_then<T>(
    request: Request,
    read: impl FnOnce(&dyn Answer) -> Flow<T> + 'static,
) -> Flow<T> {
    Ok(Step::Send(Exchange { request, keep: Vec::new(), read: Box::new(read) }))
}

impl<T> Step<T> {
    /// Keeps the secret at `pointer` of this step's answer as `kept(name)` for the steps after.
    #[must_use]
    pub fn keeping(mut self, name: &str, pointer: &str) -> Self {
        if let Self::Send(exchange) = &mut self {
            exchange.keep.push((name.to_owned(), pointer.to_owned()));
        }
        self
    }
}
