//! Names what ended a call: the plugin's own failure, with what the host knows added, or the trap,
//! limit or deadline that stopped it.

use std::time::Duration;

use wasmtime::Trap;
use wasmtime::component::ResourceTableError;

use crate::egress::EgressError;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::{
    MAX_COMPOSED, MAX_CPU_MS, MAX_HANDLES, MAX_HOST_MEMORY, MAX_KNOWN, Stopped,
};

/// The wall clock ran out.
#[derive(Debug, thiserror::Error)]
#[error("ran out of time")]
pub(in crate::sandbox) struct OutOfTime(pub(in crate::sandbox) Duration);

/// What a plugin's own failure comes to. A plugin reads answers; what a request may have done at the
/// provider is not its to say, since it may be in any language and know nothing of rotation.
pub(in crate::sandbox) fn settled(said: Failure, state: &CallState, export: &str) -> Failure {
    if let Some(trouble) = &state.trouble {
        return correct(trouble, state.unanswered);
    }
    let case = match (said.case, state.spent) {
        // The provider has said what it thinks of the token: an earlier request changes nothing.
        (Case::GrantExpired | Case::TokenRejected | Case::InvalidCredentials, _) => said.case,
        _ if state.unanswered => Case::InDoubt,
        _ if export != "refresh" => said.case,
        (Case::Unavailable, Some(500..)) | (Case::RateLimited(_), Some(500..=502 | 504..)) => {
            Case::InDoubt
        }
        // It has acted, and what it answered was not understood.
        (Case::Unavailable, Some(..400)) => Case::Unexpected,
        (case, _) => case,
    };
    Failure { case, ..said }
}

/// The host saw the request fail and knows more than the plugin: its code and its sentence win, and a
/// request in doubt stays in doubt whatever the plugin makes of it.
fn correct(trouble: &EgressError, unanswered: bool) -> Failure {
    let case = match trouble {
        EgressError::Denied { .. } => Case::Misconfigured,
        EgressError::InDoubt { .. } | EgressError::Unreadable { .. } if unanswered => Case::InDoubt,
        // It did not leave, or it carried nothing that could be used up.
        EgressError::NotSent { .. }
        | EgressError::InDoubt { .. }
        | EgressError::Unreadable { .. } => Case::Unavailable,
    };
    Failure::new(case, trouble.code(), trouble.to_string())
}

/// Names what ended a call. When a request was on its way, what the provider made of it is in doubt,
/// whoever ended the call.
pub(in crate::sandbox) fn name_fault(
    error: &wasmtime::Error,
    state: &CallState,
    plugin: &str,
    export: &str,
) -> Failure {
    let named = name(error, state, plugin, export);
    if state.unanswered { Failure { case: Case::InDoubt, ..named } } else { named }
}

fn name(error: &wasmtime::Error, state: &CallState, plugin: &str, export: &str) -> Failure {
    if let Some(failure) = &state.ended {
        return failure.clone();
    }
    let fault = |code, what: String| {
        Failure::new(Case::PluginFault, code, format!("{plugin}.{export} {what}"))
    };
    if let Some(OutOfTime(limit)) = error.downcast_ref() {
        let seconds = limit.as_secs();
        return fault(
            code::Plugin::DeadlineExceeded,
            format!("ran {seconds} s (limit {seconds} s) and was stopped"),
        );
    }
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return name_limit(*stopped, state, plugin, export);
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let message = format!("{plugin} holds {MAX_HANDLES} open handles (limit {MAX_HANDLES})");
        return Failure::new(Case::PluginFault, code::Plugin::ResourcesExceeded, message);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => {
            fault(code::Plugin::StackOverflow, "overflowed its stack".to_owned())
        }
        Some(trap) => {
            let trap = trap.to_string();
            let what = trap.strip_prefix("wasm trap: ").unwrap_or(&trap);
            fault(code::Plugin::Trapped, format!("trapped: {what}"))
        }
        None if format!("{error:?}").contains("fuel allocated for hostcalls") => {
            let message = format!("{plugin} passed more than 1 MiB in one call to the host");
            Failure::new(Case::PluginFault, code::Plugin::HostcallTooLarge, message)
        }
        None => fault(code::Plugin::Failed, "violated the contract and was stopped".to_owned()),
    }
}

/// The limit that was hit, with what was asked for.
fn name_limit(stopped: Stopped, state: &CallState, plugin: &str, export: &str) -> Failure {
    let (code, message) = match stopped {
        Stopped::Cpu => (
            code::Plugin::CpuExceeded,
            format!(
                "{plugin}.{export} used {MAX_CPU_MS} ms of CPU (limit {MAX_CPU_MS} ms) and was stopped"
            ),
        ),
        Stopped::Memory { asked } => {
            let (asked, most) = (asked.div_ceil(1 << 20), state.limiter.most() >> 20);
            let message = format!("{plugin} asked for {asked} MiB of memory (limit {most} MiB)");
            (code::Plugin::MemoryExceeded, message)
        }
        Stopped::HostMemory { asked } => {
            let (asked, most) = (asked.div_ceil(1 << 20), MAX_HOST_MEMORY >> 20);
            let message = format!(
                "{plugin} made keepfresh hold {asked} MiB of answers and secrets for it (limit {most} MiB)"
            );
            (code::Plugin::HostMemoryExceeded, message)
        }
        Stopped::Composed { asked } => {
            let (asked, most) = (asked.div_ceil(1 << 10), MAX_COMPOSED >> 10);
            let message =
                format!("{plugin} composed a secret of up to {asked} KiB (limit {most} KiB)");
            (code::Plugin::SecretTooLarge, message)
        }
        Stopped::Taken { bytes } => {
            let (bytes, most) = (bytes.div_ceil(1 << 10), MAX_COMPOSED >> 10);
            let message = format!(
                "{plugin} took a secret of {bytes} KiB out of an answer (limit {most} KiB)"
            );
            (code::Plugin::SecretTooLarge, message)
        }
        Stopped::Known => {
            let message =
                format!("{plugin} made or took more than {MAX_KNOWN} secrets in one call");
            (code::Plugin::ResourcesExceeded, message)
        }
    };
    Failure::new(Case::PluginFault, code, message)
}
