//! The HTTP API of the real daemon, over real sockets.

/// Who may call, and what a key allows.
mod access;

/// Tokens for programs.
mod tokens;

/// Connections and refreshes.
mod connections;

/// The three routes of a service with one token.
mod single;

/// Requests that nobody in their right mind sends.
mod hostile;

/// Repeating a request, and changing what one has seen.
mod repeating;

/// The document that describes it.
mod document;

/// What is generated from it.
mod generated;

/// TLS, reloads, and the end.
mod listening;

/// Probes.
mod health;

/// Figures, the dashboard and the alerts over them.
mod metrics;

/// Links for people.
mod connect;

/// Programs as people write them.
mod callers;

/// Who did what.
mod audit;

/// Events as they happen.
mod events;

use e2e::daemon::Daemon;
use e2e::home::Home;
use e2e::http::{Http, Place};
use e2e::stage::Stage;

/// A daemon with an API at an address.
pub(crate) struct Served {
    pub(crate) stage: Stage,
    pub(crate) daemon: Daemon,
}

impl Served {
    /// Eskiz with its first token.
    pub(crate) fn eskiz() -> Self {
        Self::over(Stage::eskiz("").logged_in(), "")
    }

    /// What `stage` has, with `more` lines in `[server]`.
    pub(crate) fn over(stage: Stage, more: &str) -> Self {
        listen(&stage.home, more);
        let daemon = stage.home.serve();
        Self { stage, daemon }
    }

    /// A caller at the address, without a key.
    pub(crate) fn address(&self) -> Http {
        Http::at(Place::Address(address(&self.daemon)))
    }

    /// A caller at the socket.
    pub(crate) fn socket(&self) -> Http {
        Http::at(Place::Socket(self.stage.home.path("keepfresh.http.sock")))
    }

    /// A caller at the address with a new key.
    pub(crate) fn with_key(&self, name: &str, grant: &[&str]) -> Http {
        self.address().with_key(&key(&self.stage.home, name, grant))
    }
}

/// Adds `[server]` to the manifest.
pub(crate) fn listen(home: &Home, more: &str) {
    let manifest = std::fs::read_to_string(home.path("keepfresh.toml")).unwrap();
    home.write_manifest(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{more}\n{manifest}"));
}

/// Where the daemon says that it listens.
pub(crate) fn address(daemon: &Daemon) -> std::net::SocketAddr {
    let mut found = None;
    e2e::daemon::wait_until("it listens", || {
        let log = daemon.log();
        let said = log.rsplit_once("the HTTP API listens at http").map(|(_, rest)| rest.to_owned());
        let said = said.and_then(|it| it.split_once("://").map(|(_, rest)| rest.to_owned()));
        found = said.and_then(|it| it.split_whitespace().next()?.parse().ok());
        found.is_some()
    });
    found.unwrap()
}

/// A new key: its arguments are those of `api-key create NAME`.
pub(crate) fn key(home: &Home, name: &str, grant: &[&str]) -> String {
    let made = home.run(&[&["api-key", "create", name], grant].concat()).exits(0);
    made.stdout.trim_end().to_owned()
}
