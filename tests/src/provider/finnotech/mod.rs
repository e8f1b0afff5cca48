//! Finnotech: OAuth in shape, with JSON bodies, milliseconds, the Iranian calendar, and an error that is an object.

mod jalali;

use std::collections::HashSet;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::provider::{
    answer::Answer,
    call::{Call, Format},
    credentials::Credentials,
    family::Class,
    jwt,
    ledger::{Handed, Ledger},
    mint::{Claim, Mint, Use},
    options::flags::Flags,
    service::{Fake, Pair, Reply, Service},
};

/// How this Finnotech behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one client.
    pub client_id: String,
    /// Of the one client.
    pub client_secret: String,
    /// Ten digits: the person who answers for the client.
    pub nid: String,
    /// The scopes that are known.
    pub scopes: Vec<String>,
    /// What becomes of a used refresh token.
    pub class: Class,
    /// Seconds that an access token lives. It is told in milliseconds.
    pub lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
    /// Whether `lifeTime` is a text in the answer, as it always is inside the token.
    pub lifetime_as_text: bool,
    /// Whether `creationDate` is a number.
    pub date_as_number: bool,
    /// The status of an access token that is not taken; 401 and 400 are as likely as 403.
    pub bad_token_status: u16,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |text: &str| text.to_owned();
        let scopes = ["oak:iban-inquiry:get", "oak:ping:get", "card:information:get", DELETE];
        Self {
            client_id: owned("demo-client"),
            client_secret: owned("demo-secret"),
            nid: owned("0012345678"),
            scopes: scopes.map(owned).into(),
            class: Class::Strict,
            lifetime: 10 * 86_400,
            refresh_lifetime: 30 * 86_400,
            lifetime_as_text: false,
            date_as_number: false,
            bad_token_status: 403,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--client-id I] [--client-secret S] [--nid N] [--scopes A,B] [--class C] [--lifetime S] \
        [--refresh-lifetime S] [--lifetime-as-text] [--date-as-number] [--bad-token-status N]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        Ok(Self {
            client_id: flags.value("client-id", base.client_id)?,
            client_secret: flags.value("client-secret", base.client_secret)?,
            nid: flags.value("nid", base.nid)?,
            scopes: flags.list("scopes", base.scopes),
            class: flags.class(base.class)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
            lifetime_as_text: flags.switch("lifetime-as-text")?,
            date_as_number: flags.switch("date-as-number")?,
            bad_token_status: flags.value("bad-token-status", base.bad_token_status)?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(Finnotech::new(self))
    }
}

/// Lets a token end others.
const DELETE: &str = "boomrang:token:delete";

pub(crate) struct Finnotech {
    pub(crate) credentials: Credentials,
    pub(crate) ledger: Ledger,
    settings: Settings,
    mint: Mint,
    /// The scopes of each family, by its number.
    scopes: Vec<Vec<String>>,
    /// Every `trackId` so far.
    tracked: HashSet<String>,
}

/// Status, code and message.
type Refused = (u16, &'static str, &'static str);

const BAD_CLIENT: Refused = (401, "UNAUTHORIZED", "invalid client");
const BAD_REFRESH: Refused = (400, "VALIDATION_ERROR", "invalid refresh token");

impl Service for Finnotech {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        let parts: Vec<_> = call.path.trim_start_matches('/').split('/').collect();
        let result = match (&call.method, parts.as_slice()) {
            (&Method::POST, ["dev", "v2", "oauth2", "token"]) => self.token(call, now),
            (&Method::DELETE, ["dev", "v2", "clients", client, "token"]) => {
                self.revoke(client, call, now)
            }
            (&Method::GET, ["oak", "v2", "clients", client, "ping"]) => {
                self.ping(client, call, now)
            }
            _ => Err((404, "NOT_FOUND", "service not found")),
        };
        result.unwrap_or_else(|refused| refusal(call, refused).into())
    }

    /// With every scope.
    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        let handed = self.open(name.to_owned(), self.settings.scopes.clone(), now);
        self.ledger.delivered(handed);
        let refresh_token = self.refresh_token(handed);
        Pair {
            access_token: self.access_token(handed, &refresh_token),
            refresh_token,
            expires_in: self.settings.lifetime,
        }
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Finnotech {
    pub(crate) fn new(settings: Settings) -> Self {
        let names = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", &settings.client_secret),
            ("nid", &settings.nid),
        ];
        Self {
            credentials: Credentials::new(names),
            ledger: Ledger::new(settings.class),
            settings,
            mint: Mint::new(""),
            scopes: Vec::new(),
            tracked: HashSet::new(),
        }
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Result<Reply, Refused> {
        self.check_client(call)?;
        if call.format != Format::Json {
            return Err((400, "VALIDATION_ERROR", "invalid body"));
        }
        let handed = match call.field("grant_type") {
            Some("client_credentials") => self.client_credentials(call, now),
            Some("refresh_token") => self.refresh(call, now),
            _ => Err((400, "VALIDATION_ERROR", "invalid grant_type")),
        }?;
        let answer = Answer::json(200, &self.success(handed));
        Ok(Reply { answer, handed: Some(handed) })
    }

    fn client_credentials(&mut self, call: &Call, now: Timestamp) -> Result<Handed, Refused> {
        let nid = call.field("nid").unwrap_or_default();
        let digits = nid.len() == 10 && nid.bytes().all(|it| it.is_ascii_digit());
        if !digits || !self.credentials.admit(&[("nid", nid)]) {
            return Err((400, "VALIDATION_ERROR", "invalid nid"));
        }
        let scopes = call.field("scopes").unwrap_or_default();
        let scopes: Vec<_> = scopes.split(',').map(ToOwned::to_owned).collect();
        if !scopes.iter().all(|it| self.settings.scopes.contains(it)) {
            return Err((400, "VALIDATION_ERROR", "invalid scopes"));
        }
        let name = format!("login-{}", self.ledger.len());
        Ok(self.open(name, scopes, now))
    }

    fn refresh(&mut self, call: &Call, now: Timestamp) -> Result<Handed, Refused> {
        if call.field("token_type") != Some("CLIENT-CREDENTIAL") {
            return Err((400, "VALIDATION_ERROR", "invalid token_type"));
        }
        let token = call.field("refresh_token").ok_or(BAD_REFRESH)?;
        let claim = self.mint.read(Use::Refresh, token).ok_or(BAD_REFRESH)?;
        self.ledger.present(claim, now).map_err(|_| BAD_REFRESH)
    }

    /// By the client itself, or by a token that may.
    fn revoke(&mut self, client: &str, call: &Call, now: Timestamp) -> Result<Reply, Refused> {
        let claim = call.bearer.as_deref().and_then(|token| self.read_access(token));
        let may = claim.is_some_and(|it| {
            let scope = self.scopes[it.family].iter().any(|scope| scope == DELETE);
            self.ledger.touch(it, now) && scope
        });
        if !may {
            self.check_client(call)?;
        }
        self.check_name(client)?;
        let token = call.field("token").ok_or((400, "VALIDATION_ERROR", "invalid token"))?;
        let found = self.mint.read(Use::Refresh, token).or_else(|| self.read_access(token));
        let found = found.ok_or((400, "VALIDATION_ERROR", "invalid token"))?;
        self.ledger.revoke(found.family);
        Ok(Answer::json(200, &json!({"responseCode": code(200), "status": "DONE"})).into())
    }

    fn ping(&mut self, client: &str, call: &Call, now: Timestamp) -> Result<Reply, Refused> {
        let bad = (self.settings.bad_token_status, "VALIDATION_ERROR", "invalid token");
        let claim = call.bearer.as_deref().and_then(|token| self.read_access(token)).ok_or(bad)?;
        if !self.ledger.touch(claim, now) {
            return Err(bad);
        }
        self.check_name(client)?;
        let track = call.parameter("trackId").unwrap_or_default().to_owned();
        if track.chars().count() > 40 {
            return Err((400, "VALIDATION_ERROR", "trackId is too long"));
        }
        if !track.is_empty() && !self.tracked.insert(track.clone()) {
            return Err((400, "VALIDATION_ERROR", "trackId is duplicated"));
        }
        let result = json!({"pong": true, "generation": claim.generation});
        let body = json!({
            "responseCode": code(200), "trackId": track, "result": result, "status": "DONE",
        });
        Ok(Answer::json(200, &body).into())
    }

    fn check_client(&self, call: &Call) -> Result<(), Refused> {
        let (id, secret) = call.basic.as_ref().ok_or(BAD_CLIENT)?;
        let known = self.credentials.admit(&[("client_id", id), ("client_secret", secret)]);
        if known { Ok(()) } else { Err(BAD_CLIENT) }
    }

    fn check_name(&self, client: &str) -> Result<(), Refused> {
        let known = self.credentials.value("client_id") == client;
        if known { Ok(()) } else { Err((403, "FORBIDDEN", "the client is another one")) }
    }

    fn open(&mut self, name: String, scopes: Vec<String>, now: Timestamp) -> Handed {
        self.scopes.push(scopes);
        self.ledger.open(name, "", now)
    }

    fn success(&self, handed: Handed) -> Value {
        let refresh_token = self.refresh_token(handed);
        let milliseconds = u64::from(self.settings.lifetime) * 1_000;
        let text = self.settings.lifetime_as_text;
        let date = jalali::local(handed.issued_at);
        let number = date.parse::<u64>().ok().filter(|_| self.settings.date_as_number);
        let result = json!({
            "value": self.access_token(handed, &refresh_token),
            "scopes": self.scopes[handed.family],
            "lifeTime": if text { milliseconds.to_string().into() } else { json!(milliseconds) },
            "creationDate": number.map_or_else(|| json!(date), Value::from),
            "refreshToken": refresh_token,
        });
        json!({"responseCode": code(200), "result": result, "status": "DONE"})
    }

    /// A JWT without an expiry, and with the refresh token in it for everybody to read. Both are the vendor's.
    fn access_token(&self, handed: Handed, refresh_token: &str) -> String {
        let claims = json!({
            "refreshToken": refresh_token,
            "creationDate": jalali::local(handed.issued_at),
            "lifeTime": (u64::from(self.settings.lifetime) * 1_000).to_string(),
            "clientId": self.credentials.value("client_id"),
            "userId": self.settings.nid,
            "scopes": self.scopes[handed.family],
            "type": "CLIENT-CREDENTIAL",
            "iat": handed.issued_at.as_second(),
        });
        jwt::sign(self.mint.key(), &claims)
    }

    fn refresh_token(&self, handed: Handed) -> String {
        let lifetime = i64::from(self.settings.refresh_lifetime);
        let claim = Claim {
            family: handed.family,
            generation: handed.generation,
            expires: handed.issued_at.as_second() + lifetime,
        };
        self.mint.token(Use::Refresh, claim)
    }

    fn read_access(&self, token: &str) -> Option<Claim> {
        let claims = jwt::verify(self.mint.key(), token)?;
        let claim = self.mint.read(Use::Refresh, claims["refreshToken"].as_str()?)?;
        let lifetime: i64 = claims["lifeTime"].as_str()?.parse().ok()?;
        Some(Claim { expires: claims["iat"].as_i64()? + lifetime / 1_000, ..claim })
    }
}

fn refusal(call: &Call, (status, name, message): Refused) -> Answer {
    let body = json!({
        "responseCode": code(status), "trackId": call.parameter("trackId").unwrap_or_default(),
        "status": "FAILED", "error": {"code": name, "message": message},
    });
    Answer::json(status, &body)
}

fn code(status: u16) -> String {
    format!("FN-BRFH-{status}00000000")
}
