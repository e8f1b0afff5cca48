//! What came of a refresh of some connections, in a few lines.

use crate::cli::render::progress::MANY;
use crate::cli::render::{hint, out};
use crate::operator::reply::Refreshed;

/// What was done, what goes on elsewhere, and what was left out and why.
pub(super) fn text(refreshed: &Refreshed) {
    if (refreshed.queued.len() as u64) < MANY {
        refreshed.queued.iter().for_each(|it| out(format!("{it} queued")));
    }
    hint(sum(refreshed));
    refreshed.warnings.iter().for_each(hint);
    if refreshed.left_out > 0 {
        hint(format!(
            "{} left out: the outcome of their last refresh is unknown; name one to refresh it anyway",
            refreshed.left_out
        ));
    }
    if refreshed.left > 0 {
        hint(format!("stopped: {} remain; run it again", refreshed.left));
    }
}

fn sum(refreshed: &Refreshed) -> String {
    let (count, queued) = (refreshed.summary, refreshed.queued.len());
    if queued > 0 {
        return format!(
            "{queued} queued: the daemon refreshes them; wait for it with --sync, or see: keepfresh log"
        );
    }
    if refreshed.attempts.is_empty() && refreshed.left == 0 {
        return "nothing to refresh: no connection is selected".to_owned();
    }
    format!("{} refreshed, {} failed, {} skipped", count.success, count.failed, count.skipped)
}
