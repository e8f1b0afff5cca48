//! An ordinary API with a login of its own, in any of the usual shapes, for a client that has to find out which.
//!
//! It counts wrong logins and locks the account after a few: whoever tries passwords everywhere locks people out.

mod settings;

mod tokens;

mod words;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::json;

use crate::provider::{
    answer::Answer,
    call::{Call, Format as Body},
    credentials::Credentials,
    ledger::{Ledger, Refusal},
    login::{
        tokens::Tokens,
        words::{not_found, oauth, wrong_client},
    },
    service::{Pair, Reply, Service},
};

pub use settings::{ErrorStyle, Expiry, Format, Lock, Refresh, Scheme, Settings, TokenAt};

pub(crate) struct Login {
    pub(crate) credentials: Credentials,
    /// Logins with wrong credentials, since the last good one or for ever once locked.
    pub(crate) wrong: u32,
    tokens: Tokens,
    settings: Settings,
}

impl Service for Login {
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        let path = call.path.as_str();
        let style = self.settings.error_style;
        let refreshes = self.settings.has_simple_jwt() && path == self.settings.refresh_path();
        if let Some(answer) = self.redirect(path) {
            return answer.into();
        }
        match call.method {
            Method::POST if path == self.settings.path => self.enter(call, now),
            Method::POST if refreshes => self.refresh_simple(call, now),
            Method::GET if path == "/api/me" => self.me(call, now).into(),
            _ if path == self.settings.path || refreshes => style.wrong_method(call).into(),
            _ => not_found().into(),
        }
    }

    fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        let handed = self.tokens.ledger.open(name.to_owned(), "", now);
        self.tokens.ledger.delivered(handed);
        self.tokens.pair(handed)
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.tokens.ledger)
    }

    fn wrong_logins(&self) -> u32 {
        self.wrong
    }

    /// Only wrong logins lock it.
    fn lock(&mut self, locked: bool) {
        if !locked {
            self.wrong = 0;
        }
    }
}

impl Login {
    pub(crate) fn new(settings: Settings) -> Self {
        let names = [
            ("email", settings.email.as_str()),
            ("username", &settings.username),
            ("password", &settings.password),
            ("client_id", &settings.client_id),
            ("client_secret", &settings.client_secret),
        ];
        let credentials = Credentials::new(names);
        Self { credentials, wrong: 0, tokens: Tokens::new(&settings), settings }
    }

    /// To the path with its last slash. Whoever follows a 301 with a GET, as browsers do, has lost the body.
    fn redirect(&self, path: &str) -> Option<Answer> {
        let status = self.settings.slash?;
        let refresh = self.settings.refresh_path();
        let refresh = self.settings.has_simple_jwt().then_some(refresh.as_str());
        let whole = [Some(self.settings.path.as_str()), refresh].into_iter().flatten();
        let whole = whole.into_iter().find(|it| it.strip_suffix('/') == Some(path))?;
        Some(Answer::new(status, "text/html; charset=utf-8", "").header("location", whole))
    }

    fn enter(&mut self, call: &Call, now: Timestamp) -> Reply {
        let grant = call.field("grant_type");
        if self.settings.refresh == Refresh::OAuth && grant == Some("refresh_token") {
            return self.refresh_oauth(call, now);
        }
        let shown = match self.read(call) {
            Ok(shown) => shown,
            Err(answer) => return answer.into(),
        };
        if self.wrong >= self.settings.most_wrong {
            return self.settings.lock.answer().into();
        }
        let shown: Vec<_> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if !self.credentials.admit(&shown) {
            self.wrong += 1;
            return self.wrong_credentials(call).into();
        }
        self.wrong = 0;
        let name = format!("login-{}", self.tokens.ledger.len());
        let handed = self.tokens.ledger.open(name, "", now);
        self.tokens.answer(handed, &self.settings)
    }

    fn wrong_credentials(&self, call: &Call) -> Answer {
        match self.settings.format {
            Format::ClientCredentials => wrong_client(call),
            _ => self.settings.error_style.wrong_credentials(call, self.names()[0]),
        }
    }

    /// The names of what a login takes.
    fn names(&self) -> [&'static str; 2] {
        match self.settings.format {
            Format::JsonEmail | Format::FormEmail => ["email", "password"],
            Format::JsonUsername | Format::FormUsername => ["username", "password"],
            Format::ClientCredentials => ["client_id", "client_secret"],
        }
    }

    /// The credentials, if the request has the right shape.
    fn read(&self, call: &Call) -> Result<Vec<(&'static str, String)>, Answer> {
        let (style, names) = (self.settings.error_style, self.names());
        let expected = match self.settings.format {
            Format::JsonEmail | Format::JsonUsername => Body::Json,
            _ => Body::Form,
        };
        if call.format != expected && call.format != Body::Empty {
            return Err(style.wrong_format(call, expected, &names));
        }
        self.check_grant(call)?;
        if let (Format::ClientCredentials, Some((id, secret))) = (self.settings.format, &call.basic)
        {
            return Ok(vec![(names[0], id.clone()), (names[1], secret.clone())]);
        }
        let absent: Vec<_> = names.into_iter().filter(|it| call.field(it).is_none()).collect();
        if self.settings.format == Format::ClientCredentials && !absent.is_empty() {
            return Err(wrong_client(call));
        }
        if !absent.is_empty() {
            return Err(style.missing(call, &absent));
        }
        let value = |name: &'static str| (name, call.field(name).unwrap_or_default().to_owned());
        Ok(names.map(value).into())
    }

    fn check_grant(&self, call: &Call) -> Result<(), Answer> {
        let needed = match (self.settings.format, self.settings.error_style) {
            (Format::ClientCredentials, _) => "client_credentials",
            (Format::FormUsername, ErrorStyle::OAuth400) => "password",
            _ => return Ok(()),
        };
        match call.field("grant_type") {
            Some(given) if given == needed => Ok(()),
            Some(_) => Err(oauth(400, "unsupported_grant_type", "not a grant of this server")),
            None => Err(ErrorStyle::OAuth400.missing(call, &["grant_type"])),
        }
    }

    fn refresh_simple(&mut self, call: &Call, now: Timestamp) -> Reply {
        let style = ErrorStyle::Drf401;
        if call.format != Body::Json && call.format != Body::Empty {
            return style.wrong_format(call, Body::Json, &["refresh"]).into();
        }
        let Some(token) = call.field("refresh") else {
            return style.missing(call, &["refresh"]).into();
        };
        match self.tokens.refresh(token, now) {
            Ok(handed) => {
                let rotates = self.settings.rotates();
                self.tokens.simple_answer(handed, rotates)
            }
            Err(refusal) => {
                let detail = match refusal {
                    Some(Refusal::Expired) => "Token is expired",
                    Some(_) => "Token is blacklisted",
                    None => "Token is invalid",
                };
                let body = json!({"detail": detail, "code": "token_not_valid"});
                Answer::json(401, &body).header("www-authenticate", "Bearer realm=\"api\"").into()
            }
        }
    }

    fn refresh_oauth(&mut self, call: &Call, now: Timestamp) -> Reply {
        if call.format != Body::Form {
            return ErrorStyle::OAuth400.wrong_format(call, Body::Form, &[]).into();
        }
        if self.settings.format == Format::ClientCredentials && !self.shows_client(call) {
            return wrong_client(call).into();
        }
        let Some(token) = call.field("refresh_token") else {
            return ErrorStyle::OAuth400.missing(call, &["refresh_token"]).into();
        };
        match self.tokens.refresh(token, now) {
            Ok(handed) => self.tokens.answer(handed, &self.settings),
            Err(_) => oauth(400, "invalid_grant", "The refresh token is invalid.").into(),
        }
    }

    fn shows_client(&self, call: &Call) -> bool {
        let basic = call.basic.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let body = call.field("client_id").zip(call.field("client_secret"));
        let admits =
            |(id, secret)| self.credentials.admit(&[("client_id", id), ("client_secret", secret)]);
        basic.or(body).is_some_and(admits)
    }

    fn me(&mut self, call: &Call, now: Timestamp) -> Answer {
        let shown = match self.settings.scheme {
            Scheme::Bearer => call.bearer.as_deref(),
            Scheme::Token => call.scheme_token.as_deref(),
        };
        match shown.map(|token| self.tokens.touch(token, now)) {
            Some(Some(claim)) => {
                let email = self.credentials.value("email");
                let body = json!({"id": 1, "email": email, "generation": claim.generation});
                Answer::json(200, &body)
            }
            shown => self.settings.error_style.bad_token(shown.is_some()),
        }
    }
}
