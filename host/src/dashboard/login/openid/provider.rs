//! What is asked of the provider, through the door that everything leaves by: its discovery document, its keys, and the
//! change of a code for an ID token.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::dashboard::login::openid::begun::Journey;
use crate::egress::{Body, Gate, Method, Pattern, Policy, Request};
use crate::manifest::dashboard::Oidc;
use crate::model::code;
use crate::model::failure::{Case, Failure};

/// How long the provider may take for one answer.
const WITHIN: Duration = Duration::from_secs(15);

/// Where a provider says how it is asked.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What its discovery document says.
#[derive(Deserialize)]
pub(super) struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What comes for a code; all else in it is of no use here.
#[derive(Deserialize)]
struct Tokens {
    id_token: SecretString,
}

impl Provider {
    /// Asks the provider how it is asked. A document of another issuer is none.
    pub(super) async fn discover(gate: &Gate, oidc: &Oidc) -> Result<Self, Failure> {
        let url = oidc.issuer.trim_end_matches('/').to_owned() + WELL_KNOWN;
        let found: Self = ask(gate, oidc, get(&url)?).await?;
        if found.issuer != oidc.issuer {
            return Err(unusable("its discovery document is that of another issuer"));
        }
        Ok(found)
    }

    /// Where the person goes.
    pub(super) fn address(&self, oidc: &Oidc, journey: &Journey) -> Result<String, Failure> {
        let parsed = Url::parse(&self.authorization_endpoint).ok();
        let usable = parsed.filter(|it| matches!(it.scheme(), "https" | "http") && it.has_host());
        let mut url = usable.ok_or_else(|| unusable("its authorization endpoint is no address"))?;
        let challenge = Sha256::digest(journey.verifier.expose_secret().as_bytes());
        let mut scopes = oidc.scopes.clone();
        if !scopes.iter().any(|it| it == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &oidc.client_id)
            .append_pair("redirect_uri", &journey.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", journey.state.expose_secret())
            .append_pair("nonce", journey.nonce.expose_secret())
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256");
        if journey.again.is_some() {
            url.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
        }
        Ok(url.into())
    }

    /// The ID token for a code, and the keys to check it with.
    pub(super) async fn exchange(
        &self,
        gate: &Gate,
        oidc: &Oidc,
        journey: &Journey,
        code: SecretString,
    ) -> Result<(SecretString, JwkSet), Failure> {
        let tokens: Tokens = ask(gate, oidc, self.change(oidc, journey, code).await?).await?;
        let keys = ask(gate, oidc, get(&self.jwks_uri)?).await?;
        Ok((tokens.id_token, keys))
    }

    async fn change(
        &self,
        oidc: &Oidc,
        journey: &Journey,
        code: SecretString,
    ) -> Result<Request, Failure> {
        let mut form = vec![
            ("grant_type".to_owned(), "authorization_code".into()),
            ("code".to_owned(), code),
            ("redirect_uri".to_owned(), journey.redirect_uri.as_str().into()),
            ("code_verifier".to_owned(), journey.verifier.clone()),
        ];
        let mut headers = Vec::new();
        let id = oidc.client_id.as_str();
        match &oidc.client_secret {
            None => form.push(("client_id".to_owned(), id.into())),
            Some(source) => {
                let secret = source
                    .read()
                    .await
                    .map_err(|it| Failure::new(Case::Misconfigured, it.code(), it.to_string()))?;
                if self.takes_basic() {
                    headers.push(("authorization".to_owned(), basic(id, &secret)));
                } else {
                    form.push(("client_id".to_owned(), id.into()));
                    form.push(("client_secret".to_owned(), secret));
                }
            }
        }
        let url = checked(&self.token_endpoint)?;
        Ok(Request {
            method: Method::Post,
            url: url.into(),
            query: Vec::new(),
            headers,
            body: Body::Form(form),
            carries: BTreeSet::new(),
            repeatable: false,
        })
    }

    /// Basic is what a provider takes that does not say.
    fn takes_basic(&self) -> bool {
        let said = self.token_endpoint_auth_methods_supported.as_ref();
        said.is_none_or(|it| it.iter().any(|it| it == "client_secret_basic"))
    }
}

/// Both halves are form-encoded first (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &SecretString) -> SecretString {
    let encoded =
        |it: &str| url::form_urlencoded::byte_serialize(it.as_bytes()).collect::<String>();
    let both = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret.expose_secret())));
    format!("Basic {}", STANDARD.encode(both.as_bytes())).into()
}

fn get(url: &str) -> Result<Request, Failure> {
    Ok(Request {
        method: Method::Get,
        url: checked(url)?.into(),
        query: Vec::new(),
        headers: vec![("accept".to_owned(), "application/json".into())],
        body: Body::Empty,
        carries: BTreeSet::new(),
        repeatable: false,
    })
}

fn checked(url: &str) -> Result<Url, Failure> {
    let parsed = Url::parse(url).ok();
    let usable = parsed.filter(|it| matches!(it.scheme(), "https" | "http") && it.has_host());
    usable.ok_or_else(|| unusable("an address in its discovery document is none"))
}

/// Asks for a JSON document. What the provider says beside it is not repeated: it may hold anything.
async fn ask<T: DeserializeOwned>(
    gate: &Gate,
    oidc: &Oidc,
    request: Request,
) -> Result<T, Failure> {
    let policy = policy(oidc, request.method, &request.url)?;
    let host = checked(&request.url)?.host_str().unwrap_or_default().to_owned();
    let sent = gate.send(&policy, request, WITHIN).await;
    let answer = sent.and_then(|it| it.open(&host)).map_err(|error| {
        Failure::new(Case::Unavailable, code::Login::ProviderUnusable, error.to_string())
    })?;
    if !(200..300).contains(&answer.status) {
        return Err(unusable(&format!("{host} answered {}", answer.status)));
    }
    let body = Zeroizing::new(answer.body);
    serde_json::from_slice(&body)
        .map_err(|_| unusable(&format!("{host} answered no such document")))
}

fn policy(oidc: &Oidc, method: Method, url: &str) -> Result<Policy, Failure> {
    let origin = checked(url)?.origin().ascii_serialization();
    let pattern = Pattern::expand(&format!("{method} {origin}/*"), &|_| None);
    Ok(Policy {
        plugin: "the dashboard".to_owned(),
        provider: "dashboard.oidc".to_owned(),
        patterns: vec![pattern.map_err(|_| unusable("it has a host that cannot be used"))?],
        networks: oidc.egress.networks.clone(),
        plaintext: oidc.egress.plaintext,
    })
}

fn unusable(why: &str) -> Failure {
    let message = format!("the provider of OpenID Connect cannot be used: {why}");
    Failure::new(Case::Unavailable, code::Login::ProviderUnusable, message)
}
