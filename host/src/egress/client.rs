//! The only place where an HTTP client is made, and every default that could betray a token turned
//! off. It does not know requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::{Client, redirect, retry, tls};

use crate::egress::error::EgressError;
use crate::egress::lookup::{CheckedResolver, Lookup};
use crate::egress::policy::Policy;
use crate::egress::response::{MOST_HEADER_BYTES, MOST_HEADERS};
use crate::egress::reuse::NotesDialling;
use crate::model::code;

/// Clients by what they may do. Making one reads the system's certificates, so they are kept;
/// connections are not, where a lost answer can cost a token.
pub(super) struct Clients {
    lookup: Lookup,
    made: Mutex<HashMap<Grants, Client>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Grants {
    networks: Arc<[IpNet]>,
    plaintext: bool,
    connect_within: Duration,
    kept: Kept,
}

/// What becomes of a connection when its request has its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kept {
    /// It is closed.
    Not,
    /// It waits for the next refresh. The servers with the least patience close after five seconds.
    Briefly,
    /// It waits for the next request of a program. Servers commonly close after a minute, and one that is closed
    /// meanwhile costs a try.
    Long,
}

impl Kept {
    /// Connections to one host at most, and for how long. As many refreshes may end in one moment as share a commit.
    fn limits(self) -> (usize, Duration) {
        match self {
            Self::Not => (0, Duration::ZERO),
            Self::Briefly => (256, Duration::from_secs(4)),
            Self::Long => (64, Duration::from_secs(30)),
        }
    }
}

/// Probes without an answer after which it is over.
const PROBES: u32 = 3;

/// How often a connection that is kept, or has a long answer on it, is probed while nothing comes.
const PROBED_EVERY: Duration = Duration::from_secs(15);

/// More than any manifest has; reached only by reloading ever new grants.
const MOST_CLIENTS: usize = 256;

/// How long connecting may take: the longest that is shorter than the deadline. The time for it must
/// end first, because a deadline that passes while connecting looks like one that passes after
/// sending, and only one of them leaves a token in doubt.
const CONNECT_WITHIN: [Duration; 6] = [
    Duration::from_secs(10),
    Duration::from_secs(5),
    Duration::from_secs(2),
    Duration::from_secs(1),
    Duration::from_millis(400),
    Duration::from_millis(100),
];

impl Clients {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup, made: Mutex::default() }
    }

    /// The client for these grants, made when it is first needed.
    pub(super) fn fitting(
        &self,
        policy: &Policy,
        deadline: Duration,
    ) -> Result<Client, EgressError> {
        self.with(Grants::of(policy, deadline))
    }

    /// The same for requests that may arrive twice: a connection is kept for a while.
    pub(super) fn keeping_briefly(
        &self,
        policy: &Policy,
        deadline: Duration,
    ) -> Result<Client, EgressError> {
        self.with(Grants { kept: Kept::Briefly, ..Grants::of(policy, deadline) })
    }

    /// The same for requests in which no token is at stake: connections are kept.
    pub(super) fn keeping(&self, policy: &Policy) -> Result<Client, EgressError> {
        let [longest, ..] = CONNECT_WITHIN;
        self.with(Grants { kept: Kept::Long, ..Grants::of(policy, longest * 2) })
    }

    fn with(&self, grants: Grants) -> Result<Client, EgressError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&grants) {
            return Ok(client.clone());
        }
        let client = build(self.lookup.clone(), &grants).map_err(|_| unusable())?;
        if made.len() >= MOST_CLIENTS {
            made.clear();
        }
        made.insert(grants, client.clone());
        Ok(client)
    }

    /// Makes each client anew when it is next needed.
    pub(super) fn renew(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Grants {
    fn of(policy: &Policy, deadline: Duration) -> Self {
        let mut networks = policy.networks.clone();
        networks.sort_unstable();
        networks.dedup();
        let [.., shortest] = CONNECT_WITHIN;
        let connect_within =
            CONNECT_WITHIN.into_iter().find(|within| *within < deadline).unwrap_or(shortest);
        Self {
            networks: networks.into(),
            plaintext: policy.plaintext,
            connect_within,
            kept: Kept::Not,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn build(lookup: Lookup, grants: &Grants) -> reqwest::Result<Client> {
    let (kept, kept_for) = grants.kept.limits();
    // A request of a plugin has ended by the clock before a probe would find anything out, and each of these takes a
    // call of the kernel.
    let probed = (grants.kept == Kept::Long).then_some(PROBED_EVERY);
    let builder = Client::builder()
        .user_agent(concat!("keepfresh/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(CheckedResolver { lookup, networks: Arc::clone(&grants.networks) })
        .https_only(!grants.plaintext)
        .tls_version_min(tls::Version::TLS_1_2)
        .connect_timeout(grants.connect_within)
        .tcp_keepalive(probed)
        .tcp_keepalive_interval(probed)
        .tcp_keepalive_retries(probed.map(|_| PROBES))
        // A redirect would send the secrets of the request to an address that was not declared.
        .redirect(redirect::Policy::none())
        .referer(false)
        // A proxy from the environment would see where we go, and dial unchecked addresses.
        .no_proxy()
        // A refresh token may be good for one use: sending again is the scheduler's decision.
        .retry(retry::never())
        // A kept connection may be dead without our knowing, which leaves the outcome unknown.
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(kept_for)
        .http1_max_headers(MOST_HEADERS)
        // An odd line in a head is no reason to lose the tokens behind it.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http2_max_header_list_size(MOST_HEADER_BYTES);
    match grants.kept {
        // On a connection of HTTP/2 that hangs, every request of the next minutes would hang.
        Kept::Briefly => builder.http1_only().connector_layer(NotesDialling).build(),
        Kept::Not | Kept::Long => builder.build(),
    }
}

/// A client for the collector of traces, whose address the operator writes: a local name and plain HTTP
/// are usual there. A redirect would take the headers along, which may hold a key, so none is followed.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub(super) fn for_collector(timeout: Duration) -> reqwest::Result<Client> {
    let [longest, ..] = CONNECT_WITHIN;
    Client::builder()
        .user_agent(concat!("keepfresh/", env!("CARGO_PKG_VERSION")))
        .tls_version_min(tls::Version::TLS_1_2)
        .connect_timeout(longest)
        .timeout(timeout)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .build()
}

fn unusable() -> EgressError {
    EgressError::not_sent(
        code::Egress::ClientFailed,
        "the HTTP client cannot be set up; are the system's root certificates (ca-certificates) \
         installed? nothing was sent",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(networks: &[&str], plaintext: bool) -> Policy {
        let networks = networks.iter().map(|text| text.parse().unwrap()).collect();
        Policy { plugin: "p".into(), provider: "p".into(), patterns: vec![], networks, plaintext }
    }

    #[test]
    fn the_same_grants_share_a_client_and_others_do_not() {
        let clients = Clients::new(Lookup::system());
        let minute = Duration::from_mins(1);
        for (networks, plaintext, kept) in [
            (&["10.0.0.0/8", "127.0.0.0/8"][..], false, 1),
            (&["127.0.0.0/8", "10.0.0.0/8", "10.0.0.0/8"], false, 1),
            (&["127.0.0.0/8"], false, 2),
            (&["127.0.0.0/8"], true, 3),
        ] {
            clients.fitting(&policy(networks, plaintext), minute).unwrap();
            assert_eq!(clients.made.lock().unwrap().len(), kept);
        }
    }

    #[test]
    fn a_reload_reads_the_authorities_of_the_system_anew() {
        let clients = Clients::new(Lookup::system());
        clients.fitting(&policy(&[], false), Duration::from_mins(1)).unwrap();
        clients.renew();
        assert_eq!(clients.made.lock().unwrap().len(), 0);
    }

    #[test]
    fn connecting_gives_up_before_the_deadline() {
        for (deadline, within) in
            [(30_000, 10_000), (10_000, 5000), (700, 400), (120, 100), (1, 100)]
        {
            let grants = Grants::of(&policy(&[], false), Duration::from_millis(deadline));
            assert_eq!(grants.connect_within, Duration::from_millis(within));
        }
    }
}
