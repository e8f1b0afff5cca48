//! The host's half of OAuth: it makes state, nonce and verifier, puts them into the address, and
//! believes only a callback that brings them back. Pure: no network, no clock, no database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::model::code;
use crate::model::failure::{Case, Failure};

/// What this host adds to an address, whatever a plugin put there.
const OURS: &[&str] = &["state", "nonce", "code_challenge", "code_challenge_method"];

/// Secrets of one visit to a provider.
pub(super) struct Visit {
    /// Where the browser comes back to.
    pub(super) redirect_uri: String,
    /// Who must have sent it back, when that is known.
    pub(super) issuer: Option<String>,
    state: SecretString,
    verifier: SecretString,
    nonce: SecretString,
    asks_identity: bool,
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

impl Visit {
    /// A visit that comes back to `redirect_uri`.
    pub(super) fn new(redirect_uri: &str, issuer: Option<String>) -> Result<Self, Failure> {
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
        let digest = Sha256::digest(self.verifier.expose_secret().as_bytes());
        let mut pairs = vec![
            ("state", self.state.expose_secret().to_owned()),
            ("code_challenge", URL_SAFE_NO_PAD.encode(digest)),
            ("code_challenge_method", "S256".to_owned()),
        ];
        if self.asks_identity {
            pairs.push(("nonce", self.nonce.expose_secret().to_owned()));
        }
        pairs
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
        if !same(state, &self.state) {
            return Err(refused(code::Connect::StateMismatch, "belongs to another login"));
        }
        if let (Some(said), Some(issuer)) = (one("iss")?, &self.issuer)
            && said.trim_end_matches('/') != issuer.trim_end_matches('/')
        {
            return Err(refused(code::Connect::IssuerMismatch, "comes from another issuer"));
        }
        if let Some(error) = one("error")? {
            return Err(denied(error));
        }
        let code = one("code")?.filter(|it| !it.is_empty());
        let code = code.ok_or_else(|| refused(code::Connect::CallbackInvalid, "has no code"))?;
        Ok(Answer {
            code: SecretString::from(code.as_ref()),
            verifier: self.verifier.clone(),
            nonce: self.asks_identity.then(|| self.nonce.clone()),
        })
    }
}

/// 256 bits in base64url: what RFC 7636 4.1 recommends for a verifier.
fn random() -> Result<SecretString, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the operating system returned no random bytes: {error}");
        Failure::new(Case::HostFault, code::Internal::Random, message)
    })?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
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

fn refused(code: code::Connect, what: &str) -> Failure {
    let message = format!("the callback {what}; nothing was saved, connect again");
    Failure::new(Case::Misconfigured, code, message)
}

/// RFC 6749 4.1.2.1. The code is the provider's, so it is shown only if it looks like one.
fn denied(error: &str) -> Failure {
    let plain = error.len() <= 64 && error.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    let message = match error {
        "access_denied" => "access was denied at the provider; nothing has changed".to_owned(),
        _ if plain => format!(
            "the provider refused ({error}); check client_id, scopes and the redirect URI there"
        ),
        _ => "the provider refused; check client_id, scopes and the redirect URI there".to_owned(),
    };
    Failure::new(Case::Misconfigured, code::Connect::Denied, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACK: &str = "http://127.0.0.1:9999/callback";

    fn visit() -> (Visit, Url) {
        let mut visit = Visit::new(BACK, Some("https://id.example".to_owned())).unwrap();
        let said = "https://id.example/auth?client_id=a&scope=openid+x&state=plugin&redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Fcallback";
        let url = visit.address(said).unwrap();
        (visit, url)
    }

    fn state(url: &Url) -> String {
        url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }

    fn code(visit: &Visit, query: &str) -> Result<String, String> {
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
        assert!(!url.as_str().contains(visit.verifier.expose_secret()));
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
        let mut visit = Visit::new(BACK, None).unwrap();
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
            assert_eq!(Visit::new(address, None).is_ok(), fits, "{address}");
        }
    }

    #[test]
    fn an_error_of_the_provider_is_not_repeated_unless_it_is_a_word() {
        assert!(denied("invalid_scope").message.contains("(invalid_scope)"));
        assert!(!denied("<script>").message.contains("script"));
    }
}
