//! Never comes back: the host's clock has to end it.

use sdk::{Context, Flow, Tokens};

fn spin(_: &Context) -> Flow<Tokens> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns).wrapping_add(1);
    }
}

guests::guest!("spins-forever", spin);
