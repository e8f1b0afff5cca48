//! `keepfresh connection add` and `import`: files are read and checked here, whole, before anything is
//! changed; then they are sent in batches to the daemon or the database.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use indicatif::ProgressBar;
use zeroize::Zeroizing;

use crate::app::Purpose;
use crate::cli::arguments::{Add, Import};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::cli::session::Session;
use crate::manifest;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::import_file::{self, Format, Names, Row, Trouble};
use crate::operator::reply::Enrolled;
use crate::operator::{Command, Reply};

/// Rows in one piece. With tokens of two kilobytes it is well below what a command may be long.
const PIECE: usize = 100;

/// Maximum number of mistakes that are shown; more of them usually have one cause.
const SHOWN: usize = 20;

/// Imports a file and prints what became of its rows.
pub(super) async fn run(config: &Path, wanted: Import, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let (rows, trouble) = match read(&wanted) {
        Ok(read) => read,
        Err(failure) => return render::failure(&failure, json),
    };
    if !trouble.is_empty() && !wanted.skip_bad {
        return refuse(&trouble, json);
    }
    if wanted.dry_run {
        render::hint(format!("{} rows can be read, {} cannot", rows.len(), trouble.len()));
        return if trouble.is_empty() { Exit::Done } else { Exit::Partly };
    }
    let session = match Session::open(manifest, Purpose::Command).await {
        Ok(session) => session,
        Err(failure) => return render::failure(&failure, json),
    };
    let result = send(&session, &wanted, rows).await;
    session.close().await;
    match result {
        Ok(mut enrolled) => {
            let bad = trouble.into_iter().map(|it| (format!("row {}", it.row), it.message));
            enrolled.refused.extend(bad);
            render::reply(&Reply::Enrolled(enrolled), json, false)
        }
        Err(failure) => render::failure(&failure, json),
    }
}

fn read(wanted: &Import) -> Result<(Vec<Row>, Vec<Trouble>), Failure> {
    let file = open(&wanted.file)?;
    let is_csv = match wanted.format.as_deref() {
        Some(format) => format == "csv",
        None => wanted.file.extension().is_some_and(|it| it.eq_ignore_ascii_case("csv")),
    };
    let format = if is_csv { Format::Csv } else { Format::Json };
    let names = wanted.map.iter().cloned().collect::<Names>();
    let mut rows = Vec::new();
    let trouble = import_file::read(&file, format, &names, |row| rows.push(row));
    Ok((rows, trouble))
}

/// The bytes of a file, or of standard input when it is `-`.
fn open(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map(Zeroizing::new).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Failure::new(Case::Misconfigured, code::Import::Unreadable, message)
    })
}

fn refuse(trouble: &[Trouble], json: bool) -> Exit {
    let mut lines = trouble
        .iter()
        .take(SHOWN)
        .map(|it| format!("row {}: {}", it.row, it.message))
        .collect::<Vec<_>>();
    if trouble.len() > SHOWN {
        lines.push(format!("and {} more", trouble.len() - SHOWN));
    }
    let count = trouble.len();
    let mut message = format!(
        "{count} row{} cannot be read, so nothing was imported; correct them, or skip them with --skip-bad",
        if count == 1 { "" } else { "s" },
    );
    if json {
        message = format!("{message}\n  {}", lines.join("\n  "));
    }
    let failure = Failure::new(Case::Misconfigured, code::Import::BadRows, message);
    let exit = render::failure(&failure, json);
    if !json {
        for line in lines {
            render::hint(format!("  {line}"));
        }
    }
    exit
}

async fn send(session: &Session, wanted: &Import, rows: Vec<Row>) -> Result<Enrolled, Failure> {
    let bar = bar(rows.len());
    let mut sum = Enrolled::default();
    let mut rows = rows.into_iter();
    loop {
        let piece = rows.by_ref().take(PIECE).collect::<Vec<_>>();
        let count = piece.len() as u64;
        if count == 0 {
            break;
        }
        let (provider, replace) = (wanted.provider.clone(), wanted.replace);
        let reply = session.ask(Command::Enrol { provider, rows: piece, replace }).await;
        if let Reply::Enrolled(enrolled) = reply.inspect_err(|_| bar.abandon())? {
            sum = sum.plus(enrolled);
        }
        bar.inc(count);
    }
    bar.finish_and_clear();
    Ok(sum)
}

fn bar(rows: usize) -> ProgressBar {
    if rows < PIECE || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    render::progress::start(rows as u64)
}

/// `connection add`: one row from the command line, with its secrets from a file.
pub(super) fn one(wanted: Add) -> Result<Command, Failure> {
    let Add { connection: id, label, setting, from, replace } = wanted;
    let mut row = match from {
        Some(path) => secrets_of(&id, &path)?,
        None => Row::default(),
    };
    id.name().clone_into(&mut row.name);
    row.labels.extend(label);
    row.settings.extend(setting);
    Ok(Command::Enrol { provider: id.provider().to_owned(), rows: vec![row], replace })
}

/// A JSON object as a file of many has them; its name is on the command line.
fn secrets_of(id: &ConnectionId, path: &Path) -> Result<Row, Failure> {
    let invalid = |why: &str| {
        let message = format!("{} cannot be used: {why}", path.display());
        Failure::new(Case::Misconfigured, code::Import::BadRows, message)
    };
    let file = open(path)?;
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&file).map_err(|_| invalid("it is not one JSON object"))?;
    object.insert("name".to_owned(), id.name().into());
    let text = Zeroizing::new(serde_json::Value::Object(object).to_string());
    let mut found = None;
    let trouble =
        import_file::read(text.as_bytes(), Format::Json, &Names::new(), |row| found = Some(row));
    match (trouble.first(), found) {
        (None, Some(row)) => Ok(row),
        (Some(trouble), _) => Err(invalid(&trouble.message)),
        (None, None) => Err(invalid("it is empty")),
    }
}
