//! `keepfresh connection import` and `add`: a file is read and checked whole before anything is changed; then its
//! rows are sent in pieces to the daemon or the database. A dry run is the same up to there.

/// The file, read as its arguments say.
mod file;

/// One connection, from the command line.
mod one;

/// Rows in pieces that a command can carry.
mod pieces;

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::ProgressBar;

use crate::app::Purpose;
use crate::cli::arguments::Import;
use crate::cli::exit::Exit;
use crate::cli::found::{self, Found};
use crate::cli::render;
use crate::cli::session::Session;
use crate::model::failure::Failure;
use crate::operator::import_file::Row;
use crate::operator::reply::Enrolled;
use crate::operator::{Command, Reply};
use file::Read;

pub(super) use one::one;

/// Imports a file and prints what became of its rows.
pub(super) async fn run(config: &Path, wanted: Import, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    match import(found, &wanted).await {
        Ok(enrolled) if refuses(&wanted, &enrolled) => {
            render::enrolled::nothing_imported(&enrolled, json)
        }
        Ok(enrolled) if wanted.dry_run => render::enrolled::dry_run(&enrolled, json),
        Ok(enrolled) => render::reply(&Reply::Enrolled(enrolled), json, false),
        Err(failure) => render::failure(&failure, json),
    }
}

/// Whether one bad row keeps out the others.
fn refuses(wanted: &Import, enrolled: &Enrolled) -> bool {
    !wanted.skip_bad && !enrolled.refused.is_empty()
}

async fn import(found: Found, wanted: &Import) -> Result<Enrolled, Failure> {
    let read = file::read(&wanted.file, &wanted.reading, None).await?;
    let purpose = if wanted.dry_run { Purpose::Look } else { Purpose::Command };
    let session = Session::open(found, purpose).await?;
    let result = check_and_send(&session, wanted, read).await;
    session.close().await;
    result
}

/// Every row is checked where it would be stored. What is bad was found before anything is changed.
async fn check_and_send(
    session: &Session,
    wanted: &Import,
    read: Read,
) -> Result<Enrolled, Failure> {
    let Read { mut rows, refused, remarks } = read;
    for row in &mut rows {
        row.more_labels.extend(wanted.label.clone());
    }
    let (mut rows, too_large) = pieces::fitting(rows);
    let bar = bar(if wanted.dry_run { rows.len() } else { 2 * rows.len() });
    let mut checked = send(session, wanted, rows.clone(), true, &bar).await?;
    checked.refused.extend(refused.into_iter().chain(too_large));
    checked.refused.sort_by_key(|it| it.line);
    if wanted.dry_run || refuses(wanted, &checked) {
        bar.finish_and_clear();
        checked.remarks.extend(remarks);
        return Ok(checked);
    }
    let bad = checked.refused.iter().map(|it| it.name.clone()).collect::<HashSet<_>>();
    rows.retain(|it| !bad.contains(&it.name));
    let mut sent = send(session, wanted, rows, false, &bar).await?;
    sent.refused.extend(checked.refused);
    sent.remarks.extend(remarks);
    bar.finish_and_clear();
    Ok(sent)
}

async fn send(
    session: &Session,
    wanted: &Import,
    rows: Vec<Row>,
    dry_run: bool,
    bar: &ProgressBar,
) -> Result<Enrolled, Failure> {
    let mut sum = Enrolled::default();
    let (all, mut done) = (rows.len(), 0);
    for rows in pieces::of(rows) {
        let (provider, replace, count) = (wanted.provider.clone(), wanted.replace, rows.len());
        let reply = session.ask(Command::Enrol { provider, rows, replace, dry_run }).await;
        let reply = reply.map_err(|it| if dry_run { it } else { so_far(it, done, all) });
        if let Reply::Enrolled(enrolled) = reply.inspect_err(|_| bar.abandon())? {
            sum = sum.plus(enrolled);
        }
        done += count;
        bar.inc(count as u64);
    }
    Ok(sum)
}

/// The failure, with how far the import has come.
fn so_far(failure: Failure, done: usize, all: usize) -> Failure {
    let message = format!(
        "{}; {done} of {all} rows were imported before: import the same file again, which goes on with the others",
        failure.message
    );
    Failure { message, ..failure }
}

fn bar(rows: usize) -> ProgressBar {
    if rows < pieces::MOST_ROWS || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    render::progress::start(rows as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::code;
    use crate::model::failure::Case;

    #[test]
    fn a_failure_halfway_says_what_is_in_and_how_to_go_on() {
        let broken =
            Failure::new(Case::HostFault, code::Daemon::Unreachable, "the daemon has stopped");
        let said = so_far(broken, 200, 2_000);
        assert_eq!(said.code, code::Code::from(code::Daemon::Unreachable));
        let told = "the daemon has stopped; 200 of 2000 rows were imported before: import the same file again";
        assert!(said.message.starts_with(told), "{said}");
    }
}
