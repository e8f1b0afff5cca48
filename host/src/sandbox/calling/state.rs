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
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::sandbox::calling::journal::Journal;
use crate::sandbox::calling::rules::Rules;
use crate::sandbox::machine::budget::Budget;
use crate::sandbox::machine::deadline::Deadline;
use crate::sandbox::machine::limits::{
    Limiter, MAX_COMPOSED, MAX_HANDLES, MAX_KNOWN, MAX_LOG_LINES, MAX_RANDOM, Stopped,
};
use crate::sandbox::secrets::handle::{Handle, Origin};
use crate::sandbox::secrets::known::Known;
use crate::sandbox::secrets::labels::Labels;

/// How long what a call came to is looked at for secrets. Only a plugin that is made to be slow gets
/// there, and what has not been looked at by then is refused or struck out.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Everything that the imports of one call work on.
pub(in crate::sandbox) struct CallState {
    wasi: WasiCtx,
    pub(in crate::sandbox) table: ResourceTable,
    pub(in crate::sandbox) limiter: Limiter,
    pub(in crate::sandbox) budget: Budget,
    pub(in crate::sandbox) deadline: Deadline,
    pub(in crate::sandbox) plugin: String,
    pub(in crate::sandbox) connection: String,
    pub(in crate::sandbox) known: Known,
    pub(in crate::sandbox) rules: Arc<Rules>,
    pub(in crate::sandbox) network: Option<Network>,
    pub(in crate::sandbox) log_lines: u32,
    /// What the last request came to, if it came to nothing: the host knows better than the plugin.
    pub(in crate::sandbox) trouble: Option<EgressError>,
    /// Set while a request may have been acted on and no answer to it is durable.
    pub(in crate::sandbox) unanswered: bool,
    /// The status of the last answer to a request that may have spent something.
    pub(in crate::sandbox) spent: Option<u16>,
    /// Why the host ended the call, when it knows better than the trap that follows.
    pub(in crate::sandbox) ended: Option<Failure>,
}

/// The way out of one call.
pub(in crate::sandbox) struct Network {
    pub(in crate::sandbox) gate: Gate,
    pub(in crate::sandbox) policy: Arc<Policy>,
    pub(in crate::sandbox) journal: Arc<dyn Journal>,
    pub(in crate::sandbox) requests: u32,
    pub(in crate::sandbox) most_requests: u32,
}

impl CallState {
    /// The state of a call of `plugin` that sees the time `now` and may use `memory` bytes.
    pub(in crate::sandbox) fn new(
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
            deadline: Deadline::after(Duration::ZERO),
            plugin: plugin.to_owned(),
            connection: connection.to_owned(),
            known: Known::default(),
            rules,
            network: None,
            log_lines: 0,
            trouble: None,
            unanswered: false,
            spent: None,
            ended: None,
        }
    }

    /// A handle for a secret that the operator or the host gives.
    pub(in crate::sandbox) fn lend(
        &mut self,
        secret: &SecretString,
        labels: Labels,
    ) -> wasmtime::Result<Resource<Handle>> {
        self.learn(secret.expose_secret(), labels, true)?;
        self.push(Handle::new(secret.clone(), labels, Origin::Made))
    }

    /// A handle for what the provider sent, now or earlier. A value in which the provider repeats what
    /// it got is no word of its own, and goes no further than what is in it.
    pub(in crate::sandbox) fn take(
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
        // A token that comes back is what an answer held. If it were more, a plugin that stores a guess as
        // its token could tell from where the next answer may go whether it was right.
        let labels = labels.and(traces.labels.without(self.rules.names.tokens()));
        self.learn(secret.expose_secret(), labels, traces.has_made)?;
        self.push(Handle::new(secret, labels, origin))
    }

    /// Strikes `text` out of everything from now on.
    pub(in crate::sandbox) fn learn(
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
    pub(in crate::sandbox) fn push(
        &mut self,
        handle: Handle,
    ) -> wasmtime::Result<Resource<Handle>> {
        self.budget.hold(handle.size())?;
        Ok(self.table.push(handle)?)
    }

    /// Begins to work for the plugin, for no longer than it has time left.
    pub(in crate::sandbox) fn begin_work(&mut self) -> Instant {
        let start = Instant::now();
        self.known.give_up_at(Some(start + self.budget.left()));
        start
    }

    /// Ends it, on the plugin's time.
    pub(in crate::sandbox) fn end_work(&mut self, start: Instant) -> Result<(), Stopped> {
        self.known.give_up_at(None);
        self.budget.work(start)
    }

    /// Looks at what a call came to. It is over, so this is on nobody's time, and has an end of its own.
    pub(in crate::sandbox) fn look_over<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        self.known.give_up_at(Some(Instant::now() + LONGEST_LOOK));
        let seen = look(self);
        self.known.give_up_at(None);
        seen
    }

    /// Ends the call for a fault of the plugin that has a name.
    pub(in crate::sandbox) fn end(
        &mut self,
        code: code::Plugin,
        message: String,
    ) -> wasmtime::Error {
        self.end_with(Failure::new(Case::PluginFault, code, message))
    }

    /// Ends the call for this reason.
    pub(in crate::sandbox) fn end_with(&mut self, failure: Failure) -> wasmtime::Error {
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
                error.code = code::Plugin::LogLimited.text(),
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
