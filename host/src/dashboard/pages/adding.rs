//! Adding a connection by a form that is made of what its plugin says of itself. Secrets go in and are never shown
//! again, not even after a mistake. What belongs to the manifest is shown as lines to paste.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::dashboard::form::Filled;
use crate::dashboard::frame::{Done, Frame, Section, page, page_with, to};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::attempt::{Attempt, Course};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::operator::import_file::Row;
use crate::operator::inspected::{By, FieldView, FormView};
use crate::operator::reply::Enrolled;
use crate::operator::{Command, Reply, Selection};

#[derive(Template)]
#[template(path = "add.html")]
struct Choose {
    frame: Frame,
    providers: Vec<String>,
    unused: Vec<String>,
}

#[derive(Template)]
#[template(path = "adding.html")]
struct Adding {
    frame: Frame,
    form: FormView,
    /// What was filled in, without secrets.
    filled: BTreeMap<String, String>,
    /// Why it was not added.
    wrong: Vec<String>,
}

/// Which provider?
pub(in crate::dashboard) async fn choose(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    person.may_change()?;
    let Reply::Plugins(files) = dashboard.ask(person.actor(), Command::Plugins).await? else {
        return Err(Refused::Fault);
    };
    let unused = files.into_iter().filter(|it| it.providers.is_empty()).map(|it| it.file);
    let unused = unused.map(|it| it.trim_end_matches(".wasm").to_owned()).collect();
    let providers = dashboard.operator().manifest().providers.keys().cloned().collect();
    let frame = Frame::new(&dashboard, &person, Section::Apart, String::new());
    page(&Choose { frame: frame.called("add-title"), providers, unused })
}

/// The form.
pub(in crate::dashboard) async fn form(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(provider): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let adding = adding(&dashboard, &person, provider).await?;
    page(&adding)
}

async fn adding(
    dashboard: &Dashboard,
    person: &Person,
    provider: String,
) -> Result<Adding, Refused> {
    let form = dashboard.ask(person.actor(), Command::Form { provider }).await?;
    let Reply::Form(form) = form else { return Err(Refused::Fault) };
    let frame = Frame::new(dashboard, person, Section::Apart, String::new());
    let title = frame.words.with("add-to", &[("provider", &form.provider)]);
    let frame = Frame { title, ..frame };
    Ok(Adding { frame, form: *form, filled: BTreeMap::new(), wrong: Vec::new() })
}

/// Adds it; where that is wanted, only if its first login succeeds.
pub(in crate::dashboard) async fn add(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(provider): Path<String>,
    Filled(fields): Filled<BTreeMap<String, String>>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let mut adding = adding(&dashboard, &person, provider.clone()).await?;
    let row = row(&adding.form, &fields);
    let named = ConnectionId::new(&provider, &row.name);
    let wrong = match &named {
        Err(error) => vec![error.to_string()],
        Ok(id) => added(&dashboard, &person, id, row, fields.contains_key("try")).await?,
    };
    if let Ok(id) = named
        && wrong.is_empty()
    {
        let base = &adding.frame.base;
        return Ok(match adding.form.by {
            By::Person => to(&format!("{base}/connect/{}", address::of(&id))),
            _ => {
                to(&format!("{base}/connections/{}?done={}", address::of(&id), Done::Added.word()))
            }
        });
    }
    adding.wrong = wrong;
    // A secret goes in once, and comes out of nothing.
    let plain = fields.into_iter().filter(|(name, _)| !name.starts_with("secret:"));
    adding.filled = plain.collect();
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &adding)
}

/// The row of an import that the form says: only what the plugin knows, and what was filled in.
fn row(form: &FormView, fields: &BTreeMap<String, String>) -> Row {
    let given = |name: &str| fields.get(name).map(|it| it.trim()).filter(|it| !it.is_empty());
    let of = |kind: &str, all: &[FieldView]| {
        let found = all.iter().filter_map(|it| {
            let value = given(&format!("{kind}:{}", it.name))?;
            Some((it.name.clone(), value.to_owned()))
        });
        found.collect::<BTreeMap<_, _>>()
    };
    let labels = given("labels").unwrap_or_default().split([',', ' ']).filter(|it| !it.is_empty());
    Row {
        name: given("name").unwrap_or("default").to_owned(),
        settings: of("setting", &form.settings),
        secrets: of("secret", &form.secrets)
            .into_iter()
            .map(|(key, it)| (key, it.into()))
            .collect(),
        more_labels: labels.map(str::to_owned).collect(),
        ..Row::default()
    }
}

/// Why it was not added; nothing if it was.
async fn added(
    dashboard: &Dashboard,
    person: &Person,
    id: &ConnectionId,
    row: Row,
    tried: bool,
) -> Result<Vec<String>, Refused> {
    let enrol = |dry_run| {
        let (provider, rows) = (id.provider().to_owned(), vec![row.clone()]);
        Command::Enrol { provider, rows, replace: false, dry_run }
    };
    // What is there already is not this form's to change.
    let Enrolled { added, refused, .. } = enrolled(dashboard, person, enrol(true)).await?;
    if let Some(refused) = refused.into_iter().next() {
        return Ok(vec![refused.message]);
    }
    if added == 0 {
        return Ok(vec![format!("there is already a connection {id}")]);
    }
    let Enrolled { refused, .. } = enrolled(dashboard, person, enrol(false)).await?;
    if let Some(refused) = refused.into_iter().next() {
        return Ok(vec![refused.message]);
    }
    if !tried {
        return Ok(Vec::new());
    }
    let Some(failure) = first_login(dashboard, person, id).await? else { return Ok(Vec::new()) };
    let removed = dashboard.ask(person.actor(), Command::Remove { id: id.clone() }).await;
    let mut wrong = vec![failure.message];
    wrong.extend(removed.err().map(|it| it.message));
    Ok(wrong)
}

async fn enrolled(
    dashboard: &Dashboard,
    person: &Person,
    enrol: Command,
) -> Result<Enrolled, Refused> {
    match dashboard.ask(person.actor(), enrol).await? {
        Reply::Enrolled(enrolled) => Ok(enrolled),
        _ => Err(Refused::Fault),
    }
}

/// Why its first login failed, if it did.
async fn first_login(
    dashboard: &Dashboard,
    person: &Person,
    id: &ConnectionId,
) -> Result<Option<Failure>, Refused> {
    let selection = Selection { ids: vec![id.clone()], ..Selection::default() };
    let refresh = Command::Refresh { selection, force: false, dry_run: false, wait: true };
    let Reply::Refreshed(refreshed) = dashboard.ask(person.actor(), refresh).await? else {
        return Err(Refused::Fault);
    };
    Ok(refreshed.attempts.into_iter().find_map(|it: Attempt| match it.course {
        Course::Failed(failure) => Some(failure),
        _ => None,
    }))
}

impl Adding {
    fn value(&self, kind: &str, name: &str) -> &str {
        self.filled.get(&format!("{kind}{name}")).map_or("", String::as_str)
    }

    fn logs_in(&self) -> bool {
        self.form.by == By::Login
    }
}
