//! Google's data sheet: settings, secrets, and the five addresses that are ever asked. Which APIs the
//! tokens are for it does not know; that is what `scopes` says.

use sdk::oauth::Server;
use sdk::{Descriptor, Field, Kind, Logins, Rotation};

use crate::account::FACTS;

/// Google, as failure texts speak of it.
pub(crate) const GOOGLE: Server = Server { name: "Google", settings: "`api_url`" };

pub(crate) fn describe() -> Descriptor {
    let scopes = "Scopes, separated by spaces: `https://www.googleapis.com/auth/business.manage`.";
    let described = Descriptor::new("google-oauth", env!("CARGO_PKG_VERSION"), "Google OAuth")
        .about("Tokens for Google's APIs. A person gives consent once; access tokens live an hour.")
        .documentation("https://developers.google.com/identity/protocols/oauth2/web-server")
        .setting(Field::required(
            "client_id",
            "Client id",
            "Id of the OAuth client in the Google Cloud console.",
        ))
        .setting(Field::required("scopes", "Scopes", scopes))
        .setting(Field::optional(
            "login_hint",
            "Login hint",
            "E-mail of the account to suggest at the login.",
        ))
        .secret(Field::required(
            "client_secret",
            "Client secret",
            "Secret of the same OAuth client.",
        ));
    addresses(described)
        .logins(Logins::INTERACTIVE)
        .rotation(Rotation::None)
        .lifetime(3600)
        .schedule("0 2 * * *")
}

fn addresses(descriptor: Descriptor) -> Descriptor {
    let accounts = Field::required("accounts_url", "Accounts URL", "Where a person gives consent.");
    let api = Field::required("api_url", "API URL", "Base URL of the token endpoint.");
    let page =
        Field::required("device_page", "Device page", "Where a person enters the device code.");
    let issuer = Field::required("issuer", "Issuer", "Expected `iss` of a callback.");
    descriptor
        .setting(accounts.or("https://accounts.google.com"))
        .setting(api.or("https://oauth2.googleapis.com"))
        .setting(issuer.or("https://accounts.google.com"))
        .setting(page.or("https://www.google.com/device"))
        .access("GET {accounts_url}/o/oauth2/v2/auth", &[])
        .access("GET {device_page}", &[])
        .access(
            "POST {api_url}/token",
            &["client_secret", "refresh-token", "code", "code-verifier", "device-code"],
        )
        .access("POST {api_url}/device/code", &[])
        .access("POST {api_url}/tokeninfo", &["access-token"])
        .access("POST {api_url}/revoke", &["refresh-token", "access-token"])
        .reads_oauth()
        .reads_device()
        .reads(Kind::Code, &["/error_code", "/error_subtype"])
        .reads_facts("", &FACTS)
}
