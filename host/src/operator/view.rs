//! Connections as people and scripts read them. The names here are stable: people script against them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::catalogue::{Changed, Plugin};
use crate::model::attempt::Attempt;
use crate::model::connection::Connection;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::said;
use crate::model::state::{self, Access, State};
use crate::refresher::{Wait, sentence};
use crate::storage::{Loaded, StorageError, Unreadable};

/// One line of `status`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConnectionView {
    /// `provider/name`, or what stands there instead.
    pub id: String,
    /// The same as it is typed: without the name, when that is `default`.
    pub short: String,
    /// The provider's name in the manifest.
    pub provider: String,
    /// The connection's name.
    pub name: String,
    /// Exactly one.
    pub state: State,
    /// What that means here and now.
    pub sentence: String,
    /// A command that helps, if one does.
    pub next_step: Option<String>,
    /// When the token stops working.
    pub expires_at: Option<Timestamp>,
    /// How many token sets were stored.
    pub generation: u64,
    /// When it is looked at next.
    pub next_refresh_at: Option<Timestamp>,
    /// The last try.
    pub last_attempt: Option<Attempt>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What of its provider's configuration has changed since the token was got.
    #[serde(default)]
    pub changed_since_token: Vec<Changed>,
    /// Whether the manifest listed it once and no longer does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphaned: bool,
    /// Why it cannot be read, when it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl ConnectionView {
    /// How `connection` looks at `now`.
    pub fn of(connection: &Connection, access: Access, now: Timestamp) -> Self {
        let saying = state::say(connection, access, now);
        Self {
            provider: connection.id.provider().to_owned(),
            name: connection.id.name().to_owned(),
            state: state::state_of(connection, now),
            sentence: saying.sentence,
            next_step: saying.next_step,
            expires_at: connection.token.as_ref().and_then(|it| it.expires_at),
            generation: connection.generation,
            next_refresh_at: connection.due.filter(|_| !connection.is_last()).map(|it| it.at),
            last_attempt: connection.last_attempt.clone(),
            id: connection.id.full().to_owned(),
            short: connection.id.to_string(),
            labels: connection.labels.clone(),
            changed_since_token: Vec::new(),
            orphaned: false,
            error: None,
        }
    }

    /// How a connection looks that cannot be read: somebody has to see to it, and keepfresh leaves it alone.
    pub fn unreadable(row: &Unreadable) -> Self {
        let id = row.key.parse::<ConnectionId>();
        let short = id.as_ref().map_or(row.key.clone(), ToString::to_string);
        let (provider, name) = row.key.split_once('/').unwrap_or((&row.key, ""));
        let error = error_of(&row.error);
        Self {
            provider: provider.to_owned(),
            name: name.to_owned(),
            state: State::Misconfigured,
            sentence: error.message.clone() + ".",
            next_step: Some(format!(
                "restore the row from a backup, or delete it: keepfresh connection remove {short}"
            )),
            expires_at: None,
            generation: 0,
            next_refresh_at: None,
            last_attempt: None,
            labels: Vec::new(),
            changed_since_token: Vec::new(),
            orphaned: false,
            error: Some(error),
            id: id.map_or(row.key.clone(), |it| it.full().to_owned()),
            short,
        }
    }

    /// The same, when its provider is not asked for a while; those that callers have to worry about say so.
    #[must_use]
    pub(super) fn waiting(mut self, wait: Option<Wait>) -> Self {
        let worries = matches!(self.state, State::New | State::Late | State::Expired);
        if let Some(wait) = wait.filter(|_| worries) {
            self.sentence = format!("{} {}.", self.sentence, sentence(&self.provider, wait));
        }
        self
    }

    /// The same, and it says what has changed since the token was got.
    #[must_use]
    pub fn since(mut self, changed: Vec<Changed>) -> Self {
        if changed.is_empty() {
            return self;
        }
        let names = changed.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let said = format!("Its provider's {names} were changed since this token.");
        format!("{} {said}", self.sentence).trim().clone_into(&mut self.sentence);
        self.next_step.get_or_insert_with(|| format!("keepfresh refresh {} --force", self.short));
        self.changed_since_token = changed;
        self
    }
}

impl ConnectionView {
    /// The same, and it says that the manifest does not list it any more, if so.
    #[must_use]
    pub(super) fn orphaned(mut self, orphaned: bool) -> Self {
        self.orphaned = orphaned;
        if orphaned {
            let said = "It is no longer in the manifest.";
            format!("{} {said}", self.sentence).trim().clone_into(&mut self.sentence);
            self.next_step = Some(format!("keepfresh connection remove {}", self.short));
        }
        self
    }
}

/// All of one connection but its secrets.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Details {
    /// The line of `status`.
    #[serde(flatten)]
    pub view: ConnectionView,
    /// The plugin that knows its provider, with its version.
    pub plugin: Option<String>,
    /// Settings in force, defaults filled in.
    pub settings: BTreeMap<String, String>,
    /// Names of the secrets and where each comes from; never a value.
    pub secrets: BTreeMap<String, String>,
    /// `Bearer`, `Basic`.
    pub token_type: Option<String>,
    /// The token's SHA-256, of which eight hex digits are shown.
    pub fingerprint: Option<String>,
    /// When the token was stored.
    pub issued_at: Option<Timestamp>,
    /// When the refresh token stops working.
    pub refresh_expires_at: Option<Timestamp>,
    /// When a caller last asked for its token.
    pub active_at: Option<Timestamp>,
    /// What the token may do.
    pub scopes: Vec<String>,
    /// Scopes that a person was asked for.
    #[serde(default)]
    pub asked_scopes: Vec<String>,
    /// Those of them that the token does not have.
    #[serde(default)]
    pub missing_scopes: Vec<String>,
    /// Plain facts from the provider.
    #[schema(value_type = Vec<Vec<String>>)]
    pub metadata: Vec<(String, String)>,
    /// What `profile` said last.
    pub profile: Option<Value>,
    /// Tries that failed since the last success.
    pub failures: u32,
    /// Answers that wait to be understood.
    pub captured_answers: usize,
    /// The last tries, newest first.
    pub attempts: Vec<Attempt>,
}

impl Details {
    /// Everything about a loaded connection.
    pub fn of(
        loaded: &Loaded,
        plugin: Option<&Plugin>,
        attempts: Vec<Attempt>,
        now: Timestamp,
    ) -> Self {
        let connection = &loaded.connection;
        let token = connection.token.as_ref();
        let name = connection.id.name();
        let source = |(key, source): (String, _)| (key, kind_of(&source).to_owned());
        let secrets = plugin.map(|it| it.provider().secrets_of(name)).unwrap_or_default();
        let own = &connection.settings;
        let descriptor = plugin.map(Plugin::descriptor);
        Self {
            view: ConnectionView::of(connection, access_of(plugin), now),
            plugin: descriptor.map(|it| format!("{} {}", it.name, it.version)),
            settings: plugin.map(|it| it.settings(name, own)).unwrap_or_default(),
            secrets: secrets.into_iter().map(source).collect(),
            token_type: token.map(|it| it.token_type.clone()),
            fingerprint: token.map(|it| said::digest(&it.fingerprint)),
            issued_at: token.map(|it| it.issued_at),
            refresh_expires_at: token.and_then(|it| it.refresh_expires_at),
            active_at: connection.active_at,
            scopes: token.map(|it| it.scopes.clone()).unwrap_or_default(),
            asked_scopes: connection.agreed.clone().map(|it| it.asked).unwrap_or_default(),
            missing_scopes: connection.missing_scopes(),
            metadata: token.map(|it| it.metadata.clone()).unwrap_or_default(),
            profile: connection.profile.clone(),
            failures: connection.failures,
            captured_answers: loaded.captures.len(),
            attempts,
        }
    }
}

/// An error of the database, as it is shown.
pub(super) fn error_of(error: &StorageError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}

/// How a connection of that plugin gets a token from a person.
pub(super) fn access_of(plugin: Option<&Plugin>) -> Access {
    match plugin {
        Some(plugin) if plugin.descriptor().unattended && !plugin.program().has_authorization() => {
            Access::LogsIn
        }
        Some(plugin) if plugin.program().has_authorization() => Access::Browser,
        Some(_) => Access::Token,
        None => Access::LogsIn,
    }
}

/// What kind of place a secret comes from. Not more: a command's arguments may hold what they should
/// not.
fn kind_of(source: &crate::vault::source::Source) -> &'static str {
    use crate::vault::source::Source;
    match source {
        Source::Env(_) => "env",
        Source::File(_) => "file",
        Source::Credential(_) => "credential",
        Source::Exec(_) => "exec",
    }
}
