//! What a running call may touch: the `T` in `Store<T>`. Made afresh for every call and dropped after
//! it, so that nothing passes from one connection to another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::warn;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::egress::{EgressError, Gate, Policy};
use crate::model::failure::{Case, Failure};
use crate::sandbox::budget::Budget;
use crate::sandbox::handle::{Handle, Origin};
use crate::sandbox::journal::Journal;
use crate::sandbox::known::Known;
use crate::sandbox::labels::Labels;
use crate::sandbox::limits::{
    Limiter, MAX_COMPOSED, MAX_HANDLES, MAX_KNOWN, MAX_LOG_LINES, MAX_RANDOM, Stopped,
};
use crate::sandbox::rules::Rules;

/// How long what a call came to is looked at for secrets. Only a plugin that is made to be slow gets
/// there, and what has not been looked at by then is refused or struck out.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Everything that the imports of one call work on.
pub(super) struct CallState {
    wasi: WasiCtx,
    pub(super) table: ResourceTable,
    pub(super) limiter: Limiter,
    pub(super) budget: Budget,
    pub(super) plugin: String,
    pub(super) connection: String,
    pub(super) known: Known,
    pub(super) rules: Arc<Rules>,
    pub(super) network: Option<Network>,
    pub(super) log_lines: u32,
    /// What the last request came to, if it came to nothing: the host knows better than the plugin.
    pub(super) trouble: Option<EgressError>,
    /// Set while a request may have been acted on and no answer to it is durable.
    pub(super) unanswered: bool,
    /// Why the host ended the call, when it knows better than the trap that follows.
    pub(super) ended: Option<Failure>,
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
        rules: Arc<Rules>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self {
            wasi: empty_wasi(now),
            table,
            limiter: Limiter::new(memory),
            budget: Budget::default(),
            plugin: plugin.to_owned(),
            connection: connection.to_owned(),
            known: Known::default(),
            rules,
            network: None,
            log_lines: 0,
            trouble: None,
            unanswered: false,
            ended: None,
        }
    }

    /// A handle for a secret that the operator or the host gives.
    pub(super) fn lend(
        &mut self,
        secret: &SecretString,
        labels: Labels,
    ) -> wasmtime::Result<Resource<Handle>> {
        self.learn(secret.expose_secret(), labels, true)?;
        self.push(Handle::new(secret.clone(), labels, Origin::Made))
    }

    /// A handle for what the provider sent, now or earlier. A value in which the provider repeats what
    /// it got is no word of its own, and goes no further than what is in it.
    pub(super) fn take(
        &mut self,
        secret: SecretString,
        labels: Labels,
    ) -> wasmtime::Result<Resource<Handle>> {
        let bytes = secret.expose_secret().len();
        if bytes > MAX_COMPOSED {
            return Err(Stopped::Taken { bytes }.into());
        }
        let traces = self.known.made_in(secret.expose_secret());
        let origin = if traces.has_made { Origin::Made } else { Origin::Provider };
        let labels = labels.and(traces.labels);
        self.learn(secret.expose_secret(), labels, traces.has_made)?;
        self.push(Handle::new(secret, labels, origin))
    }

    /// Strikes `text` out of everything from now on.
    pub(super) fn learn(
        &mut self,
        text: &str,
        labels: Labels,
        is_made: bool,
    ) -> Result<(), Stopped> {
        if self.rules.stands_in_clear(text) {
            return Ok(());
        }
        let before = self.known.count();
        self.known.learn(text, labels, is_made);
        let new = self.known.count() > before;
        if self.known.count() > MAX_KNOWN {
            return Err(Stopped::Known);
        }
        if new { self.budget.hold(text.len()) } else { Ok(()) }
    }

    /// A place in the table for `handle`.
    pub(super) fn push(&mut self, handle: Handle) -> wasmtime::Result<Resource<Handle>> {
        self.budget.hold(handle.size())?;
        Ok(self.table.push(handle)?)
    }

    /// Begins to work for the plugin, for no longer than it has time left.
    pub(super) fn begin_work(&mut self) -> Instant {
        let start = Instant::now();
        self.known.give_up_at(Some(start + self.budget.left()));
        start
    }

    /// Ends it, on the plugin's time.
    pub(super) fn end_work(&mut self, start: Instant) -> Result<(), Stopped> {
        self.known.give_up_at(None);
        self.budget.work(start)
    }

    /// Looks at what a call came to. It is over, so this is on nobody's time, and has an end of its own.
    pub(super) fn look_over<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        self.known.give_up_at(Some(Instant::now() + LONGEST_LOOK));
        let seen = look(self);
        self.known.give_up_at(None);
        seen
    }

    /// Ends the call for a fault of the plugin that has a name.
    pub(super) fn end(&mut self, code: &'static str, message: String) -> wasmtime::Error {
        self.end_with(Failure::new(Case::PluginFault, code, message))
    }

    /// Ends the call for this reason.
    pub(super) fn end_with(&mut self, failure: Failure) -> wasmtime::Error {
        let error = wasmtime::Error::msg(failure.message.clone());
        self.ended = Some(failure);
        error
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
