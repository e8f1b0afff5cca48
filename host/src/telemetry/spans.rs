//! The spans of a trace, each with the only attributes that it can have: names, numbers and codes. Other code
//! takes a span from here and says how it went; so nothing that is secret can get into one. A span that nobody
//! collects is not made, and saying how it went then costs nothing.

use std::fmt::Display;

use tracing::field::Empty;
use tracing::{Instrument as _, Span, trace_span};

use crate::model::attempt::{Attempt, Outcome, Trigger};
use crate::model::code::Code;
use crate::model::failure::Failure;
use crate::model::id::AttemptId;
use crate::telemetry::cause;
use crate::telemetry::traces::TARGET;

/// What is known of an attempt when it begins.
pub struct Begun<'a> {
    /// What it does: `token.refresh` or `token.connect`.
    pub name: &'static str,
    /// `provider/name`.
    pub connection: &'a str,
    /// The provider's name in the manifest.
    pub provider: &'a str,
    /// The plugin's name and version.
    pub plugin: (&'a str, &'a str),
    /// The id of the attempt.
    pub attempt: AttemptId,
    /// How many tries there were since the last success, with this one.
    pub number: u32,
    /// Why it was begun.
    pub trigger: Trigger,
}

/// A whole attempt: the root of its trace. `work` gives none where somebody else was faster.
pub async fn attempt(
    begun: &Begun<'_>,
    work: impl Future<Output = Result<Option<Attempt>, Failure>>,
) -> Result<Option<Attempt>, Failure> {
    let span = root(begun);
    let ended = work.instrument(span.clone()).await;
    match &ended {
        Ok(Some(attempt)) => {
            span.record("keepfresh.outcome", attempt.outcome().map(Outcome::as_str));
            span.record("keepfresh.generation", attempt.generation);
            if let Some(error) = attempt.error() {
                failed(&span, &error.code);
            }
        }
        Ok(None) => {}
        Err(failure) => failed(&span, &failure.code),
    }
    ended
}

fn root(begun: &Begun<'_>) -> Span {
    let span = trace_span!(
        target: TARGET,
        parent: None,
        "attempt",
        otel.name = begun.name,
        keepfresh.connection.id = begun.connection,
        keepfresh.provider.name = begun.provider,
        keepfresh.plugin.name = begun.plugin.0,
        keepfresh.plugin.version = begun.plugin.1,
        keepfresh.attempt.id = %begun.attempt,
        keepfresh.attempt.number = begun.number,
        keepfresh.trigger = begun.trigger.as_str(),
        keepfresh.outcome = Empty,
        keepfresh.generation = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    );
    cause::adopt(&span);
    span
}

/// It ended with that error.
pub fn failed(span: &Span, code: &Code) {
    span.record("error.type", code.text());
    span.record("otel.status_code", "ERROR");
}

/// Waiting for a place among those who ask, and for the provider's rate.
pub fn wait() -> Span {
    trace_span!(target: TARGET, "wait")
}

/// Writing the intent.
pub fn claim() -> Span {
    trace_span!(target: TARGET, "claim")
}

/// A call of a plugin: `refresh` or `login`.
pub async fn call<T>(
    export: &'static str,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let span = trace_span!(
        target: TARGET,
        "plugin.call",
        keepfresh.plugin.call = export,
        error.type = Empty,
        otel.status_code = Empty,
    );
    let called = call.instrument(span.clone()).await;
    called.inspect_err(|failure| failed(&span, &failure.code))
}

/// A request of a plugin. `route` is the path as the plugin declares it, without what is filled in.
pub fn request(method: &dyn Display, host: &str, route: &str) -> Span {
    trace_span!(
        target: TARGET,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "client",
        http.request.method = %method,
        server.address = host,
        url.template = route,
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    )
}

/// What came.
pub fn answered(span: &Span, status: u16, bytes: usize) {
    span.record("http.response.status_code", status);
    span.record("http.response.body.size", bytes);
    if status >= 400 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Making an answer durable.
pub fn capture() -> Span {
    trace_span!(target: TARGET, "capture")
}

/// Storing what came of it.
pub fn commit() -> Span {
    trace_span!(target: TARGET, "commit")
}
