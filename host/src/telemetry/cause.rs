//! What a request was part of before it came here: the trace that its caller names. An attempt that comes of the
//! request becomes part of it, in whatever task it runs; `lifecycle` hands it on to the tasks that it spawns.
//! Without traces nothing is read or kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Whether there are traces.
static TRACED: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    static CAUSE: Option<SpanContext>;
}

/// There are traces from now on.
pub(super) fn matters() {
    TRACED.store(true, Ordering::Relaxed);
}

/// Does `work`, which a caller asked for who sent these headers: `traceparent` and `tracestate`.
pub async fn caused<T>(headers: [Option<&str>; 2], work: impl Future<Output = T>) -> T {
    match named(headers) {
        Some(cause) => CAUSE.scope(Some(cause), work).await,
        None => work.await,
    }
}

/// The same work with the cause of whoever makes it, in whatever task it is done.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    CAUSE.scope(current(), work)
}

/// Makes `span` a part of what the work under way was asked for by.
pub(super) fn adopt(span: &Span) {
    if let Some(cause) = current() {
        // It was just made, and nothing is in it.
        let _ = span.set_parent(Context::new().with_remote_span_context(cause));
    }
}

fn current() -> Option<SpanContext> {
    CAUSE.try_with(Clone::clone).ok().flatten()
}

/// What the headers name, if they do.
fn named([parent, state]: [Option<&str>; 2]) -> Option<SpanContext> {
    let parent = parent.filter(|_| TRACED.load(Ordering::Relaxed))?;
    let pairs = [("traceparent", Some(parent)), ("tracestate", state)];
    let pairs =
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let pairs = pairs.collect::<HashMap<_, _>>();
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &pairs);
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[tokio::test]
    async fn a_cause_is_carried_into_other_tasks_and_ends_with_its_work() {
        matters();
        let trace = || current().map(|it| it.trace_id().to_string());
        let inside = async {
            let carried = carried(async move { trace() });
            #[expect(clippy::disallowed_methods, reason = "it is awaited here")]
            let there = tokio::spawn(carried).await.unwrap();
            (trace(), there)
        };
        let (here, there) = caused([Some(PARENT), None], inside).await;
        assert_eq!(here.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!((here, trace()), (there, None));
    }

    #[test]
    fn what_is_no_trace_is_no_cause() {
        matters();
        for wrong in ["", "00", "00-0-0-01", &PARENT.replace("4bf9", "zzzz"), &PARENT[..50]] {
            assert!(named([Some(wrong), None]).is_none(), "{wrong}");
        }
        assert!(named([None, Some("a=b")]).is_none());
        assert!(named([Some(PARENT), Some("a=b")]).is_some());
    }
}
