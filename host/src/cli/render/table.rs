//! Rows and columns, as wide as the terminal and no wider.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::state::span;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::reply::StatsView;

/// Width of `schedule list` where no terminal says otherwise.
const LINE: usize = 100;

/// A table with a head.
pub(super) fn rows(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.iter().map(|it| it.to_uppercase()));
    table.add_rows(rows);
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

pub(super) fn attempts(attempts: &[Attempt]) -> String {
    let row = |it: &Attempt| {
        vec![
            it.started_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            it.connection.to_string(),
            it.trigger.to_string(),
            it.outcome.map_or("running", Outcome::as_str).to_owned(),
            it.duration_ms.map(|it| format!("{it} ms")).unwrap_or_default(),
            why(it),
        ]
    };
    rows(
        &["started (UTC)", "connection", "trigger", "outcome", "took", "why"],
        attempts.iter().map(row).collect(),
    )
}

/// The reason or the error of an attempt.
pub(super) fn why(attempt: &Attempt) -> String {
    match (&attempt.error, &attempt.reason) {
        (Some(error), _) => format!("[{}] {}", error.code, error.message),
        (None, Some(reason)) => reason.clone(),
        (None, None) => String::new(),
    }
}

pub(super) fn stats(stats: &StatsView) -> String {
    let mut text = String::new();
    let rate =
        stats.success_rate.map_or("no attempts".to_owned(), |it| format!("{:.1} %", it * 100.0));
    let _ = writeln!(text, "success rate  {rate}");
    let _ = writeln!(text, "success       {}", stats.success);
    let _ = writeln!(text, "failed        {}", stats.failed);
    let _ = writeln!(text, "skipped       {}", stats.skipped);
    if let (Some(p50), Some(p95)) = (stats.p50_ms, stats.p95_ms) {
        let _ = writeln!(text, "duration      p50 {p50} ms, p95 {p95} ms");
    }
    for (code, count) in &stats.causes {
        let _ = writeln!(text, "cause         {code} × {count}");
    }
    text
}

pub(super) fn schedules(schedules: &[ScheduleView], now: Timestamp) -> String {
    let expressions = schedules.iter().map(|it| it.expression.len()).max().unwrap_or_default();
    let mut text = String::new();
    for it in schedules {
        let next =
            it.next_runs.first().map_or("never".to_owned(), |at| format!("in {}", span(now, *at)));
        let name = match it.kind.as_str() {
            "schedule" => format!("{} ({})", it.provider, it.timezone),
            _ => format!("{} backup ({})", it.provider, it.timezone),
        };
        let head = format!("  {:expressions$}  {name} ", it.expression);
        let tail = format!(" Next tick: {next}");
        let dots = LINE.saturating_sub(head.chars().count() + tail.chars().count()).max(2);
        let _ = writeln!(text, "{head}{}{tail}", ".".repeat(dots));
        if it.kind == "schedule" {
            for (id, at) in &it.next_refresh {
                let at =
                    at.map_or("not by itself".to_owned(), |at| format!("in {}", span(now, at)));
                let _ = writeln!(text, "  {:expressions$}    {id}: next refresh {at}", "");
            }
        }
    }
    text
}

pub(super) fn plugins(plugins: &[PluginView]) -> String {
    let row = |it: &PluginView| {
        let state = match (&it.refused, &it.running) {
            (Some(error), Some(_)) => format!("older one runs: [{}] {}", error.code, error.message),
            (Some(error), None) => format!("refused: [{}] {}", error.code, error.message),
            (None, _) if it.providers.is_empty() => "not used by any provider".to_owned(),
            (None, _) => "ready".to_owned(),
        };
        vec![
            it.file.clone(),
            it.version.clone().unwrap_or_default(),
            it.digest.get(..12).unwrap_or_default().to_owned(),
            it.providers.join(", "),
            state,
        ]
    };
    rows(&["file", "version", "sha-256", "providers", "state"], plugins.iter().map(row).collect())
}
