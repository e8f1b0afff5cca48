//! Jibit: a key pair for a rotating pair of tokens, and a refresh that most products grant only to both of them.
//!
//! The vendor's statuses are not documented, only its codes: an adapter that reads the status alone is one that guesses.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::json;

use crate::provider::{
    answer::Answer,
    call::{Call, Format},
    credentials::Credentials,
    family::Class,
    fingerprint::fingerprint,
    jwt,
    ledger::{Handed, Ledger},
    mint::{Claim, Mint, Use},
    options::flags::Flags,
    service::{Fake, Pair, Reply, Service},
};

/// How this Jibit behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Half of the one key pair, which opens every product here.
    pub api_key: String,
    /// The other half.
    pub secret_key: String,
    /// What becomes of a used refresh token.
    pub class: Class,
    /// Seconds that an access token lives.
    pub access_lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
    /// Whether `ide` says `{"code"}` at the top, and not in a list of errors.
    pub flat_ide: bool,
    /// The status of a refresh token that is not taken; 400 and 403 are as likely as 401.
    pub bad_refresh_status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_key: "demo-api-key".to_owned(),
            secret_key: "demo-secret-key".to_owned(),
            class: Class::Strict,
            access_lifetime: 86_400,
            refresh_lifetime: 172_800,
            flat_ide: false,
            bad_refresh_status: 401,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--api-key K] [--secret-key K] [--class C] [--lifetime S] [--refresh-lifetime S] \
        [--flat-ide] [--bad-refresh-status N]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        Ok(Self {
            api_key: flags.value("api-key", base.api_key)?,
            secret_key: flags.value("secret-key", base.secret_key)?,
            class: flags.class(base.class)?,
            access_lifetime: flags.value("lifetime", base.access_lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
            flat_ide: flags.switch("flat-ide")?,
            bad_refresh_status: flags.value("bad-refresh-status", base.bad_refresh_status)?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(Jibit::new(self))
    }
}

struct Product {
    name: &'static str,
    generate: &'static str,
    refresh: &'static str,
    /// Whether a refresh needs the access token as well.
    both: bool,
}

const PRODUCTS: [Product; 4] = [
    Product {
        name: "ide",
        generate: "/ide/v1/tokens/generate",
        refresh: "/ide/v1/tokens/refresh",
        both: true,
    },
    Product {
        name: "ppg",
        generate: "/ppg/v3/tokens",
        refresh: "/ppg/v3/tokens/refresh",
        both: false,
    },
    Product {
        name: "trf",
        generate: "/trf/v2/tokens/generate",
        refresh: "/trf/v2/tokens/refresh",
        both: true,
    },
    Product {
        name: "cobank",
        generate: "/cobank/v1/tokens/generate",
        refresh: "/cobank/v1/tokens/refresh",
        both: true,
    },
];

pub(crate) struct Jibit {
    pub(crate) credentials: Credentials,
    pub(crate) ledger: Ledger,
    settings: Settings,
    mint: Mint,
}

/// A status and a code; the product decides how they are worded.
type Refused = (u16, &'static str);

impl Service for Jibit {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        let path = call.path.as_str();
        let result = match PRODUCTS.iter().find(|it| it.generate == path || it.refresh == path) {
            Some(_) if call.method != Method::POST => Err((405, "web.method_not_allowed")),
            Some(product) if product.generate == path => self.generate(product, call, now),
            Some(product) => self.refresh(product, call, now),
            None if call.method == Method::GET && path == "/ide/v1/services" => {
                self.services(call, now)
            }
            None => Err((404, "web.not_found")),
        };
        result.unwrap_or_else(|(status, code)| self.refusal(path, status, code).into())
    }

    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        let handed = self.ledger.open(name.to_owned(), PRODUCTS[0].name, now);
        self.ledger.delivered(handed);
        self.pair(handed)
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Jibit {
    pub(crate) fn new(settings: Settings) -> Self {
        let keys = [("apiKey", settings.api_key.as_str()), ("secretKey", &settings.secret_key)];
        Self {
            credentials: Credentials::new(keys),
            ledger: Ledger::new(settings.class),
            settings,
            mint: Mint::new(""),
        }
    }

    fn generate(
        &mut self,
        product: &Product,
        call: &Call,
        now: Timestamp,
    ) -> Result<Reply, Refused> {
        let api_key = required(call, "apiKey", "apiKey.is_required")?;
        let secret_key = required(call, "secretKey", "secretKey.is_required")?;
        if !self.credentials.admit(&[("apiKey", api_key), ("secretKey", secret_key)]) {
            return Err((401, "security.bad_credentials"));
        }
        let name = format!("{}-{}", product.name, self.ledger.len());
        let handed = self.ledger.open(name, product.name, now);
        Ok(self.token_pair(handed))
    }

    fn refresh(
        &mut self,
        product: &Product,
        call: &Call,
        now: Timestamp,
    ) -> Result<Reply, Refused> {
        let refresh_token = required(call, "refreshToken", "refreshToken.is_required")?;
        let access_token = if product.both {
            Some(required(call, "accessToken", "accessToken.is_required")?)
        } else {
            None
        };
        let bad = (self.settings.bad_refresh_status, "security.bad_credentials");
        let claim = self.mint.read(Use::Refresh, refresh_token).ok_or(bad)?;
        let belongs = access_token.is_none_or(|access| self.belong_together(access, claim));
        if !belongs || self.ledger.realm(claim) != product.name {
            return Err(bad);
        }
        let handed = self.ledger.present(claim, now).map_err(|_| bad)?;
        Ok(self.token_pair(handed))
    }

    fn services(&mut self, call: &Call, now: Timestamp) -> Result<Reply, Refused> {
        let token = call.bearer.as_deref().ok_or((401, "security.auth_required"))?;
        let claim = self.read_access(token).filter(|claim| self.ledger.realm(*claim) == "ide");
        if !claim.is_some_and(|claim| self.ledger.touch(claim, now)) {
            return Err((401, "token.verification_failed"));
        }
        let body = json!({"services": [{"name": "card-inquiry", "active": true}]});
        Ok(Answer::json(200, &body).into())
    }

    /// An expired access token still proves which pair it is of.
    fn belong_together(&self, access: &str, refresh: Claim) -> bool {
        self.read_access(access).is_some_and(|access| {
            (access.family, access.generation) == (refresh.family, refresh.generation)
        })
    }

    fn token_pair(&self, handed: Handed) -> Reply {
        let pair = self.pair(handed);
        let body = json!({"accessToken": pair.access_token, "refreshToken": pair.refresh_token});
        Reply { answer: Answer::json(200, &body), handed: Some(handed) }
    }

    fn pair(&self, handed: Handed) -> Pair {
        let expires_in = self.settings.access_lifetime;
        let issued = handed.issued_at.as_second();
        let claims = json!({
            "iat": issued, "exp": issued + i64::from(expires_in),
            "family": handed.family, "generation": handed.generation,
        });
        let refresh = Claim {
            family: handed.family,
            generation: handed.generation,
            expires: issued + i64::from(self.settings.refresh_lifetime),
        };
        Pair {
            access_token: jwt::sign(self.mint.key(), &claims),
            refresh_token: self.mint.token(Use::Refresh, refresh),
            expires_in,
        }
    }

    fn read_access(&self, token: &str) -> Option<Claim> {
        let claims = jwt::verify(self.mint.key(), token)?;
        Some(Claim {
            family: usize::try_from(claims["family"].as_u64()?).ok()?,
            generation: claims["generation"].as_u64()?,
            expires: claims["exp"].as_i64()?,
        })
    }

    fn refusal(&mut self, path: &str, status: u16, code: &str) -> Answer {
        let message = "the request was not accepted";
        if self.settings.flat_ide && path.starts_with("/ide/") {
            return Answer::json(status, &json!({"code": code, "message": message}));
        }
        let mark = fingerprint(&self.mint.unique());
        let errors = json!([{"code": code, "message": message}]);
        Answer::json(status, &json!({"fingerprint": format!("{mark}{mark}"), "errors": errors}))
    }
}

fn required<'a>(call: &'a Call, name: &str, code: &'static str) -> Result<&'a str, Refused> {
    if call.format != Format::Json {
        return Err((400, "web.invalid_or_missing_body"));
    }
    call.field(name).ok_or((400, code))
}
