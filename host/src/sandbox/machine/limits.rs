//! What a call may use, with the reason for each number, and how a guest is told that it was too
//! much. A limit that is hit ends the call with an error that names it.

use wasmtime::ResourceLimiter;

/// Largest component file. A Python plugin takes 18 MiB.
pub const MAX_COMPONENT: usize = 32 << 20;

/// Memory of one call, unless the operator grants more.
pub const DEFAULT_MEMORY: u64 = 64 << 20;

/// The most that can be granted: every warm slot reserves as much address space.
pub const MAX_MEMORY: u64 = 256 << 20;

/// Stack of a guest. A plugin parses a token response; it does not recurse deeply.
pub(in crate::sandbox) const MAX_STACK: usize = 512 << 10;

/// Processor time of one call, in milliseconds: a refresh takes well under one.
pub const MAX_CPU_MS: u64 = 500;

/// HTTP requests of one call: discovery, login, refresh, profile, and some to spare.
pub const MAX_REQUESTS: u32 = 8;

/// HTTP requests of one call of a plugin that declares that it needs more, as one does that looks for
/// an address.
pub const MOST_REQUESTS: u32 = 16;

/// What may cross from guest to host in one call of an import.
pub(in crate::sandbox) const MAX_HOSTCALL: usize = 1 << 20;

/// Open handles of one call.
pub(in crate::sandbox) const MAX_HANDLES: usize = 256;

/// Secrets that a call may make or take, open or not: each is looked for in all that it says.
pub(in crate::sandbox) const MAX_KNOWN: usize = 512;

/// Bytes of a secret that a plugin composes or takes: four tokens of the longest kind. Each is looked
/// for other secrets in it, in every spelling, which takes many times its size.
pub(in crate::sandbox) const MAX_COMPOSED: usize = 64 << 10;

/// Bytes that the host holds for one call: the largest answer as a document, one more, and the handles.
pub(in crate::sandbox) const MAX_HOST_MEMORY: usize = 24 << 20;

/// Bytes of all metadata of a token set together, and their number. Every connection stores them.
pub(in crate::sandbox) const MAX_METADATA: usize = 16 << 10;
/// Facts of one token set.
pub(in crate::sandbox) const MAX_FACTS: usize = 64;
/// Scopes of one token set.
pub(in crate::sandbox) const MAX_SCOPES: usize = 256;

/// Bytes of a profile, as JSON.
pub(in crate::sandbox) const MAX_PROFILE: usize = 64 << 10;

/// Log lines of one call, and bytes of one line.
pub(in crate::sandbox) const MAX_LOG_LINES: u32 = 64;
/// Bytes of one log line.
pub(in crate::sandbox) const MAX_LOG_LINE: usize = 1 << 10;

/// Bytes of the name of a further token.
pub(in crate::sandbox) const MAX_NAME: usize = 64;

/// Bytes of one string that a plugin returns.
pub(in crate::sandbox) const MAX_STRING: usize = 16 << 10;

/// Random bytes that a guest gets in one call of WASI.
pub(in crate::sandbox) const MAX_RANDOM: u64 = 64 << 10;

/// Why the host ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox) enum Stopped {
    /// It ran for too long without waiting for anything.
    #[error("used too much CPU")]
    Cpu,
    /// It made the host hold this many bytes.
    #[error("made the host hold too much")]
    HostMemory {
        /// All together, had it been allowed.
        asked: usize,
    },
    /// It composed a secret of up to this many bytes.
    #[error("composed too long a secret")]
    Composed {
        /// With everything encoded.
        asked: usize,
    },
    /// It took a secret of this many bytes out of an answer.
    #[error("took too long a secret")]
    Taken {
        /// As the provider sent it.
        bytes: usize,
    },
    /// It made or took too many secrets.
    #[error("made too many secrets")]
    Known,
    /// It asked for this many bytes of memory.
    #[error("asked for too much memory")]
    Memory {
        /// All of its memories together, had it been allowed.
        asked: u64,
    },
}

/// Counts all memories of a call together.
#[derive(Debug)]
pub(in crate::sandbox) struct Limiter {
    memory: u64,
    most: u64,
}

impl Limiter {
    /// A limiter that allows `most` bytes.
    pub(in crate::sandbox) fn new(most: u64) -> Self {
        Self { memory: 0, most }
    }

    /// The most it allows, in bytes.
    pub(in crate::sandbox) fn most(&self) -> u64 {
        self.most
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = self.memory + (desired.saturating_sub(current)) as u64;
        if asked > self.most {
            return Err(Stopped::Memory { asked }.into());
        }
        self.memory = asked;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 20_000)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}
