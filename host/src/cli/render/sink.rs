//! Sinks, a row for each, and what came of delivering all of one.

use crate::cli::render::line::Line;
use crate::cli::render::table;
use crate::model::said;
use crate::operator::sinks::{SinkRun, SinkView};

pub(super) fn list(sinks: &[SinkView]) -> Vec<Line> {
    let row = |it: &SinkView| {
        vec![
            it.name.clone(),
            it.kind.clone(),
            it.of.clone(),
            it.state.word().to_owned(),
            it.delivered_at.map_or("never".to_owned(), said::moment),
            it.waiting.to_string(),
            it.fault().unwrap_or_default(),
        ]
    };
    let head = ["name", "kind", "of", "state", "delivered", "waiting", "last error"];
    table::rows(&head, sinks.iter().map(row).collect())
}

/// What failed, a row for each.
pub(super) fn failures(ran: &SinkRun) -> Vec<Line> {
    let row = |it: &crate::operator::sinks::NotDelivered| {
        vec![it.subject.clone(), format!("{} ({})", it.error.message, it.error.code)]
    };
    table::rows(&["not delivered", "why"], ran.failures.iter().map(row).collect())
}

/// How many there were of each.
pub(super) fn summary(ran: &SinkRun) -> String {
    let SinkRun { sink, delivered, unchanged, failed, .. } = ran;
    format!("{sink}: {delivered} delivered, {unchanged} unchanged, {failed} failed")
}
