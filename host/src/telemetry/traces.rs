//! Traces for OpenTelemetry: one for each attempt, from the wait for its turn to what is stored. Spans are made
//! here alone, of names, numbers and codes, so that nothing secret can get into one; log lines are not part of
//! them. Without a collector a span is not made at all. What is to be sent waits in a queue that drops what
//! does not fit. Does not know how it is sent: whoever starts this brings the client.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::telemetry::cause;

/// The target of all spans that are sent. The log leaves them out.
pub(super) const TARGET: &str = "keepfresh::traces";

/// What this program is called where nobody calls it otherwise.
const SERVICE: &str = "keepfresh";

/// How long the end of the process waits for what is still to be sent.
const FLUSHED_WITHIN: Duration = Duration::from_secs(3);

/// How long a collector may take for one batch when nobody says.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there are no traces although somebody wants them.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// Another way of sending them.
    #[error(
        "{variable} is `{value}`, which keepfresh does not speak, so no traces are sent; it sends http/protobuf: use a collector's HTTP port, such as http://localhost:4318, and leave {variable} unset"
    )]
    Unsupported {
        /// The variable that says so.
        variable: &'static str,
        /// What it says.
        value: String,
    },
    /// The library refuses what the environment says.
    #[error(
        "no traces are sent: a variable is not valid; OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://localhost:4318, and OTEL_EXPORTER_OTLP_HEADERS pairs of name=value"
    )]
    Invalid,
    /// There is no way to send them.
    #[error("no traces are sent: the HTTP client cannot be set up")]
    NoClient,
}

/// Traces that somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How long the collector may take for a batch.
    pub timeout: Duration,
}

impl Wanted {
    /// What the standard variables say; `variable` reads one. `None` if they name no collector.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, TracesError> {
        let said = |name: &str| variable(name).map(|it| it.trim().to_owned());
        let said = |name: &str| said(name).filter(|it| !it.is_empty());
        let first =
            |names: [&'static str; 2]| names.into_iter().find_map(|it| Some((it, said(it)?)));
        if said("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let exporter = said("OTEL_TRACES_EXPORTER");
        match exporter.as_deref() {
            None if first(ENDPOINTS).is_none() => return Ok(None),
            Some("none") => return Ok(None),
            None | Some("otlp") => {}
            Some(other) => return Err(unsupported("OTEL_TRACES_EXPORTER", other)),
        }
        if let Some((name, protocol)) = first(PROTOCOLS).filter(|(_, it)| it != "http/protobuf") {
            return Err(unsupported(name, &protocol));
        }
        let timeout = first(TIMEOUTS).and_then(|(_, it)| it.parse().ok());
        Ok(Some(Self { timeout: timeout.map_or(USUAL_TIMEOUT, Duration::from_millis) }))
    }
}

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

fn unsupported(variable: &'static str, value: &str) -> TracesError {
    TracesError::Unsupported { variable, value: value.chars().take(40).collect() }
}

/// Traces on their way out. A clone means the same ones.
#[derive(Clone, Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends traces through `client`. Where to, with which headers, and how many of them, the library reads in
    /// the standard variables.
    pub fn start(client: impl HttpClient + 'static) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_http_client(client).build();
        // What the library says quotes the value, which may hold a password.
        let exporter = exporter.map_err(|_| TracesError::Invalid)?;
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
        cause::matters();
        Ok(Self(provider.with_resource(resource()).build()))
    }

    /// Turns spans into traces; nothing else passes it.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE));
        let layer = layer.with_location(false).with_threads(false).with_target(false);
        let ours = filter_fn(is_traced).with_max_level_hint(LevelFilter::TRACE);
        layer.with_tracked_inactivity(false).with_level(false).with_filter(ours)
    }

    /// Sends what waits, if that does not take long. Whoever sends must still be there.
    pub fn end(&self) {
        // A collector that is gone has been told of.
        let _ = self.0.shutdown_with_timeout(FLUSHED_WITHIN);
    }
}

/// This program, and what the environment says of it.
fn resource() -> Resource {
    let said = Resource::builder().build().get(&SERVICE_NAME.into());
    let is_named = said.is_some_and(|it| !it.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    if is_named { resource.build() } else { resource.with_service_name(SERVICE).build() }
}

const SERVICE_NAME: &str = "service.name";

fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Wanted>, String> {
        let find = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        Wanted::read(find).map_err(|it| it.to_string())
    }

    #[test]
    fn traces_are_wanted_where_a_collector_is_named() {
        let (one, all) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
        let usual = Some(Wanted { timeout: USUAL_TIMEOUT });
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(all, " ")]), Ok(None));
        assert_eq!(read(&[(all, "http://c:4318")]), Ok(usual));
        assert_eq!(read(&[(one, "http://c:4318/v1/traces")]), Ok(usual));
        assert_eq!(read(&[("OTEL_TRACES_EXPORTER", "otlp")]), Ok(usual));
        assert_eq!(read(&[(all, "http://c"), ("OTEL_TRACES_EXPORTER", "none")]), Ok(None));
        assert_eq!(read(&[(all, "http://c"), ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        let quick = [(all, "http://c"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "250")];
        let quick = read(&quick).unwrap().unwrap();
        assert_eq!(quick.timeout, Duration::from_millis(250));
    }

    #[test]
    fn what_is_not_spoken_is_named() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
        ] {
            let error = read(&[all, (name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
