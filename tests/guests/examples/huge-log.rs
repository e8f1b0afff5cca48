//! Logs one line of 8 MiB: more than may cross in one call. It must not come to its login.

use guests::log::{Level, log};
use sdk::{Context, Flow, Tokens};

fn shout(_: &Context) -> Flow<Tokens> {
    log(Level::Info, &"a".repeat(8 << 20));
    guests::tokens()
}

guests::guest!("huge-log", shout);
