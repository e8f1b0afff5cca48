//! Asks for memory, a mebibyte at a time, until it has a gibibyte. Every page is written to, so
//! that none of it is only promised.

use sdk::{Context, Failure, Flow, Tokens};

fn eat(_: &Context) -> Flow<Tokens> {
    let eaten: Vec<Vec<u8>> = (0..1024).map(|_| std::hint::black_box(vec![1; 1 << 20])).collect();
    Err(Failure::Other(format!("got {} MiB", eaten.len())))
}

guests::guest!("eats-memory", eat);
