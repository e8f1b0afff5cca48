//! What this Google is like, and what that means for the shared parts.

use crate::provider::{
    authorization::{
        rules::{ClientAuth, GrantType, Pkce, Refreshing, Rules},
        tokens::Form,
    },
    family::Class,
    google::Google,
    options::flags::Flags,
    service::{Fake, Service},
};

/// Why no refresh token is taken, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 400 `invalid_grant`: it expired or was revoked.
    Revoked,
    /// 400 `invalid_grant` with `error_subtype: invalid_rapt`: a person has to sign in anew.
    Reauthentication,
    /// 401 `deleted_client`.
    DeletedClient,
}

/// Whether the project is one whose consents end after seven days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// Consents last.
    Production,
    /// They end after 604 799 seconds, and answers say so.
    Testing,
}

/// How this Google behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one client.
    pub client_id: String,
    /// Of the one client.
    pub client_secret: String,
    /// Where codes may be sent. A loopback address without a port stands for every port.
    pub redirect_uris: Vec<String>,
    /// The scopes that are known.
    pub scopes: Vec<String>,
    /// What the person grants at most; everything when absent.
    pub grant_scopes: Option<Vec<String>>,
    /// Who consents, unless `login_hint` names somebody else.
    pub account: String,
    /// Whether consents last.
    pub publishing: Publishing,
    /// Why no refresh token is taken, if none is.
    pub failure: Option<Failure>,
    /// How many refresh tokens an account may have; the oldest dies of the next one.
    pub most_refresh_tokens: usize,
    /// Whether the person says no.
    pub deny: bool,
    /// Seconds that an access token lives.
    pub lifetime: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |text: &str| text.to_owned();
        Self {
            client_id: owned("demo.apps.googleusercontent.com"),
            client_secret: owned("GOCSPX-demo-secret"),
            redirect_uris: vec![owned("http://127.0.0.1/callback")],
            scopes: ["openid", "email", "profile", BUSINESS].map(owned).into(),
            grant_scopes: None,
            account: owned("demo@example.com"),
            publishing: Publishing::Production,
            failure: None,
            most_refresh_tokens: 100,
            deny: false,
            lifetime: 3_599,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--client-id I] [--client-secret S] [--redirect-uris A,B] [--scopes A,B] [--grant-scopes \
        A,B] [--account E] [--testing] [--failure revoked|rapt|deleted-client] \
        [--most-refresh-tokens N] [--deny] [--lifetime S]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        let failures = [
            ("revoked", Some(Failure::Revoked)),
            ("rapt", Some(Failure::Reauthentication)),
            ("deleted-client", Some(Failure::DeletedClient)),
        ];
        let granted = flags.list("grant-scopes", Vec::new());
        let testing = flags.switch("testing")?;
        Ok(Self {
            client_id: flags.value("client-id", base.client_id)?,
            client_secret: flags.value("client-secret", base.client_secret)?,
            redirect_uris: flags.list("redirect-uris", base.redirect_uris),
            scopes: flags.list("scopes", base.scopes),
            grant_scopes: if granted.is_empty() { None } else { Some(granted) },
            account: flags.value("account", base.account)?,
            publishing: if testing { Publishing::Testing } else { Publishing::Production },
            failure: flags.choice("failure", base.failure, &failures)?,
            most_refresh_tokens: flags.value("most-refresh-tokens", base.most_refresh_tokens)?,
            deny: flags.switch("deny")?,
            lifetime: flags.value("lifetime", base.lifetime)?,
        })
    }

    fn service(self, base: &str) -> Box<dyn Service> {
        Box::new(Google::new(self, base))
    }
}

pub(super) const BUSINESS: &str = "https://www.googleapis.com/auth/business.manage";

/// Seven days, as the answers of testing projects have it.
pub(super) const TESTING: u32 = 604_799;

/// No end of its own. That one which nobody used for six months ends is what [`Failure::Revoked`] is for.
const PRODUCTION: u32 = 20 * 365 * 86_400;

pub(super) fn rules(settings: &Settings, issuer: &str) -> Rules {
    Rules {
        issuer: issuer.to_owned(),
        token_path: "/token",
        client_auth: ClientAuth::BasicOrPost,
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode],
        redirect_uris: settings.redirect_uris.clone(),
        scopes: settings.scopes.clone(),
        pkce: Pkce::OptionalOrPlain,
        state_required: false,
        scope_required: true,
        code_prefix: "4/0A",
        names_issuer: false,
        target: None,
        refreshing: Refreshing::Always,
        account: settings.account.clone(),
        code_lifetime: 600,
        device_lifetime: 1_800,
        device_interval: 5,
    }
}

pub(super) fn form(settings: &Settings, issuer: &str) -> Form {
    let testing = settings.publishing == Publishing::Testing;
    Form {
        class: Class::None,
        lifetime: settings.lifetime,
        refresh_lifetime: if testing { TESTING } else { PRODUCTION },
        access_prefix: "ya29.a0".to_owned(),
        refresh_prefix: "1//06".to_owned(),
        claims: None,
        issuer: issuer.to_owned(),
        client_id: settings.client_id.clone(),
    }
}
