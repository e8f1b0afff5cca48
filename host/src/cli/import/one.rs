//! `connection add`: one row from the command line, with its secrets and tokens from a file.

use std::path::Path;

use crate::cli::arguments::{Add, Reading};
use crate::cli::import::file::{self, Read};
use crate::cli::render;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::Command;
use crate::operator::import_file::Row;

/// What adding this one is, as a command.
pub(in crate::cli) async fn one(wanted: Add) -> Result<Command, Failure> {
    let Add { connection: id, label, setting, from, reading, replace } = wanted;
    let mut row = match from {
        Some(path) => only_row(&id, &path, &reading).await?,
        None => Row::default(),
    };
    id.name().clone_into(&mut row.name);
    row.line = 0;
    row.more_labels.extend(label);
    row.settings.extend(setting);
    let provider = id.provider().to_owned();
    Ok(Command::Enrol { provider, rows: vec![row], replace, dry_run: false })
}

/// The one row of a file; its name is on the command line.
async fn only_row(id: &ConnectionId, path: &Path, reading: &Reading) -> Result<Row, Failure> {
    let invalid = |why: &str| {
        let message = format!("{} cannot be used: {why}", path.display());
        Failure::new(Case::Misconfigured, code::Import::BadRows, message)
    };
    let Read { mut rows, refused, remarks } = file::read(path, reading, Some(id.name())).await?;
    if rows.len() + refused.len() > 1 {
        let provider = id.provider();
        return Err(invalid(&format!(
            "it has more than one row; for several use: keepfresh connection import {provider} FILE"
        )));
    }
    if let Some(refusal) = refused.first() {
        return Err(invalid(&refusal.message));
    }
    render::enrolled::remarks(&remarks);
    rows.pop().ok_or_else(|| invalid("it has no row"))
}
