//! The one way out. Every request of a plugin passes one pipeline: parse, match, resolve, judge the
//! addresses, dial exactly those, read under caps. It knows policies and bytes; it does not know
//! which value is a secret, what a provider means, and when to try again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, debug};

use crate::egress::audit::Trip;
use crate::egress::client::Clients;
use crate::egress::outgoing::Outgoing;
use crate::telemetry::spans;

pub use arrival::Arrival;
pub use collector::Collector;
pub use error::EgressError;
pub use headers::{Meaning, folded, meaning};
pub use lookup::Lookup;
pub use passing::{Passed, Passing, Way};
pub use pattern::{Pattern, PatternError};
pub use policy::Policy;
pub use request::{Body, Method, Request};
pub use response::Response;
pub use reuse::SENT_AGAIN_WITHIN;
pub use ungranted::Ungranted;
pub use upload::Upload;

/// The longest body that goes out, in bytes.
pub const LONGEST_BODY: usize = outgoing::LONGEST_BODY;

/// The longest URL, query included, in bytes.
pub const LONGEST_URL: usize = target::LONGEST_URL;

/// The longest headers together, in bytes.
pub const LONGEST_HEADERS: usize = headers::MOST_BYTES;

/// The special address ranges, and what people call them.
pub mod addresses;

/// An answer as it came.
mod arrival;

/// One log line for each request.
mod audit;

/// The HTTP clients, one for each set of grants.
mod client;

/// The way to a collector of traces.
mod collector;

/// Undoing a provider's compression, under caps.
mod decode;

/// Why no response came.
mod error;

/// Settings filled into a pattern.
mod expansion;

/// What an error of the HTTP client means for the request.
mod fault;

/// Which headers a plugin may set.
mod headers;

/// Names to addresses, checked before they are dialled.
mod lookup;

/// A request that policy let through.
mod outgoing;

/// The parts of a request that are compared.
mod part;

/// A request of a program through the proxy.
mod passing;

/// Its body.
mod upload;

/// Proxies of the environment.
pub mod proxy;

/// What a plugin may contact.
mod pattern;

/// The decision about one request.
mod policy;

/// The manifest line that would allow what was refused.
mod remedy;

/// What a plugin asks for.
mod request;

/// What came back.
mod response;

/// Requests on connections that are kept.
mod reuse;

/// A URL that means to us what it means to the server.
mod target;

/// What is declared and lacks a grant.
mod ungranted;

#[cfg(test)]
mod tests;

/// The door. A clone is cheap and shares the clients.
#[derive(Clone)]
pub struct Gate(Arc<Clients>);

impl Gate {
    /// A gate that finds addresses with `lookup`.
    pub fn new(lookup: Lookup) -> Self {
        Self(Arc::new(Clients::new(lookup)))
    }

    /// A gate that asks the system's resolver.
    pub fn system() -> Self {
        Self::new(Lookup::system())
    }

    /// Forgets the clients: the next request is sent with the authorities that the system trusts then.
    pub fn renew(&self) {
        self.0.renew();
    }

    /// Whether `policy` allows a request with the secrets of these names in it, asked before there is one: the
    /// declaration that says so.
    pub fn admit<'a>(
        &self,
        policy: &'a Policy,
        method: Method,
        url: &str,
        carries: &BTreeSet<String>,
    ) -> Result<&'a Pattern, EgressError> {
        let admitted = policy.admits(method, url, carries);
        admitted.inspect_err(|refusal| Trip::start(policy, method).refused(refusal))
    }

    /// Sends `request` if `policy` allows it and returns the answer as it came, whatever its status.
    /// `deadline` covers everything, from the name lookup to the last byte of the body. Whoever drops
    /// the future instead cannot know whether the request was sent.
    pub async fn send(
        &self,
        policy: &Policy,
        request: Request,
        deadline: Duration,
    ) -> Result<Arrival, EgressError> {
        let method = request.method;
        let trip = Trip::start(policy, method);
        match Outgoing::check(policy, request) {
            Err(refusal) => {
                trip.refused(&refusal);
                Err(refusal)
            }
            Ok(outgoing) => {
                let (host, route) = (outgoing.host.clone(), outgoing.route.clone());
                let span = spans::request(&method, &host, &route);
                let exchange = self.exchange(policy, outgoing, deadline);
                let result = exchange.instrument(span.clone()).await;
                match &result {
                    Ok(arrival) => spans::answered(&span, arrival.status, arrival.body.len()),
                    Err(error) => spans::failed(&span, &error.code()),
                }
                trip.ended(&host, &route, result.as_ref().map(|it| it.status));
                result
            }
        }
    }

    async fn exchange(
        &self,
        policy: &Policy,
        outgoing: Outgoing,
        deadline: Duration,
    ) -> Result<Arrival, EgressError> {
        let end = Instant::now() + deadline;
        let host = outgoing.host.clone();
        let asked = timeout_at(end, self.ask(policy, outgoing, deadline)).await;
        let answer = asked.unwrap_or_else(|_| Err(fault::late(&host, "headers", deadline)))?;
        response::read(&host, answer, end, deadline).await
    }

    /// The head of the answer. What may arrive twice goes on a connection that is kept, if one is there; when that turns
    /// out to be dead, it is sent once more on one of its own.
    async fn ask(
        &self,
        policy: &Policy,
        outgoing: Outgoing,
        deadline: Duration,
    ) -> Result<reqwest::Response, EgressError> {
        let (host, repeatable) = (outgoing.host.clone(), outgoing.repeatable);
        let failed = |error: reqwest::Error| fault::of_sending(policy, &host, &error);
        if !repeatable {
            let client = self.0.fitting(policy, deadline)?;
            return outgoing.into_builder(&client).send().await.map_err(failed);
        }
        let keeping = self.0.keeping_briefly(policy, deadline)?;
        let request = outgoing.into_builder(&keeping).build().map_err(failed)?;
        if let Some(copy) = request.try_clone() {
            let sending = async { keeping.execute(copy).await.map_err(failed) };
            let begun = Instant::now();
            let (came, was_kept) = reuse::noting(sending).await;
            if !was_kept || begun.elapsed() > SENT_AGAIN_WITHIN || !reuse::is_stale(&came) {
                return came;
            }
            debug!("a connection to {host} that was kept had ended; asking again on a new one");
            let again = self.alone(policy, request, deadline).await;
            return reuse::the_more_certain(came, again);
        }
        self.alone(policy, request, deadline).await
    }

    /// The head of the answer to a request that has a connection of its own.
    async fn alone(
        &self,
        policy: &Policy,
        request: reqwest::Request,
        deadline: Duration,
    ) -> Result<reqwest::Response, EgressError> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let client = self.0.fitting(policy, deadline)?;
        let came = client.execute(request).await;
        came.map_err(|error| fault::of_sending(policy, &host, &error))
    }
}
