//! Checks what is planned when the daemon starts, and whenever the wall clock was set: it may have been
//! ahead when the plans were made.

use jiff::SignedDuration;
use tracing::{error, warn};

use crate::scheduler::Scheduler;

pub(super) async fn run(scheduler: Scheduler) {
    let parts = &scheduler.0;
    let mut offset = parts.clock.offset();
    loop {
        if let Err(error) = parts.refresher.times.check().await {
            error!(
                error.code = error.code().text(),
                "the planned refreshes could not be checked: {error}"
            );
        }
        scheduler.wake();
        let before = offset;
        tokio::select! {
            now = parts.clock.jumped(offset) => offset = now,
            () = parts.lifecycle.wait_for_soft_stop() => return,
        }
        warn!("the clock was set {}; checking the planned refreshes", by(offset - before));
    }
}

fn by(jump: SignedDuration) -> String {
    let seconds = jump.as_secs().abs();
    let way = if jump.is_negative() { "back" } else { "forward" };
    format!("{way} by {seconds} s")
}
