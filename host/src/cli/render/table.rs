//! Rows and columns, as wide as the terminal and no wider.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::cli::render::line::Line;
use crate::model::attempt::{Attempt, Outcome};
use crate::model::plain::escaped;
use crate::model::state::span;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::reply::StatsView;

/// Width of `schedule list` where no terminal says otherwise.
const LINE: usize = 100;

/// A table with a head.
pub(super) fn rows(head: &[&str], rows: Vec<Vec<String>>) -> Vec<Line> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.iter().map(|it| it.to_uppercase()));
    // Before it is laid out: a line end in a cell would become one of the table.
    let row = |row: Vec<String>| row.iter().map(|it| escaped(it).into_owned()).collect::<Vec<_>>();
    table.add_rows(rows.into_iter().map(row));
    table.to_string().lines().map(str::trim_end).map(Line::from).collect()
}

pub(super) fn attempts(attempts: &[Attempt]) -> Vec<Line> {
    let row = |it: &Attempt| {
        vec![
            it.started_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            it.connection.to_string(),
            it.trigger.to_string(),
            it.outcome().map_or("running", Outcome::as_str).to_owned(),
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
    match (attempt.error(), attempt.reason()) {
        (Some(error), _) => format!("[{}] {}", error.code, error.message),
        (None, Some(reason)) => reason.to_owned(),
        (None, None) => String::new(),
    }
}

pub(super) fn stats(stats: &StatsView) -> Vec<Line> {
    let rate =
        stats.success_rate.map_or("no attempts".to_owned(), |it| format!("{:.1} %", it * 100.0));
    let mut lines = vec![
        format!("success rate  {rate}"),
        format!("success       {}", stats.success),
        format!("failed        {}", stats.failed),
        format!("skipped       {}", stats.skipped),
    ];
    if let (Some(p50), Some(p95)) = (stats.p50_ms, stats.p95_ms) {
        lines.push(format!("duration      p50 {p50} ms, p95 {p95} ms"));
    }
    let cause = |(code, count)| format!("cause         {code} × {count}");
    lines.into_iter().chain(stats.causes.iter().map(cause)).map(Line::from).collect()
}

pub(super) fn schedules(schedules: &[ScheduleView], now: Timestamp) -> Vec<Line> {
    let expressions = schedules.iter().map(|it| it.expression.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for it in schedules {
        lines.push(schedule(it, expressions, now));
        if it.kind != "schedule" {
            continue;
        }
        for (id, at) in &it.next_refresh {
            let at =
                at.map_or("not automatically".to_owned(), |at| format!("in {}", span(now, at)));
            lines.push(format!("  {:expressions$}    {id}: next refresh {at}", "").into());
        }
    }
    lines
}

fn schedule(it: &ScheduleView, expressions: usize, now: Timestamp) -> Line {
    let next =
        it.next_runs.first().map_or("never".to_owned(), |at| format!("in {}", span(now, *at)));
    let name = match it.kind.as_str() {
        "schedule" => format!("{} ({})", it.provider, it.timezone),
        _ => format!("{} backup ({})", it.provider, it.timezone),
    };
    let head = format!("  {:expressions$}  {name} ", it.expression);
    let tail = format!(" Next tick: {next}");
    let dots = LINE.saturating_sub(head.chars().count() + tail.chars().count()).max(2);
    Line::from(format!("{head}{}{tail}", ".".repeat(dots)))
}

pub(super) fn plugins(plugins: &[PluginView]) -> Vec<Line> {
    let row = |it: &PluginView| {
        let state = match (&it.refused, &it.running) {
            (Some(error), Some(_)) => {
                format!("an older version is in use: [{}] {}", error.code, error.message)
            }
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
