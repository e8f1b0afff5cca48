//! What an authorization server asks of its client. Data only; the neighbours do what it says.

/// How a client shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// The secret in the `Authorization` header or in the body.
    BasicOrPost,
    /// The secret in the `Authorization` header only.
    Basic,
    /// The secret in the body only.
    Post,
    /// No secret: the id in the body, and PKCE.
    Public,
    /// A secret as in `BasicOrPost`, or none where the code came with PKCE.
    SecretOrPkce,
    /// RFC 7523: an assertion signed by the owner of this public key, in PEM. RS256 and ES256 are known.
    PrivateKeyJwt(String),
}

/// A grant that the token endpoint knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// A code from the browser.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// The client itself.
    ClientCredentials,
    /// RFC 8628.
    DeviceCode,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::DeviceCode];

    /// As it stands in `grant_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }
}

/// RFC 7636.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// Every code needs a challenge, and it is a digest.
    Required,
    /// A challenge may be left out, and is a digest.
    Optional,
    /// A challenge may be left out, and may be the verifier itself.
    OptionalOrPlain,
    /// The server is older than challenges, and refuses what it does not know.
    Refused,
}

/// When an answer has a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshing {
    /// For everything that a person consented to.
    Always,
    /// Only with the scope `offline_access`.
    WithScope,
    /// Never.
    Never,
}

/// Where the tokens are to be good: a parameter that requests must carry, and its one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `resource` of RFC 8707, or `audience` as some vendors call it.
    pub parameter: String,
    /// The value that is known here.
    pub value: String,
}

/// Everything that the shared parts need to know.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The base of this server, and its name in tokens.
    pub(crate) issuer: String,
    /// The path of the token endpoint, which an assertion may name as its audience.
    pub(crate) token_path: &'static str,
    pub(crate) client_auth: ClientAuth,
    pub(crate) grants: Vec<GrantType>,
    /// Compared exactly. A loopback address without a port stands for every port (RFC 8252, 7.3).
    pub(crate) redirect_uris: Vec<String>,
    /// The known scopes. What is asked without a scope is asked for all.
    pub(crate) scopes: Vec<String>,
    pub(crate) pkce: Pkce,
    pub(crate) state_required: bool,
    pub(crate) scope_required: bool,
    /// What codes start with. One with a slash in it has to be decoded and encoded on its way.
    pub(crate) code_prefix: &'static str,
    /// RFC 9207: whether the redirect names this server.
    pub(crate) names_issuer: bool,
    pub(crate) target: Option<Target>,
    pub(crate) refreshing: Refreshing,
    /// Who consents, and whose tokens they are.
    pub(crate) account: String,
    pub(crate) code_lifetime: u32,
    pub(crate) device_lifetime: u32,
    pub(crate) device_interval: u32,
}

impl Rules {
    /// Whether a consent to these scopes comes with a refresh token.
    pub(crate) fn refreshes(&self, scope: &[String]) -> bool {
        match self.refreshing {
            Refreshing::Always => true,
            Refreshing::WithScope => scope.iter().any(|it| it == "offline_access"),
            Refreshing::Never => false,
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.client_auth == ClientAuth::Public
    }

    pub(crate) fn knows_redirect(&self, given: &str) -> bool {
        self.redirect_uris.iter().any(|known| known == given || matches_any_port(known, given))
    }
}

/// Whether `given` is the registered loopback address with a port.
fn matches_any_port(known: &str, given: &str) -> bool {
    ["http://127.0.0.1", "http://[::1]"].iter().any(|host| {
        let (Some(path), Some(rest)) = (known.strip_prefix(host), given.strip_prefix(host)) else {
            return false;
        };
        let Some((port, given_path)) = rest.strip_prefix(':').map(split_port) else { return false };
        path.starts_with('/') && port.parse::<u16>().is_ok() && path == given_path
    })
}

fn split_port(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_address_without_a_port_stands_for_every_port() {
        let known = "http://127.0.0.1/callback";
        assert!(matches_any_port(known, "http://127.0.0.1:49152/callback"));
        for given in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1.example.com:80/callback",
            "http://127.0.0.1:80@example.com/callback",
            "https://127.0.0.1:80/callback",
        ] {
            assert!(!matches_any_port(known, given), "{given}");
        }
    }
}
