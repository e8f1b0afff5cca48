//! Logs on stderr, as text or as JSON lines, and the names of their fields. What libraries say is
//! capped whatever the filter asks for, because at `debug` and `trace` some of them print headers
//! and bodies. Nobody waits for whoever reads them. Knows nothing of the environment: the caller hands
//! the filter in.

/// The trace that a caller names.
pub mod cause;

/// Between those who log and whoever reads.
mod queue;

/// Figures for Prometheus.
pub mod metrics;
/// The spans of traces.
pub mod spans;

/// A line for people.
mod text;

/// Traces for OpenTelemetry.
mod traces;

use std::io::{self, IsTerminal};

use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{
    EnvFilter, FilterExt, FilterFn, LevelFilter, ParseError, filter_fn,
};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

pub use queue::Flush;
pub use traces::{Traces, TracesError, Wanted};

use crate::model::plain::{escaped, escaped_json};
use queue::Queue;
use text::Text;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: coloured on a terminal, unless `NO_COLOR` is set.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What is logged when the caller does not say.
pub const DEFAULT_FILTER: &str = "info";

/// The names of fields, the same in every line, so that logs can be searched. In the macros they
/// are written out: `info!(connection.id = %id.full(), "refreshed {id}")`.
pub mod field {
    /// `provider/name`.
    pub const CONNECTION: &str = "connection.id";
    /// The name of a provider in the manifest.
    pub const PROVIDER: &str = "provider.name";
    /// The name of a plugin.
    pub const PLUGIN: &str = "plugin.name";
    /// The id of an attempt.
    pub const ATTEMPT: &str = "attempt.id";
    /// Why an attempt was made.
    pub const TRIGGER: &str = "trigger";
    /// How it ended.
    pub const OUTCOME: &str = "outcome";
    /// The generation that it made.
    pub const GENERATION: &str = "generation";
    /// `area.cause`.
    pub const CODE: &str = "error.code";
    /// The name that a task was spawned with.
    pub const TASK: &str = "task.name";
    /// How long something took, in milliseconds.
    pub const DURATION: &str = "duration_ms";
    /// Log lines that were dropped since the start, because nobody read them.
    pub const DROPPED: &str = "log.dropped";
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error(
        "the log filter `{filter}` is not valid: {cause}; write a level such as `debug`, \
         or `info,keepfresh::egress=trace`"
    )]
    FilterInvalid {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        cause: ParseError,
    },
    /// It was set up before.
    #[error("logging was set up twice")]
    SetTwice(#[from] SetGlobalDefaultError),
    /// The thread that writes could not be started.
    #[error("the log cannot be written: {0}")]
    Unwritable(#[from] io::Error),
}

/// Sends logs to stderr from here on, until what it returns is dropped. Records of the `log` crate are not
/// taken in: only libraries use it, and what matters of theirs comes back as an error.
/// Where there are traces, spans go there.
pub fn init(
    format: Format,
    filter: &str,
    traces: Option<&Traces>,
) -> Result<Flush, TelemetryError> {
    let colours = io::stderr().is_terminal();
    let (queue, flush) = Queue::start(io::stderr(), tell_dropped)?;
    let subscriber = subscriber(format, filter, colours, move || queue.clone())?;
    let subscriber = subscriber.with(traces.map(Traces::layer));
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(flush)
}

fn tell_dropped(count: u64) {
    tracing::warn!(
        target: "keepfresh",
        { log.dropped = count },
        "{count} log lines were dropped since the start because nobody read them"
    );
}

fn subscriber<W>(
    format: Format,
    filter: &str,
    colours: bool,
    writer: W,
) -> Result<impl Subscriber + for<'span> LookupSpan<'span> + Send + Sync, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = lines(format, colours, Door { writer, format, colours });
    Ok(Registry::default().with(lines.with_filter(parse(filter)?.and(cap()))))
}

fn lines<W>(format: Format, colours: bool, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
        // Left alone on a terminal: the layer itself obeys `NO_COLOR`.
        Format::Text if colours => layer.event_format(Text).boxed(),
        Format::Text => layer.event_format(Text).with_ansi(false).boxed(),
    }
}

/// What lines go through on their way out: nothing in them begins another line, obeys a terminal's
/// wishes or hides. A library's sentence may hold what a provider said.
struct Door<W> {
    writer: W,
    format: Format,
    colours: bool,
}

struct Escaping<W> {
    writer: W,
    format: Format,
    colours: bool,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Door<W> {
    type Writer = Escaping<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        let Self { writer, format, colours } = self;
        Escaping { writer: writer.make_writer(), format: *format, colours: *colours }
    }
}

impl<W: io::Write> io::Write for Escaping<W> {
    /// The layer writes a whole line at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let shown = match self.format {
            Format::Json => escaped_json(line).into_owned(),
            // Escapes that are left are the layer's own: it has written out those of others.
            Format::Text if self.colours => {
                line.split('\u{1b}').map(escaped).collect::<Vec<_>>().join("\u{1b}")
            }
            Format::Text => escaped(line).into_owned(),
        };
        self.writer.write_all(format!("{shown}\n").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|cause| TelemetryError::FilterInvalid { filter: filter.to_owned(), cause })
}

fn cap() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    // Spans of traces are no lines, and say nothing that a line does not.
    let cap: fn(&Metadata<'_>) -> bool =
        |it| it.target() != traces::TARGET && *it.level() <= loudest(it.target());
    // Without a hint here nothing would be known of the whole filter, and each line that is not wanted, of each library,
    // would be held against it whenever it is come by.
    filter_fn(cap).with_max_level_hint(LevelFilter::TRACE)
}

/// Ours as the filter says, others never below `info`: the list of those who print secrets would
/// never be complete. The ones that are known to are held at `warn`.
fn loudest(target: &str) -> Level {
    const OURS: &str = "keepfresh";
    const TALKATIVE: [&str; 9] = [
        "reqwest",
        "hyper",
        "hyper_util",
        "h2",
        "rustls",
        "sqlx",
        "wasmtime",
        "wasmtime_wasi",
        "cranelift",
    ];
    let root = target.split("::").next().unwrap_or(target);
    match root {
        OURS => Level::TRACE,
        _ if TALKATIVE.contains(&root) || root.starts_with("cranelift_") => Level::WARN,
        _ => Level::INFO,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;
    use tracing::{debug, debug_span, info, trace, trace_span, warn};
    use tracing_subscriber::layer::Identity;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(format, filter, false, move || writer.clone()).unwrap();
        with_default(subscriber, log);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_filter_holds_for_our_own_lines() {
        let log = || {
            trace!(target: "keepfresh::egress", "one");
            debug!(target: "keepfresh::egress", "two");
            info!(target: "keepfresh", "three");
        };
        assert_eq!(logged(Format::Text, "info", log).lines().count(), 1);
        assert_eq!(logged(Format::Text, "trace", log).lines().count(), 3);
        assert_eq!(logged(Format::Text, "info,keepfresh::egress=debug", log).lines().count(), 2);
    }

    #[test]
    fn libraries_are_capped_whatever_the_filter_says() {
        for filter in ["trace", "hyper=trace,hyper::proto=trace,sqlx::query=trace,mio=trace"] {
            let text = logged(Format::Text, filter, || {
                trace!(target: "hyper::proto::h1", "CANARY");
                debug!(target: "rustls::client", "CANARY");
                info!(target: "sqlx::query", "CANARY");
                info!(target: "cranelift_codegen::compile", "CANARY");
                debug!(target: "mio::poll", "CANARY");
                warn!(target: "hyper::proto::h1", "closed");
            });
            assert!(!text.contains("CANARY"), "{text}");
            assert!(text.contains("closed"), "{text}");
        }
    }

    #[test]
    fn what_nobody_wants_is_not_even_made() {
        let quiet = subscriber(Format::Text, "info", false, io::sink).unwrap();
        // As without traces.
        let quiet = quiet.with(None::<Identity>);
        assert_eq!(quiet.max_level_hint(), Some(LevelFilter::INFO));
        with_default(quiet, || {
            assert!(trace_span!(target: traces::TARGET, "attempt").is_disabled());
            assert!(debug_span!("task").is_disabled());
        });
    }

    #[test]
    fn json_lines_have_the_fields_by_name() {
        let text = logged(Format::Json, "info", || {
            info!(target: "keepfresh", { connection.id = "eskiz/default" }, "refreshed");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line[field::CONNECTION], "eskiz/default");
        assert_eq!(line["message"], "refreshed");
    }

    #[test]
    fn a_line_stays_one_line_and_hides_nothing() {
        let log = || warn!(target: "keepfresh", { provider.name = "a\u{202e}" }, "b\nc\u{1b}[31m\u{2066}\u{9b}");
        let text = logged(Format::Text, "info", log);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.trim_end().chars().all(|it| !crate::model::plain::is_hidden(it)), "{text}");
        assert!(text.contains("b\\nc"), "{text}");
        let json = logged(Format::Json, "info", log);
        assert!(json.trim_end().chars().all(|it| !crate::model::plain::is_hidden(it)), "{json}");
        let line: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(line["provider.name"], "a\u{202e}");
    }

    #[test]
    fn a_filter_that_is_not_one_is_named() {
        let error = parse("keepfresh=loud").unwrap_err();
        assert!(error.to_string().contains("`keepfresh=loud`"));
    }
}
