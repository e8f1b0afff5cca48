//! What the filters select, as a file. It is read page by page, each when the one before it was taken, so that a million
//! attempts cost the memory of one page. A file that could not be read to its end is cut off as an answer, so that a
//! browser says that the download has failed; one that has as many attempts as it may have says so at its end.

use std::io;
use std::mem;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tracing::warn;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Asked;
use crate::dashboard::pages::attempts::format::{End, Format};
use crate::dashboard::pages::attempts::{Wanted, ask, query};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::model::attempt::Attempt;
use crate::model::audit::Actor;
use crate::operator::{LogQuery, PAGE, Page, PageQuery};

/// Attempts of one file: as many as a spreadsheet is still pleasant with. Whoever needs more goes on with `after`, or asks
/// the API.
pub(super) const MOST: u32 = 100_000;

/// As a table.
pub(in crate::dashboard) async fn csv(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    answer(dashboard, &person, &wanted, Format::Csv).await
}

/// As the API has them.
pub(in crate::dashboard) async fn json(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    answer(dashboard, &person, &wanted, Format::Json).await
}

async fn answer(
    dashboard: Dashboard,
    person: &Person,
    wanted: &Wanted,
    format: Format,
) -> Result<Response, Refused> {
    let day = dashboard.operator().now().strftime("%Y-%m-%d");
    let name = format!("attachment; filename=\"attempts-{day}.{}\"", format.ending());
    let headers = [(CONTENT_TYPE, format.kind().to_owned()), (CONTENT_DISPOSITION, name)];
    let download = Download::begin(dashboard, person.actor().clone(), wanted, format).await?;
    let parts = stream::try_unfold(download, Download::part);
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A file that is under way.
struct Download {
    dashboard: Dashboard,
    actor: Actor,
    query: LogQuery,
    format: Format,
    /// What is written and was not sent yet.
    text: String,
    /// What comes next; none behind the end.
    page: Option<Page<Attempt>>,
    /// How many more it may have.
    left: u32,
    end: End,
}

impl Download {
    /// The first page is read before the answer begins, so that what is refused is told as a page.
    async fn begin(
        dashboard: Dashboard,
        actor: Actor,
        wanted: &Wanted,
        format: Format,
    ) -> Result<Self, Refused> {
        let left = wanted.limit.unwrap_or(MOST).clamp(1, MOST);
        let query = query(wanted, left.min(PAGE))?;
        let page = Some(ask(&dashboard, &actor, query.clone()).await?);
        let (text, end) = (format.beginning(), End::default());
        Ok(Self { dashboard, actor, query, format, text, page, left, end })
    }

    /// The next part, and what is left.
    async fn part(mut self) -> io::Result<Option<(String, Self)>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let next = self.write(page);
        match next {
            Some(after) if self.left > 0 => self.page = Some(self.read(after).await?),
            next => {
                self.end.next = next;
                self.text += &self.format.end(&self.end);
            }
        }
        Ok(Some((mem::take(&mut self.text), self)))
    }

    /// Writes a page, and says what the one behind it begins after.
    fn write(&mut self, page: Page<Attempt>) -> Option<String> {
        let Page { rows, unreadable, next } = page;
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (read, left_out) = (count(rows.len()), count(unreadable.len()));
        self.text += &self.format.rows(&rows, self.end.rows == 0);
        self.end.rows += read;
        self.end.left_out += left_out;
        self.left = self.left.saturating_sub(read.saturating_add(left_out));
        next
    }

    async fn read(&self, after: String) -> io::Result<Page<Attempt>> {
        // A stop waits for answers that are under way, and a long one may take minutes.
        if self.dashboard.operator().lifecycle().stopping() {
            return Err(io::Error::other("the daemon stops"));
        }
        let limit = self.left.min(PAGE);
        let page = Some(PageQuery { after: Some(after), limit: Some(limit) });
        let query = LogQuery { limit, page, ..self.query.clone() };
        ask(&self.dashboard, &self.actor, query).await.map_err(|it| cut_off(&it))
    }
}

fn cut_off(refused: &Refused) -> io::Error {
    if let Refused::Failed(failure) = refused {
        warn!(error.code = failure.code.text(), "a download of attempts was cut off: {failure}");
    }
    io::Error::other("the rest of the attempts could not be read")
}
