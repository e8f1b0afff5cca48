//! PropelAuth's data sheet. Every tenant has an address of its own, and all else is below it.

use sdk::oauth::Server;
use sdk::{Descriptor, Field, Kind, Logins, Rotation};

use crate::account::{FACTS, FACTS_BELOW};

/// PropelAuth, as failure texts speak of it.
pub(crate) const PROPELAUTH: Server = Server { name: "PropelAuth", settings: "`auth_url`" };

pub(crate) fn describe() -> Descriptor {
    let described = Descriptor::new("propelauth", env!("CARGO_PKG_VERSION"), "PropelAuth")
        .about(
            "User logins for B2B products. Access tokens live 30 minutes; every refresh rotates the refresh token.",
        )
        .documentation("https://docs.propelauth.com/reference/api/oauth2")
        .secret(Field::optional(
            "client_secret",
            "Client secret",
            "Secret of the OAuth client; without one, only PKCE is used.",
        ))
        .secret(Field::optional(
            "api_key",
            "Backend API key",
            "Only needed to log the user out when the connection is revoked.",
        ));
    settings(described)
        .logins(Logins::INTERACTIVE)
        .rotation(Rotation::Strict)
        .access("GET {auth_url}/propelauth/oauth/authorize", &[])
        .access(
            "POST {auth_url}/propelauth/oauth/token",
            &["client_secret", "refresh-token", "code", "code-verifier"],
        )
        .access("GET {auth_url}/propelauth/oauth/userinfo", &["access-token"])
        .access("POST {auth_url}/api/backend/v1/logout", &["api_key", "refresh-token"])
        .reads_oauth()
        .reads(Kind::Number, &["/access_token/expires_at_seconds"])
        .reads_facts("", &FACTS)
        .reads(Kind::Fact, &FACTS_BELOW)
        .lifetime(1800)
        .schedule("*/30 * * * *")
}

fn settings(descriptor: Descriptor) -> Descriptor {
    let issuer = "Expected `iss` of a callback; usually the same as `auth_url`.";
    descriptor
        .setting(Field::required(
            "auth_url",
            "Auth URL",
            "URL of the tenant, from the dashboard: `https://auth.example.com`.",
        ))
        .setting(Field::required("client_id", "Client id", "Id of the OAuth client."))
        .setting(Field::optional(
            "org_id",
            "Organisation",
            "Only request tokens for this organisation.",
        ))
        .setting(Field::optional("prompt", "Prompt", "`login`, `none` or `select_account`."))
        .setting(Field::optional("scopes", "Scopes", "Separated by spaces: `openid email`."))
        .setting(Field::optional("issuer", "Issuer", issuer))
}
