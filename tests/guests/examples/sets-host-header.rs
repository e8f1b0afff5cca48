//! Asks for one host and names another in the `Host` header.

use sdk::{Context, Flow, Request, Tokens, text};

fn forge(_: &Context) -> Flow<Tokens> {
    let request = Request::post("{base_url}/token").header("Host", text("evil.example"));
    guests::must_not_arrive(request)
}

guests::guest!("sets-host-header", forge);
