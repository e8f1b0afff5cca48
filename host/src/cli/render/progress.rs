//! What a long command shows on its way: a line for each of a few connections; of many a bar on a terminal,
//! and at the end what failed, by cause.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::sync::mpsc;

use crate::cli::render::line::Line;
use crate::cli::render::{causes, door, hint_line, log, out_all, tone};
use crate::model::attempt::{Attempt, Outcome};
use crate::model::said;
use crate::operator::Progress;

/// Of so many on, nobody reads a line each.
pub(super) const MANY: u64 = 20;

/// Shows steps until there are no more.
pub(in crate::cli) async fn follow(mut steps: mpsc::UnboundedReceiver<Progress>, json: bool) {
    let mut bar = None;
    let mut failed = Vec::new();
    while let Some(step) = steps.recv().await {
        if json {
            continue;
        }
        if step.total < MANY {
            out_all(line(&step.attempt).folded(door::width(), 4));
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
    causes::lines(failed).into_iter().for_each(hint_line);
}

/// A bar with an estimate of what is left, on a terminal.
pub(in crate::cli) fn start(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(" {bar:40} {pos}/{len}  {pace}  ETA {eta}");
    let bar = ProgressBar::new(total);
    if let Ok(style) = style {
        bar.set_style(style.with_key("pace", pace));
    }
    bar
}

/// How many come in a second, in as many digits as somebody reads.
fn pace(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    let digits = usize::from(state.per_sec() < 10.0);
    let _ = write!(out, "{:.digits$}/s", state.per_sec());
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
    let took = attempt.duration_ms.map(|it| format!(" {}", said::took(it))).unwrap_or_default();
    let why = log::why(attempt);
    let why = if why.is_empty() { why } else { format!("  {why}") };
    let (connection, generation) = (&attempt.connection, attempt.generation);
    symbol.then(format!(" {connection} {outcome}{took}  generation {generation}{why}"))
}
