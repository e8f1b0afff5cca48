//! All connections of a provider at once. A page says first what refreshing them will do, with a button, as before each
//! thing that is done with one of them: nothing is done by a link, and everything can be done without a script.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Filled, given};
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::pages::queued::queue;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::Selection;

#[derive(Template)]
#[template(path = "refresh.html")]
struct Shown {
    frame: Frame,
    provider: String,
    /// How many it has.
    count: u64,
    said: String,
    /// How many of them only a person can help, if any.
    need: Option<String>,
}

/// Asks before all of them are refreshed.
pub(in crate::dashboard) async fn ask(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(provider): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    // Counted in an index: whoever only asks does not have each of a million looked at.
    let counted = dashboard.operator().counted().await?;
    let of = counted.into_iter().find(|it| it.provider == provider);
    let is_known = dashboard.operator().manifest().providers.contains_key(&provider);
    if of.is_none() && !is_known {
        return Err(Refused::NotFound);
    }
    let (count, need) = of.map_or((0, 0), |it| (it.connections, it.needing_a_person));
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    let title = frame.words.with("provider-refresh", &[("provider", &provider)]);
    page(&Shown {
        said: frame.words.count("provider-count", count),
        need: (need > 0).then(|| frame.words.count("provider-need", need)),
        frame: Frame { title, ..frame },
        provider,
        count,
    })
}

/// How it is meant.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Refresh {
    force: Option<String>,
}

/// Refreshes them in the background, as `refresh --provider` does.
pub(in crate::dashboard) async fn refresh(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(provider): Path<String>,
    Filled(form): Filled<Refresh>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let selection = Selection { provider: Some(provider), ..Selection::default() };
    queue(&dashboard, &person, selection, given(form.force).is_some()).await
}
