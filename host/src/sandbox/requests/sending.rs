//! The host's side of `http`: a request described with handles becomes a real one at the door, and
//! the answer is durable before the plugin sees it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use wasmtime::component::Resource;

use crate::egress::{self, EgressError};
use crate::model::code;
use crate::model::exchange::Exchange;
use crate::sandbox::answers::answer::{Answer, Shape};
use crate::sandbox::answers::sealing::reads::Reads;
use crate::sandbox::bindings::imports::http;
use crate::sandbox::calling::call::EGRESS_MARGIN;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::secrets::handle::Handle;
use crate::sandbox::secrets::known::Known;

/// What a secret out of an answer is called.
const ANSWER: &str = "answer";

impl http::Host for CallState {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<Resource<Answer>, http::Failure>> {
        let start = self.begin_work();
        let prepared = self.prepare(&request)?;
        self.end_work(start)?;
        let sent = match prepared {
            Ok(prepared) => self.pass(prepared).await?,
            Err(denied) => Err(denied),
        };
        match sent {
            Ok(response) => self.receive(response).map(Ok),
            Err(error) => {
                let told = failure(&error);
                self.trouble = Some(error);
                Ok(Err(told))
            }
        }
    }
}

/// A request that is ready, its place in the call, and the name that a replay finds it by.
struct Prepared {
    request: egress::Request,
    seq: u32,
    name: String,
    /// Where it goes, as the plugin declares it.
    address: String,
    /// Who is asked, for people.
    host: String,
    /// Whether it carries a secret: only such a request can use up a token.
    spends: bool,
}

impl CallState {
    /// Refuses what is too much or not allowed, then puts the plaintext in.
    fn prepare(
        &mut self,
        request: &http::Request,
    ) -> wasmtime::Result<Result<Prepared, EgressError>> {
        let Some(network) = &mut self.network else {
            return Ok(Err(denied(
                code::Egress::Denied,
                "this call may not use the network".to_owned(),
            )));
        };
        let seq = network.requests;
        network.requests += 1;
        let most = network.most_requests;
        if seq >= most {
            let message = format!("{} made more than {most} requests in one call", self.plugin);
            return Ok(Err(denied(code::Egress::TooManyRequests, message)));
        }
        let (method, carries) = (method(request.method), self.carried(request)?);
        let Some(network) = &self.network else { wasmtime::bail!("no network") };
        let admitted = network.gate.admit(&network.policy, method, &request.url, &carries);
        let address = match admitted {
            Ok(declared) => declared.address(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.judge_length(request)? {
            return Ok(Err(refusal));
        }
        let url = request.url.split('?').next().unwrap_or_default();
        let name = format!("{} {}", method.as_str(), self.known.strike(url));
        let spends = !carries.is_empty();
        let (placed, host) = (self.place(method, request, carries)?, host(url));
        Ok(placed.map(|request| Prepared { request, seq, name, address, host, spends }))
    }

    /// Sends, or recalls; makes what arrived durable, and only then looks at it.
    async fn pass(
        &mut self,
        prepared: Prepared,
    ) -> wasmtime::Result<Result<egress::Response, EgressError>> {
        let Some(network) = &self.network else { wasmtime::bail!("no network") };
        let (journal, deadline) = (Arc::clone(&network.journal), self.deadline.clone());
        let Prepared { request, seq, name, address, host, spends } = prepared;
        if let Some(arrival) = journal.recall(&name).map_err(|it| self.end_with(it))? {
            self.answered(spends, arrival.status);
            return Ok(arrival.open(&host));
        }
        if spends {
            let departs = deadline.stands_still(journal.depart(seq, &name)).await;
            departs.map_err(|it| self.end_with(it))?;
        }
        let doubted = self.unanswered;
        self.unanswered |= spends;
        let (begun, leaves) = (Instant::now(), leaving(&request, address));
        let sent = self.deliver(request).await?;
        self.note(leaves, &sent, begun.elapsed());
        if let Ok(_) | Err(EgressError::Denied { .. } | EgressError::NotSent { .. }) = &sent {
            // What an earlier request has left in doubt, no other answer settles.
            self.unanswered = doubted;
        }
        let kept = match &sent {
            Ok(arrival) => {
                self.answered(spends, arrival.status);
                deadline.stands_still(journal.capture(seq, &name, arrival)).await
            }
            Err(_) if self.unanswered && !doubted => {
                deadline.stands_still(journal.doubt(seq, &name)).await
            }
            Err(_) => Ok(()),
        };
        kept.map_err(|it| self.end_with(it))?;
        Ok(sent.and_then(|it| it.open(&host)))
    }

    async fn deliver(
        &mut self,
        request: egress::Request,
    ) -> wasmtime::Result<Result<egress::Arrival, EgressError>> {
        let Some(network) = &self.network else { wasmtime::bail!("no network") };
        let left = self.deadline.left().saturating_sub(EGRESS_MARGIN);
        let repeatable = network.journal.is_repeatable() && !spends_an_answer(&request.carries);
        let request = egress::Request { repeatable, ..request };
        Ok(network.gate.send(&network.policy, request, left).await)
    }

    /// What the provider did, whatever the plugin makes of it.
    fn note(&self, leaves: Exchange, sent: &Result<egress::Arrival, EgressError>, took: Duration) {
        let Some(network) = &self.network else { return };
        // Nothing was sent.
        if let Err(EgressError::Denied { .. }) = sent {
            return;
        }
        network.heard.note_request(took);
        let answer = sent.as_ref().ok();
        if let Some(answer) = answer {
            network.heard.note_answer(answer, network.now);
        }
        network.heard.note_exchange(Exchange {
            status: answer.map(|it| it.status),
            received_bytes: answer.map_or(0, |it| it.body.len() as u64),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ..leaves
        });
    }

    fn answered(&mut self, spends: bool, status: u16) {
        if spends {
            self.spent = Some(status);
        }
    }

    /// A handle for an answer.
    pub(in crate::sandbox) fn receive(
        &mut self,
        response: egress::Response,
    ) -> wasmtime::Result<Resource<Answer>> {
        let start = self.begin_work();
        self.trouble = None;
        let answer = Answer::new(response);
        self.budget.hold(answer.size())?;
        self.end_work(start)?;
        Ok(self.table.push(answer)?)
    }

    /// Reads an answer, on the time of the call.
    fn look<T>(
        &mut self,
        this: &Resource<Answer>,
        read: impl FnOnce(&Answer, &Reads, &mut Known) -> T,
    ) -> wasmtime::Result<T> {
        let start = self.begin_work();
        let answer = self.table.get(this)?;
        let seen = read(answer, &self.rules.reads, &mut self.known);
        self.end_work(start)?;
        Ok(seen)
    }

    /// A handle for what an answer held.
    fn taken(
        &mut self,
        secret: Option<SecretString>,
    ) -> wasmtime::Result<Option<Resource<Handle>>> {
        let start = self.begin_work();
        let label = self.rules.names.label(ANSWER);
        let handle = secret.map(|it| self.take(it, label)).transpose()?;
        self.end_work(start)?;
        Ok(handle)
    }
}

/// What is known of a request before it has left.
fn leaving(request: &egress::Request, address: String) -> Exchange {
    Exchange {
        method: request.method.to_string(),
        address,
        status: None,
        sent_bytes: request.body.size() as u64,
        received_bytes: 0,
        took_ms: 0,
    }
}

/// The host of an address that policy let through.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned()
}

/// Whether what an earlier answer brought is in a request: that may be good for one use, whatever the refresh token is.
fn spends_an_answer(carries: &BTreeSet<String>) -> bool {
    carries.contains(ANSWER)
}

fn method(method: http::Method) -> egress::Method {
    match method {
        http::Method::Get => egress::Method::Get,
        http::Method::Post => egress::Method::Post,
        http::Method::Put => egress::Method::Put,
        http::Method::Patch => egress::Method::Patch,
        http::Method::Delete => egress::Method::Delete,
    }
}

fn denied(code: code::Egress, message: String) -> EgressError {
    EgressError::denied(code, message)
}

fn failure(error: &EgressError) -> http::Failure {
    let text = error.to_string();
    match error {
        EgressError::Denied { .. } => http::Failure::Denied(text),
        EgressError::NotSent { .. } => http::Failure::NotSent(text),
        EgressError::InDoubt { .. } => http::Failure::InDoubt(text),
        EgressError::Unreadable { .. } => http::Failure::Unreadable(text),
    }
}

impl http::HostResponse for CallState {
    fn status(&mut self, this: Resource<Answer>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&this)?.status())
    }

    fn shape(&mut self, this: Resource<Answer>) -> wasmtime::Result<http::Shape> {
        Ok(match self.table.get(&this)?.shape() {
            Shape::Empty => http::Shape::Empty,
            Shape::Json => http::Shape::Json,
            Shape::QuotedWord => http::Shape::QuotedWord,
            Shape::BrokenJson => http::Shape::BrokenJson,
            Shape::Markup => http::Shape::Markup,
            Shape::Word => http::Shape::Word,
            Shape::Text => http::Shape::Text,
            Shape::Binary => http::Shape::Binary,
        })
    }

    fn header(&mut self, this: Resource<Answer>, name: String) -> wasmtime::Result<Option<String>> {
        self.look(&this, |answer, reads, known| answer.header(&name, reads, known))
    }

    fn secret_header(
        &mut self,
        this: Resource<Answer>,
        name: String,
    ) -> wasmtime::Result<Option<Resource<Handle>>> {
        let secret = self.table.get(&this)?.secret_header(&name);
        self.taken(secret)
    }

    fn json(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<String>> {
        self.look(&this, |answer, reads, known| answer.json(&pointer, reads, known))
    }

    fn text(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<String>> {
        self.look(&this, |answer, reads, known| answer.text(&pointer, reads, known))
    }

    fn secret(
        &mut self,
        this: Resource<Answer>,
        pointer: String,
    ) -> wasmtime::Result<Option<Resource<Handle>>> {
        let secret = self.table.get(&this)?.secret(&pointer);
        self.taken(secret)
    }

    fn drop(&mut self, this: Resource<Answer>) -> wasmtime::Result<()> {
        let answer = self.table.delete(this)?;
        self.budget.release(answer.size());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::secrets::labels::{Labels, Names};

    #[test]
    fn what_an_answer_brought_is_not_sent_twice() {
        let names = Names::new(["pin"]);
        let carries = |all: &[&str]| {
            let labels = all.iter().map(|it| names.label(it));
            names.of(labels.fold(Labels::default(), Labels::and))
        };
        assert!(!spends_an_answer(&carries(&["refresh-token", "pin"])));
        assert!(spends_an_answer(&carries(&["refresh-token", "answer"])));
    }
}
