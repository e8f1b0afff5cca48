//! Who may get in: for operators, who have just typed their password. A link is shown once, on the page that made it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Filled;
use crate::dashboard::frame::{Frame, Section, page_with, to};
use crate::dashboard::login::mendable;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::model::account::{AccountView, Role};
use crate::model::code;
use crate::operator::{Command, Reply};

/// An account.
#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

/// An account with a role.
#[derive(Deserialize)]
pub(super) struct WithRole {
    name: String,
    role: Role,
}

#[derive(Template)]
#[template(path = "login/accounts.html")]
struct Page {
    frame: Frame,
    accounts: Vec<AccountView>,
    /// Who looks.
    own: String,
    made: Option<Made>,
    wrong: Option<String>,
}

/// A link that was just made.
struct Made {
    name: String,
    url: String,
    until: Timestamp,
}

async fn page(dashboard: &Dashboard, person: &Person) -> Result<Page, Refused> {
    let Reply::Accounts(accounts) = dashboard.ask(person.actor(), Command::Accounts).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(dashboard, person, Section::Apart, String::new());
    Ok(Page {
        frame: frame.called("accounts-title"),
        accounts,
        own: person.name.clone(),
        made: None,
        wrong: None,
    })
}

/// Fails unless the person is an operator, and surely that one.
fn admits(dashboard: &Dashboard, person: &Person) -> Result<(), Refused> {
    person.may_change()?;
    person.is_surely(&place(dashboard))
}

fn place(dashboard: &Dashboard) -> String {
    dashboard.base() + "/accounts"
}

/// The page.
pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    admits(&dashboard, &person)?;
    page_with(StatusCode::OK, &page(&dashboard, &person).await?)
}

/// A new account, with a link for its person.
pub(super) async fn add(
    State(dashboard): State<Dashboard>,
    person: Person,
    Filled(given): Filled<WithRole>,
) -> Result<Response, Refused> {
    admits(&dashboard, &person)?;
    let WithRole { name, role } = given;
    let name = name.trim().to_owned();
    linked(&dashboard, &person, Command::AccountAdd { name, role }).await
}

/// Another link for somebody who has lost the password.
pub(super) async fn link(
    State(dashboard): State<Dashboard>,
    person: Person,
    Filled(Named { name }): Filled<Named>,
) -> Result<Response, Refused> {
    admits(&dashboard, &person)?;
    linked(&dashboard, &person, Command::AccountLink { name }).await
}

async fn linked(
    dashboard: &Dashboard,
    person: &Person,
    command: Command,
) -> Result<Response, Refused> {
    let asked = dashboard.ask(person.actor(), command).await;
    // After it, so that a new account is on it.
    let mut page = page(dashboard, person).await?;
    match asked {
        Ok(Reply::AccountLink(new)) => {
            let url = new.url.0.expose_secret().to_owned();
            page.made = Some(Made { name: new.account.name, url, until: new.expires_at });
            page_with(StatusCode::OK, &page)
        }
        Ok(_) => Err(Refused::Fault),
        Err(failure) => {
            let codes = [code::Account::NameTaken.into(), code::Account::NameInvalid.into()];
            page.wrong = Some(mendable(failure, &codes)?);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Another role. One's own is for somebody else to change: nobody locks everybody out.
pub(super) async fn role(
    State(dashboard): State<Dashboard>,
    person: Person,
    Filled(given): Filled<WithRole>,
) -> Result<Response, Refused> {
    admits(&dashboard, &person)?;
    let WithRole { name, role } = given;
    of_another(&person, &name)?;
    dashboard.ask(person.actor(), Command::AccountRole { name, role }).await?;
    Ok(to(&place(&dashboard)))
}

/// One fewer.
pub(super) async fn remove(
    State(dashboard): State<Dashboard>,
    person: Person,
    Filled(Named { name }): Filled<Named>,
) -> Result<Response, Refused> {
    admits(&dashboard, &person)?;
    of_another(&person, &name)?;
    dashboard.ask(person.actor(), Command::AccountRemove { name }).await?;
    Ok(to(&place(&dashboard)))
}

fn of_another(person: &Person, name: &str) -> Result<(), Refused> {
    let is_own = person.visitor().is_some_and(|it| it.account.name == name);
    if is_own { Err(Refused::Unreadable) } else { Ok(()) }
}
