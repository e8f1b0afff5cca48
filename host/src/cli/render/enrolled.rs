//! How connections that were added are shown: what became of them, those that were refused, and remarks.

use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::cli::render::{error_json, hint, out_json, tone};
use crate::model::code::{self, Code};
use crate::operator::import_file::Remarks;
use crate::operator::reply::{Enrolled, Refusal};

/// Refusals that are shown; the sum says how many there are.
const SHOWN: usize = 20;

pub(super) fn text(enrolled: &Enrolled) {
    refused(&enrolled.refused);
    remarks(&enrolled.remarks);
    let Enrolled { added, updated, unchanged, kept, refused, .. } = enrolled;
    hint(format!(
        "{added} added, {updated} updated, {unchanged} unchanged, {kept} kept their newer token, {} refused",
        refused.len()
    ));
}

pub(super) fn json(enrolled: &Enrolled) -> Value {
    let Enrolled { added, updated, unchanged, kept, refused, remarks } = enrolled;
    let each = refused.iter().map(|it| {
        let (line, name) = (Some(it.line).filter(|it| *it > 0), Some(&it.name));
        json!({ "line": line, "name": name.filter(|it| !it.is_empty()), "message": it.message })
    });
    json!({
        "summary": {
            "added": added, "updated": updated, "unchanged": unchanged, "kept": kept,
            "refused": refused.len(),
        },
        "refused": each.collect::<Vec<_>>(),
        "remarks": remarks.iter().collect::<Vec<_>>(),
    })
}

/// Prints what an import would do.
pub(in crate::cli) fn dry_run(enrolled: &Enrolled, json: bool) -> Exit {
    let exit = if enrolled.refused.is_empty() { Exit::Done } else { Exit::Partly };
    if json {
        let mut told = self::json(enrolled);
        told["dry_run"] = true.into();
        out_json(&told);
        return exit;
    }
    refused(&enrolled.refused);
    remarks(&enrolled.remarks);
    let Enrolled { added, updated, unchanged, kept, refused, .. } = enrolled;
    hint(format!(
        "nothing was changed; an import would add {added}, update {updated}, leave {unchanged} unchanged, keep the newer token of {kept}, and leave out {}",
        refused.len()
    ));
    exit
}

/// Prints why nothing was imported: each bad row with its line.
pub(in crate::cli) fn nothing_imported(enrolled: &Enrolled, json: bool) -> Exit {
    let code = Code::from(code::Import::BadRows);
    let count = enrolled.refused.len();
    let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let message = format!(
        "{rows} cannot be imported, so nothing was; correct them, or leave them out with --skip-bad"
    );
    if json {
        let mut told = self::json(enrolled);
        told["error"] = error_json(&code, &message);
        out_json(&told);
        return code.exit();
    }
    hint(tone::bad(&format!("error[{code}]")).then(format!(": {message}")));
    refused(&enrolled.refused);
    code.exit()
}

fn refused(refused: &[Refusal]) {
    for Refusal { line, name, message } in refused.iter().take(SHOWN) {
        let place = match (line, name.as_str()) {
            (0, name) => name.to_owned(),
            (line, "") => format!("line {line}"),
            (line, name) => format!("line {line} ({name})"),
        };
        hint(tone::mark(false).then(format!(" {place}: {message}")));
    }
    if refused.len() > SHOWN {
        hint(format!("and {} more", refused.len() - SHOWN));
    }
}

/// Prints remarks, with the lines that they are about.
pub(in crate::cli) fn remarks(remarks: &Remarks) {
    for remark in remarks.iter() {
        let lines = remark.lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let more = remark.rows.saturating_sub(remark.lines.len() as u64);
        let place = match (remark.lines.len(), more) {
            (0, _) => String::new(),
            (1, 0) => format!(" (line {lines})"),
            (_, 0) => format!(" (lines {lines})"),
            _ => format!(" (lines {lines} and {more} more)"),
        };
        hint(format!("note: {}{place}", remark.message));
    }
}
