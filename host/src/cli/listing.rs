//! `status`, `connection list` and `log`: page after page, until there are no more. Only one page
//! is held in memory, however long the list is.

use std::path::Path;

use crate::app::Purpose;
use crate::cli::exit::Exit;
use crate::cli::found;
use crate::cli::render::pages::Listing;
use crate::cli::render::{self, door};
use crate::cli::session::Session;
use crate::model::failure::Failure;
use crate::model::state::State;
use crate::operator::{Command, LogQuery, PAGE, PageQuery, Reply, Selection};

/// What is listed.
pub(super) enum List {
    /// How connections are doing.
    Status {
        /// Which.
        selection: Selection,
        /// Only those in these states; all when there are none.
        states: Vec<State>,
        /// Whether each has a line, however many there are.
        all: bool,
    },
    /// Connections.
    Connections(Selection),
    /// Attempts, up to now.
    Log(LogQuery),
}

/// Prints the list.
pub(super) async fn run(config: &Path, list: List, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let session = match Session::open(found, Purpose::Look).await {
        Ok(session) => session,
        Err(failure) => return render::failure(&failure, json),
    };
    let mut listing = list.listing(json);
    if matches!(list, List::Status { .. }) {
        listing = listing.beside_daemon(session.has_daemon());
    }
    let printed = print(&session, &list, &mut listing).await;
    session.close().await;
    match printed {
        Ok(()) => listing.end(),
        // The document is left unclosed, so that it is not taken for the complete list.
        Err(failure) => render::failure(&failure, json && !listing.has_begun()),
    }
}

async fn print(session: &Session, list: &List, listing: &mut Listing) -> Result<(), Failure> {
    let mut left = list.limit();
    let mut after = None;
    while left > 0 && !door::is_closed() {
        let page = PageQuery { after, limit: Some(left.min(PAGE)) };
        let (rows, next) = show(session.ask(list.command(page)).await?, listing);
        left = left.saturating_sub(rows);
        after = next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// Prints one page; how many rows it had, and what the next one begins after.
fn show(reply: Reply, listing: &mut Listing) -> (u32, Option<String>) {
    let (rows, next) = match reply {
        Reply::ConnectionPage(page) => {
            let rows = page.rows.len();
            listing.connections(page.rows);
            listing.unreadable(page.unreadable);
            (rows, page.next)
        }
        Reply::AttemptPage(page) => {
            listing.attempts(&page.rows);
            listing.unreadable(page.unreadable);
            (page.rows.len(), page.next)
        }
        // A daemon that was started before there were pages.
        Reply::Connections(rows) => {
            let count = rows.len();
            listing.connections(rows);
            (count, None)
        }
        Reply::Attempts(rows) => {
            listing.attempts(&rows);
            (rows.len(), None)
        }
        _ => (0, None),
    };
    (u32::try_from(rows).unwrap_or(u32::MAX), next)
}

impl List {
    fn listing(&self, json: bool) -> Listing {
        match self {
            Self::Status { selection, states, all } => {
                let each = *all || json || !selection.ids.is_empty();
                Listing::new("connections", json).of_states(states.clone(), !each)
            }
            Self::Connections(_) => Listing::new("connections", json),
            Self::Log(_) => Listing::new("attempts", json),
        }
    }

    fn limit(&self) -> u32 {
        match self {
            Self::Status { .. } | Self::Connections(_) => u32::MAX,
            Self::Log(query) => query.limit,
        }
    }

    fn command(&self, page: PageQuery) -> Command {
        let page = Some(page);
        match self {
            // Those who are named are all there, or it fails.
            Self::Status { selection, .. } if !selection.ids.is_empty() => {
                Command::Status { ids: selection.ids.clone(), page }
            }
            Self::Status { selection, .. } | Self::Connections(selection) => {
                Command::Connections { selection: selection.clone(), page }
            }
            Self::Log(query) => Command::Log(LogQuery { page, ..query.clone() }),
        }
    }
}
