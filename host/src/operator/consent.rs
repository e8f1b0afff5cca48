//! The host's half of OAuth: it makes state, nonce and verifier, puts them into the address, and
//! believes only a callback that brings them back. Pure: no network, no clock, no database.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::command::Plain;
use crate::operator::denied::denied;

/// What this host adds to an address, whatever a plugin put there.
const OURS: &[&str] = &["state", "nonce", "code_challenge", "code_challenge_method"];

/// Secrets of one visit to a provider, and what it must come back with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secrets {
    /// Where the browser comes back to.
    pub(super) redirect_uri: String,
    /// Who must have sent it back, when that is known.
    pub(super) issuer: Option<String>,
    state: Plain,
    verifier: Plain,
    nonce: Plain,
    asks_identity: bool,
    habits: Habits,
}

/// What a provider does with what protects a login, as the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Habits {
    /// Whether its ID tokens repeat the nonce.
    pub(super) repeats_nonce: bool,
    /// Whether it knows PKCE.
    pub(super) knows_pkce: bool,
}

impl Habits {
    /// What `settings` say; the settings are those of a plugin that has them.
    pub(super) fn of(settings: &BTreeMap<String, String>) -> Self {
        let is_none = |name: &str| settings.get(name).is_some_and(|it| it == "none");
        Self { repeats_nonce: !is_none("nonce"), knows_pkce: !is_none("pkce") }
    }
}

/// What a believable callback brings.
pub(super) struct Answer {
    /// The code.
    pub(super) code: SecretString,
    /// The verifier of its challenge.
    pub(super) verifier: SecretString,
    /// What an id token must repeat, if one was asked for.
    pub(super) nonce: Option<SecretString>,
}

impl Secrets {
    /// Those of a visit that comes back to `redirect_uri`.
    pub(super) fn new(
        redirect_uri: &str,
        issuer: Option<String>,
        habits: Habits,
    ) -> Result<Self, Failure> {
        if !may_come_back_to(redirect_uri) {
            let message = "a redirect URI must be https, or http on loopback";
            return Err(Failure::new(Case::Misconfigured, code::Connect::RedirectInvalid, message));
        }
        Ok(Self {
            redirect_uri: redirect_uri.to_owned(),
            issuer,
            state: random()?,
            verifier: random()?,
            nonce: random()?,
            asks_identity: false,
            habits,
        })
    }

    /// The address of the plugin with ours in it. The plugin's own idea of them is dropped, and where
    /// the browser comes back to is not its to change.
    pub(super) fn address(&mut self, plugin_says: &str) -> Result<Url, Failure> {
        let wrong = |what: &str| {
            let message =
                format!("the plugin returned an authorization URL that {what}; nothing was opened");
            Failure::new(Case::PluginFault, code::Plugin::OutputInvalid, message)
        };
        let mut url = Url::parse(plugin_says).map_err(|_| wrong("is none"))?;
        let pairs = url.query_pairs().into_owned().collect::<Vec<_>>();
        let comes_back = pairs.iter().filter(|(name, _)| name == "redirect_uri");
        if !comes_back.map(|(_, value)| value).eq([&self.redirect_uri]) {
            return Err(wrong("has another redirect URI"));
        }
        self.asks_identity = pairs.iter().any(|(name, value)| {
            name == "scope" && value.split(' ').any(|scope| scope == "openid")
        });
        let kept = pairs.into_iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
        url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(self.own_pairs());
        Ok(url)
    }

    fn own_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("state", self.state.0.expose_secret().to_owned())];
        if self.habits.knows_pkce {
            let digest = Sha256::digest(self.verifier.0.expose_secret().as_bytes());
            pairs.push(("code_challenge", URL_SAFE_NO_PAD.encode(digest)));
            pairs.push(("code_challenge_method", "S256".to_owned()));
        }
        if self.expects_nonce() {
            pairs.push(("nonce", self.nonce.0.expose_secret().to_owned()));
        }
        pairs
    }

    fn expects_nonce(&self) -> bool {
        self.asks_identity && self.habits.repeats_nonce
    }

    /// Reads the query of a callback.
    pub(super) fn read(&self, query: &str) -> Result<Answer, Failure> {
        let pairs = url::form_urlencoded::parse(query.as_bytes()).collect::<Vec<_>>();
        let one = |name: &str| {
            let mut values = pairs.iter().filter(|(it, _)| it == name).map(|(_, value)| value);
            let first = values.next();
            if values.next().is_some() {
                return Err(refused(
                    code::Connect::CallbackInvalid,
                    &format!("has `{name}` twice"),
                ));
            }
            Ok(first)
        };
        // First of all, and whatever else is there: without our state, once, it is somebody else's.
        let state =
            one("state").map_err(|_| refused(code::Connect::StateMismatch, "has two states"))?;
        let state = state.ok_or_else(|| refused(code::Connect::StateMismatch, "has no state"))?;
        if !same(state, &self.state.0) {
            return Err(refused(code::Connect::StateMismatch, "belongs to another login"));
        }
        if let (Some(said), Some(issuer)) = (one("iss")?, &self.issuer)
            && said.trim_end_matches('/') != issuer.trim_end_matches('/')
        {
            return Err(refused(code::Connect::IssuerMismatch, "comes from another issuer"));
        }
        if let Some(error) = one("error")? {
            let said = pairs.iter().find(|(name, _)| name == "error_description");
            return Err(denied(error, said.map(|(_, text)| text.as_ref())));
        }
        let code = one("code")?.filter(|it| !it.is_empty());
        let code = code.ok_or_else(|| refused(code::Connect::CallbackInvalid, "has no code"))?;
        Ok(Answer {
            code: SecretString::from(code.as_ref()),
            verifier: self.verifier.0.clone(),
            nonce: self.expects_nonce().then(|| self.nonce.0.clone()),
        })
    }
}

/// 256 bits in base64url: what RFC 7636 4.1 recommends for a verifier.
fn random() -> Result<Plain, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the operating system returned no random bytes: {error}");
        Failure::new(Case::HostFault, code::Internal::Random, message)
    })?;
    Ok(Plain(SecretString::from(URL_SAFE_NO_PAD.encode(bytes))))
}

/// Compares digests, whose bytes say nothing about where the texts differ.
fn same(text: &str, secret: &SecretString) -> bool {
    Sha256::digest(text.as_bytes()) == Sha256::digest(secret.expose_secret().as_bytes())
}

/// RFC 8252 7.3: loopback by address, so that no name can lead elsewhere; RFC 9700 2.6: else https.
fn may_come_back_to(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let on_this_machine = match url.host() {
        Some(Host::Ipv4(it)) => it.is_loopback(),
        Some(Host::Ipv6(it)) => it.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && on_this_machine))
}

/// The scopes that an address asks for.
pub(super) fn asked(url: &Url) -> Vec<String> {
    let scopes = url.query_pairs().filter(|(name, _)| name == "scope");
    let words = scopes.flat_map(|(_, text)| {
        text.split([' ', ',']).filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    words.collect()
}

fn refused(code: code::Connect, what: &str) -> Failure {
    let message = format!("the callback {what}; nothing was saved, connect again");
    Failure::new(Case::Misconfigured, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACK: &str = "http://127.0.0.1:9999/callback";

    const USUAL: Habits = Habits { repeats_nonce: true, knows_pkce: true };
    const SAID: &str = "https://id.example/auth?client_id=a&scope=openid+x&state=plugin&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcallback";

    fn visit() -> (Secrets, Url) {
        let issuer = Some("https://id.example".to_owned());
        let mut visit = Secrets::new(BACK, issuer, USUAL).unwrap();
        let url = visit.address(SAID).unwrap();
        (visit, url)
    }

    fn state(url: &Url) -> String {
        url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }

    fn code(visit: &Secrets, query: &str) -> Result<String, String> {
        let answer = visit.read(query).map_err(|it| it.code.to_string())?;
        Ok(answer.code.expose_secret().to_owned())
    }

    #[test]
    fn the_host_adds_its_own_and_drops_the_plugins() {
        let (visit, url) = visit();
        let names = url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>();
        let expected = ["client_id", "scope", "redirect_uri", "state", "code_challenge"];
        assert_eq!(names[..5], expected);
        assert_eq!(names[5..], ["code_challenge_method", "nonce"]);
        assert_ne!(state(&url), "plugin");
        assert!(!url.as_str().contains(visit.verifier.0.expose_secret()));
    }

    #[test]
    fn what_a_provider_cannot_stand_is_left_out() {
        let none = |name: &str| BTreeMap::from([(name.to_owned(), "none".to_owned())]);
        for (settings, left_out) in [
            (BTreeMap::new(), vec![]),
            (none("pkce"), vec!["code_challenge", "code_challenge_method"]),
            (none("nonce"), vec!["nonce"]),
        ] {
            let mut visit = Secrets::new(BACK, None, Habits::of(&settings)).unwrap();
            let url = visit.address(SAID).unwrap();
            for name in ["state", "code_challenge", "code_challenge_method", "nonce"] {
                let has = url.query_pairs().any(|(it, _)| it == name);
                assert_eq!(has, !left_out.contains(&name), "{name} {settings:?}");
            }
            let answer = visit.read(&format!("code=c&state={}", state(&url))).unwrap();
            assert_eq!(answer.nonce.is_some(), !left_out.contains(&"nonce"));
        }
    }

    #[test]
    fn the_scopes_of_an_address_are_what_a_person_is_asked_for() {
        let of = |text: &str| asked(&Url::parse(text).unwrap());
        assert_eq!(of("https://a/?scope=openid+x%20y"), ["openid", "x", "y"]);
        assert_eq!(of("https://a/?scope=a%2Cb&scope=c"), ["a", "b", "c"]);
        assert!(of("https://a/?scope=").is_empty() && of("https://a/").is_empty());
    }

    #[test]
    fn a_callback_counts_once_its_state_and_issuer_are_ours() {
        let (visit, url) = visit();
        let state = state(&url);
        let iss = "iss=https%3A%2F%2Fid.example";
        assert_eq!(code(&visit, &format!("code=c&state={state}&{iss}")), Ok("c".to_owned()));
        for (query, expected) in [
            ("code=c".to_owned(), "connect.state_mismatch"),
            ("code=c&state=other".to_owned(), "connect.state_mismatch"),
            ("code=c&state=one&state=two".to_owned(), "connect.state_mismatch"),
            ("code=c&code=d&state=one&iss=x&iss=y".to_owned(), "connect.state_mismatch"),
            ("error=a&error=b".to_owned(), "connect.state_mismatch"),
            (format!("code=c&state=other&state={state}"), "connect.state_mismatch"),
            (format!("code=c&state={state}&state={state}"), "connect.state_mismatch"),
            (format!("code=c&code=d&state={state}"), "connect.callback_invalid"),
            (
                format!("code=c&state={state}&iss=https%3A%2F%2Fevil.example"),
                "connect.issuer_mismatch",
            ),
            (format!("state={state}"), "connect.callback_invalid"),
            (format!("error=access_denied&state={state}"), "connect.denied"),
        ] {
            assert_eq!(code(&visit, &query), Err(expected.to_owned()), "{query}");
        }
    }

    #[test]
    fn a_plugin_cannot_send_the_browser_back_elsewhere() {
        let mut visit = Secrets::new(BACK, None, USUAL).unwrap();
        for said in [
            "https://id.example/auth?redirect_uri=https%3A%2F%2Fevil.example",
            "https://id.example/auth",
            "https://id.example/auth?redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcallback&redirect_uri=x",
        ] {
            assert_eq!(
                visit.address(said).unwrap_err().code.text(),
                "plugin.output_invalid",
                "{said}"
            );
        }
    }

    #[test]
    fn a_browser_comes_back_to_https_or_to_this_machine() {
        for (address, fits) in [
            ("https://keepfresh.example/callback", true),
            ("http://[::1]:1/callback", true),
            ("http://localhost:1/callback", true),
            ("http://keepfresh.example/callback", false),
            ("https://a@keepfresh.example/", false),
            ("https://keepfresh.example/#x", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(Secrets::new(address, None, USUAL).is_ok(), fits, "{address}");
        }
    }
}
