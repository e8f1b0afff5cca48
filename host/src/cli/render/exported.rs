//! How an export is shown: what has gone out in clear, and what to mind.

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::export::Sum;
use crate::cli::render::{hint, out_json};

/// Notes that are shown.
const SHOWN: usize = 20;

/// Prints what has gone out. What cannot be read was left out, and that is told.
pub(in crate::cli) fn exported(sum: &Sum, json: bool) -> Exit {
    let Sum { provider, file, connections, secrets, notes, .. } = sum;
    if json {
        let notes = notes.iter().map(|it| json!({ "name": it.name, "message": it.message }));
        out_json(&json!({
            "done": true, "file": file, "connections": connections, "secrets": secrets,
            "notes": notes.collect::<Vec<_>>(),
        }));
        return Exit::Done;
    }
    for note in notes.iter().take(SHOWN) {
        hint(format!("note: {}: {}", note.name, note.message));
    }
    if notes.len() > SHOWN {
        hint(format!("and {} more notes", notes.len() - SHOWN));
    }
    let what = sum.secrets_text();
    hint(format!("{connections} connections of {provider} were written in clear: {what}"));
    hint(
        "keepfresh goes on refreshing them, which may use up the refresh tokens that were written: stop the daemon, or pause them, before another program refreshes them",
    );
    if file.as_os_str() != "-" {
        let file = file.display();
        hint(format!("keepfresh reads it with: keepfresh connection import {provider} {file}"));
    }
    Exit::Done
}
