//! The tokens of a login, and the many places of an answer where they can be.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::provider::{
    answer::Answer,
    family::Class,
    fingerprint::hex,
    jwt,
    ledger::{Handed, Ledger, Refusal},
    login::settings::{Expiry, Refresh, Settings, TokenAt},
    mint::{self, Claim, Mint},
    service::{Pair, Reply},
};

pub(super) struct Tokens {
    pub(super) ledger: Ledger,
    mint: Mint,
    shape: Shape,
    refresh: Refresh,
    lifetime: u32,
    refresh_lifetime: u32,
    /// What the tokens stand for that do not say it themselves.
    claims: HashMap<String, Claim>,
}

#[derive(Clone, Copy)]
enum Shape {
    Jwt,
    /// 40 hexadecimal digits.
    Key,
    /// A number, a line, and 40 hexadecimal digits.
    Numbered,
}

impl Tokens {
    pub(super) fn new(settings: &Settings) -> Self {
        let shape = match (settings.expiry, settings.token_at) {
            (Expiry::JwtExp, _) => Shape::Jwt,
            (_, TokenAt::PlainText) => Shape::Numbered,
            _ => Shape::Key,
        };
        let class = if settings.rotates() { settings.class } else { Class::None };
        Self {
            ledger: Ledger::new(class),
            mint: Mint::new(""),
            shape,
            refresh: settings.refresh,
            lifetime: settings.lifetime,
            refresh_lifetime: settings.refresh_lifetime,
            claims: HashMap::new(),
        }
    }

    pub(super) fn pair(&mut self, handed: Handed) -> Pair {
        let has_refresh = self.refresh != Refresh::None;
        Pair {
            access_token: self.access(handed),
            refresh_token: if has_refresh { self.renewing(handed) } else { String::new() },
            expires_in: self.lifetime,
        }
    }

    /// A login's answer, in the shape of the settings.
    pub(super) fn answer(&mut self, handed: Handed, settings: &Settings) -> Reply {
        let pair = self.pair(handed);
        let mut body = expiry(settings.expiry, handed, self.lifetime);
        if !pair.refresh_token.is_empty() {
            let name = if settings.has_simple_jwt() { "refresh" } else { "refresh_token" };
            body.insert(name.to_owned(), pair.refresh_token.into());
        }
        let answer = place(settings.token_at, &pair.access_token, body);
        Reply { answer, handed: Some(handed) }
    }

    /// The answer of simplejwt to a refresh, which knows one place for the token.
    pub(super) fn simple_answer(&mut self, handed: Handed, rotates: bool) -> Reply {
        let mut body = json!({"access": self.access(handed)});
        if rotates {
            body["refresh"] = self.renewing(handed).into();
        }
        Reply { answer: Answer::json(200, &body), handed: Some(handed) }
    }

    /// No refusal is a token that is not ours, or not for this.
    pub(super) fn refresh(
        &mut self,
        token: &str,
        now: Timestamp,
    ) -> Result<Handed, Option<Refusal>> {
        let claim = self.read(token, "refresh").ok_or(None)?;
        self.ledger.present(claim, now).map_err(Some)
    }

    pub(super) fn touch(&mut self, token: &str, now: Timestamp) -> Option<Claim> {
        let known = self.claims.get(token).copied();
        let claim = known.or_else(|| self.read(token, "access"))?;
        self.ledger.touch(claim, now).then_some(claim)
    }

    fn access(&mut self, handed: Handed) -> String {
        let claim = claim(handed, self.lifetime);
        let jwt = self.sign("access", claim, handed);
        let digits = hex(&mint::sign(self.mint.key(), jwt.as_bytes())[..20]);
        let token = match self.shape {
            Shape::Jwt => return jwt,
            Shape::Key => digits,
            Shape::Numbered => format!("{}|{digits}", handed.family + 1),
        };
        self.claims.insert(token.clone(), claim);
        token
    }

    fn renewing(&self, handed: Handed) -> String {
        self.sign("refresh", claim(handed, self.refresh_lifetime), handed)
    }

    fn sign(&self, kind: &str, claim: Claim, handed: Handed) -> String {
        let claims = json!({
            "token_type": kind, "exp": claim.expires, "iat": handed.issued_at.as_second(),
            "user_id": "1", "family": claim.family, "generation": claim.generation,
        });
        jwt::sign(self.mint.key(), &claims)
    }

    fn read(&self, token: &str, kind: &str) -> Option<Claim> {
        let claims = jwt::verify(self.mint.key(), token)?;
        let claim = Claim {
            family: usize::try_from(claims["family"].as_u64()?).ok()?,
            generation: claims["generation"].as_u64()?,
            expires: claims["exp"].as_i64()?,
        };
        (claims["token_type"] == kind).then_some(claim)
    }
}

fn claim(handed: Handed, lifetime: u32) -> Claim {
    Claim {
        family: handed.family,
        generation: handed.generation,
        expires: handed.issued_at.as_second() + i64::from(lifetime),
    }
}

fn expiry(expiry: Expiry, handed: Handed, lifetime: u32) -> Map<String, Value> {
    let (name, value) = match expiry {
        Expiry::JwtExp | Expiry::None => return Map::new(),
        Expiry::ExpiresIn => ("expires_in", json!(lifetime)),
        Expiry::ExpiresInText => ("expires_in", json!(lifetime.to_string())),
        Expiry::ExpiresAt => {
            let ends = handed.issued_at.checked_add(SignedDuration::from_secs(lifetime.into()));
            ("expires_at", json!(ends.unwrap_or(Timestamp::MAX).to_string()))
        }
    };
    Map::from_iter([(name.to_owned(), value)])
}

/// Puts the token where it belongs, beside what else there is to say.
fn place(at: TokenAt, token: &str, beside: Map<String, Value>) -> Answer {
    let name = match at {
        TokenAt::PlainText => return Answer::new(200, "text/plain; charset=utf-8", token),
        TokenAt::AuthorizationHeader => {
            let mut body = json!({"user": {"id": 1, "email": "demo@example.com"}});
            body.as_object_mut().into_iter().for_each(|it| it.extend(beside.clone()));
            return Answer::json(200, &body).header("authorization", &format!("Bearer {token}"));
        }
        TokenAt::AccessToken => "access_token",
        TokenAt::Access => "access",
        TokenAt::Token | TokenAt::NestedData => "token",
        TokenAt::AuthToken => "auth_token",
        TokenAt::Jwt => "jwt",
        TokenAt::Key => "key",
    };
    let mut body = Map::from_iter([(name.to_owned(), json!(token))]);
    if at == TokenAt::AccessToken {
        body.insert("token_type".to_owned(), "Bearer".into());
    }
    body.extend(beside);
    match at {
        TokenAt::NestedData => Answer::json(200, &json!({"success": true, "data": body})),
        _ => Answer::json(200, &Value::Object(body)),
    }
}
