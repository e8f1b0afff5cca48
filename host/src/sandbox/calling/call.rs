//! One call of an export: a fresh store, a deadline, and the failure that ended it, if one did.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use wasmtime::component::{Instance, Resource};
use wasmtime::{Store, UpdateDeadline};

use crate::egress::{Gate, Policy};
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::token::TokenSet;
use crate::sandbox::Program;
use crate::sandbox::bindings::imports::types;
use crate::sandbox::calling::fault::{OutOfTime, name_fault, settled};
use crate::sandbox::calling::heard::Heard;
use crate::sandbox::calling::journal::Journal;
use crate::sandbox::calling::state::{CallState, Network};
use crate::sandbox::machine::deadline::Deadline;
use crate::sandbox::machine::limits::MAX_HOSTCALL;
use crate::sandbox::machine::ticker::TICK;
use crate::sandbox::returns::convert;
use crate::sandbox::returns::tokens;
use crate::sandbox::secrets::handle::Handle;

/// What a call works on.
pub struct CallInput {
    /// `provider/name`, for the plugin and the log.
    pub connection: String,
    /// Settings by name, defaults filled in.
    pub settings: Vec<(String, String)>,
    /// Secrets by name.
    pub secrets: Vec<(String, SecretString)>,
    /// Metadata of the last token set that was stored.
    pub remembered: Vec<(String, String)>,
    /// The current token set, for calls that take one.
    pub current: Option<TokenSet>,
    /// Where it may send.
    pub policy: Arc<Policy>,
    /// The door.
    pub gate: Gate,
    /// What makes its answers durable.
    pub journal: Arc<dyn Journal>,
    /// What is noted of the provider.
    pub heard: Arc<Heard>,
    /// The time that the plugin sees.
    pub now: Timestamp,
    /// How long it may take, waiting included.
    pub timeout: Duration,
    /// Bytes of memory.
    pub memory: u64,
}

/// How much sooner egress gives up than the call: a request that hangs is then an answer to the
/// plugin, not the end of it.
pub(in crate::sandbox) const EGRESS_MARGIN: Duration = Duration::from_millis(500);

impl Program {
    pub(in crate::sandbox) async fn open(
        &self,
        input: &CallInput,
        export: &'static str,
    ) -> Result<Call, Failure> {
        let rules = Arc::new(self.rules.with_settings(&input.settings));
        let mut state =
            CallState::new(&self.name, &input.connection, input.now, input.memory, rules);
        state.network = Some(Network {
            gate: input.gate.clone(),
            policy: Arc::clone(&input.policy),
            journal: Arc::clone(&input.journal),
            heard: Arc::clone(&input.heard),
            now: input.now,
            requests: 0,
            most_requests: self.most_requests(),
        });
        self.enter(state, export, input.timeout).await
    }

    pub(in crate::sandbox) async fn enter(
        &self,
        mut state: CallState,
        export: &'static str,
        limit: Duration,
    ) -> Result<Call, Failure> {
        let plugin = self.name.clone();
        let permit = self.slots.take().await.ok_or_else(|| {
            Failure::new(Case::HostFault, code::Internal::Stopping, "keepfresh is stopping")
        })?;
        let deadline = Deadline::after(limit);
        state.deadline = deadline.clone();
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(MAX_HOSTCALL);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| watch(context.data_mut()));
        match self.pre.instantiate_async(&mut store).await {
            Ok(instance) => Ok(Call {
                store,
                instance,
                plugin,
                export,
                deadline,
                lifetime: self.descriptor.lifetime,
                _permit: permit,
            }),
            Err(error) => Err(name_fault(&error, store.data(), &plugin, "start")),
        }
    }
}

/// Looks at a guest that has run for a tick: lets others run, or ends it. One that runs for long gets a
/// fifth of the time only, so that eight of them are little load for the others.
fn watch(state: &mut CallState) -> wasmtime::Result<UpdateDeadline> {
    state.budget.tick()?;
    if state.budget.is_long() {
        return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(4 * TICK))));
    }
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
}

/// Waits for a call of an export, until its deadline.
pub(in crate::sandbox) async fn within<T>(
    deadline: &Deadline,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    tokio::select! {
        biased;
        result = call => result,
        () = deadline.passed() => Err(OutOfTime(deadline.limit()).into()),
    }
}

/// A running call.
pub(in crate::sandbox) struct Call {
    pub(in crate::sandbox) store: Store<CallState>,
    instance: Instance,
    plugin: String,
    export: &'static str,
    pub(in crate::sandbox) deadline: Deadline,
    lifetime: Option<u32>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Call {
    /// Looks up the interface that is called.
    pub(in crate::sandbox) fn guest<G>(
        &mut self,
        load: impl FnOnce(&mut Store<CallState>, &Instance) -> wasmtime::Result<G>,
    ) -> Result<G, Failure> {
        load(&mut self.store, &self.instance).map_err(|it| self.broken(&it))
    }

    pub(in crate::sandbox) fn connection(
        &mut self,
        input: &CallInput,
    ) -> Result<types::Connection, Failure> {
        let state = self.store.data_mut();
        let lend = |(name, secret): &(String, SecretString)| {
            let label = state.rules.names.label(name);
            Ok((name.clone(), state.lend(secret, label)?))
        };
        let secrets = input.secrets.iter().map(lend).collect::<wasmtime::Result<_>>();
        let secrets = secrets.map_err(|it| self.broken(&it))?;
        let id = input.connection.clone();
        let (settings, remembered) = (input.settings.clone(), input.remembered.clone());
        Ok(types::Connection { id, settings, secrets, remembered })
    }

    pub(in crate::sandbox) fn current(
        &mut self,
        input: &CallInput,
    ) -> Result<types::TokenSet, Failure> {
        let Some(current) = &input.current else {
            return Err(self.fault(code::Internal::NoToken, "was called without a token"));
        };
        tokens::lend(self.store.data_mut(), current).map_err(|it| self.broken(&it))
    }

    /// A handle for a secret that is handed to the plugin besides those of the connection, by the name
    /// that requests carry it under.
    pub(in crate::sandbox) fn lend(
        &mut self,
        secret: &SecretString,
        name: &str,
    ) -> Result<Resource<Handle>, Failure> {
        let state = self.store.data_mut();
        let label = state.rules.names.label(name);
        state.lend(secret, label).map_err(|it| self.broken(&it))
    }

    /// Checks a token set that came back.
    pub(in crate::sandbox) fn token_set(
        &mut self,
        result: wasmtime::Result<Result<types::TokenSet, types::Failure>>,
        input: &CallInput,
    ) -> Result<TokenSet, Failure> {
        let raw = self.settle(result)?;
        self.take(raw, input)
    }

    pub(in crate::sandbox) fn take(
        &mut self,
        raw: types::TokenSet,
        input: &CallInput,
    ) -> Result<TokenSet, Failure> {
        let state = self.store.data_mut();
        let taken = state.look_over(|it| tokens::take(it, raw, input.now, self.lifetime));
        let taken = taken.map_err(|it| self.broken(&it))?;
        taken.map_err(|why| {
            let kept = "nothing was saved; the provider's answer is kept for a replay";
            self.fault(code::Plugin::OutputInvalid, &format!("returned {why}; {kept}"))
        })
    }

    /// Sorts what came back: a value, the plugin's own failure, or the end of the plugin.
    pub(in crate::sandbox) fn settle<T>(
        &mut self,
        result: wasmtime::Result<Result<T, types::Failure>>,
    ) -> Result<T, Failure> {
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(raw)) => {
                let state = self.store.data_mut();
                let said = state.look_over(|it| convert::failure(it, raw));
                Err(settled(said, state, self.export))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// The plugin broke the contract.
    pub(in crate::sandbox) fn fault(&self, code: impl Into<Code>, what: &str) -> Failure {
        let message = format!("{}.{} {what}", self.plugin, self.export);
        Failure::new(Case::PluginFault, code, message)
    }

    pub(in crate::sandbox) fn broken(&self, error: &wasmtime::Error) -> Failure {
        name_fault(error, self.store.data(), &self.plugin, self.export)
    }
}
