//! Channels, a row for each, and what is wrong with one below it.

use crate::cli::render::line::Line;
use crate::cli::render::table;
use crate::model::said;
use crate::operator::channels::ChannelView;

pub(super) fn list(channels: &[ChannelView]) -> Vec<Line> {
    let row = |it: &ChannelView| {
        vec![
            it.name.clone(),
            it.kind.clone(),
            it.state.word().to_owned(),
            it.delivered_at.map_or("never".to_owned(), said::moment),
            it.waiting.to_string(),
            it.fault().unwrap_or_default(),
        ]
    };
    let head = ["name", "kind", "state", "delivered", "waiting", "last error"];
    table::rows(&head, channels.iter().map(row).collect())
}
