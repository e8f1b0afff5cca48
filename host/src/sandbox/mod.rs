//! Runs plugins: compile once, in a process of its own, then each call in a fresh store with a deadline, a memory cap, and no
//! way out but [`egress`](crate::egress). A trap ends the call and nothing else.
//!
//! Knows nothing of connections, schedules or databases; what makes answers durable is handed in.

/// The contract, as Rust sees it from the host's side.
mod bindings;

/// The engine, and what a call of it may cost.
mod machine;

/// From a file to a program.
mod loading;

/// One call.
mod calling;

/// Handles, and what is known of secrets.
mod secrets;

/// Requests on their way out.
mod requests;

/// Answers, and what may be seen of them.
mod answers;

/// What a plugin returns.
mod returns;

/// What a plugin observes does not depend on a secret.
#[cfg(test)]
mod property;

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

pub use answers::sealing::sentence;
pub use calling::call::CallInput;
pub use calling::exports::{AuthorizationRequest, Code, DeviceGrant, DeviceProgress};
pub use calling::heard::Heard;
pub use calling::journal::{Journal, Kept, NoJournal};
pub use loading::cache::Cache;
pub use loading::compiler::{Compiler, VERB as COMPILE, answer_one as compile_one};
pub use loading::load::LoadError;
pub use machine::engine::MAX_CALLS;
pub use machine::limits::{
    DEFAULT_MEMORY, MAX_COMPONENT, MAX_CPU_MS, MAX_MEMORY, MAX_REQUESTS, MOST_REQUESTS,
};
pub use returns::tokens::expiry;
pub use secrets::jwt::claim_of;

use crate::model::descriptor::Descriptor;
use bindings::imports;
use calling::exports::Exports;
use calling::rules::Rules;
use calling::state::CallState;
use machine::engine;
use machine::ticker::Slots;

/// The engine and everything that plugins may import. A clone is cheap.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    linker: Arc<Linker<CallState>>,
    slots: Slots,
    compiler: Compiler,
}

/// A component that is compiled, checked, and has described itself. Calls share nothing but code.
pub struct Program {
    /// The plugin's own name.
    name: String,
    engine: Engine,
    pre: InstancePre<CallState>,
    slots: Slots,
    /// Where its exports are.
    parts: Exports,
    descriptor: Descriptor,
    /// What of it holds for every call.
    rules: Rules,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Sandbox {
    /// Starts the engine. One for each process.
    pub fn start(compiler: Compiler) -> wasmtime::Result<Self> {
        let (engine, slots) = engine::start().map_err(within_limits)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        imports::secrets::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::reveal::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::http::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::log::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::types::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        Ok(Self { engine, linker: Arc::new(linker), slots, compiler })
    }
}

/// The engine reserves more address space than it uses. Where that is limited, the limit is the reason.
fn within_limits(error: wasmtime::Error) -> wasmtime::Error {
    match getrlimit(Resource::As).current {
        Some(most) => error.context(format!(
            "this process may use {} MiB of address space, and more is reserved; lift the limit (`ulimit -v unlimited`, LimitAS= in a unit)",
            most >> 20
        )),
        None => error,
    }
}

/// Says that imports work on the state of the call itself.
struct Own;

impl wasmtime::component::HasData for Own {
    type Data<'a> = &'a mut CallState;
}

impl imports::types::Host for CallState {}

impl Program {
    /// What it says about itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The interfaces that it imports, as the component has them: what it could use at most.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether a person can connect it in a browser.
    pub fn has_authorization(&self) -> bool {
        self.parts.authorization.is_some()
    }

    /// The interfaces that it exports.
    pub fn exports(&self) -> &[String] {
        &self.exports
    }
}
