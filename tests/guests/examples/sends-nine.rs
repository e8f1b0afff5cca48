//! Sends nine requests, one more than a call may.

use sdk::{Context, Failure, Flow, Request, Tokens, send_then};

fn nine(_: &Context) -> Flow<Tokens> {
    more(9)
}

fn more(left: u32) -> Flow<Tokens> {
    if left == 0 {
        return Err(Failure::Other("nine requests were answered".to_owned()));
    }
    send_then(Request::get("{base_url}/go"), move |_| more(left - 1))
}

guests::guest!("sends-nine", nine);
