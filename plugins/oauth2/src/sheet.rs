//! The data sheet: every provider of RFC 6749, by settings alone. It knows no provider by name; what
//! one has of its own is a setting here, or wants a plugin of its own.

use sdk::oauth::Server;
use sdk::{Descriptor, Field, Kind, Logins, Rotation};

use crate::account::{PERSON_FACTS, TOKEN_FACTS};
use crate::endpoint::ALL;

/// The provider, as failure texts speak of it.
pub(crate) const PROVIDER: Server =
    Server { name: "the provider", settings: "`token_url` or `issuer`" };

pub(crate) fn describe() -> Descriptor {
    let described = Descriptor::new("oauth2", env!("CARGO_PKG_VERSION"), "OAuth 2.0")
        .about("Any OAuth 2.0 provider: client credentials, or a person's consent.")
        .documentation("https://www.rfc-editor.org/rfc/rfc6749")
        .logins(Logins::UNATTENDED | Logins::INTERACTIVE)
        .rotation(Rotation::Unknown);
    reads(access(wishes(client(addresses(described)))))
}

fn addresses(descriptor: Descriptor) -> Descriptor {
    let page =
        "URL where a person enters the device code, if it is on another host than the endpoints.";
    let issuer = "URL of the provider; endpoints that are not set are read from its discovery \
                  document, and must have the same scheme, host and port.";
    descriptor
        .setting(Field::optional("issuer", "Issuer", issuer))
        .setting(Field::optional("token_url", "Token URL", "Required if there is no `issuer`."))
        .setting(Field::optional("authorize_url", "Authorize URL", "Where a person gives consent."))
        .setting(Field::optional("device_url", "Device URL", "Endpoint for device codes."))
        .setting(Field::optional("device_page", "Device page", page))
        .setting(Field::optional("revoke_url", "Revoke URL", "Endpoint for revoking tokens."))
        .setting(Field::optional(
            "introspect_url",
            "Introspect URL",
            "Endpoint for facts about a token.",
        ))
        .setting(Field::optional(
            "userinfo_url",
            "Userinfo URL",
            "Endpoint for facts about a person.",
        ))
}

fn client(descriptor: Descriptor) -> Descriptor {
    let client_auth = "`basic` (default with `client_secret`), `post`, `private_key_jwt` (default \
                       with `private_key` alone) or `none`.";
    let key = "PEM; signs `private_key_jwt`.";
    descriptor
        .setting(Field::required("client_id", "Client id", "Id of the client at the provider."))
        .setting(Field::optional("client_auth", "Client authentication", client_auth))
        .setting(Field::optional("key_id", "Key id", "`kid` of `private_key`, if it has one."))
        .setting(
            Field::optional("key_algorithm", "Key algorithm", "`rs256` or `es256`.").or("rs256"),
        )
        .secret(Field::optional("client_secret", "Client secret", "For `basic` and `post`."))
        .secret(Field::optional("private_key", "Private key", key))
}

fn wishes(descriptor: Descriptor) -> Descriptor {
    let grant = "`client_credentials` or `authorization_code`. Without it, `authorization_code` if a \
                 person has connected before, if a refresh token was imported, if `authorize_url` or `device_url` is set, or if the \
                 client has neither secret nor key; else `client_credentials`.";
    let params = "Additional parameters of the authorize URL, `name=value` separated by spaces: \
                  `access_type=offline`.";
    let refresh = "Additional form fields of a refresh, `name=value` separated by spaces: \
                   `scope=openid offline_access`.";
    let nonce = "`required`, or `none` for a provider whose ID tokens do not repeat the nonce.";
    let pkce = "`s256`, or `none` for a provider that refuses a code challenge.";
    let mode = "`query`, or `form_post` for a provider that sends the person back with a form.";
    descriptor
        .setting(Field::optional("grant", "Grant", grant))
        .setting(Field::optional("scopes", "Scopes", "Separated by spaces."))
        .setting(Field::optional("resource", "Resource", "RFC 8707; separated by spaces."))
        .setting(Field::optional(
            "audience",
            "Audience",
            "Audience of the token, for Auth0 and similar providers.",
        ))
        .setting(Field::optional("nonce", "Nonce", nonce).or("required"))
        .setting(Field::optional("pkce", "PKCE", pkce).or("s256"))
        .setting(Field::optional("response_mode", "Response mode", mode).or("query"))
        .setting(Field::optional("prompt", "Prompt", "OpenID Connect's `prompt`, such as `login`."))
        .setting(Field::optional("authorize_params", "Authorize parameters", params))
        .setting(Field::optional("refresh_params", "Refresh parameters", refresh))
}

/// Each pattern counts only where its setting is given, so a provider without `issuer` is reached at
/// exactly the addresses that the operator wrote.
fn access(descriptor: Descriptor) -> Descriptor {
    let client = ["client_secret", "private_key"];
    let with = |more: &[&'static str]| [&client, more].concat();
    let grants = with(&["refresh-token", "code", "code-verifier", "device-code"]);
    let tokens = with(&["access-token", "refresh-token"]);
    descriptor
        .access("GET {issuer.origin}/*", &["access-token"])
        .access("POST {issuer.origin}/*", &[grants.as_slice(), &["access-token"]].concat())
        .access("POST {token_url}", &grants)
        .access("GET {authorize_url}", &[])
        .access("POST {device_url}", &client)
        .access("GET {device_page}", &[])
        .access("POST {revoke_url}", &tokens)
        .access("POST {introspect_url}", &tokens)
        .access("GET {userinfo_url}", &["access-token"])
        .signs("private_key")
}

fn reads(descriptor: Descriptor) -> Descriptor {
    let endpoints = ALL.map(|endpoint| format!("/{}", endpoint.member()));
    descriptor
        .reads_oauth()
        .reads_device()
        .reads(Kind::Address, &["/issuer"])
        .reads(Kind::Address, &endpoints.each_ref().map(String::as_str))
        .reads_facts("", &TOKEN_FACTS)
        .reads_facts("", &PERSON_FACTS)
        .reads(Kind::Fact, &["/aud/*"])
}
