//! What a long command shows on its way: a bar on a terminal, a line for each connection elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::cli::render::line::Line;
use crate::cli::render::{hint, out, table, tone};
use crate::model::attempt::{Attempt, Outcome};
use crate::operator::Progress;

/// From this many on, a bar says more than lines.
const WORTH_A_BAR: u64 = 20;

/// Shows steps until there are no more.
pub(in crate::cli) async fn follow(mut steps: mpsc::UnboundedReceiver<Progress>, json: bool) {
    let mut bar = None;
    let mut failed = Vec::new();
    while let Some(step) = steps.recv().await {
        if json {
            continue;
        }
        if step.total < WORTH_A_BAR || !std::io::stderr().is_terminal() {
            out(line(&step.attempt));
            continue;
        }
        bar.get_or_insert_with(|| start(step.total)).set_position(step.done);
        if step.attempt.outcome() == Some(Outcome::Failed) {
            failed.push(step.attempt);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    // Where the eye lands: at the end.
    for attempt in &failed {
        hint(line(attempt));
    }
}

/// A bar with an estimate of what is left.
pub(in crate::cli) fn start(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(" {bar:40} {pos}/{len}  {per_sec}  ETA {eta}");
    let bar = ProgressBar::new(total);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// One attempt in one line.
pub(super) fn line(attempt: &Attempt) -> Line {
    let symbol = match attempt.outcome() {
        Some(Outcome::Success) => tone::good("✓"),
        Some(Outcome::Failed) => tone::bad("✕"),
        Some(Outcome::Skipped) => "-".into(),
        None => "…".into(),
    };
    let outcome = attempt.outcome().map_or("running", Outcome::as_str);
    let took = attempt.duration_ms.map(|it| format!(" {it} ms")).unwrap_or_default();
    let why = table::why(attempt);
    let why = if why.is_empty() { why } else { format!("  {why}") };
    let (connection, generation) = (&attempt.connection, attempt.generation);
    symbol.then(format!(" {connection} {outcome}{took}  generation {generation}{why}"))
}
