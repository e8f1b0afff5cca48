//! The engine that all plugins share, and the engine that compiles for it in another process.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::sandbox::machine::limits::{MAX_MEMORY, MAX_STACK};
use crate::sandbox::machine::ticker::{self, Slots};

/// Calls that run at once, in the whole process. Most of a call is waiting: for the provider, and for
/// its answer to be durable.
pub const MAX_CALLS: u32 = 512;

/// Elements of a table.
const TABLE_ELEMENTS: usize = 20_000;

/// The engine with its ticker running, which ends with it, and the places of its calls.
pub(in crate::sandbox) fn start() -> wasmtime::Result<(Engine, Slots)> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    let engine = Engine::new(&config)?;
    let slots = Slots::new(MAX_CALLS as usize);
    ticker::start(&engine, &slots)?;
    Ok((engine, slots))
}

/// An engine that makes code for the other and runs none: it reserves no memory for calls, which a
/// process under limits could not.
pub(in crate::sandbox) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// Everything that compiled code depends on.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Guests are called one function at a time; what is not needed is not there to be attacked.
        // The component model's own async is not even compiled in.
        .concurrency_support(false)
        .wasm_memory64(false)
        .max_wasm_stack(MAX_STACK)
        .async_stack_size(2 * MAX_STACK)
        .async_stack_zeroing(true)
        .memory_reservation(MAX_MEMORY)
        .memory_guard_size(32 << 20);
    config
}

/// A warm slot keeps a mebibyte of memory that the kernel tells us was touched: five to eight times
/// faster than mapping afresh. Tables are kept whole, and of a stack what a call usually touches: it is
/// wiped, and what lies deeper is given back.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_CALLS)
        .total_core_instances(8 * MAX_CALLS)
        .total_memories(2 * MAX_CALLS)
        .total_tables(8 * MAX_CALLS)
        .total_stacks(2 * MAX_CALLS)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(32)
        .max_memory_size(usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(TABLE_ELEMENTS * size_of::<usize>())
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    #[test]
    fn what_one_engine_compiles_the_other_runs() {
        let hash = |engine: Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(compiling().unwrap()), hash(start().unwrap().0));
    }
}
