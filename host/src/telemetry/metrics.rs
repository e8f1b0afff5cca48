//! Figures of this process, for Prometheus. Like the log there is one set for a process, and who has something
//! to count says so where it happens. Labels are names of the manifest and words of closed sets: how many
//! series there are does not depend on how many connections or callers there are.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::model::attempt::Outcome;

/// Of a refresh: a provider in the same town, and one that takes half a minute.
const REFRESHES: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Of a request to the API: a token from memory, and one that had to be refreshed.
const REQUESTS: [f64; 10] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Of what was due and had to wait.
const LAGS: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0];

/// How a refresh ended, and whose.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refreshed {
    provider: String,
    outcome: &'static str,
}

/// A provider of the manifest.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfProvider {
    provider: String,
}

/// A request to the API.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

/// A request through the proxy, and what the provider answered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Passed {
    provider: String,
    status: String,
}

/// A message of a channel.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Delivered {
    channel: String,
    outcome: &'static str,
}

/// Something that a sink delivers.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Written {
    sink: String,
    outcome: &'static str,
}

/// What runs.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

struct Metrics {
    registry: Registry,
    attempts: Family<Refreshed, Counter>,
    durations: Family<Refreshed, Histogram, fn() -> Histogram>,
    lag: Histogram,
    traps: Family<OfProvider, Counter>,
    served: Family<OfProvider, Counter>,
    requests: Family<Asked, Histogram, fn() -> Histogram>,
    streams: Gauge,
    passed: Family<Passed, Counter>,
    deliveries: Family<Delivered, Counter>,
    written: Family<Written, Counter>,
    reloaded: Gauge,
    reloaded_at: Gauge,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Self {
        let mut registry = Registry::with_prefix("keepfresh");
        let builds = Family::<Build, Gauge>::default();
        builds.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "The version that runs", builds);
        let (attempts, traps, served) = <(Family<_, _>, Family<_, _>, Family<_, _>)>::default();
        registry.register("refresh_attempts", "Attempts that have ended", attempts.clone());
        registry.register("plugin_faults", "Calls in which a plugin failed", traps.clone());
        registry.register("tokens_served", "Tokens that were handed out", served.clone());
        let passed = Family::<Passed, Counter>::default();
        let help = "Requests through the proxy, and the status that the provider answered with";
        registry.register("proxy_requests", help, passed.clone());
        let deliveries = Family::default();
        let help = "Tries to deliver a message of a channel";
        registry.register("alert_deliveries", help, deliveries.clone());
        let written = Family::default();
        let help = "Tries of a sink to deliver what is current of a connection";
        registry.register("sink_writes", help, written.clone());
        let durations: Family<Refreshed, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REFRESHES));
        let help = "How long attempts took, with waiting for their turn";
        registry.register_with_unit("refresh_duration", help, Unit::Seconds, durations.clone());
        let lag = Histogram::new(LAGS);
        let help = "How long what was due has waited before it was begun";
        registry.register_with_unit("scheduler_lag", help, Unit::Seconds, lag.clone());
        let (reloaded, reloaded_at) = (Gauge::default(), Gauge::default());
        let help = "Whether the manifest was valid when it was read last";
        registry.register("config_last_reload_successful", help, reloaded.clone());
        let help = "When a valid manifest was read last";
        let name = "config_last_reload_success_timestamp";
        registry.register_with_unit(name, help, Unit::Seconds, reloaded_at.clone());
        let requests: Family<Asked, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUESTS));
        let help = "How long requests to the HTTP API took";
        let http = registry.sub_registry_with_prefix("http");
        http.register_with_unit("request_duration", help, Unit::Seconds, requests.clone());
        let streams = Gauge::default();
        http.register("event_streams", "Streams of events that are open", streams.clone());
        Self {
            registry,
            attempts,
            durations,
            lag,
            traps,
            served,
            requests,
            streams,
            passed,
            deliveries,
            written,
            reloaded,
            reloaded_at,
        }
    }
}

/// There is a provider of this name: its counters begin at 0, so that the first event is an increase.
pub fn known(provider: &str) {
    let labels = OfProvider { provider: provider.to_owned() };
    drop((METRICS.traps.get_or_create(&labels), METRICS.served.get_or_create(&labels)));
    for outcome in Outcome::ALL {
        let labels = Refreshed { provider: provider.to_owned(), outcome: outcome.as_str() };
        drop((METRICS.attempts.get_or_create(&labels), METRICS.durations.get_or_create(&labels)));
    }
}

/// An attempt of `provider` has ended.
pub fn refreshed(provider: &str, outcome: Outcome, took: Duration) {
    let labels = Refreshed { provider: provider.to_owned(), outcome: outcome.as_str() };
    METRICS.attempts.get_or_create(&labels).inc();
    METRICS.durations.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A plugin has failed in a call for `provider`.
pub fn plugin_failed(provider: &str) {
    METRICS.traps.get_or_create(&OfProvider { provider: provider.to_owned() }).inc();
}

/// A token of `provider` was handed out.
pub fn served(provider: &str) {
    let labels = OfProvider { provider: provider.to_owned() };
    METRICS.served.get_or_create(&labels).inc();
}

/// A try to deliver a message of `channel` has ended so.
pub fn alert_delivered(channel: &str, outcome: &'static str) {
    let labels = Delivered { channel: channel.to_owned(), outcome };
    METRICS.deliveries.get_or_create(&labels).inc();
}

/// A try of `sink` to deliver what is current of a connection has ended so.
pub fn sink_written(sink: &str, outcome: &'static str) {
    METRICS.written.get_or_create(&Written { sink: sink.to_owned(), outcome }).inc();
}

/// Something that was due is begun so long after.
pub fn begun_after(lag: Duration) {
    METRICS.lag.observe(lag.as_secs_f64());
}

/// A request to the API was answered.
pub fn answered(method: &'static str, route: &str, status: u16, after: Duration) {
    took(method, route, status).note(after);
}

/// How long requests to the API took that were answered alike: for whoever would look for it all the time.
pub struct Took(Histogram);

impl Took {
    /// One was answered after so long.
    pub fn note(&self, after: Duration) {
        self.0.observe(after.as_secs_f64());
    }
}

/// How long requests took to this route that were answered with `status`.
pub fn took(method: &'static str, route: &str, status: u16) -> Took {
    let labels = Asked { method, route: route.to_owned(), status };
    Took(METRICS.requests.get_or_create(&labels).clone())
}

/// So many more streams of events are open.
pub fn streams(more: i64) {
    METRICS.streams.inc_by(more);
}

/// A request to `provider` has passed through the proxy, if it was answered with a status.
pub fn passed(provider: &str, status: Option<u16>) {
    let status = status.map_or_else(|| "none".to_owned(), |it| it.to_string());
    METRICS.passed.get_or_create(&Passed { provider: provider.to_owned(), status }).inc();
}

/// The manifest was read, at this second; whether it was valid.
pub fn reloaded(successfully: bool, at: i64) {
    METRICS.reloaded.set(i64::from(successfully));
    if successfully {
        METRICS.reloaded_at.set(at);
    }
}

/// All figures in the text form of `OpenMetrics`, with those of `more`.
pub fn text(more: &Registry) -> Result<String, fmt::Error> {
    let mut out = String::new();
    text::encode_registry(&mut out, &METRICS.registry)?;
    text::encode_registry(&mut out, more)?;
    text::encode_eof(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_with_names_and_units() {
        refreshed("eskiz", Outcome::Success, Duration::from_millis(300));
        plugin_failed("eskiz");
        served("eskiz");
        begun_after(Duration::from_secs(2));
        alert_delivered("ops", "delivered");
        sink_written("file:eskiz", "delivered");
        answered("GET", "/healthz", 200, Duration::from_micros(80));
        streams(2);
        streams(-1);
        reloaded(true, 1_700_000_000);
        reloaded(false, 1_800_000_000);
        let text = text(&Registry::default()).unwrap();
        for line in [
            "keepfresh_build_info{version=",
            "keepfresh_refresh_attempts_total{provider=\"eskiz\",outcome=\"success\"} 1",
            "keepfresh_refresh_duration_seconds_bucket{le=\"0.5\",provider=\"eskiz\",outcome=\"success\"} 1",
            "keepfresh_plugin_faults_total{provider=\"eskiz\"} 1",
            "keepfresh_tokens_served_total{provider=\"eskiz\"} 1",
            "keepfresh_scheduler_lag_seconds_count 1",
            "keepfresh_alert_deliveries_total{channel=\"ops\",outcome=\"delivered\"} 1",
            "keepfresh_sink_writes_total{sink=\"file:eskiz\",outcome=\"delivered\"} 1",
            "keepfresh_http_request_duration_seconds_count{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
            "keepfresh_http_event_streams 1",
            "keepfresh_config_last_reload_successful 0",
            "keepfresh_config_last_reload_success_timestamp_seconds 1700000000",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
