//! One call of an export: a fresh store, a deadline, and a name for whatever ends it badly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::SecretString;
use wasmtime::component::ResourceTableError;
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::egress::{EgressError, Gate, Policy};
use crate::model::descriptor::Descriptor;
use crate::model::failure::{Case, Failure};
use crate::model::token::TokenSet;
use crate::sandbox::Program;
use crate::sandbox::bindings::exports;
use crate::sandbox::bindings::imports::types;
use crate::sandbox::convert;
use crate::sandbox::engine::TICK;
use crate::sandbox::journal::Journal;
use crate::sandbox::limits::{DEFAULT_MEMORY, MAX_CPU_MS, MAX_HANDLES, MAX_HOSTCALL, Stopped};
use crate::sandbox::redact::Redactor;
use crate::sandbox::sealing::Sealer;
use crate::sandbox::state::{CallState, Network};

/// What a call works on.
pub struct CallInput {
    /// `provider/name`, for the plugin and the log.
    pub connection: String,
    /// Settings by name, defaults filled in.
    pub settings: Vec<(String, String)>,
    /// Secrets by name.
    pub secrets: Vec<(String, SecretString)>,
    /// The current token set, for calls that take one.
    pub current: Option<TokenSet>,
    /// Where it may send.
    pub policy: Arc<Policy>,
    /// The door.
    pub gate: Gate,
    /// What makes its answers durable.
    pub journal: Arc<dyn Journal>,
    /// The time that the plugin sees.
    pub now: Timestamp,
    /// How long it may take, waiting included.
    pub timeout: Duration,
    /// Bytes of memory.
    pub memory: u64,
}

/// How much sooner egress gives up than the call: a request that hangs is then an answer to the
/// plugin, not the end of it.
const EGRESS_MARGIN: Duration = Duration::from_millis(500);

impl Program {
    /// Gets a first token from the stored credentials.
    pub async fn login(&self, input: &CallInput) -> Result<TokenSet, Failure> {
        let mut call = self.open(input, "login").await?;
        let connection = call.connection(input)?;
        let (store, guest) = (&mut call.store, &call.provider);
        let ran = guest.call_login(store, &connection);
        let result = within(input.timeout, ran).await;
        call.token_set(result, input)
    }

    /// Gets the next token from the current one.
    pub async fn refresh(&self, input: &CallInput) -> Result<TokenSet, Failure> {
        let mut call = self.open(input, "refresh").await?;
        let connection = call.connection(input)?;
        let current = call.current(input)?;
        let (store, guest) = (&mut call.store, &call.provider);
        let ran = guest.call_refresh(store, &connection, &current);
        let result = within(input.timeout, ran).await;
        call.token_set(result, input)
    }

    /// Facts about the account, as JSON text; `None` if the plugin does not export `profile`.
    pub async fn profile(&self, input: &CallInput) -> Option<Result<String, Failure>> {
        self.profile_export.as_ref()?;
        Some(self.fetch_profile(input).await)
    }

    async fn fetch_profile(&self, input: &CallInput) -> Result<String, Failure> {
        let mut call = self.open(input, "profile").await?;
        let connection = call.connection(input)?;
        let current = call.current(input)?;
        let Some(guest) = call.profile.take() else {
            return Err(call.fault("plugin.export_missing", "does not export profile"));
        };
        let result =
            within(input.timeout, guest.call_fetch(&mut call.store, &connection, &current)).await;
        let text = call.settle(result)?;
        let state = call.store.data();
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).map_err(
            |_| call.fault("plugin.output_invalid", "returned a profile that is no JSON object"),
        )?;
        Ok(state.known.strike(&text).into_owned())
    }

    /// What the plugin says about itself: no network, no secrets, only the clock.
    pub(super) async fn describe(&self, now: Timestamp) -> Result<Descriptor, Failure> {
        let known = Redactor::default();
        let sealer = Sealer::new(&[], known.clone());
        let state = CallState::new(&self.name, "", now, DEFAULT_MEMORY, sealer, known);
        let mut call = self.enter(state, "describe").await?;
        let (store, guest) = (&mut call.store, &call.provider);
        let result = within(Duration::from_secs(10), guest.call_describe(store)).await;
        match result {
            Ok(raw) => Ok(convert::descriptor(raw)),
            Err(error) => Err(call.broken(&error)),
        }
    }

    async fn open(&self, input: &CallInput, export: &'static str) -> Result<Call, Failure> {
        let known = Redactor::default();
        for (_, secret) in &input.secrets {
            known.learn(secret);
        }
        let sealer = Sealer::new(&self.descriptor.sealed, known.clone());
        let connection = &input.connection;
        let mut state =
            CallState::new(&self.name, connection, input.now, input.memory, sealer, known);
        state.network = Some(Network {
            gate: input.gate.clone(),
            policy: Arc::clone(&input.policy),
            journal: Arc::clone(&input.journal),
            requests: 0,
            deadline: Instant::now() + input.timeout.saturating_sub(EGRESS_MARGIN),
        });
        self.enter(state, export).await
    }

    async fn enter(&self, state: CallState, export: &'static str) -> Result<Call, Failure> {
        let plugin = self.name.clone();
        let permit = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| {
            Failure::new(Case::HostFault, "internal.stopping", "keepfresh is stopping")
        })?;
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(MAX_HOSTCALL);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| watch(context.data_mut()));
        let entered = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            let provider = self.provider_export.load(&mut store, &instance)?;
            let load = |it: &exports::profile::GuestIndices| it.load(&mut store, &instance);
            let profile = self.profile_export.as_ref().map(load).transpose()?;
            Ok::<_, wasmtime::Error>((provider, profile))
        };
        match entered.await {
            Ok((provider, profile)) => Ok(Call {
                store,
                plugin,
                export,
                lifetime: self.descriptor.lifetime,
                provider,
                profile,
                _permit: permit,
            }),
            Err(error) => Err(name_fault(&error, store.data(), &plugin, "start")),
        }
    }
}

/// Looks at a guest that has run for a tick: lets others run, or ends it.
fn watch(state: &mut CallState) -> wasmtime::Result<UpdateDeadline> {
    state.ticks += 1;
    let used = state.ticks * u64::try_from(TICK.as_millis()).unwrap_or(1);
    if used > MAX_CPU_MS {
        return Err(Stopped::Cpu.into());
    }
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
}

/// The wall clock ran out.
#[derive(Debug, thiserror::Error)]
#[error("ran out of time")]
struct OutOfTime(Duration);

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(OutOfTime(limit).into()),
    }
}

/// A running call.
struct Call {
    store: Store<CallState>,
    plugin: String,
    export: &'static str,
    lifetime: Option<u32>,
    provider: exports::provider::Guest,
    profile: Option<exports::profile::Guest>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Call {
    fn connection(&mut self, input: &CallInput) -> Result<types::Connection, Failure> {
        let state = self.store.data_mut();
        let lend = |(name, secret): &(String, SecretString)| {
            Ok((name.clone(), state.hand_out(secret.clone())?))
        };
        let secrets = input.secrets.iter().map(lend).collect::<wasmtime::Result<_>>();
        let secrets = secrets.map_err(|it| self.broken(&it))?;
        let id = input.connection.clone();
        Ok(types::Connection { id, settings: input.settings.clone(), secrets })
    }

    fn current(&mut self, input: &CallInput) -> Result<types::TokenSet, Failure> {
        let Some(current) = &input.current else {
            return Err(self.fault("internal.no_token", "was called without a token"));
        };
        convert::lend(self.store.data_mut(), current).map_err(|it| self.broken(&it))
    }

    fn token_set(
        mut self,
        result: wasmtime::Result<Result<types::TokenSet, types::Failure>>,
        input: &CallInput,
    ) -> Result<TokenSet, Failure> {
        let raw = self.settle(result)?;
        let taken = convert::take(self.store.data_mut(), raw, input.now, self.lifetime);
        let taken = taken.map_err(|it| self.broken(&it))?;
        taken.map_err(|why| {
            let kept = "nothing was saved, the provider's answer is kept for a replay";
            self.fault("plugin.output_invalid", &format!("returned {why}; {kept}"))
        })
    }

    /// Sorts what came back: a value, the plugin's own failure, or the end of the plugin.
    fn settle<T>(&self, result: wasmtime::Result<Result<T, types::Failure>>) -> Result<T, Failure> {
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(raw)) => {
                let state = self.store.data();
                Err(correct(convert::failure(state, raw), state.trouble.as_ref()))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    fn fault(&self, code: &'static str, what: &str) -> Failure {
        let message = format!("{}.{} {what}", self.plugin, self.export);
        Failure::new(Case::PluginFault, code, message)
    }

    fn broken(&self, error: &wasmtime::Error) -> Failure {
        name_fault(error, self.store.data(), &self.plugin, self.export)
    }
}

/// The host saw the request fail and knows more than the plugin: its code and its sentence win, and a
/// request in doubt stays in doubt whatever the plugin makes of it.
fn correct(said: Failure, trouble: Option<&EgressError>) -> Failure {
    let Some(trouble) = trouble else { return said };
    let case = match trouble {
        EgressError::Denied { .. } => Case::Misconfigured,
        EgressError::NotSent { .. } => Case::Unavailable,
        EgressError::InDoubt { .. } | EgressError::Unreadable { .. } => Case::InDoubt,
    };
    Failure::new(case, trouble.code(), trouble.to_string())
}

/// Names what ended a call. When a request was on its way, what the provider made of it is in doubt,
/// whoever ended the call.
fn name_fault(error: &wasmtime::Error, state: &CallState, plugin: &str, export: &str) -> Failure {
    let named = name(error, state, plugin, export);
    if state.unanswered { Failure { case: Case::InDoubt, ..named } } else { named }
}

fn name(error: &wasmtime::Error, state: &CallState, plugin: &str, export: &str) -> Failure {
    if let Some(failure) = &state.host_failure {
        return failure.clone();
    }
    let fault = |code, what: String| {
        Failure::new(Case::PluginFault, code, format!("{plugin}.{export} {what}"))
    };
    if let Some(OutOfTime(limit)) = error.downcast_ref() {
        let seconds = limit.as_secs();
        return fault(
            "plugin.deadline_exceeded",
            format!("ran {seconds} s (limit {seconds} s) and was stopped"),
        );
    }
    match error.downcast_ref() {
        Some(Stopped::Cpu) => {
            let what =
                format!("used {MAX_CPU_MS} ms of CPU (limit {MAX_CPU_MS} ms) and was stopped");
            return fault("plugin.cpu_exceeded", what);
        }
        Some(Stopped::Memory { asked }) => {
            let (asked, most) = (asked.div_ceil(1 << 20), state.limiter.most() >> 20);
            let message = format!("{plugin} asked for {asked} MiB of memory (limit {most} MiB)");
            return Failure::new(Case::PluginFault, "plugin.memory_exceeded", message);
        }
        None => {}
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let message = format!("{plugin} holds {MAX_HANDLES} open handles (limit {MAX_HANDLES})");
        return Failure::new(Case::PluginFault, "plugin.resources_exceeded", message);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => {
            fault("plugin.stack_overflow", "recursed until its stack was full".to_owned())
        }
        Some(trap) => {
            let trap = trap.to_string();
            let what = trap.strip_prefix("wasm trap: ").unwrap_or(&trap);
            fault("plugin.trapped", format!("trapped: {what}"))
        }
        None if format!("{error:?}").contains("fuel allocated for hostcalls") => {
            let message = format!("{plugin} passed more than 1 MiB in one call to the host");
            Failure::new(Case::PluginFault, "plugin.hostcall_too_large", message)
        }
        None => fault("plugin.failed", "broke the contract and was stopped".to_owned()),
    }
}
