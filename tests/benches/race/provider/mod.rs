//! The provider that all race at: a process of its own, so that what it takes of the processor is counted for nobody else.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use e2e::http::{Http, Place};

use crate::certificate::Certificate;

/// What it does in that process.
pub(crate) mod serving;

/// What it answers, and counts.
pub(crate) mod desk;

/// Requests on the wire.
mod request;

/// Which refresh tokens are good.
pub(crate) mod tokens;

use desk::Counts;
use tokens::Rotation;

/// The first argument of this program when it is to be the provider.
pub(crate) const ARGUMENT: &str = "provider";

/// It is killed when dropped.
pub(crate) struct Provider {
    child: Child,
    token_url: String,
    control: Http,
}

impl Provider {
    /// One with so many families that measures for so long, over TLS if it has a certificate.
    pub(crate) fn start(
        rotation: Rotation,
        many: usize,
        length: Duration,
        tls: Option<&Certificate>,
    ) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            ARGUMENT,
            rotation.as_str(),
            &many.to_string(),
            &length.as_secs_f64().to_string(),
        ]);
        command.args(tls.iter().flat_map(|it| [it.chain(), it.key()]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (port, control) = line.trim().split_once(' ').unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let token_url = format!("{scheme}://127.0.0.1:{port}/token");
        let control = SocketAddr::from((Ipv4Addr::LOCALHOST, control.parse().unwrap()));
        Self { child, token_url, control: Http::at(Place::Address(control)) }
    }

    /// Its token endpoint.
    pub(crate) fn token_url(&self) -> &str {
        &self.token_url
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has counted so far.
    pub(crate) fn counts(&self) -> Counts {
        serde_json::from_value(self.control.get("/counts").is(200).json()).unwrap()
    }

    /// The good refresh tokens of all families.
    pub(crate) fn current(&self) -> Vec<String> {
        self.control.get("/current").is(200).text().lines().map(str::to_owned).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
