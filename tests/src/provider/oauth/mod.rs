//! A whole authorization server of RFC 6749: metadata, codes with PKCE, devices, revocation, introspection.
//!
//! Where the RFCs leave a choice, the default is the stricter one and a setting has the other.

mod settings;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::provider::{
    answer::Answer,
    authorization::{
        Authorization,
        refused::Refused,
        rules::GrantType,
        token::{check_form, required},
        tokens::Tokens,
    },
    call::Call,
    credentials::Credentials,
    family::Class,
    ledger::Handed,
    ledger::Ledger,
    oauth::settings::{form, metadata, rules},
    service::{Pair, Reply, Service},
};

pub use settings::{Discovery, Settings};

pub(crate) struct OAuth {
    pub(crate) core: Authorization,
    settings: Settings,
}

impl Service for OAuth {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        let posts = ["/token", "/revoke", "/introspect", "/device"];
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/.well-known/openid-configuration") => {
                self.metadata(&[Discovery::Both, Discovery::OpenId])
            }
            (&Method::GET, "/.well-known/oauth-authorization-server") => {
                self.metadata(&[Discovery::Both, Discovery::OAuth])
            }
            (&Method::GET, "/authorize") => self.authorize(call, now).into(),
            (&Method::POST, "/token") => self.token(call, now),
            (&Method::POST, "/revoke") => self.revoke(call, now).into(),
            (&Method::POST, "/introspect") => self.introspect(call, now).into(),
            (&Method::POST, "/device") => self.device(call, now).into(),
            (&Method::GET, "/activate") => Answer::login_page().into(),
            (&Method::GET, "/userinfo") => self.userinfo(call, now).into(),
            (&Method::GET, "/resource") => self.resource(call, now).into(),
            (_, path) if posts.contains(&path) => {
                Answer::json(405, &json!({"error": "method_not_allowed"})).into()
            }
            _ => not_found(),
        }
    }

    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        self.core.issue(name, now)
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
}

impl OAuth {
    pub(crate) fn new(settings: Settings, issuer: &str) -> Self {
        let names = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", &settings.client_secret),
        ];
        let tokens = Tokens::new(form(&settings, issuer));
        let mut core =
            Authorization::new(rules(&settings, issuer), Credentials::new(names), tokens);
        core.denying = settings.deny;
        Self { core, settings }
    }

    fn metadata(&self, with: &[Discovery]) -> Reply {
        if !with.contains(&self.settings.discovery) {
            return not_found();
        }
        Answer::json(200, &metadata(&self.core.rules)).into()
    }

    fn authorize(&mut self, call: &Call, now: Timestamp) -> Answer {
        match self.core.ask(call) {
            Ok(request) => self.core.consent(request, now),
            Err(answer) => answer,
        }
    }

    fn token(&mut self, call: &Call, now: Timestamp) -> Reply {
        let handed = self.core.grant_type(call).and_then(|grant_type| match grant_type {
            GrantType::AuthorizationCode => self.core.exchange_code(call, now),
            GrantType::RefreshToken => self.core.refresh(call, now),
            GrantType::ClientCredentials => self.core.client_credentials(call, now),
            GrantType::DeviceCode => self.core.poll_device(call, now),
        });
        match handed {
            Ok(handed) => self.token_answer(handed, now),
            Err(refused) => refused.answer(call).into(),
        }
    }

    fn token_answer(&self, handed: Handed, now: Timestamp) -> Reply {
        let mut body = self.core.tokens.body(handed, now);
        let unrotated = self.settings.class == Class::None && handed.rotated;
        if unrotated && self.settings.omit_unrotated {
            body.remove("refresh_token");
        }
        if let Some(target) = &self.core.rules.target {
            body.insert(target.parameter.clone(), target.value.as_str().into());
        }
        let answer = Answer::json(200, &Value::Object(body)).header("cache-control", "no-store");
        Reply { answer, handed: Some(handed) }
    }

    fn device(&mut self, call: &Call, now: Timestamp) -> Answer {
        let started = match self.core.start_device(call, now) {
            Ok(started) => started,
            Err(refused) => return refused.answer(call),
        };
        let page = format!("{}/activate", self.core.rules.issuer);
        let body = json!({
            "device_code": started.device_code, "user_code": started.user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={}", started.user_code),
            "expires_in": self.core.devices.lifetime(), "interval": self.core.devices.interval(),
        });
        Answer::json(200, &body).header("cache-control", "no-store")
    }

    /// RFC 7009: a refresh token ends its family, an access token itself, and an unknown one is no error.
    fn revoke(&mut self, call: &Call, now: Timestamp) -> Answer {
        let token = match self.token_of(call, now) {
            Ok(token) => token,
            Err(refused) => return refused.answer(call),
        };
        match self.core.find_token(&token) {
            Some((claim, true)) => self.core.tokens.ledger.revoke(claim.family),
            Some((claim, false)) => self.core.tokens.revoke_access(claim),
            None => {}
        }
        Answer::new(200, "text/plain", "")
    }

    /// RFC 7662.
    fn introspect(&mut self, call: &Call, now: Timestamp) -> Answer {
        let token = match self.token_of(call, now) {
            Ok(token) => token,
            Err(refused) => return refused.answer(call),
        };
        let Some((claim, refresh)) = self.core.find_live_token(&token, now) else {
            return Answer::json(200, &json!({"active": false}));
        };
        let tokens = &self.core.tokens;
        let grant = tokens.grant(claim.family);
        let mut body = json!({
            "active": true, "scope": tokens.scope(claim.family, claim.generation),
            "client_id": self.core.credentials.value("client_id"), "sub": grant.subject,
            "exp": claim.expires, "iss": self.core.rules.issuer,
        });
        if let Some(audience) = &grant.audience {
            body["aud"] = audience.as_str().into();
        }
        if !refresh {
            body["token_type"] = "Bearer".into();
        }
        Answer::json(200, &body)
    }

    fn token_of(&mut self, call: &Call, now: Timestamp) -> Result<String, Refused> {
        check_form(call)?;
        // A public client may take its own tokens back (RFC 7009, 2.1), and may not look into them.
        if call.path == "/revoke" {
            self.core.recognise(call, now)?;
        } else {
            self.core.recognise_confidential(call, now)?;
        }
        required(call, "token", "token is missing").map(ToOwned::to_owned)
    }

    fn userinfo(&mut self, call: &Call, now: Timestamp) -> Answer {
        let claim = match self.core.bearer(call, now) {
            Ok(claim) => claim,
            Err(answer) => return answer,
        };
        let grant = self.core.tokens.grant(claim.family);
        if !self.core.tokens.allows(claim, "openid") {
            let challenge = "Bearer error=\"insufficient_scope\", scope=\"openid\"";
            return Answer::json(403, &json!({"error": "insufficient_scope"}))
                .header("www-authenticate", challenge);
        }
        let body = json!({"sub": grant.subject, "name": "Demo User", "email": "demo@example.com"});
        Answer::json(200, &body)
    }

    fn resource(&mut self, call: &Call, now: Timestamp) -> Answer {
        match self.core.bearer(call, now) {
            Ok(claim) => {
                let scope = self.core.tokens.scope(claim.family, claim.generation);
                let body = json!({"ok": true, "generation": claim.generation, "scope": scope});
                Answer::json(200, &body)
            }
            Err(answer) => answer,
        }
    }
}

fn not_found() -> Reply {
    Answer::json(404, &json!({"error": "not_found"})).into()
}
