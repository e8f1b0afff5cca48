//! Logs one line of 8 MiB, then logs in properly.

use guests::log::{Level, log};
use sdk::{Context, Flow, Tokens};

fn shout(_: &Context) -> Flow<Tokens> {
    log(Level::Info, &"a".repeat(8 << 20));
    guests::tokens()
}

guests::guest!("huge-log", shout);
