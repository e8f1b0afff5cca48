//! What a running call may touch: the `T` in `Store<T>`. Made afresh for every call and dropped after
//! it, so that nothing passes from one connection to another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::egress::{EgressError, Gate, Policy};
use crate::model::failure::Failure;
use crate::sandbox::journal::Journal;
use crate::sandbox::limits::{Limiter, MAX_HANDLES, MAX_LOG_LINES, MAX_RANDOM};
use crate::sandbox::redact::Redactor;
use crate::sandbox::sealing::Sealer;
use crate::sandbox::secrets::Handle;

/// Everything that the imports of one call work on.
pub(super) struct CallState {
    wasi: WasiCtx,
    pub(super) table: ResourceTable,
    pub(super) limiter: Limiter,
    pub(super) plugin: String,
    pub(super) connection: String,
    pub(super) known: Redactor,
    pub(super) sealer: Sealer,
    pub(super) network: Option<Network>,
    pub(super) log_lines: u32,
    pub(super) ticks: u64,
    /// What the last request came to, if it came to nothing: the host knows better than the plugin.
    pub(super) trouble: Option<EgressError>,
    /// Set while a request may have been acted on and no answer to it is durable.
    pub(super) unanswered: bool,
    /// Set when this machine failed, and the call was ended for that.
    pub(super) host_failure: Option<Failure>,
}

/// The way out of one call.
pub(super) struct Network {
    pub(super) gate: Gate,
    pub(super) policy: Arc<Policy>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) requests: u32,
    pub(super) most_requests: u32,
    pub(super) deadline: Instant,
}

impl CallState {
    /// The state of a call of `plugin` that sees the time `now` and may use `memory` bytes.
    pub(super) fn new(
        plugin: &str,
        connection: &str,
        now: Timestamp,
        memory: u64,
        sealer: Sealer,
        known: Redactor,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self {
            wasi: empty_wasi(now),
            table,
            limiter: Limiter::new(memory),
            plugin: plugin.to_owned(),
            connection: connection.to_owned(),
            known,
            sealer,
            network: None,
            log_lines: 0,
            ticks: 0,
            trouble: None,
            unanswered: false,
            host_failure: None,
        }
    }

    /// A handle for `secret`, which is struck out of everything from now on.
    pub(super) fn hand_out(&mut self, secret: SecretString) -> wasmtime::Result<Resource<Handle>> {
        self.known.learn(&secret);
        Ok(self.table.push(Handle(secret))?)
    }

    pub(super) fn expose(&self, handle: &Resource<Handle>) -> wasmtime::Result<&str> {
        Ok(self.table.get(handle)?.0.expose_secret())
    }
}

impl Drop for CallState {
    fn drop(&mut self) {
        let dropped = self.log_lines.saturating_sub(MAX_LOG_LINES);
        if dropped > 0 {
            let plugin = self.plugin.as_str();
            warn!(
                error.code = "plugin.log_limited",
                plugin.name = plugin,
                "{plugin}: {dropped} more log lines dropped"
            );
        }
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// WASI as language runtimes want to find it, with nothing in it: no environment, no arguments, no
/// files, no sockets, and output that goes nowhere.
fn empty_wasi(now: Timestamp) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder
        .max_random_size(MAX_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .wall_clock(HostTime { start: now, since: Instant::now() });
    builder.build()
}

/// The time that the host says it is, going on from there: a replayed answer is read at the time it
/// came, and a test's clock holds for plugins too.
struct HostTime {
    start: Timestamp,
    since: Instant,
}

impl HostWallClock for HostTime {
    /// Coarse on purpose: a fine clock is a measuring instrument.
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        let start = u64::try_from(self.start.as_millisecond()).unwrap_or_default();
        let elapsed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or_default();
        Duration::from_millis(start + elapsed)
    }
}
