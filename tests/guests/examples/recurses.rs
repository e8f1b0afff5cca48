//! Calls itself until the stack ends. It keeps nothing in linear memory, where a compiler puts what
//! has an address: it is the stack of the host's own machine that has to hold.

use std::sync::atomic::{AtomicU64, Ordering};

use sdk::{Context, Failure, Flow, Tokens};

/// Where it would turn back. Not a constant, so that no optimiser knows that it never does.
static END: AtomicU64 = AtomicU64::new(u64::MAX);

fn recurse(_: &Context) -> Flow<Tokens> {
    Err(Failure::Other(format!("came back from a depth of {}", down(1))))
}

/// Works on what comes back, in an order that counts, so that no optimiser makes it a loop.
#[inline(never)]
fn down(depth: u64) -> u64 {
    if depth == END.load(Ordering::Relaxed) {
        return 0;
    }
    down(depth.wrapping_add(1)).rotate_left(7) ^ depth
}

guests::guest!("recurses", recurse);
