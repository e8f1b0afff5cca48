//! Which of the many logins this one is.

use crate::provider::{
    family::Class,
    login::Login,
    options::flags::Flags,
    service::{Fake, Service},
};

/// What a login takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON with `email` and `password`.
    JsonEmail,
    /// JSON with `username` and `password`.
    JsonUsername,
    /// A form with `email` and `password`.
    FormEmail,
    /// A form with `username` and `password`, and `grant_type=password` where errors are those of OAuth.
    FormUsername,
    /// A form with `grant_type=client_credentials`; the client in the header or in the body.
    ClientCredentials,
}

/// Where the answer has the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAt {
    /// `access_token`, with a `token_type`.
    AccessToken,
    /// `access`.
    Access,
    /// `token`.
    Token,
    /// `auth_token`.
    AuthToken,
    /// `jwt`.
    Jwt,
    /// `data.token`.
    NestedData,
    /// The header `Authorization`, beside a user in the body.
    AuthorizationHeader,
    /// `key`, of 40 hexadecimal digits.
    Key,
    /// The body is the token.
    PlainText,
}

/// How the answer tells until when the token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The token is a JWT with `exp`.
    JwtExp,
    /// `expires_in` in seconds.
    ExpiresIn,
    /// `expires_in` in seconds, as a text.
    ExpiresInText,
    /// `expires_at` in ISO 8601.
    ExpiresAt,
    /// It does not, and the token ends all the same.
    None,
}

/// How a token is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// By another login.
    None,
    /// JSON `{"refresh"}` to `refresh/` below the login, for `{"access"}`.
    SimpleJwt,
    /// The same, and a new `refresh` in the answer.
    RotatingSimpleJwt,
    /// `grant_type=refresh_token` to the login itself.
    OAuth,
}

/// Whose words errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStyle {
    /// Django REST framework with simplejwt: 401 `{"detail"}`.
    Drf401,
    /// Django REST framework with its own tokens: 400 `{"non_field_errors"}`.
    Drf400,
    /// Laravel: 422 `{"message", "errors"}`, and a redirect for whoever does not accept JSON.
    Laravel422,
    /// RFC 6749: 400 `invalid_grant`, 401 `invalid_client`.
    OAuth400,
    /// `FastAPI`: 401 `{"detail"}`, and 422 with a `loc` for what is missing.
    FastApi,
}

/// What a locked account answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// 403.
    Forbidden,
    /// 429 with `Retry-After`.
    TooMany,
}

/// The scheme of the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Token`.
    Token,
}

/// How this login behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is. Everywhere else is a page that is not found.
    pub path: String,
    /// The status of the redirect to `path` for whoever leaves out its last slash; not found when absent.
    pub slash: Option<u16>,
    /// What it takes.
    pub format: Format,
    /// Where the token is.
    pub token_at: TokenAt,
    /// Until when it is good.
    pub expiry: Expiry,
    /// How it is renewed.
    pub refresh: Refresh,
    /// What becomes of a used refresh token, where it rotates.
    pub class: Class,
    /// Whose words errors have.
    pub error_style: ErrorStyle,
    /// The scheme of the resource.
    pub scheme: Scheme,
    /// After so many wrong logins the account is locked.
    pub most_wrong: u32,
    /// What it answers then.
    pub lock: Lock,
    /// Of the one account.
    pub email: String,
    /// Of the one account.
    pub username: String,
    /// Of the one account.
    pub password: String,
    /// Of the one client.
    pub client_id: String,
    /// Of the one client.
    pub client_secret: String,
    /// Seconds that a token lives.
    pub lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/api/token/".to_owned(),
            slash: Some(301),
            format: Format::JsonUsername,
            token_at: TokenAt::Access,
            expiry: Expiry::JwtExp,
            refresh: Refresh::SimpleJwt,
            class: Class::Strict,
            error_style: ErrorStyle::Drf401,
            scheme: Scheme::Bearer,
            most_wrong: 5,
            lock: Lock::Forbidden,
            email: "demo@example.com".to_owned(),
            username: "demo".to_owned(),
            password: "demo-password".to_owned(),
            client_id: "demo-client".to_owned(),
            client_secret: "demo-secret".to_owned(),
            lifetime: 300,
            refresh_lifetime: 86_400,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--path P] [--slash 301|308 | --no-slash] [--format \
        json-email|json-username|form-email|form-username|client-credentials] [--token-at \
        access_token|access|token|auth_token|jwt|data.token|header|key|text] [--expiry \
        jwt|expires_in|expires_in-text|expires_at|none] [--refresh \
        none|simplejwt|rotating-simplejwt|oauth] [--class C] [--errors \
        drf401|drf400|laravel|oauth|fastapi] [--scheme bearer|token] [--most-wrong N] [--lock \
        403|429] [--email E] [--username U] [--password P] [--client-id I] [--client-secret S] \
        [--lifetime S] [--refresh-lifetime S]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        let slash = flags.optional("slash")?.or(base.slash);
        let locks = [("403", Lock::Forbidden), ("429", Lock::TooMany)];
        let schemes = [("bearer", Scheme::Bearer), ("token", Scheme::Token)];
        Ok(Self {
            path: flags.value("path", base.path)?,
            slash: if flags.switch("no-slash")? { None } else { slash },
            format: flags.choice("format", base.format, &FORMATS)?,
            token_at: flags.choice("token-at", base.token_at, &PLACES)?,
            expiry: flags.choice("expiry", base.expiry, &EXPIRIES)?,
            refresh: flags.choice("refresh", base.refresh, &REFRESHES)?,
            class: flags.class(base.class)?,
            error_style: flags.choice("errors", base.error_style, &STYLES)?,
            scheme: flags.choice("scheme", base.scheme, &schemes)?,
            most_wrong: flags.value("most-wrong", base.most_wrong)?,
            lock: flags.choice("lock", base.lock, &locks)?,
            email: flags.value("email", base.email)?,
            username: flags.value("username", base.username)?,
            password: flags.value("password", base.password)?,
            client_id: flags.value("client-id", base.client_id)?,
            client_secret: flags.value("client-secret", base.client_secret)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(Login::new(self))
    }
}

impl Settings {
    /// `refresh/` below the login, in the login's own way with slashes.
    pub(super) fn refresh_path(&self) -> String {
        match self.path.strip_suffix('/') {
            Some(path) => format!("{path}/refresh/"),
            None => format!("{}/refresh", self.path),
        }
    }

    pub(super) fn rotates(&self) -> bool {
        matches!(self.refresh, Refresh::RotatingSimpleJwt | Refresh::OAuth)
    }

    pub(super) fn has_simple_jwt(&self) -> bool {
        matches!(self.refresh, Refresh::SimpleJwt | Refresh::RotatingSimpleJwt)
    }
}

const FORMATS: [(&str, Format); 5] = [
    ("json-email", Format::JsonEmail),
    ("json-username", Format::JsonUsername),
    ("form-email", Format::FormEmail),
    ("form-username", Format::FormUsername),
    ("client-credentials", Format::ClientCredentials),
];

const PLACES: [(&str, TokenAt); 9] = [
    ("access_token", TokenAt::AccessToken),
    ("access", TokenAt::Access),
    ("token", TokenAt::Token),
    ("auth_token", TokenAt::AuthToken),
    ("jwt", TokenAt::Jwt),
    ("data.token", TokenAt::NestedData),
    ("header", TokenAt::AuthorizationHeader),
    ("key", TokenAt::Key),
    ("text", TokenAt::PlainText),
];

const EXPIRIES: [(&str, Expiry); 5] = [
    ("jwt", Expiry::JwtExp),
    ("expires_in", Expiry::ExpiresIn),
    ("expires_in-text", Expiry::ExpiresInText),
    ("expires_at", Expiry::ExpiresAt),
    ("none", Expiry::None),
];

const REFRESHES: [(&str, Refresh); 4] = [
    ("none", Refresh::None),
    ("simplejwt", Refresh::SimpleJwt),
    ("rotating-simplejwt", Refresh::RotatingSimpleJwt),
    ("oauth", Refresh::OAuth),
];

const STYLES: [(&str, ErrorStyle); 5] = [
    ("drf401", ErrorStyle::Drf401),
    ("drf400", ErrorStyle::Drf400),
    ("laravel", ErrorStyle::Laravel422),
    ("oauth", ErrorStyle::OAuth400),
    ("fastapi", ErrorStyle::FastApi),
];
