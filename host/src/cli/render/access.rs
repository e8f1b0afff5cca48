//! Keys of programs, and who did what.

use std::io::{self, IsTerminal as _};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli::render::line::Line;
use crate::cli::render::{hint, out, table};
use crate::model::api_key::ApiKey;
use crate::model::audit::AuditEntry;
use crate::model::said;
use crate::operator::Readiness;
use crate::operator::api_keys::NewKey;
use crate::operator::command::Plain;

/// A new key on standard output, alone; what to know of it on standard error.
pub(super) fn new_key(new: &NewKey) {
    hint(format!("{} ({}): keep it now, it is not shown again", new.key.name, new.key.id));
    if io::stdout().is_terminal() {
        hint("anyone who sees it can use it");
    }
    out(new.secret.0.expose_secret());
}

/// What was done with a key; one that was just made is in it.
pub(super) fn done_json(key: &ApiKey, secret: Option<&Plain>) -> Value {
    let mut value = json!({ "done": true });
    if let (Some(members), Value::Object(shown)) = (value.as_object_mut(), json!(key)) {
        members.extend(shown);
        members.extend(secret.map(|it| ("key".to_owned(), json!(it.0.expose_secret()))));
    }
    value
}

pub(super) fn keys(keys: &[ApiKey]) -> Vec<Line> {
    let row = |it: &ApiKey| {
        let list = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(" ");
        let grant = &it.grant;
        let labels = grant.labels.iter().map(|it| format!("label {it}"));
        let bound = list(&mut grant.providers.iter().cloned().chain(labels));
        vec![
            it.name.clone(),
            it.id.clone(),
            list(&mut grant.scopes.iter().map(ToString::to_string)),
            if bound.is_empty() { "all".to_owned() } else { bound },
            it.last_used_at.map_or("never".to_owned(), said::moment),
            match (it.revoked_at, grant.expires_at) {
                (Some(at), _) => format!("revoked {}", said::moment(at)),
                (None, Some(at)) => format!("expires {}", said::moment(at)),
                (None, None) => String::new(),
            },
        ]
    };
    let head = ["name", "id", "scopes", "connections", "last used", ""];
    table::rows(&head, keys.iter().map(row).collect())
}

pub(super) fn entries(entries: &[AuditEntry]) -> Vec<Line> {
    let row = |it: &AuditEntry| {
        let count = if it.count > 1 { format!("{} times", it.count) } else { String::new() };
        vec![
            said::moment(it.at),
            it.key_name.as_ref().map_or(it.actor.clone(), |name| format!("{} ({name})", it.actor)),
            it.action.to_string(),
            it.subject.clone(),
            [count, it.detail.clone().unwrap_or_default()].join(" ").trim().to_owned(),
        ]
    };
    let head = ["when", "who", "action", "on", "detail"];
    table::rows(&head, entries.iter().map(row).collect())
}

/// Whether the daemon can do its work, in a line.
pub(super) fn ready(it: &Readiness) -> String {
    let database = if it.database { "" } else { "; the database does not answer" };
    let key = if it.key { "" } else { "; there is no data key" };
    let refused = match it.providers_refused {
        0 => String::new(),
        some => format!("; {some} cannot be refreshed, see: keepfresh doctor"),
    };
    let word = if it.ready { "ready" } else { "not ready" };
    let providers = said::count(it.providers as u64, "provider");
    format!("{word}: {providers}{refused}{database}{key}")
}
