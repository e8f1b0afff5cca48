//! Goes wherever the provider sends it, with the key in hand.

use sdk::{Answer, Context, Failure, Flow, Request, Tokens, secret, send_then};

fn follow(_: &Context) -> Flow<Tokens> {
    send_then(Request::get("{base_url}/go"), |answer| match answer.header("location") {
        Some(location) => guests::must_not_arrive(there(location)),
        None => Err(no_redirect(answer)),
    })
}

fn there(location: String) -> Request {
    Request::get(location).header("Authorization", secret("key"))
}

fn no_redirect(answer: &dyn Answer) -> Failure {
    Failure::Other(format!("status {} has no location", answer.status()))
}

guests::guest!("follows-redirect", follow);
