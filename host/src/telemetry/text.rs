//! A line of the log for people: when, how bad, what, and the fields to search by. The task that it was said
//! in is left out: each line makes sense on its own. Knows nothing of where the line goes.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// One line for each event.
pub(super) struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        SystemTime.format_time(&mut out)?;
        if out.has_ansi_escapes() {
            write!(out, " \u{1b}[{}m{level:>5}\u{1b}[0m ", colour(level))?;
        } else {
            write!(out, " {level:>5} ")?;
        }
        context.format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 90,
    }
}
