//! Rotor: the token endpoint of RFC 6749 with whichever class of rotation a test needs, and a plain login beside it.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::provider::{
    answer::Answer,
    call::{Call, Format, form_decoded},
    credentials::Credentials,
    family::Class,
    ledger::{Handed, Ledger, Refusal},
    mint::{Claim, Mint, Use},
    options::flags::Flags,
    service::{Fake, Pair, Reply, Service},
};

/// How this Rotor behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What becomes of a used refresh token.
    pub class: Class,
    /// What every token starts with, such as a mark that a scanner looks for.
    pub prefix: String,
    /// Seconds that an access token lives.
    pub lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
    /// The key of the plain login.
    pub key: String,
    /// Id and secret that the grants of RFC 6749 must show; nothing is asked when absent.
    pub client: Option<(String, String)>,
    /// Whether an answer of class `None` leaves out the refresh token, so that the client keeps its own.
    pub omit_unrotated: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            class: Class::Strict,
            prefix: String::new(),
            lifetime: 3_600,
            refresh_lifetime: 30 * 86_400,
            key: "demo-key".to_owned(),
            client: None,
            omit_unrotated: true,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--class C] [--prefix T] [--lifetime S] [--refresh-lifetime S] [--key K] [--client-id I \
        --client-secret S] [--always-send-refresh]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        let client = match (flags.optional("client-id")?, flags.optional("client-secret")?) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) => None,
            _ => return Err("--client-id and --client-secret go together".to_owned()),
        };
        Ok(Self {
            class: flags.class(base.class)?,
            prefix: flags.value("prefix", base.prefix)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
            key: flags.value("key", base.key)?,
            client,
            omit_unrotated: !flags.switch("always-send-refresh")?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(Rotor::new(self))
    }
}

pub(crate) struct Rotor {
    pub(crate) credentials: Credentials,
    pub(crate) ledger: Ledger,
    settings: Settings,
    mint: Mint,
}

impl Service for Rotor {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        match (&call.method, call.path.as_str()) {
            (&Method::POST, "/token") => self.token(call, now),
            (_, "/token") => Answer::json(405, &json!({"error": "method_not_allowed"})).into(),
            (&Method::GET, "/resource") => self.resource(call, now).into(),
            _ => Answer::json(404, &json!({"error": "not_found"})).into(),
        }
    }

    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        let handed = self.ledger.open(name.to_owned(), "", now);
        self.ledger.delivered(handed);
        self.pair(handed, now)
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Rotor {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut credentials = Credentials::new([("key", &settings.key)]);
        if let Some((id, secret)) = &settings.client {
            credentials.set("client_id", id);
            credentials.set("client_secret", secret);
        }
        let (ledger, mint) = (Ledger::new(settings.class), Mint::new(&settings.prefix));
        Self { credentials, ledger, settings, mint }
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Reply {
        if call.repeats_a_field() {
            return oauth_error("invalid_request", "a parameter is there twice").into();
        }
        match (call.format, call.field("grant_type")) {
            (Format::Form, Some("refresh_token")) => self.refresh(call, now),
            (Format::Form, Some("client_credentials")) => self.client_credentials(call, now),
            (Format::Form, Some(_)) => {
                oauth_error("unsupported_grant_type", "not a grant of this server").into()
            }
            (Format::Form | Format::Json, None) => self.login(call, now),
            _ => oauth_error("invalid_request", "the body must be a form").into(),
        }
    }

    fn refresh(&mut self, call: &Call, now: Timestamp) -> Reply {
        if let Err(refused) = self.check_client(call) {
            return refused.into();
        }
        let Some(token) = call.field("refresh_token") else {
            return oauth_error("invalid_request", "refresh_token is missing").into();
        };
        let claim = self.mint.read(Use::Refresh, token).ok_or("unknown refresh token");
        match claim.and_then(|claim| self.ledger.present(claim, now).map_err(reason)) {
            Ok(handed) => self.token_answer(handed, now),
            Err(reason) => oauth_error("invalid_grant", reason).into(),
        }
    }

    fn client_credentials(&mut self, call: &Call, now: Timestamp) -> Reply {
        match self.check_client(call) {
            // Without a configured client nothing was compared, and the switch that rejects all still counts.
            Ok(()) if self.credentials.admit(&[]) => self.new_family(now),
            Ok(()) => invalid_client(call).into(),
            Err(refused) => refused.into(),
        }
    }

    /// The plain login of a test guest: a key for tokens, with no word of OAuth in it.
    fn login(&mut self, call: &Call, now: Timestamp) -> Reply {
        let Some(key) = call.field("key") else {
            return oauth_error("invalid_request", "grant_type is missing").into();
        };
        if self.credentials.admit(&[("key", key)]) {
            self.new_family(now)
        } else {
            Answer::json(401, &json!({"error": "invalid_credentials"})).into()
        }
    }

    fn resource(&mut self, call: &Call, now: Timestamp) -> Answer {
        let Some(token) = &call.bearer else {
            // RFC 6750, 3.1: no error code for a request without credentials.
            return Answer::new(401, "text/plain", "").header("www-authenticate", "Bearer");
        };
        let claim = self.mint.read(Use::Access, token);
        match claim.filter(|claim| self.ledger.touch(*claim, now)) {
            Some(claim) => Answer::json(200, &json!({"ok": true, "generation": claim.generation})),
            None => Answer::json(401, &json!({"error": "invalid_token"}))
                .header("www-authenticate", "Bearer error=\"invalid_token\""),
        }
    }

    fn new_family(&mut self, now: Timestamp) -> Reply {
        let name = format!("login-{}", self.ledger.len());
        let handed = self.ledger.open(name, "", now);
        self.token_answer(handed, now)
    }

    /// RFC 6749, 2.3.1: Basic carries id and secret in the form encoding; the body is the alternative.
    fn check_client(&self, call: &Call) -> Result<(), Answer> {
        if self.settings.client.is_none() {
            return Ok(());
        }
        let body = || call.field("client_id").zip(call.field("client_secret"));
        let basic =
            call.basic.as_ref().map(|(id, secret)| (form_decoded(id), form_decoded(secret)));
        let basic = basic.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let admits =
            |(id, secret)| self.credentials.admit(&[("client_id", id), ("client_secret", secret)]);
        if basic.or_else(body).is_some_and(admits) { Ok(()) } else { Err(invalid_client(call)) }
    }

    fn token_answer(&self, handed: Handed, now: Timestamp) -> Reply {
        let pair = self.pair(handed, now);
        let mut body = Map::new();
        body.insert("access_token".to_owned(), pair.access_token.into());
        body.insert("token_type".to_owned(), "Bearer".into());
        body.insert("expires_in".to_owned(), pair.expires_in.into());
        if !self.omits_refresh(handed) {
            body.insert("refresh_token".to_owned(), pair.refresh_token.into());
        }
        let answer = Answer::json(200, &Value::Object(body)).header("cache-control", "no-store");
        Reply { answer, handed: Some(handed) }
    }

    fn omits_refresh(&self, handed: Handed) -> bool {
        self.ledger.class() == Class::None && self.settings.omit_unrotated && handed.rotated
    }

    /// A repeat comes later than its rotation, so that less of the lifetime is left.
    fn pair(&self, handed: Handed, now: Timestamp) -> Pair {
        let issued = handed.issued_at.as_second();
        let claim = |lifetime: u32| Claim {
            family: handed.family,
            generation: handed.generation,
            expires: issued + i64::from(lifetime),
        };
        let spent = u32::try_from(now.as_second() - issued).unwrap_or(0);
        Pair {
            access_token: self.mint.token(Use::Access, claim(self.settings.lifetime)),
            refresh_token: self.mint.token(Use::Refresh, claim(self.settings.refresh_lifetime)),
            expires_in: self.settings.lifetime.saturating_sub(spent),
        }
    }
}

fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Expired => "the refresh token is expired",
        Refusal::Reused => "the refresh token was used before",
        Refusal::Revoked => "the refresh token is revoked",
    }
}

fn oauth_error(code: &str, description: &str) -> Answer {
    Answer::json(400, &json!({"error": code, "error_description": description}))
        .header("cache-control", "no-store")
}

fn invalid_client(call: &Call) -> Answer {
    let answer = Answer::json(401, &json!({"error": "invalid_client"}));
    if call.basic.is_some() {
        answer.header("www-authenticate", "Basic realm=\"rotor\"")
    } else {
        answer
    }
}
