//! `api-key`, and `audit`, which asks for page after page.

use std::path::Path;

use crate::cli::arguments::{ApiKeyVerb, Audit};
use crate::cli::exit::Exit;
use crate::cli::run::{self, Errand};
use crate::model::api_key::Grant;
use crate::model::clock::{self, Clock};
use crate::model::id::ConnectionId;
use crate::operator::{AuditQuery, Command, PageQuery};

/// The command of a verb.
pub(super) fn api_key(verb: ApiKeyVerb) -> Command {
    match verb {
        ApiKeyVerb::List => Command::ApiKeys,
        ApiKeyVerb::Revoke { key } => Command::ApiKeyRevoke { key },
        ApiKeyVerb::Create { name, scope, provider, label, expires_in } => {
            let ends = |it| clock::after(Clock::system().now(), std::time::Duration::from_secs(it));
            let (providers, labels) = (provider.into_iter().collect(), label.into_iter().collect());
            let scopes = scope.into_iter().collect();
            let grant = Grant { scopes, providers, labels, expires_at: expires_in.map(ends) };
            Command::ApiKeyCreate { name, grant }
        }
    }
}

/// Prints entries of the audit log.
pub(super) async fn audit(config: &Path, wanted: &Audit, json: bool) -> Exit {
    let query = AuditQuery {
        actor: wanted.actor.clone(),
        action: wanted.action,
        subject: wanted.subject.as_deref().map(subject),
        since_s: wanted.since,
        page: PageQuery { after: None, limit: Some(wanted.limit) },
    };
    run::run(config, Errand::Command(Command::Audit(query)), json).await
}

/// `eskiz` may be a connection or a provider: both are subjects, and a connection has its whole name.
fn subject(text: &str) -> String {
    match text.parse::<ConnectionId>() {
        Ok(id) if text.contains('/') => id.full().to_owned(),
        _ => text.to_owned(),
    }
}
