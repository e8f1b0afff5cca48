//! Who did what, newest first, with filters in the address.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Asked, given};
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::model::audit::{Action, AuditEntry};
use crate::operator::{AuditQuery, Command, PageQuery, Reply};

/// Rows of a page.
const ROWS: u32 = 50;

/// Which entries.
#[derive(Clone, Default, Deserialize)]
pub(in crate::dashboard) struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    frame: Frame,
    wanted: Wanted,
    rows: Vec<AuditEntry>,
    next: Option<String>,
}

/// The page.
pub(in crate::dashboard) async fn list(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let action = given(wanted.action.clone());
    let known = |word: String| Action::ALL.iter().find(|it| it.as_str() == word).copied();
    let action = action.map(|it| known(it).ok_or(Refused::Unreadable)).transpose()?;
    let query = AuditQuery {
        actor: given(wanted.actor.clone()),
        action,
        subject: given(wanted.subject.clone()),
        since_s: None,
        page: PageQuery { after: given(wanted.after.clone()), limit: Some(ROWS) },
    };
    let Reply::Audit(found) = dashboard.ask(person.actor(), Command::Audit(query)).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::Audit, String::new());
    page(&Audit { frame: frame.called("audit-title"), wanted, rows: found.rows, next: found.next })
}

#[expect(clippy::ref_option, reason = "templates give references")]
impl Audit {
    fn value(field: &Option<String>) -> &str {
        field.as_deref().unwrap_or_default()
    }

    fn actions() -> &'static [Action] {
        Action::ALL
    }

    /// The same filters for what is older.
    fn older(&self, next: &str) -> String {
        let Wanted { actor, action, subject, .. } = &self.wanted;
        let all = [("actor", actor), ("action", action), ("subject", subject)];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in all {
            query.append_pair(name, Self::value(value));
        }
        query.append_pair("after", next).finish()
    }
}
