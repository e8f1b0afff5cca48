//! Calls itself until the stack ends.

use std::hint::black_box;

use sdk::{Context, Failure, Flow, Tokens};

fn recurse(_: &Context) -> Flow<Tokens> {
    Err(Failure::Other(format!("came back from a depth of {}", down(black_box(1)))))
}

/// Keeps an array on the stack and adds after the call, so that no optimiser makes it a loop.
fn down(depth: u64) -> u64 {
    let kept = black_box([depth; 64]);
    if depth == 0 {
        return 0;
    }
    let deeper = down(black_box(depth.wrapping_add(1)));
    black_box(kept)[63].wrapping_add(deeper)
}

guests::guest!("recurses", recurse);
