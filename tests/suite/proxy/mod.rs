//! The proxy of the real daemon: callers that never hold a token, in front of an API that wants one.

/// What passes, there and back.
mod passing;

/// Where the token is put.
mod placing;

/// What is refused, by name.
mod refusing;

/// A token that comes back.
mod echo;

/// A token that the provider refuses.
mod replacing;

/// Large bodies and long ones.
mod streaming;

/// Clients that people use.
mod clients;

use e2e::http::Http;
use e2e::stage::Stage;
use e2e::upstream::Upstream;

use crate::api::Served;

/// Eskiz, of which some requests go to an API of its own.
pub(crate) struct Passed {
    pub(crate) upstream: Upstream,
    pub(crate) served: Served,
}

impl Passed {
    /// With those keys in `[providers.eskiz.proxy]`; `to` is the API when they have none.
    pub(crate) fn with(keys: &str) -> Self {
        let upstream = Upstream::start();
        let keys = keys.replace("UPSTREAM", &upstream.url());
        let to = if keys.contains("to = ") {
            String::new()
        } else {
            format!("to = [\"{}\"], ", upstream.url())
        };
        let stage = Stage::eskiz(&format!("proxy = {{ {to}{keys} }}")).logged_in();
        Self { upstream, served: Served::over(stage, "") }
    }

    /// With all methods.
    pub(crate) fn open() -> Self {
        Self::with(r#"methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]"#)
    }

    /// A program that may use the proxy and nothing else.
    pub(crate) fn caller(&self) -> Http {
        self.served.with_key("app", &["--scope", "proxy:use"])
    }

    pub(crate) fn token(&self) -> String {
        self.served.stage.token()
    }
}
