//! Attempts as people read them: rows of the log, one attempt with everything about it, and the statistics.

use serde_json::{Value, json};

use crate::cli::render::line::Line;
use crate::cli::render::{door, table};
use crate::model::attempt::{Attempt, Outcome};
use crate::model::exchange::Exchange;
use crate::model::plain::escaped;
use crate::model::said;
use crate::operator::attempt::AttemptDetails;
use crate::operator::reply::{FiguresView, StatsView};

const HEAD: &[&str] = &["started", "connection", "trigger", "outcome", "took", "why"];

/// Columns that keep their width from one page to the next. Most of them know what they will hold.
pub(super) struct Columns {
    widths: [usize; 5],
    has_head: bool,
}

impl Columns {
    /// Nothing is printed yet.
    pub(super) fn new() -> Self {
        Self { widths: [0; 5], has_head: false }
    }

    /// The same for rows that come one by one: wide enough for every trigger, outcome and usual duration.
    pub(super) fn for_a_stream() -> Self {
        Self { widths: [0, 0, "scheduled".len(), "success".len(), "999 ms".len()], has_head: false }
    }

    /// The next rows, below one heading.
    pub(super) fn rows(&mut self, attempts: &[Attempt]) -> Vec<Line> {
        let mut rows = attempts.iter().map(row).collect::<Vec<_>>();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &mut rows {
            for (width, cell) in self.widths.iter().zip(row) {
                *cell = format!("{cell:width$}");
            }
        }
        let heading = usize::from(self.has_head);
        self.has_head |= !rows.is_empty();
        table::rows(HEAD, rows).into_iter().skip(heading).collect()
    }
}

/// Rows of the log below their heading.
pub(super) fn attempts(attempts: &[Attempt]) -> Vec<Line> {
    Columns::new().rows(attempts)
}

fn row(it: &Attempt) -> Vec<String> {
    vec![
        said::moment(it.started_at),
        // Before it is measured: what is escaped is wider.
        escaped(&it.connection.to_string()).into_owned(),
        it.trigger.to_string(),
        it.outcome().map_or("running", Outcome::as_str).to_owned(),
        it.duration_ms.map(said::took).unwrap_or_default(),
        why(it),
    ]
}

/// The reason or the error of an attempt.
pub(super) fn why(attempt: &Attempt) -> String {
    match (attempt.error(), attempt.reason()) {
        (Some(error), _) => format!("[{}] {}", error.code, error.message),
        (None, Some(reason)) => reason.to_owned(),
        (None, None) => String::new(),
    }
}

/// Everything about one attempt, for scripts.
pub(super) fn attempt_json(details: &AttemptDetails) -> Value {
    let AttemptDetails { attempt, plugin_digest, exchanges } = details;
    json!({ "attempt": attempt, "plugin_digest": plugin_digest, "exchanges": exchanges })
}

/// Everything about one attempt.
pub(super) fn attempt(details: &AttemptDetails) -> Vec<Line> {
    let attempt = &details.attempt;
    let remedy = attempt.error().and_then(|it| it.code.remedy()).map(str::to_owned);
    let facts = [
        ("attempt", Some(attempt.id.to_string())),
        ("connection", Some(attempt.connection.to_string())),
        ("trigger", Some(attempt.trigger.to_string())),
        ("outcome", Some(attempt.outcome().map_or("running", Outcome::as_str).to_owned())),
        ("why", Some(why(attempt)).filter(|it| !it.is_empty())),
        ("remedy", remedy),
        ("started", Some(said::moment(attempt.started_at))),
        ("took", attempt.duration_ms.map(said::took)),
        ("waited", attempt.spent.waited_ms.map(|it| format!("{} for its turn", said::took(it)))),
        ("provider", attempt.spent.provider_ms.map(said::took)),
        ("generation", Some(attempt.generation.to_string())),
        ("plugin", details.plugin_digest.clone()),
    ];
    let line = |(name, value): (&str, Option<String>)| {
        Some(
            Line::from(format!("{name:INDENT$}{}", escaped(&value?))).folded(door::width(), INDENT),
        )
    };
    let facts = facts.into_iter().filter_map(line).flatten();
    facts.chain(exchanges(&details.exchanges)).collect()
}

/// The requests that it made, in order.
fn exchanges(all: &[Exchange]) -> Vec<Line> {
    if all.is_empty() {
        return Vec::new();
    }
    let row = |it: &Exchange| {
        vec![
            it.method.clone(),
            it.status.map_or_else(|| "no answer".to_owned(), |it| it.to_string()),
            said::took(it.took_ms),
            format!("{} B", it.sent_bytes),
            format!("{} B", it.received_bytes),
            it.address.clone(),
        ]
    };
    let head = ["request", "status", "took", "sent", "received", "address"];
    table::rows(&head, all.iter().map(row).collect())
}

/// Where the values of facts begin.
const INDENT: usize = 12;

/// Each provider, and all of them where there are several.
pub(super) fn stats(stats: &StatsView) -> Vec<Line> {
    let since = Line::from(format!("since {}", said::moment(stats.since)));
    if stats.providers.is_empty() {
        return vec![since, Line::from("no attempts")];
    }
    let mut rows = stats.providers.iter().map(|(it, one)| figures(it, one)).collect::<Vec<_>>();
    if stats.providers.len() > 1 {
        rows.push(figures("all", &stats.all));
    }
    let head = ["provider", "rate", "success", "failed", "skipped", "p50", "p95", "causes"];
    std::iter::once(since).chain(table::rows(&head, rows)).collect()
}

fn figures(name: &str, it: &FiguresView) -> Vec<String> {
    let causes = it.causes.iter().map(|(code, count)| format!("{code} × {count}"));
    vec![
        name.to_owned(),
        it.success_rate.map_or_else(|| "-".to_owned(), |it| format!("{:.1} %", it * 100.0)),
        it.success.to_string(),
        it.failed.to_string(),
        it.skipped.to_string(),
        it.p50_ms.map_or_else(|| "-".to_owned(), said::took),
        it.p95_ms.map_or_else(|| "-".to_owned(), said::took),
        causes.collect::<Vec<_>>().join(", "),
    ]
}
