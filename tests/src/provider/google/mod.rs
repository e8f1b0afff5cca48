//! Google: the same server with refresh tokens that come once, never rotate, and die of many causes.

mod settings;

mod words;

use std::collections::HashSet;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::provider::{
    answer::Answer,
    authorization::{
        Authorization,
        authorize::Request,
        refused::{Fault, Refused},
        rules::GrantType,
        token::{Started, check_form, required},
        tokens::{Grant, Tokens},
    },
    call::Call,
    credentials::Credentials,
    google::{
        settings::{BUSINESS, TESTING, form, rules},
        words::{api_error, error, failed, refusal},
    },
    ledger::Ledger,
    ledger::{Handed, Refusal},
    service::{Pair, Reply, Service},
};

pub use settings::{Failure, Publishing, Settings};

const NOT_FOUND: &str = "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>";

/// What stands for the configured failure.
const FAILING: Refused = Refused::InvalidGrant(Fault::Token(Refusal::Revoked));

pub(crate) struct Google {
    pub(crate) core: Authorization,
    pub(crate) failure: Option<Failure>,
    settings: Settings,
    /// Accounts that have consented, and get a refresh token only when asked to consent again.
    consented: HashSet<String>,
}

impl Service for Google {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/o/oauth2/v2/auth") => self.authorize(call, now).into(),
            (&Method::POST, "/token") => self.token(call, now),
            (&Method::POST, "/revoke") => self.revoke(call, now).into(),
            (&Method::GET | &Method::POST, "/tokeninfo") => self.tokeninfo(call, now).into(),
            (&Method::POST, "/device/code") => self.device(call, now).into(),
            (&Method::GET, "/v1/userinfo") => self.userinfo(call, now).into(),
            (&Method::GET, "/v1/accounts") => self.accounts(call, now).into(),
            (&Method::GET, "/device") => Answer::login_page().into(),
            _ => Answer::new(404, "text/html; charset=UTF-8", NOT_FOUND).into(),
        }
    }

    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        self.consented.insert(self.settings.account.clone());
        let pair = self.core.issue(name, now);
        self.end_oldest(&self.settings.account.clone());
        pair
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.core.credentials
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.core.tokens.ledger)
    }

    fn authorization(&mut self) -> Option<&mut Authorization> {
        Some(&mut self.core)
    }

    fn revoke_everything(&mut self) {
        self.core.tokens.ledger.revoke_everything();
        self.consented.clear();
    }

    fn fail_refreshes(&mut self, failure: Option<Failure>) {
        self.failure = failure;
    }
}

impl Google {
    pub(crate) fn new(settings: Settings, issuer: &str) -> Self {
        let names = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", &settings.client_secret),
        ];
        let tokens = Tokens::new(form(&settings, issuer));
        let mut core =
            Authorization::new(rules(&settings, issuer), Credentials::new(names), tokens);
        core.denying = settings.deny;
        let failure = settings.failure;
        Self { core, failure, settings, consented: HashSet::new() }
    }

    fn authorize(&mut self, call: &Call, now: Timestamp) -> Answer {
        match self.core.ask(call) {
            Ok(request) => {
                let request = self.limit(request, call);
                self.core.consent(request, now)
            }
            Err(answer) => answer,
        }
    }

    /// A refresh token comes with `access_type=offline`, and only at the first consent or when consent is asked for.
    fn limit(&mut self, mut request: Request, call: &Call) -> Request {
        let account = call.parameter("login_hint").unwrap_or(&self.settings.account).to_owned();
        let asked =
            call.parameter("prompt").is_some_and(|it| it.split(' ').any(|it| it == "consent"));
        let first = self.consented.insert(account.clone());
        request.grant.offline =
            call.parameter("access_type") == Some("offline") && (first || asked);
        request.grant.subject = account;
        if let Some(most) = &self.settings.grant_scopes {
            request.grant.scope.retain(|scope| most.contains(scope));
        }
        request
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Reply {
        let handed = self.core.grant_type(call).and_then(|grant_type| match grant_type {
            GrantType::AuthorizationCode => self.core.exchange_code(call, now),
            GrantType::DeviceCode => self.core.poll_device(call, now),
            _ if self.failure.is_some() => self.core.recognise(call, now).and(Err(FAILING)),
            _ => self.core.refresh(call, now),
        });
        match (handed, self.failure) {
            (Ok(handed), _) => self.token_answer(handed, now),
            (Err(FAILING), Some(failure)) => failed(failure).into(),
            (Err(refused), _) => self.refusal(call, refused).into(),
        }
    }

    fn token_answer(&mut self, handed: Handed, now: Timestamp) -> Reply {
        let Grant { subject, offline, .. } = self.core.tokens.grant(handed.family).clone();
        let mut body = self.core.tokens.body(handed, now);
        if handed.generation > 0 {
            body.remove("refresh_token");
        } else if offline {
            self.end_oldest(&subject);
        }
        if offline && self.settings.publishing == Publishing::Testing {
            body.insert("refresh_token_expires_in".to_owned(), TESTING.into());
        }
        let answer = Answer::json(200, &Value::Object(body)).header("cache-control", "no-cache");
        Reply { answer, handed: Some(handed) }
    }

    /// Nobody is told.
    fn end_oldest(&mut self, account: &str) {
        let ledger = &self.core.tokens.ledger;
        let live = self.core.tokens.grants().filter(|(family, grant)| {
            grant.offline && grant.subject == account && !ledger.is_revoked(*family)
        });
        let live: Vec<_> = live.map(|(family, _)| family).collect();
        let over = live.len().saturating_sub(self.settings.most_refresh_tokens);
        for family in &live[..over] {
            self.core.tokens.ledger.revoke(*family);
        }
    }

    fn device(&mut self, call: &Call, now: Timestamp) -> Answer {
        let started = match self.start_device(call, now) {
            Ok(started) => started,
            Err(refused) => return self.refusal(call, refused),
        };
        let body = json!({
            "device_code": started.device_code, "user_code": started.user_code,
            "verification_url": format!("{}/device", self.core.rules.issuer),
            "expires_in": self.core.devices.lifetime(), "interval": self.core.devices.interval(),
        });
        Answer::json(200, &body)
    }

    /// The name of the client is enough to begin; its secret is asked for at the poll.
    fn start_device(&mut self, call: &Call, now: Timestamp) -> Result<Started, Refused> {
        check_form(call)?;
        let client = call.field("client_id").unwrap_or_default();
        if !self.core.credentials.admit(&[("client_id", client)]) {
            return Err(Refused::InvalidClient);
        }
        required(call, "scope", "Missing required parameter: scope")?;
        self.core.begin_device(call, false, now)
    }

    /// Not RFC 7009: a dead token is an error. A live one ends everything that the account granted.
    fn revoke(&mut self, call: &Call, now: Timestamp) -> Answer {
        let token = call.field("token").or(call.parameter("token"));
        let live = token.and_then(|token| self.core.find_live_token(token, now));
        let Some((claim, _)) = live else {
            let description = "Token expired or revoked";
            return error(400, "invalid_token", description);
        };
        let tokens = &self.core.tokens;
        let account = tokens.grant(claim.family).subject.clone();
        let granted = tokens.grants().filter(|(_, grant)| grant.subject == account);
        for family in granted.map(|(family, _)| family).collect::<Vec<_>>() {
            self.core.tokens.ledger.revoke(family);
        }
        self.consented.remove(&account);
        Answer::json(200, &json!({}))
    }

    /// Numbers are strings here.
    fn tokeninfo(&mut self, call: &Call, now: Timestamp) -> Answer {
        let named = call.parameter("access_token").or(call.field("access_token"));
        let claim = call.bearer.as_deref().or(named);
        let Some(claim) = claim.and_then(|token| self.core.tokens.touch(token, now)) else {
            return error(400, "invalid_token", "Invalid Value");
        };
        let tokens = &self.core.tokens;
        let grant = tokens.grant(claim.family);
        let client = self.core.credentials.value("client_id");
        let mut body = json!({
            "azp": client, "aud": client, "scope": tokens.scope(claim.family, claim.generation),
            "exp": claim.expires.to_string(),
            "expires_in": (claim.expires - now.as_second()).to_string(),
            "access_type": if grant.offline { "offline" } else { "online" },
        });
        if tokens.allows(claim, "email") {
            body["email"] = grant.subject.as_str().into();
            body["email_verified"] = "true".into();
        }
        Answer::json(200, &body)
    }

    fn userinfo(&mut self, call: &Call, now: Timestamp) -> Answer {
        match self.core.bearer(call, now) {
            Ok(claim) => {
                let grant = self.core.tokens.grant(claim.family);
                let (sub, email) = (&grant.subject, &grant.subject);
                Answer::json(200, &json!({"sub": sub, "email": email, "email_verified": true}))
            }
            Err(answer) => answer,
        }
    }

    /// Of the Business Profile, which needs its one scope.
    fn accounts(&mut self, call: &Call, now: Timestamp) -> Answer {
        let claim = call.bearer.as_deref().and_then(|token| self.core.tokens.touch(token, now));
        let Some(claim) = claim else {
            let message = "Request had invalid authentication credentials.";
            return api_error(401, "UNAUTHENTICATED", message);
        };
        if !self.core.tokens.allows(claim, BUSINESS) {
            let message = "Request had insufficient authentication scopes.";
            return api_error(403, "PERMISSION_DENIED", message);
        }
        Answer::json(200, &json!({"accounts": [{"name": "accounts/1", "accountName": "Demo"}]}))
    }

    fn refusal(&self, call: &Call, refused: Refused) -> Answer {
        let basic = call.basic.as_ref().map(|(id, _)| id.as_str());
        let client = basic.or(call.field("client_id")).unwrap_or_default();
        refusal(call, refused, self.core.credentials.admit(&[("client_id", client)]))
    }
}
