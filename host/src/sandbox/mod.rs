//! Runs plugins: compile once, in a process of its own, then each call in a fresh store with a deadline, a memory cap, and no
//! way out but [`egress`](crate::egress). A trap ends the call and nothing else.
//!
//! Knows nothing of connections, schedules or databases; what makes answers durable is handed in.

// The engine, and what a call of it may cost.
mod budget;
mod engine;
mod limits;

// From a file to a program.
mod bindings;
mod cache;
mod census;
mod compiler;
mod descriptor;
mod load;

// One call.
mod call;
mod exports;
mod fault;
mod rules;
mod state;

// Secrets: what they are made of, where they are known, and what may be done with them.
mod handle;
mod jwt;
mod known;
mod labels;
mod log;
mod secrets;
mod spelling;

// Requests and answers.
mod answer;
mod document;
mod http;
mod journal;
mod placing;
mod sealing;

// What a plugin returns.
mod convert;
mod returned;
mod tokens;

/// What a plugin observes does not depend on a secret.
#[cfg(test)]
mod property;

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

pub use cache::Cache;
pub use call::CallInput;
pub use compiler::{Compiler, VERB as COMPILE, answer_one as compile_one};
pub use exports::{AuthorizationRequest, Code, DeviceGrant, DeviceProgress};
pub use journal::{Journal, NoJournal};
pub use jwt::claim_of;
pub use limits::{DEFAULT_MEMORY, MAX_COMPONENT, MAX_MEMORY};
pub use load::LoadError;
pub use tokens::expiry;

use crate::model::descriptor::Descriptor;
use bindings::imports;
use state::CallState;

/// The engine and everything that plugins may import. A clone is cheap.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    linker: Arc<Linker<CallState>>,
    slots: Arc<Semaphore>,
    compiler: Compiler,
}

/// A component that is compiled, checked, and has described itself. Calls share nothing but code.
pub struct Program {
    /// The plugin's own name.
    name: String,
    engine: Engine,
    pre: InstancePre<CallState>,
    slots: Arc<Semaphore>,
    /// Where its exports are.
    parts: exports::Exports,
    descriptor: Descriptor,
    /// What of it holds for every call.
    rules: rules::Rules,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Sandbox {
    /// Starts the engine. One for each process.
    pub fn start(compiler: Compiler) -> wasmtime::Result<Self> {
        let engine = engine::start()?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        imports::secrets::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::reveal::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::http::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::log::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        imports::types::add_to_linker::<_, Own>(&mut linker, |state| state)?;
        let slots = Arc::new(Semaphore::new(engine::MAX_CALLS as usize));
        Ok(Self { engine, linker: Arc::new(linker), slots, compiler })
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
