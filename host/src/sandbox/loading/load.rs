//! From a file's bytes to a program: is it a component, is it small and simple enough, does it import
//! only what plugins get, does it export what a plugin must, and what does it say about itself.

use jiff::Timestamp;
use wasmtime::component::{Component, InstancePre};

use crate::model::code::{self, Code};
use crate::model::descriptor::Descriptor;
use crate::model::failure::Failure;
use crate::sandbox::bindings::exports;
use crate::sandbox::calling::exports::Exports;
use crate::sandbox::calling::rules::Rules;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::loading::cache::load_sealed;
use crate::sandbox::loading::census::{self, Excess, Objection};
use crate::sandbox::loading::compiler::CompileError;
use crate::sandbox::loading::descriptor;
use crate::sandbox::machine::limits::MAX_COMPONENT;
use crate::sandbox::{Cache, Program, Sandbox};

/// Why a file is not a plugin. `{0}` is the file's name throughout.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing at all: a copy that has only begun.
    #[error("{0} is not a WebAssembly component (it is empty)")]
    Empty(String),
    /// Some other kind of file.
    #[error("{0} is not a WebAssembly component (first bytes {1})")]
    NotWasm(String, String),
    /// A module of the core language, not wrapped.
    #[error("{0} is a core module; a component is needed (wasm-tools component new)")]
    CoreModule(String),
    /// Over the size limit, with its size in bytes.
    #[error("{0} is {size} MiB; the limit is {limit} MiB", size = mebibytes(*.1), limit = MAX_COMPONENT >> 20)]
    TooLarge(String, u64),
    /// Compiling it would take too much, by what it is made of.
    #[error("{0} has {1}; ask its author for a smaller build")]
    TooComplex(String, Excess),
    /// It wants what plugins do not get.
    #[error("{0} imports {1}, which plugins do not get")]
    ImportDenied(String, String),
    /// It lacks what a plugin must have.
    #[error("{0} does not export keepfresh:provider/provider@1")]
    ExportMissing(String),
    /// It was built for another version of the contract, or is damaged.
    #[error("{0} does not fit the contract keepfresh:provider@1.0.0: {1}")]
    Contract(String, String),
    /// There is no compiled form of it.
    #[error("{0} {1}")]
    Compile(String, #[source] CompileError),
    /// `describe` failed.
    #[error("{0} could not describe itself: {1}")]
    Describe(String, Failure),
    /// `describe` said something that cannot be.
    #[error("{0} has an invalid descriptor: {1}")]
    Descriptor(String, String),
}

impl LoadError {
    /// The stable code: `plugin.cause`.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::Empty(..) | Self::NotWasm(..) => code::PluginFile::NotWasm,
            Self::CoreModule(..) => code::PluginFile::CoreModule,
            Self::TooLarge(..) => code::PluginFile::TooLarge,
            Self::TooComplex(..) => code::PluginFile::TooComplex,
            Self::ImportDenied(..) => code::PluginFile::ImportDenied,
            Self::ExportMissing(..) => code::PluginFile::ExportMissing,
            Self::Contract(..) => code::PluginFile::ContractMismatch,
            Self::Compile(_, error) => return error.code(),
            Self::Describe(_, failure) => return failure.code.clone(),
            Self::Descriptor(..) => code::PluginFile::DescriptorInvalid,
        };
        code.into()
    }
}

/// WASI packages that are there, and empty: language runtimes import them whether they use them or not.
const EMPTY_WASI: &[&str] =
    &["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Our own package; the linker knows which of its interfaces there are.
const CONTRACT: &str = "keepfresh:provider/";

impl Sandbox {
    /// Makes a program of the component in `bytes`. `file` is for messages, `digest` is the SHA-256 of
    /// the same bytes in hex. Compiles in another process, or takes what the cache has.
    pub async fn load(
        &self,
        file: &str,
        bytes: Vec<u8>,
        digest: &str,
        cache: Option<&Cache>,
        now: Timestamp,
    ) -> Result<Program, LoadError> {
        check_head(file, &bytes)?;
        let component = match self.cached(digest, cache).await {
            Some(component) => component,
            None => self.compile(file, bytes, digest, cache).await?,
        };
        let program = self.program(file, &component)?;
        program.introduce(file, now).await
    }

    /// The program with this `digest` from the cache, when its file is gone or not approved.
    pub async fn recall(
        &self,
        file: &str,
        digest: &str,
        cache: &Cache,
        now: Timestamp,
    ) -> Option<Program> {
        let component = cache.find(&self.engine, digest)?;
        self.program(file, &component).ok()?.introduce(file, now).await.ok()
    }

    async fn cached(&self, digest: &str, cache: Option<&Cache>) -> Option<Component> {
        let (engine, digest, cache) = (self.engine.clone(), digest.to_owned(), cache?.clone());
        let find = move || cache.find(&engine, &digest);
        tokio::task::spawn_blocking(find).await.ok().flatten()
    }

    async fn compile(
        &self,
        file: &str,
        bytes: Vec<u8>,
        digest: &str,
        cache: Option<&Cache>,
    ) -> Result<Component, LoadError> {
        census::check(&bytes).map_err(|it| object(file, it))?;
        let failed = |error| LoadError::Compile(file.to_owned(), error);
        let code = self.compiler.compile(&bytes).await.map_err(failed)?;
        drop(bytes);
        let (engine, digest, cache) = (self.engine.clone(), digest.to_owned(), cache.cloned());
        let take = move || {
            if let Some(cache) = cache {
                cache.keep(&engine, &digest, &code);
            }
            load_sealed(&engine, &code)
        };
        let taken = tokio::task::spawn_blocking(take).await.ok().flatten();
        taken.ok_or_else(|| failed(CompileError::Damaged))
    }

    fn program(&self, file: &str, component: &Component) -> Result<Program, LoadError> {
        let kind = component.component_type();
        let imports =
            kind.imports(&self.engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        let exports =
            kind.exports(&self.engine).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        let known = |it: &str| {
            it.starts_with(CONTRACT) || EMPTY_WASI.iter().any(|wasi| it.starts_with(wasi))
        };
        if let Some(strange) = imports.iter().find(|it| !known(it)) {
            return Err(LoadError::ImportDenied(file.to_owned(), strange.clone()));
        }
        let has =
            |it: &str| exports.iter().any(|name| name.starts_with(&format!("{CONTRACT}{it}@1")));
        if !has("provider") {
            return Err(LoadError::ExportMissing(file.to_owned()));
        }
        let contract =
            |error: wasmtime::Error| LoadError::Contract(file.to_owned(), first_line(&error));
        let pre = self.linker.instantiate_pre(component).map_err(contract)?;
        let parts = find_exports(&pre, has).map_err(contract)?;
        Ok(Program {
            name: file.trim_end_matches(".wasm").to_owned(),
            engine: self.engine.clone(),
            pre,
            slots: self.slots.clone(),
            parts,
            descriptor: Descriptor::unknown(),
            rules: Rules::default(),
            imports,
            exports,
        })
    }
}

impl Program {
    /// Asks the program who it is, and believes only what makes sense.
    async fn introduce(mut self, file: &str, now: Timestamp) -> Result<Self, LoadError> {
        let described = self.describe(now).await;
        let descriptor = described.map_err(|it| LoadError::Describe(file.to_owned(), it))?;
        let wrong = |what: String| LoadError::Descriptor(file.to_owned(), what);
        let descriptor = descriptor::believe(descriptor).map_err(wrong)?;
        self.rules = Rules::new(&descriptor).map_err(wrong)?;
        self.name.clone_from(&descriptor.name);
        self.descriptor = descriptor;
        Ok(self)
    }
}

/// Where the exports are; an optional one is looked for only where the component has it.
fn find_exports(
    pre: &InstancePre<CallState>,
    has: impl Fn(&str) -> bool,
) -> wasmtime::Result<Exports> {
    use exports::{authorization, device, profile, provider, revocation};
    let optional = |name| has(name).then_some(pre);
    Ok(Exports {
        provider: provider::GuestIndices::new(pre)?,
        authorization: optional("authorization")
            .map(authorization::GuestIndices::new)
            .transpose()?,
        device: optional("device").map(device::GuestIndices::new).transpose()?,
        profile: optional("profile").map(profile::GuestIndices::new).transpose()?,
        revocation: optional("revocation").map(revocation::GuestIndices::new).transpose()?,
    })
}

fn check_head(file: &str, bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(LoadError::TooLarge(file.to_owned(), bytes.len() as u64));
    }
    if bytes.is_empty() {
        return Err(LoadError::Empty(file.to_owned()));
    }
    // https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md: the magic word,
    // then a version, then the layer: 0 is a core module, 1 a component.
    match bytes.first_chunk() {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', ..]) => Err(LoadError::CoreModule(file.to_owned())),
        _ => {
            let head = bytes.iter().take(4).map(|it| format!("{it:02x}")).collect::<Vec<_>>();
            Err(LoadError::NotWasm(file.to_owned(), head.join(" ")))
        }
    }
}

fn object(file: &str, objection: Objection) -> LoadError {
    match objection {
        Objection::Excess(excess) => LoadError::TooComplex(file.to_owned(), excess),
        // As the compiler would say it, had it been asked.
        Objection::Malformed(error) => {
            let why = format!("failed to parse WebAssembly module: {error}");
            LoadError::Compile(file.to_owned(), CompileError::Refused(why))
        }
    }
}

/// With one decimal, rounded up: what is over a limit must not read as if it were at it.
fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes.saturating_mul(10)).div_ceil(1 << 20);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn first_line(error: &wasmtime::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}
