//! A request of a program on its way through the proxy, and the answer as it comes back: both are streamed,
//! whatever their size. The same door as for plugins: the policy judges the address, the names are resolved
//! and their addresses judged, and no redirect is followed. It does not know which value is a secret.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::egress::audit::Trip;
use crate::egress::error::EgressError;
use crate::egress::policy::Policy;
use crate::egress::request::Method;
use crate::egress::target::Target;
use crate::egress::upload::{Taking, Upload};
use crate::egress::{Gate, fault};

/// How long a provider may take to read the next piece of a request, and to begin its answer once it has all of it.
const HEAD_WITHIN: Duration = Duration::from_mins(2);

/// How long a provider may send nothing in the middle of an answer. Streams of events can be quiet for long.
const SILENCE: Duration = Duration::from_mins(10);

/// Where a request may go. It has no `Debug`: a token may stand in its query.
#[derive(Clone)]
pub struct Way {
    method: Method,
    target: Target,
    /// Path of the pattern that allows it.
    route: String,
}

/// A request of a program, with the token in its place. It has no `Debug`.
pub struct Passing {
    /// Where to.
    pub way: Way,
    /// Headers. Those that frame the message are not among them.
    pub headers: HeaderMap,
    /// How many bytes the body has, if that is known.
    pub length: Option<u64>,
    /// What is sent.
    pub body: Upload,
}

/// An answer that is still coming. It has no `Debug`.
pub struct Passed {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: HeaderMap,
    host: String,
    answer: reqwest::Response,
    came: u64,
}

impl Way {
    /// The way to `rest`, a path and query, below `base`, one of the addresses that the manifest names, in normal
    /// form: if `policy` allows it, and it is none of the requests by which the plugin with the policy `plugin`
    /// gets tokens.
    pub fn judged(
        policy: &Policy,
        plugin: &Policy,
        method: Method,
        base: &str,
        rest: &str,
    ) -> Result<Self, EgressError> {
        let judged = judge(policy, plugin, method, base, rest);
        judged.inspect_err(|it| Trip::start(policy, method).refused(it))
    }

    /// Its query.
    #[cfg(test)]
    pub fn query(&self) -> Option<&str> {
        self.target.url.query()
    }

    /// Adds `pair`, encoded already, to its query.
    pub fn ask_with(&mut self, pair: &str) {
        let query = match self.target.url.query() {
            Some(query) => Zeroizing::new(format!("{query}&{pair}")),
            None => Zeroizing::new(pair.to_owned()),
        };
        self.target.url.set_query(Some(&query));
    }
}

impl Gate {
    /// Sends `passing`, which `policy` allows.
    pub async fn pass(&self, policy: &Policy, passing: Passing) -> Result<Passed, EgressError> {
        let trip = Trip::start(policy, passing.way.method);
        let (host, route) = (passing.way.target.host.clone(), passing.way.route.clone());
        let result = self.forward(policy, passing).await;
        trip.ended(&host, &route, result.as_ref().map(|it| it.status));
        result
    }

    async fn forward(&self, policy: &Policy, passing: Passing) -> Result<Passed, EgressError> {
        let client = self.0.keeping(policy)?;
        let Passing { way: Way { method, target, .. }, headers, length, body } = passing;
        let host = target.host;
        let request = client.request(method.into(), target.url).headers(headers);
        let (body, taking) = body.into_parts();
        let request = match body {
            Some(body) => sized(request, length).body(body),
            None if method.usually_has_body() => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        let answer = tokio::select! {
            answer = request.send() => answer.map_err(|it| fault::of_sending(policy, &host, &it))?,
            error = late(&host, taking) => return Err(error),
        };
        if answer.status().is_informational() {
            return Err(fault::invalid(&host, "a switch of protocols that was not asked for"));
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Passed { status, headers, host, answer, came: 0 })
    }
}

/// Returns when the provider has done nothing for too long: has read no further piece of the request, or has not begun
/// its answer.
async fn late(host: &str, taking: Option<Taking>) -> EgressError {
    if let Some(mut taking) = taking {
        loop {
            match timeout(HEAD_WITHIN, taking.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_gone)) => break,
                Err(_) => return fault::unread(host, HEAD_WITHIN),
            }
        }
    }
    tokio::time::sleep(HEAD_WITHIN).await;
    fault::late(host, "headers", HEAD_WITHIN)
}

impl Passed {
    /// The next piece of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        let chunk = timeout(SILENCE, self.answer.chunk()).await;
        let chunk = chunk.map_err(|_| fault::late(&self.host, "body", SILENCE))?;
        let chunk = chunk.map_err(|error| fault::of_answer(&self.host, &error))?;
        self.came += chunk.as_ref().map_or(0, |it| it.len() as u64);
        Ok(chunk)
    }

    /// Whether anything of a body has come.
    pub fn has_body(&self) -> bool {
        self.came > 0
    }

    /// Who answers.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// A body whose length the program has said is sent with it: some servers take no other.
fn sized(request: RequestBuilder, length: Option<u64>) -> RequestBuilder {
    match length {
        Some(length) => request.header(CONTENT_LENGTH, length),
        None => request,
    }
}

fn judge(
    policy: &Policy,
    plugin: &Policy,
    method: Method,
    base: &str,
    rest: &str,
) -> Result<Way, EgressError> {
    let target = Target::behind(base, rest).map_err(|oddity| policy.odd_url(&oddity))?;
    let pattern = policy.judge(method, &target, &BTreeSet::new())?;
    // Whoever names an address to its end means it.
    if pattern.is_open()
        && let Some(own) = plugin.token_request(&target)
    {
        return Err(policy.own_request(own));
    }
    Ok(Way { method, route: pattern.route(), target })
}
