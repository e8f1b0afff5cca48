//! A request of a program on its way through the proxy, and the answer as it comes back: both are streamed,
//! whatever their size. The same door as for plugins: the policy judges the address, the names are resolved
//! and their addresses judged, and no redirect is followed. It does not know which value is a secret.

use std::time::Duration;

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};
use tokio::time::timeout;

use crate::egress::audit::Trip;
use crate::egress::error::EgressError;
use crate::egress::policy::Policy;
use crate::egress::request::Method;
use crate::egress::target::Target;
use crate::egress::upload::Upload;
use crate::egress::{Gate, fault};

/// How long a provider may take to begin its answer, once it has all of the request.
const HEAD_WITHIN: Duration = Duration::from_mins(2);

/// How long a provider may send nothing in the middle of an answer. Streams of events can be quiet for long.
const SILENCE: Duration = Duration::from_mins(10);

/// A request of a program, with the token in its place. It has no `Debug`.
pub struct Passing {
    /// How.
    pub method: Method,
    /// Below which of the addresses that the manifest names; in normal form.
    pub base: String,
    /// What follows it: path and query.
    pub rest: String,
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

impl Gate {
    /// Sends `passing` if `policy` allows it, and it is none of the requests by which the plugin with the
    /// policy `plugin` gets tokens.
    pub async fn pass(
        &self,
        policy: &Policy,
        plugin: &Policy,
        passing: Passing,
    ) -> Result<Passed, EgressError> {
        let trip = Trip::start(policy, passing.method);
        let judged = judge(policy, plugin, &passing);
        match judged {
            Err(refusal) => {
                trip.refused(&refusal);
                Err(refusal)
            }
            Ok((target, route)) => {
                let host = target.host.clone();
                let result = self.forward(policy, target, passing).await;
                trip.ended(&host, &route, result.as_ref().map(|it| it.status));
                result
            }
        }
    }

    async fn forward(
        &self,
        policy: &Policy,
        target: Target,
        passing: Passing,
    ) -> Result<Passed, EgressError> {
        let client = self.0.keeping(policy)?;
        let host = target.host;
        let Passing { method, headers, length, body, .. } = passing;
        let request = client.request(method.into(), target.url).headers(headers);
        let (body, ended) = body.into_parts();
        let request = match body {
            Some(body) => sized(request, length).body(body),
            None if method.usually_has_body() => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        let late = async {
            if let Some(ended) = ended {
                // An error as well: the body is gone.
                let _ = ended.await;
            }
            tokio::time::sleep(HEAD_WITHIN).await;
        };
        let answer = tokio::select! {
            answer = request.send() => answer.map_err(|it| fault::of_sending(policy, &host, &it))?,
            () = late => return Err(fault::late(&host, "headers", HEAD_WITHIN)),
        };
        if answer.status().is_informational() {
            return Err(fault::invalid(&host, "a switch of protocols that was not asked for"));
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Passed { status, headers, host, answer, came: 0 })
    }
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

/// Where it goes and by which pattern, or the refusal.
fn judge(
    policy: &Policy,
    plugin: &Policy,
    passing: &Passing,
) -> Result<(Target, String), EgressError> {
    let target = Target::behind(&passing.base, &passing.rest);
    let target = target.map_err(|oddity| policy.odd_url(&oddity))?;
    let pattern = policy.judge(passing.method, &target, &std::collections::BTreeSet::new())?;
    let route = pattern.route();
    // Whoever names an address to its end means it.
    if pattern.is_open()
        && let Some(own) = plugin.token_request(&target)
    {
        return Err(policy.own_request(own));
    }
    Ok((target, route))
}
