//! The flags of the ordinary login, most of which choose one of a few shapes.

use crate::provider::{
    login::{self, ErrorStyle, Expiry, Format, Lock, Refresh, Scheme, TokenAt},
    options::flags::Flags,
};

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

impl Flags {
    pub(super) fn login(&mut self) -> Result<login::Settings, String> {
        let base = login::Settings::default();
        let slash = self.optional("slash")?.or(base.slash);
        let locks = [("403", Lock::Forbidden), ("429", Lock::TooMany)];
        let schemes = [("bearer", Scheme::Bearer), ("token", Scheme::Token)];
        Ok(login::Settings {
            path: self.value("path", base.path)?,
            slash: if self.switch("no-slash")? { None } else { slash },
            format: self.choice("format", base.format, &FORMATS)?,
            token_at: self.choice("token-at", base.token_at, &PLACES)?,
            expiry: self.choice("expiry", base.expiry, &EXPIRIES)?,
            refresh: self.choice("refresh", base.refresh, &REFRESHES)?,
            class: self.class(base.class)?,
            error_style: self.choice("errors", base.error_style, &STYLES)?,
            scheme: self.choice("scheme", base.scheme, &schemes)?,
            most_wrong: self.value("most-wrong", base.most_wrong)?,
            lock: self.choice("lock", base.lock, &locks)?,
            email: self.value("email", base.email)?,
            username: self.value("username", base.username)?,
            password: self.value("password", base.password)?,
            client_id: self.value("client-id", base.client_id)?,
            client_secret: self.value("client-secret", base.client_secret)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
        })
    }
}
