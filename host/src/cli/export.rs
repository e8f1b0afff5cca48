//! `keepfresh connection export`: everything of a provider's connections in clear, to a file for its owner alone, and
//! after a question. The file is there whole or not at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::app::Purpose;
use crate::cli::arguments::Export;
use crate::cli::exit::Exit;
use crate::cli::found::{self, Found};
use crate::cli::render;
use crate::cli::session::Session;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::operator::export_file::{Table, json_line};
use crate::operator::import_file::{Format, Row, column};
use crate::operator::reply::{Exported, Refusal};
use crate::operator::{Command, PageQuery, Reply};

/// Exports and says what has gone out.
pub(super) async fn run(config: &Path, wanted: Export, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    match export(found, &wanted).await {
        Ok(sum) => render::exported(&sum, json && !wanted.is_standard_output()),
        Err(failure) => render::failure(&failure, json),
    }
}

/// What goes out.
#[derive(Debug, Default)]
pub(in crate::cli) struct Sum {
    /// Whose.
    pub(in crate::cli) provider: String,
    /// Where to.
    pub(in crate::cli) file: PathBuf,
    /// How many.
    pub(in crate::cli) connections: u64,
    /// What is secret, by what it is.
    pub(in crate::cli) secrets: BTreeMap<String, u64>,
    /// What a person should know of some.
    pub(in crate::cli) notes: Vec<Refusal>,
    table: Table,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.connections += 1;
        self.table.widen(row);
        let mut count = |name: String| *self.secrets.entry(name).or_default() += 1;
        for name in row.secrets.keys() {
            count(column("secret", name));
        }
        let Some(token) = &row.token else { return };
        let tokens =
            [("access_token", &token.access_token), ("refresh_token", &token.refresh_token)];
        for (name, _) in tokens.into_iter().filter(|(_, it)| it.is_some()) {
            count(name.to_owned());
        }
        for name in token.extra.keys() {
            count(column("extra", name));
        }
    }

    /// What is secret in it, as a person reads it.
    pub(in crate::cli) fn secrets_text(&self) -> String {
        let each = self.secrets.iter().map(|(name, count)| format!("{count} {name}"));
        let each = each.collect::<Vec<_>>();
        if each.is_empty() { "no secrets".to_owned() } else { each.join(", ") }
    }
}

async fn export(found: Found, wanted: &Export) -> Result<Sum, Failure> {
    if !wanted.is_standard_output() && wanted.file.symlink_metadata().is_ok() {
        return Err(exists(&wanted.file));
    }
    let session = Session::open(found, Purpose::Look).await?;
    let result = ask_and_write(&session, wanted).await;
    session.close().await;
    result
}

/// First it is counted what would go out, because that is what is asked about.
async fn ask_and_write(session: &Session, wanted: &Export) -> Result<Sum, Failure> {
    let (provider, file) = (wanted.provider().to_owned(), wanted.file.clone());
    let mut sum = Sum { provider, file, ..Sum::default() };
    let notes = each_page(session, wanted, |row| {
        sum.add(row);
        Ok(())
    });
    sum.notes = notes.await?;
    if sum.connections == 0 {
        let message = format!("{} has no connections to export", sum.provider);
        return Err(failure(code::Export::Nothing, message));
    }
    if !wanted.yes {
        confirm(&sum)?;
    }
    write(session, wanted, &sum).await?;
    Ok(sum)
}

async fn each_page(
    session: &Session,
    wanted: &Export,
    mut each: impl FnMut(&Row) -> Result<(), Failure>,
) -> Result<Vec<Refusal>, Failure> {
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = PageQuery { after, limit: Some(ROWS) };
        let reply = session.ask(Command::Export { selection: wanted.selection(), page }).await?;
        let Reply::Exported(Exported { rows, notes, next }) = reply else { return Ok(all) };
        rows.iter().try_for_each(&mut each)?;
        all.extend(notes);
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Connections of one page.
const ROWS: u32 = 100;

fn confirm(sum: &Sum) -> Result<(), Failure> {
    let place =
        if sum.file.as_os_str() == "-" { "standard output" } else { &sum.file.to_string_lossy() };
    let what = format!(
        "{} connections of {} go to {place} in clear, with {}; whoever can read that can use them",
        sum.connections,
        sum.provider,
        sum.secrets_text()
    );
    if !io::stdin().is_terminal() {
        let message = format!("{what}; nothing was written: say that you want it with --yes");
        return Err(failure(code::Export::Unconfirmed, message));
    }
    render::hint(what);
    render::hint("go on? [y/N]");
    let mut answer = String::new();
    let heard = io::stdin().lock().read_line(&mut answer);
    if heard.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(failure(code::Export::Unconfirmed, "nothing was written"))
}

async fn write(session: &Session, wanted: &Export, sum: &Sum) -> Result<(), Failure> {
    if wanted.is_standard_output() {
        return write_rows(session, wanted, sum, io::stdout().lock()).await;
    }
    let unwritable = |it: &io::Error| unwritable(&wanted.file, it);
    let folder = wanted.file.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Made for its owner alone, and gone again unless it is given its name below.
    let file = NamedTempFile::with_prefix_in(".keepfresh-export-", folder);
    let mut file = file.map_err(|it| unwritable(&it))?;
    write_rows(session, wanted, sum, BufWriter::new(file.as_file_mut())).await?;
    file.as_file().sync_all().map_err(|it| unwritable(&it))?;
    file.persist_noclobber(&wanted.file).map_err(|it| match it.error.kind() {
        io::ErrorKind::AlreadyExists => exists(&wanted.file),
        _ => unwritable(&it.error),
    })?;
    // Its name is data of the folder, and is made durable there.
    File::open(folder).and_then(|it| it.sync_all()).map_err(|it| unwritable(&it))
}

async fn write_rows(
    session: &Session,
    wanted: &Export,
    sum: &Sum,
    mut to: impl Write,
) -> Result<(), Failure> {
    let unwritable = |it: &io::Error| unwritable(&wanted.file, it);
    if wanted.format() == Format::JsonLines {
        each_page(session, wanted, |row| {
            let line = json_line(row).map_err(|it| failure(code::Export::Unfit, it))?;
            to.write_all(&line).map_err(|it| unwritable(&it))
        })
        .await?;
        return to.flush().map_err(|it| unwritable(&it));
    }
    let mut table = csv::Writer::from_writer(to);
    let odd = |it: csv::Error| unwritable(&io::Error::other(it));
    table.write_record(sum.table.heading()).map_err(odd)?;
    each_page(session, wanted, |row| {
        let record = sum.table.record(row).map_err(|it| failure(code::Export::Unfit, it))?;
        table.write_record(record.iter().map(|it| it.as_bytes())).map_err(odd)
    })
    .await?;
    table.flush().map_err(|it| unwritable(&it))
}

fn exists(path: &Path) -> Failure {
    let message = format!("{} exists, and is not overwritten; name another file", path.display());
    failure(code::Export::Exists, message)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}; nothing is left of it", path.display());
    failure(code::Export::Unwritable, message)
}

fn failure(code: impl Into<Code>, message: impl Into<String>) -> Failure {
    Failure::new(Case::Misconfigured, code, message)
}
