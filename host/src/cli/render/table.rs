//! Rows and columns, as wide as the terminal and no wider. Every column but the last stays whole: a time or
//! an id that is broken in two is neither read nor copied.

use comfy_table::{Table, presets};
use jiff::Timestamp;

use crate::cli::render::door;
use crate::cli::render::line::Line;
use crate::model::plain::escaped;
use crate::model::state::span;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::reply::Planned;

/// Width of `schedule list` where no terminal says otherwise.
const LINE: usize = 100;

/// With less room than this, the last column stands below its row.
const ROOM: usize = 28;

/// How far what stands below a row is indented.
const BELOW: usize = 4;

/// What would be refreshed, and why.
pub(super) fn planned(all: &[Planned]) -> Vec<Line> {
    let row = |it: &Planned| vec![it.connection.to_string(), it.action.clone(), it.reason.clone()];
    rows(&["connection", "action", "reason"], all.iter().map(row).collect())
}

/// A table with a head.
pub(super) fn rows(head: &[&str], rows: Vec<Vec<String>>) -> Vec<Line> {
    laid_out(head, rows, door::width())
}

fn laid_out(head: &[&str], rows: Vec<Vec<String>>, columns: Option<usize>) -> Vec<Line> {
    let head = head.iter().map(|it| it.to_uppercase()).collect();
    // Before it is laid out: a line end in a cell would become one of the table.
    let row = |row: Vec<String>| row.iter().map(|it| escaped(it).into_owned()).collect::<Vec<_>>();
    let mut rows = std::iter::once(head).chain(rows.into_iter().map(row)).collect::<Vec<_>>();
    let last = rows.iter_mut().map(|it| it.pop().unwrap_or_default()).collect::<Vec<_>>();
    let before = aligned(rows);
    let indent = before.iter().map(Line::width).max().unwrap_or_default() + 2;
    let fits = columns.is_none_or(|it| it >= indent + ROOM);
    let mut lines = Vec::new();
    for (before, last) in before.into_iter().zip(last) {
        let line = beside(&before, &last, indent);
        let is_short = columns.is_none_or(|it| line.width() <= it);
        lines.extend(if fits || is_short {
            line.folded(columns, indent)
        } else {
            below(before, &last, columns)
        });
    }
    lines
}

fn beside(before: &Line, last: &str, indent: usize) -> Line {
    let gap = " ".repeat(indent.saturating_sub(before.width()));
    let line = before.clone().then(gap).then(last);
    if last.is_empty() { before.clone() } else { line }
}

fn below(before: Line, last: &str, columns: Option<usize>) -> Vec<Line> {
    let last = Line::from(format!("{}{last}", " ".repeat(BELOW)));
    std::iter::once(before).chain(last.folded(columns, BELOW)).collect()
}

/// Cells in columns, a line for each row.
fn aligned(rows: Vec<Vec<String>>) -> Vec<Line> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).add_rows(rows);
    let tidy = |it: String| Line::from(it.strip_prefix(' ').unwrap_or(&it).trim_end());
    table.lines().map(tidy).collect()
}

pub(super) fn schedules(schedules: &[ScheduleView], now: Timestamp) -> Vec<Line> {
    let expressions = schedules.iter().map(|it| it.expression.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for it in schedules {
        lines.extend(schedule(it, expressions, now).folded(door::width(), expressions + BELOW));
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
    let line = door::width().map_or(LINE, |it| it.min(LINE));
    let dots = line.saturating_sub(head.chars().count() + tail.chars().count()).max(2);
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
            hex(it.digest.as_deref().unwrap_or_default()).to_owned(),
            it.providers.join(", "),
            state,
        ]
    };
    rows(&["file", "version", "sha-256", "providers", "state"], plugins.iter().map(row).collect())
}

/// The beginning of a digest: as much as tells two files apart, and as `plugin approve` takes at least.
fn hex(digest: &str) -> &str {
    digest.trim_start_matches("sha256:").get(..12).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(columns: Option<usize>) -> Vec<String> {
        let row = |id: &str, why: &str| {
            let at = "2026-03-01 04:05:06 UTC".to_owned();
            vec![at, id.to_owned(), "failed".to_owned(), why.to_owned()]
        };
        let why = "[provider.unavailable] eskiz answered 502 Bad Gateway and nothing else";
        let all = vec![row("eskiz", why), row("rotor/ann", "")];
        let lines = laid_out(&["started", "connection", "outcome", "why"], all, columns);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_table_that_fits_has_a_line_for_each_row() {
        let wide = lines(None);
        assert_eq!(wide.len(), 3, "{wide:#?}");
        assert!(wide[0].starts_with("STARTED") && wide[0].ends_with("WHY"), "{wide:#?}");
        assert!(wide[1].ends_with("nothing else") && wide[2].ends_with("failed"), "{wide:#?}");
    }

    #[test]
    fn the_last_column_is_folded_and_no_other_is() {
        let narrow = lines(Some(80));
        assert!(narrow.iter().all(|it| it.chars().count() <= 80), "{narrow:#?}");
        assert!(
            narrow[1].starts_with("2026-03-01 04:05:06 UTC  eskiz       failed"),
            "{narrow:#?}"
        );
        assert!(narrow[2].starts_with("                    "), "{narrow:#?}");
    }

    #[test]
    fn what_has_no_room_beside_its_row_stands_below_it() {
        let narrow = lines(Some(60));
        assert!(narrow[0].ends_with("WHY") && narrow[1].ends_with("failed"), "{narrow:#?}");
        assert!(narrow[2].starts_with("    [provider.unavailable]"), "{narrow:#?}");
        assert!(narrow.iter().all(|it| it.chars().count() <= 60), "{narrow:#?}");
    }
}
