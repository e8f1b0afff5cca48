//! Calls its declared host at a path that it did not declare.

use sdk::{Context, Flow, Request, Tokens};

fn call(_: &Context) -> Flow<Tokens> {
    guests::must_not_arrive(Request::get("{base_url}/other"))
}

guests::guest!("calls-other-path", call);
