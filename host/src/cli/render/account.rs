//! People who use the dashboard.

use std::io::{self, IsTerminal as _};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli::render::line::Line;
use crate::cli::render::{hint, hint_line, out, table};
use crate::model::account::AccountView;
use crate::model::said;
use crate::operator::accounts::NewLink;

/// A link on standard output, alone; what to know of it on standard error.
pub(in crate::cli) fn new_link(new: &NewLink) {
    let AccountView { name, role, .. } = &new.account;
    hint(format!(
        "{name} ({role}) chooses a password here, once, until {}:",
        said::moment(new.expires_at)
    ));
    if io::stdout().is_terminal() {
        hint("anyone who opens it first can log in as that account");
    }
    out(new.url.0.expose_secret());
}

/// The link to the first account, on standard error: for whoever starts the daemon by hand.
pub(in crate::cli) fn first(new: &NewLink) {
    hint(format!(
        "nobody has logged in to the dashboard yet; choose a password for the account {} here, once, until {}:",
        new.account.name,
        said::moment(new.expires_at)
    ));
    hint_line(Line::from(new.url.0.expose_secret()));
}

/// What was done with an account; a link that was just made is in it.
pub(super) fn done_json(account: &AccountView, link: Option<&NewLink>) -> Value {
    let mut value = json!({ "done": true });
    if let (Some(members), Value::Object(shown)) = (value.as_object_mut(), json!(account)) {
        members.extend(shown);
        if let Some(link) = link {
            members.insert("url".to_owned(), json!(link.url.0.expose_secret()));
            members.insert("expires_at".to_owned(), json!(link.expires_at));
        }
    }
    value
}

pub(super) fn list(accounts: &[AccountView]) -> Vec<Line> {
    let row = |it: &AccountView| {
        let login = match (&*it.login, &it.issuer) {
            ("link", _) => "no password yet".to_owned(),
            (_, Some(issuer)) => issuer.clone(),
            (login, None) => login.to_owned(),
        };
        vec![
            it.name.clone(),
            it.role.to_string(),
            login,
            it.last_login_at.map_or("never".to_owned(), said::moment),
        ]
    };
    let head = ["name", "role", "logs in by", "last login"];
    table::rows(&head, accounts.iter().map(row).collect())
}
