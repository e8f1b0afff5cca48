//! What this server is like, what that means for the shared parts, and what its metadata says of it.

use std::fs;

use serde_json::{Map, Value, json};

use crate::provider::{
    authorization::{
        rules::{ClientAuth, GrantType, Pkce, Refreshing, Rules, Target},
        tokens::Form,
    },
    family::Class,
    oauth::OAuth,
    options::flags::Flags,
    service::{Fake, Service},
};

/// Which metadata documents there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// That of `OpenID Connect` and that of RFC 8414.
    Both,
    /// Only `/.well-known/openid-configuration`.
    OpenId,
    /// Only `/.well-known/oauth-authorization-server`.
    OAuth,
    /// None.
    Off,
}

/// How this server behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one client.
    pub client_id: String,
    /// Of the one client; of no use to one that is public or signs.
    pub client_secret: String,
    /// How the client shows who it is.
    pub client_auth: ClientAuth,
    /// The grants that are known.
    pub grants: Vec<GrantType>,
    /// Where codes may be sent. A loopback address without a port stands for every port.
    pub redirect_uris: Vec<String>,
    /// The scopes that are known. All of them are granted when none is asked.
    pub scopes: Vec<String>,
    /// Whether codes need a challenge.
    pub pkce: Pkce,
    /// The metadata documents.
    pub discovery: Discovery,
    /// What becomes of a used refresh token.
    pub class: Class,
    /// When there are refresh tokens.
    pub refreshing: Refreshing,
    /// Whether an answer of class `None` leaves out the refresh token, so that the client keeps its own.
    pub omit_unrotated: bool,
    /// A parameter that requests must carry. It comes back in the answer.
    pub target: Option<Target>,
    /// Whether access tokens are JWTs.
    pub jwt: bool,
    /// Whether the person says no.
    pub deny: bool,
    /// What every token starts with, such as a mark that a scanner looks for.
    pub prefix: String,
    /// Seconds that an access token lives.
    pub lifetime: u32,
    /// Seconds that a refresh token lives.
    pub refresh_lifetime: u32,
    /// Seconds that a code lives.
    pub code_lifetime: u32,
    /// Seconds that a device code lives.
    pub device_lifetime: u32,
    /// Seconds between two polls of a device.
    pub device_interval: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |text: &str| text.to_owned();
        Self {
            client_id: owned("demo-client"),
            client_secret: owned("demo-secret"),
            client_auth: ClientAuth::BasicOrPost,
            grants: GrantType::ALL.to_vec(),
            redirect_uris: vec![owned("http://127.0.0.1/callback")],
            scopes: ["openid", "offline_access", "read", "write"].map(owned).into(),
            pkce: Pkce::Required,
            discovery: Discovery::Both,
            class: Class::Strict,
            refreshing: Refreshing::Always,
            omit_unrotated: true,
            target: None,
            jwt: false,
            deny: false,
            prefix: String::new(),
            lifetime: 3_600,
            refresh_lifetime: 30 * 86_400,
            code_lifetime: 60,
            device_lifetime: 600,
            device_interval: 5,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--client-id I] [--client-secret S] [--public-key FILE | --client-auth \
        basic-or-post|basic|post|public|secret-or-pkce] [--grants A,B] [--redirect-uris A,B] \
        [--scopes A,B] [--pkce required|optional|plain|refused] [--discovery both|openid|oauth|off] \
        [--class C] [--refreshing always|with-scope|never] [--always-send-refresh] [--resource R \
        | --audience A] [--jwt] [--deny] [--prefix T] [--lifetime S] [--refresh-lifetime S] \
        [--code-lifetime S] [--device-lifetime S] [--device-interval S]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        Ok(Self {
            client_id: flags.value("client-id", base.client_id)?,
            client_secret: flags.value("client-secret", base.client_secret)?,
            client_auth: client_auth(flags, base.client_auth)?,
            grants: grants(flags, &base.grants)?,
            redirect_uris: flags.list("redirect-uris", base.redirect_uris),
            scopes: flags.list("scopes", base.scopes),
            pkce: flags.choice(
                "pkce",
                base.pkce,
                &[
                    ("required", Pkce::Required),
                    ("optional", Pkce::Optional),
                    ("plain", Pkce::OptionalOrPlain),
                    ("refused", Pkce::Refused),
                ],
            )?,
            discovery: flags.choice(
                "discovery",
                base.discovery,
                &[
                    ("both", Discovery::Both),
                    ("openid", Discovery::OpenId),
                    ("oauth", Discovery::OAuth),
                    ("off", Discovery::Off),
                ],
            )?,
            class: flags.class(base.class)?,
            refreshing: flags.choice(
                "refreshing",
                base.refreshing,
                &[
                    ("always", Refreshing::Always),
                    ("with-scope", Refreshing::WithScope),
                    ("never", Refreshing::Never),
                ],
            )?,
            omit_unrotated: !flags.switch("always-send-refresh")?,
            target: target(flags)?,
            jwt: flags.switch("jwt")?,
            deny: flags.switch("deny")?,
            prefix: flags.value("prefix", base.prefix)?,
            lifetime: flags.value("lifetime", base.lifetime)?,
            refresh_lifetime: flags.value("refresh-lifetime", base.refresh_lifetime)?,
            code_lifetime: flags.value("code-lifetime", base.code_lifetime)?,
            device_lifetime: flags.value("device-lifetime", base.device_lifetime)?,
            device_interval: flags.value("device-interval", base.device_interval)?,
        })
    }

    fn service(self, base: &str) -> Box<dyn Service> {
        Box::new(OAuth::new(self, base))
    }
}

/// A file with a public key is a client that signs.
fn client_auth(flags: &mut Flags, default: ClientAuth) -> Result<ClientAuth, String> {
    let ways = [
        ("basic-or-post", ClientAuth::BasicOrPost),
        ("basic", ClientAuth::Basic),
        ("post", ClientAuth::Post),
        ("public", ClientAuth::Public),
        ("secret-or-pkce", ClientAuth::SecretOrPkce),
    ];
    let Some(path) = flags.optional::<String>("public-key")? else {
        return flags.choice("client-auth", default, &ways);
    };
    let pem = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    Ok(ClientAuth::PrivateKeyJwt(pem))
}

fn grants(flags: &mut Flags, default: &[GrantType]) -> Result<Vec<GrantType>, String> {
    let names = flags.list("grants", default.iter().map(|it| it.name().to_owned()).collect());
    let known = |name: &String| {
        let grant = GrantType::ALL.into_iter().find(|it| it.name().ends_with(name.as_str()));
        grant.ok_or_else(|| format!("`{name}` is no grant"))
    };
    names.iter().map(known).collect()
}

fn target(flags: &mut Flags) -> Result<Option<Target>, String> {
    for parameter in ["resource", "audience"] {
        if let Some(value) = flags.optional(parameter)? {
            return Ok(Some(Target { parameter: parameter.to_owned(), value }));
        }
    }
    Ok(None)
}

pub(super) fn rules(settings: &Settings, issuer: &str) -> Rules {
    Rules {
        issuer: issuer.to_owned(),
        token_path: "/token",
        client_auth: settings.client_auth.clone(),
        grants: settings.grants.clone(),
        redirect_uris: settings.redirect_uris.clone(),
        scopes: settings.scopes.clone(),
        pkce: settings.pkce,
        state_required: false,
        scope_required: false,
        code_prefix: "code-",
        names_issuer: true,
        target: settings.target.clone(),
        refreshing: settings.refreshing,
        account: "demo-user".to_owned(),
        code_lifetime: settings.code_lifetime,
        device_lifetime: settings.device_lifetime,
        device_interval: settings.device_interval,
    }
}

pub(super) fn form(settings: &Settings, issuer: &str) -> Form {
    Form {
        class: settings.class,
        lifetime: settings.lifetime,
        refresh_lifetime: settings.refresh_lifetime,
        access_prefix: settings.prefix.clone(),
        refresh_prefix: settings.prefix.clone(),
        claims: settings.jwt.then(Map::new),
        issuer: issuer.to_owned(),
        client_id: settings.client_id.clone(),
    }
}

/// RFC 8414, with the members that `OpenID Connect` adds.
pub(super) fn metadata(rules: &Rules) -> Value {
    let at = |path: &str| format!("{}{path}", rules.issuer);
    let methods: &[&str] = match rules.client_auth {
        ClientAuth::BasicOrPost => &["client_secret_basic", "client_secret_post"],
        ClientAuth::Basic => &["client_secret_basic"],
        ClientAuth::Post => &["client_secret_post"],
        ClientAuth::Public => &["none"],
        ClientAuth::SecretOrPkce => &["client_secret_basic", "client_secret_post", "none"],
        ClientAuth::PrivateKeyJwt(_) => &["private_key_jwt"],
    };
    let grants: Vec<_> = rules.grants.iter().map(|grant| grant.name()).collect();
    json!({
        "issuer": rules.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "userinfo_endpoint": at("/userinfo"),
        "device_authorization_endpoint": at("/device"),
        "scopes_supported": rules.scopes,
        "response_types_supported": ["code"],
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": rules.names_issuer,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
    })
}
