//! Sends a body of 300 KiB.

use sdk::{Context, Flow, Request, Tokens, text};

fn send(_: &Context) -> Flow<Tokens> {
    let filler = text("x".repeat(300 << 10));
    guests::must_not_arrive(Request::post("{base_url}/token").json([("filler", filler)]))
}

guests::guest!("big-body", send);
