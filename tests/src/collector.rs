//! A collector of OpenTelemetry traces: takes what the program sends over OTLP, reads it, and keeps every byte.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span as Sent;
use prost::Message as _;
use tokio::runtime::Runtime;

/// A collector at a port of its own, until it is dropped.
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
    _runtime: Runtime,
}

/// What has come.
#[derive(Default)]
struct Taken {
    status: Option<StatusCode>,
    spans: Vec<Span>,
    resource: BTreeMap<String, String>,
    requests: Vec<(HeaderMap, Bytes)>,
}

/// A span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Of the whole trace, in hexadecimal digits.
    pub trace: String,
    /// Its own.
    pub id: String,
    /// Of the span that it is part of; empty for the first one.
    pub parent: String,
    /// What it is called.
    pub name: String,
    /// Its kind as a number: 1 within the program, 3 a request.
    pub kind: i32,
    /// Nanoseconds since 1970.
    pub from: u64,
    /// Nanoseconds since 1970.
    pub to: u64,
    /// Whether it failed.
    pub failed: bool,
    /// What it says, as text.
    pub attributes: BTreeMap<String, String>,
    /// Log lines in it.
    pub events: usize,
}

impl Collector {
    /// One that takes everything.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let taken = Arc::<Mutex<Taken>>::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&taken));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, taken, _runtime: runtime }
    }

    /// Answers so from now on, and keeps nothing unless that is a success.
    pub fn answer(&self, status: u16) {
        self.lock().status = StatusCode::from_u16(status).ok();
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// What is said of the program.
    pub fn resource(&self) -> BTreeMap<String, String> {
        self.lock().resource.clone()
    }

    /// Every request with its body, as it came.
    pub fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.lock().requests.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(
    State(taken): State<Arc<Mutex<Taken>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    taken.requests.push((headers, body.clone()));
    let status = taken.status.unwrap_or(StatusCode::OK);
    if !status.is_success() {
        return status;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    for of_resource in request.resource_spans {
        taken.resource = texts(of_resource.resource.unwrap_or_default().attributes);
        let spans = of_resource.scope_spans.into_iter().flat_map(|it| it.spans);
        taken.spans.extend(spans.map(span));
    }
    status
}

fn span(sent: Sent) -> Span {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, it| hex + &format!("{it:02x}"));
    Span {
        trace: hex(&sent.trace_id),
        id: hex(&sent.span_id),
        parent: hex(&sent.parent_span_id),
        name: sent.name,
        kind: sent.kind,
        from: sent.start_time_unix_nano,
        to: sent.end_time_unix_nano,
        failed: sent.status.is_some_and(|it| it.code == 2),
        attributes: texts(sent.attributes),
        events: sent.events.len(),
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|it| it.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|it| (it.key, text(it.value))).collect()
}
