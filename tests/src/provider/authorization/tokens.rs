//! What was consented to, and the tokens that speak for it. A grant is a family of the ledger, by the same number.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::provider::{
    authorization::refused::{Fault, Refused},
    family::Class,
    jwt,
    ledger::{Handed, Ledger},
    mint::{Claim, Mint, Use},
    service::Pair,
};

/// What a person, or the client itself, consented to.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) subject: String,
    pub(crate) scope: Vec<String>,
    pub(crate) audience: Option<String>,
    /// Whether it comes with a refresh token.
    pub(crate) offline: bool,
    /// Whether the client showed no secret when it began, and need not show one later.
    pub(crate) public: bool,
    /// Of the request, for the id token.
    pub(crate) nonce: Option<String>,
}

impl Grant {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scope.iter().any(|it| it == scope)
    }
}

/// How tokens look and how long they live.
pub(crate) struct Form {
    pub(crate) class: Class,
    pub(crate) lifetime: u32,
    pub(crate) refresh_lifetime: u32,
    /// What opaque access tokens start with.
    pub(crate) access_prefix: String,
    pub(crate) refresh_prefix: String,
    /// With claims, access tokens are JWTs that carry them.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
}

pub(crate) struct Tokens {
    pub(crate) ledger: Ledger,
    form: Form,
    access: Mint,
    refresh: Mint,
    grants: Vec<Grant>,
    /// Families and generations that were refreshed with fewer scopes than granted.
    narrowed: Vec<(usize, u64, Vec<String>)>,
    /// Access tokens that were revoked alone.
    revoked: HashSet<(usize, u64)>,
}

impl Tokens {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            ledger: Ledger::new(form.class),
            access: Mint::new(&form.access_prefix),
            refresh: Mint::new(&form.refresh_prefix),
            form,
            grants: Vec::new(),
            narrowed: Vec::new(),
            revoked: HashSet::new(),
        }
    }

    pub(crate) fn open(&mut self, name: String, grant: Grant, now: Timestamp) -> Handed {
        self.grants.push(grant);
        self.ledger.open(name, "", now)
    }

    pub(crate) fn grant(&self, family: usize) -> &Grant {
        &self.grants[family]
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = (usize, &Grant)> {
        self.grants.iter().enumerate()
    }

    /// The scopes of one generation.
    pub(crate) fn scope(&self, family: usize, generation: u64) -> String {
        let narrow = self.narrowed.iter().find(|it| (it.0, it.1) == (family, generation));
        narrow.map_or(&self.grants[family].scope, |(_, _, scope)| scope).join(" ")
    }

    /// Whether a token is good for a scope.
    pub(crate) fn allows(&self, claim: Claim, scope: &str) -> bool {
        self.scope(claim.family, claim.generation).split(' ').any(|it| it == scope)
    }

    pub(crate) fn narrow(&mut self, handed: Handed, scope: Vec<String>) {
        self.narrowed.retain(|it| (it.0, it.1) != (handed.family, handed.generation));
        self.narrowed.push((handed.family, handed.generation, scope));
    }

    /// The claim of a refresh token of ours, whatever became of it.
    pub(crate) fn read_refresh(&self, token: &str) -> Option<Claim> {
        let claim = self.refresh.read(Use::Refresh, token)?;
        self.grants.get(claim.family)?.offline.then_some(claim)
    }

    pub(crate) fn present(&mut self, claim: Claim, now: Timestamp) -> Result<Handed, Refused> {
        let refused = |refusal| Refused::InvalidGrant(Fault::Token(refusal));
        self.ledger.present(claim, now).map_err(refused)
    }

    /// The claim of an access token of ours, whatever became of it.
    pub(crate) fn read_access(&self, token: &str) -> Option<Claim> {
        if self.form.claims.is_none() {
            return self.access.read(Use::Access, token);
        }
        let claims = jwt::verify(self.access.key(), token)?;
        Some(Claim {
            family: usize::try_from(claims["family"].as_u64()?).ok()?,
            generation: claims["generation"].as_u64()?,
            expires: claims["exp"].as_i64()?,
        })
    }

    /// Takes an access token that is good, and counts it as a use.
    pub(crate) fn touch(&mut self, token: &str, now: Timestamp) -> Option<Claim> {
        let claim = self.read_access(token)?;
        let alone = self.revoked.contains(&(claim.family, claim.generation));
        (!alone && self.ledger.touch(claim, now)).then_some(claim)
    }

    /// Whether an access token is good, without using it.
    pub(crate) fn lives(&self, claim: Claim, now: Timestamp) -> bool {
        let alone = self.revoked.contains(&(claim.family, claim.generation));
        !alone && !claim.expired(now) && !self.ledger.is_revoked(claim.family)
    }

    /// Whether a refresh token would be taken, without taking it. One that is only spared counts as used.
    pub(crate) fn is_current(&self, claim: Claim, now: Timestamp) -> bool {
        !claim.expired(now) && self.ledger.is_current(claim)
    }

    pub(crate) fn revoke_access(&mut self, claim: Claim) {
        self.revoked.insert((claim.family, claim.generation));
    }

    /// A repeat comes later than its rotation, so that less of the lifetime is left.
    pub(crate) fn pair(&self, handed: Handed, now: Timestamp) -> Pair {
        let issued = handed.issued_at.as_second();
        let claim = |lifetime: u32| Claim {
            family: handed.family,
            generation: handed.generation,
            expires: issued + i64::from(lifetime),
        };
        let spent = u32::try_from(now.as_second() - issued).unwrap_or(0);
        let refresh = self.refresh.token(Use::Refresh, claim(self.form.refresh_lifetime));
        Pair {
            access_token: self.access_token(claim(self.form.lifetime), issued),
            refresh_token: if self.grant(handed.family).offline { refresh } else { String::new() },
            expires_in: self.form.lifetime.saturating_sub(spent),
        }
    }

    /// RFC 6749, 5.1. A refresh token is there for an offline grant.
    pub(crate) fn body(&self, handed: Handed, now: Timestamp) -> Map<String, Value> {
        let pair = self.pair(handed, now);
        let mut body = Map::new();
        body.insert("access_token".to_owned(), pair.access_token.into());
        body.insert("token_type".to_owned(), "Bearer".into());
        body.insert("expires_in".to_owned(), pair.expires_in.into());
        if !pair.refresh_token.is_empty() {
            body.insert("refresh_token".to_owned(), pair.refresh_token.into());
        }
        body.insert("scope".to_owned(), self.scope(handed.family, handed.generation).into());
        if self.grant(handed.family).has("openid") {
            body.insert("id_token".to_owned(), self.id_token(handed).into());
        }
        body
    }

    fn access_token(&self, claim: Claim, issued: i64) -> String {
        let Some(extra) = &self.form.claims else { return self.access.token(Use::Access, claim) };
        let grant = self.grant(claim.family);
        let mut claims = extra.clone();
        claims.insert("iss".to_owned(), self.form.issuer.as_str().into());
        claims.insert("sub".to_owned(), grant.subject.as_str().into());
        claims.insert("iat".to_owned(), issued.into());
        claims.insert("exp".to_owned(), claim.expires.into());
        if let Some(audience) = &grant.audience {
            claims.insert("aud".to_owned(), audience.as_str().into());
        }
        claims.insert("family".to_owned(), claim.family.into());
        claims.insert("generation".to_owned(), claim.generation.into());
        jwt::sign(self.access.key(), &Value::Object(claims))
    }

    fn id_token(&self, handed: Handed) -> String {
        let grant = self.grant(handed.family);
        let issued = handed.issued_at.as_second();
        let mut claims = json!({
            "iss": self.form.issuer, "sub": grant.subject, "aud": self.form.client_id,
            "iat": issued, "exp": issued + i64::from(self.form.lifetime),
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = nonce.as_str().into();
        }
        jwt::sign(self.access.key(), &claims)
    }
}
