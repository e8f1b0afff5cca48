//! PropelAuth: the same server under its own paths, with JWTs of half an hour that name the organisations of a person.
//!
//! The token says `org_id_to_org_member_info` where the user info says `org_id_to_org_info`. Both are as the vendor has it.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::provider::{
    answer::Answer,
    authorization::{
        Authorization,
        rules::{ClientAuth, GrantType, Pkce, Refreshing, Rules},
        tokens::{Form, Tokens},
    },
    call::{Call, Format},
    credentials::Credentials,
    family::Class,
    ledger::Ledger,
    options::flags::Flags,
    service::{Fake, Pair, Reply, Service},
};

/// How this PropelAuth behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one client.
    pub client_id: String,
    /// Of the one client.
    pub client_secret: String,
    /// Whether the client has no secret, so that every code needs PKCE.
    pub public: bool,
    /// Of the backend, which may log people out.
    pub api_key: String,
    /// Where codes may be sent. A loopback address without a port stands for every port.
    pub redirect_uris: Vec<String>,
    /// What becomes of a used refresh token.
    pub class: Class,
    /// Seconds that an access token lives.
    pub lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
    /// Whether people have one active organisation, which then stands alone in tokens and user info.
    pub active_org: bool,
    /// Whether the person says no.
    pub deny: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |text: &str| text.to_owned();
        Self {
            client_id: owned("demo-client"),
            client_secret: owned("demo-secret"),
            public: false,
            api_key: owned("demo-api-key"),
            redirect_uris: vec![owned("http://127.0.0.1/callback")],
            class: Class::Strict,
            lifetime: 1_800,
            refresh_lifetime: 14 * 86_400,
            active_org: false,
            deny: false,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--client-id I] [--client-secret S] [--public] [--api-key K] [--redirect-uris A,B] \
        [--class C] [--lifetime S] [--refresh-lifetime S] [--active-org] [--deny]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        Ok(Self {
            client_id: flags.value("client-id", base.client_id)?,
            client_secret: flags.value("client-secret", base.client_secret)?,
            public: flags.switch("public")?,
            api_key: flags.value("api-key", base.api_key)?,
            redirect_uris: flags.list("redirect-uris", base.redirect_uris),
            class: flags.class(base.class)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
            active_org: flags.switch("active-org")?,
            deny: flags.switch("deny")?,
        })
    }

    fn service(self, base: &str) -> Box<dyn Service> {
        Box::new(PropelAuth::new(self, base))
    }
}

const USER: &str = "7d0c2a54-93b1-4c0e-8a61-2f5be3d97c10";
const ORG: &str = "c4e1f7a8-5b26-4d39-9f70-6a1d8e02b345";

pub(crate) struct PropelAuth {
    pub(crate) core: Authorization,
    settings: Settings,
}

impl Service for PropelAuth {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/.well-known/openid-configuration") => {
                Answer::json(200, &metadata(&self.core.rules.issuer)).into()
            }
            (&Method::GET, "/propelauth/oauth/authorize") => self.authorize(call, now).into(),
            (&Method::POST, "/propelauth/oauth/token") => self.token(call, now),
            (&Method::GET, "/propelauth/oauth/userinfo") => self.userinfo(call, now).into(),
            (&Method::POST, "/api/backend/v1/logout") => self.logout(call).into(),
            _ => Answer::new(404, "text/plain", "").into(),
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

impl PropelAuth {
    pub(crate) fn new(settings: Settings, issuer: &str) -> Self {
        let names = [
            ("client_id", settings.client_id.as_str()),
            ("client_secret", &settings.client_secret),
            ("api_key", &settings.api_key),
        ];
        let tokens = Tokens::new(form(&settings, issuer));
        let mut core =
            Authorization::new(rules(&settings, issuer), Credentials::new(names), tokens);
        core.denying = settings.deny;
        Self { core, settings }
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
            _ => self.core.refresh(call, now),
        });
        match handed {
            Ok(handed) => {
                let mut body = self.core.tokens.body(handed, now);
                body.remove("scope");
                let answer = Answer::json(200, &Value::Object(body));
                Reply { answer: answer.header("cache-control", "no-store"), handed: Some(handed) }
            }
            Err(refused) => refused.answer(call).into(),
        }
    }

    fn userinfo(&mut self, call: &Call, now: Timestamp) -> Answer {
        let token = call.bearer.as_deref();
        if token.and_then(|token| self.core.tokens.touch(token, now)).is_none() {
            return Answer::new(401, "text/plain", "Unauthorized");
        }
        let mut user = json!({
            "user_id": USER, "email": "demo@example.com", "email_confirmed": true,
            "username": "demo", "first_name": "Demo", "last_name": "User",
            "picture_url": "https://example.com/demo.png", "properties": {}, "has_password": true,
            "update_password_required": false, "locked": false, "enabled": true,
            "mfa_enabled": false, "can_create_orgs": true, "created_at": 1_717_200_000,
            "last_active_at": now.as_second(),
        });
        if self.settings.active_org {
            user["org_info"] = org();
        } else {
            user["org_id_to_org_info"] = json!({ORG: org()});
        }
        Answer::json(200, &user)
    }

    /// Of the backend API: a refresh token in JSON, for whoever has the key.
    fn logout(&mut self, call: &Call) -> Answer {
        let key = call.bearer.as_deref().unwrap_or_default();
        if !self.core.credentials.admit(&[("api_key", key)]) {
            return Answer::new(401, "text/plain", "Unauthorized");
        }
        let token = call.field("refresh_token").filter(|_| call.format == Format::Json);
        let Some(token) = token else {
            return Answer::json(400, &json!({"refresh_token": ["missing"]}));
        };
        if let Some(claim) = self.core.tokens.read_refresh(token) {
            self.core.tokens.ledger.revoke(claim.family);
        }
        Answer::json(200, &json!({}))
    }
}

fn rules(settings: &Settings, issuer: &str) -> Rules {
    Rules {
        issuer: issuer.to_owned(),
        token_path: "/propelauth/oauth/token",
        client_auth: if settings.public { ClientAuth::Public } else { ClientAuth::SecretOrPkce },
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: settings.redirect_uris.clone(),
        scopes: ["openid", "email", "profile"].map(ToOwned::to_owned).into(),
        pkce: Pkce::Optional,
        state_required: true,
        scope_required: false,
        code_prefix: "code-",
        names_issuer: false,
        target: None,
        refreshing: Refreshing::Always,
        account: USER.to_owned(),
        code_lifetime: 60,
        device_lifetime: 600,
        device_interval: 5,
    }
}

fn form(settings: &Settings, issuer: &str) -> Form {
    Form {
        class: settings.class,
        lifetime: settings.lifetime,
        refresh_lifetime: settings.refresh_lifetime,
        access_prefix: String::new(),
        refresh_prefix: String::new(),
        claims: Some(claims(settings)),
        issuer: issuer.to_owned(),
        client_id: settings.client_id.clone(),
    }
}

fn claims(settings: &Settings) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("user_id".to_owned(), USER.into());
    claims.insert("email".to_owned(), "demo@example.com".into());
    claims.insert("first_name".to_owned(), "Demo".into());
    claims.insert("last_name".to_owned(), "User".into());
    claims.insert("username".to_owned(), "demo".into());
    claims.insert("properties".to_owned(), json!({}));
    claims.insert("login_method".to_owned(), json!({"login_method": "password"}));
    if settings.active_org {
        claims.insert("org_member_info".to_owned(), org());
    } else {
        claims.insert("org_id_to_org_member_info".to_owned(), json!({ORG: org()}));
    }
    claims
}

fn org() -> Value {
    json!({
        "org_id": ORG, "org_name": "Demo Org", "org_metadata": {}, "url_safe_org_name": "demo-org",
        "user_role": "Owner", "inherited_user_roles_plus_current_role": ["Owner", "Admin", "Member"],
        "user_permissions": ["can_view_billing"], "org_role_structure": "single_role_in_hierarchy",
        "additional_roles": [],
    })
}

fn metadata(issuer: &str) -> Value {
    let at = |path: &str| format!("{issuer}/propelauth/oauth/{path}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}
