//! Traces of the daemon, if the environment names a collector. Other commands send none: they are over before
//! anybody could look.

use tokio::runtime::Handle;

use crate::cli::arguments::Verb;
use crate::egress::Collector;
use crate::lifecycle::init;
use crate::telemetry::{Traces, TracesError, Wanted};
use crate::vault::source;

/// Traces on their way out, if somebody wants those of `verb`.
pub(super) fn wanted(verb: &Verb, runtime: &Handle) -> Result<Option<Traces>, TracesError> {
    // Process 1 of a container only looks after the daemon, which is a child of it.
    if !matches!(verb, Verb::Serve) || init::is_first() {
        return Ok(None);
    }
    let Some(wanted) = Wanted::read(source::variable)? else { return Ok(None) };
    let collector = Collector::new(runtime.clone(), wanted.timeout);
    Traces::start(collector.ok_or(TracesError::NoClient)?).map(Some)
}
