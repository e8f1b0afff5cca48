//! Eskiz: an e-mail and a password for one JWT, and a refresh that takes the JWT itself.
//!
//! Where no client library agrees on an answer, the default is the one with the best evidence and a setting has the other.

use std::collections::HashSet;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::provider::{
    answer::Answer, call::Call, credentials::Credentials, jwt, mint::Mint, options::flags::Flags,
    service::Fake, service::Pair, service::Reply, service::Service,
};

/// How this Eskiz behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one account.
    pub email: String,
    /// Of the one account.
    pub password: String,
    /// Seconds that a token lives.
    pub lifetime: u32,
    /// `user`, or `test` for an account that may send fixed texts only.
    pub role: String,
    /// Whether a refresh ends the token it was asked with.
    pub revoke_old_on_refresh: bool,
    /// Whether a refresh takes an expired token.
    pub refresh_expired: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            email: "demo@example.uz".to_owned(),
            password: "demo-password".to_owned(),
            lifetime: 30 * 86_400,
            role: "user".to_owned(),
            revoke_old_on_refresh: false,
            refresh_expired: false,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--email E] [--password P] [--lifetime S] [--role R] [--revoke-old-on-refresh] \
        [--refresh-expired]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        Ok(Self {
            email: flags.value("email", base.email)?,
            password: flags.value("password", base.password)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            role: flags.value("role", base.role)?,
            revoke_old_on_refresh: flags.switch("revoke-old-on-refresh")?,
            refresh_expired: flags.switch("refresh-expired")?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(Eskiz::new(self))
    }
}

pub(crate) struct Eskiz {
    pub(crate) credentials: Credentials,
    settings: Settings,
    mint: Mint,
    /// The `sign` of every token that was not revoked.
    live: HashSet<String>,
}

/// The number of the one account.
const ACCOUNT: u32 = 4_107;

impl Service for Eskiz {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        let answer = match (&call.method, call.path.as_str()) {
            (&Method::POST, "/api/auth/login") => self.login(call, now),
            (&Method::PATCH, "/api/auth/refresh") => self.refresh(call, now),
            (&Method::GET, "/api/auth/user") => self.user(call, now),
            (&Method::GET, "/" | "/api") => {
                Answer::new(200, "text/plain; charset=utf-8", "Eskiz gateway. API version: 1.0\n")
            }
            (method, "/api/auth/login" | "/api/auth/refresh" | "/api/auth/user") => {
                wrong_method(method)
            }
            _ => Answer::nginx_not_found(),
        };
        answer.into()
    }

    fn issue(&mut self, _: &str, now: Timestamp) -> Pair {
        Pair {
            access_token: self.token(now),
            refresh_token: String::new(),
            expires_in: self.settings.lifetime,
        }
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn revoke_everything(&mut self) {
        self.live.clear();
    }
}

impl Eskiz {
    pub(crate) fn new(settings: Settings) -> Self {
        let credentials =
            Credentials::new([("email", &settings.email), ("password", &settings.password)]);
        Self { credentials, settings, mint: Mint::new(""), live: HashSet::new() }
    }

    fn login(&mut self, call: &Call, now: Timestamp) -> Answer {
        let (Some(email), Some(password)) = (call.field("email"), call.field("password")) else {
            return missing(call);
        };
        if !self.credentials.admit(&[("email", email), ("password", password)]) {
            let body = json!({"message": "Неверный Email или пароль", "status": "error"});
            return Answer::json(401, &body);
        }
        self.token_generated(now)
    }

    fn refresh(&mut self, call: &Call, now: Timestamp) -> Answer {
        let Some(token) = self.live_token(call) else { return invalid_token() };
        if token.expired(now) && !self.settings.refresh_expired {
            return invalid_token();
        }
        if self.settings.revoke_old_on_refresh {
            self.live.remove(&token.sign);
        }
        self.token_generated(now)
    }

    fn user(&self, call: &Call, now: Timestamp) -> Answer {
        if self.live_token(call).is_none_or(|token| token.expired(now)) {
            return invalid_token();
        }
        let data = json!({
            "id": ACCOUNT, "created_at": "2024-02-11T09:15:00Z", "updated_at": "2025-06-30T17:40:12.000000Z",
            "name": "Demo", "email": self.settings.email, "password": "", "role": self.settings.role,
            "status": "active", "is_vip": false, "balance": 0,
        });
        Answer::json(200, &json!({"status": "success", "data": data, "id": null}))
    }

    fn token_generated(&mut self, now: Timestamp) -> Answer {
        let token = self.token(now);
        let body =
            json!({"message": "token_generated", "data": {"token": token}, "token_type": "bearer"});
        Answer::json(200, &body)
    }

    fn token(&mut self, now: Timestamp) -> String {
        let sign = self.mint.unique();
        self.live.insert(sign.clone());
        let claims = json!({
            "exp": now.as_second() + i64::from(self.settings.lifetime),
            "iat": now.as_second(),
            "role": self.settings.role,
            "sign": sign,
            "sub": ACCOUNT.to_string(),
        });
        jwt::sign(self.mint.key(), &claims)
    }

    fn live_token(&self, call: &Call) -> Option<Token> {
        let claims = jwt::verify(self.mint.key(), call.bearer.as_deref()?)?;
        let sign = claims["sign"].as_str()?.to_owned();
        let token = Token { sign, expires: claims["exp"].as_i64()? };
        self.live.contains(&token.sign).then_some(token)
    }
}

struct Token {
    sign: String,
    expires: i64,
}

impl Token {
    fn expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.expires
    }
}

fn missing(call: &Call) -> Answer {
    let absent = |name: &&str| call.field(name).is_none();
    let members: Map<String, Value> = ["email", "password"]
        .iter()
        .filter(|name| absent(name))
        .map(|name| ((*name).to_owned(), json!(["required"])))
        .collect();
    Answer::json(400, &json!({"message": members, "status": "error"}))
}

fn invalid_token() -> Answer {
    Answer::json(401, &json!({"message": "Expired token", "status": "token-invalid"}))
}

fn wrong_method(method: &Method) -> Answer {
    let message = format!("The {method} method is not supported for this route.");
    Answer::json(405, &json!({ "message": message }))
}
