//! Names that people type. One that nothing has is an error with the nearest name that exists: a list that
//! is empty because of a typo looks like good news.

use crate::model::code;
use crate::model::connection::{Connection, Origin};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::nearest::nearest;
use crate::operator::Operator;
use crate::operator::command::{LogQuery, Selection};
use crate::operator::listing::PAGE;
use crate::refresher::host_fault;
use crate::storage::{Filter, LogFilter};

impl Operator {
    /// Fails if a selection names a provider or a label that nothing has.
    pub(super) async fn check_selection(&self, selection: &Selection) -> Result<(), Failure> {
        if let Some(provider) = &selection.provider {
            self.check_provider(provider).await?;
        }
        Ok(())
    }

    /// Fails if neither the manifest nor any connection has this provider.
    pub(super) async fn check_provider(&self, name: &str) -> Result<(), Failure> {
        let known = self.provider_names().await?;
        if known.iter().any(|it| it == name) {
            return Ok(());
        }
        let near = nearest(name, known.iter().map(String::as_str));
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let help = near.map_or_else(
            || format!("these are there: {known}"),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("there is no provider `{name}`; {help}");
        Err(Failure::new(Case::Misconfigured, code::Connection::ProviderUnknown, message))
    }

    /// Fails if a query of the log names something that is not there and has no attempts either: a
    /// connection that was removed keeps its log.
    pub(super) async fn check_query(&self, query: &LogQuery) -> Result<(), Failure> {
        if let Some(provider) = &query.provider {
            self.check_provider(provider).await?;
        }
        let Some(id) = &query.connection else { return Ok(()) };
        let any = LogFilter { connection: Some(id.clone()), limit: 1, ..LogFilter::default() };
        let storage = &self.0.storage;
        if !storage.log(&any).await.map_err(|it| host_fault(&it))?.is_empty() {
            return Ok(());
        }
        match storage.load(id).await.map_err(|it| host_fault(&it))? {
            Some(_) => Ok(()),
            None => Err(self.unknown(id).await),
        }
    }

    /// Fails if events are asked for of something that is not there.
    pub async fn check_events(
        &self,
        provider: Option<&str>,
        connection: Option<&ConnectionId>,
    ) -> Result<(), Failure> {
        if let Some(provider) = provider {
            self.check_provider(provider).await?;
        }
        match connection {
            Some(id) if self.labels(id).await?.is_none() => Err(self.unknown(id).await),
            _ => Ok(()),
        }
    }

    /// There is no such connection; perhaps another one is meant.
    pub async fn unknown(&self, id: &ConnectionId) -> Failure {
        if let Err(failure) = self.check_provider(id.provider()).await {
            return failure;
        }
        let filter = Filter { provider: Some(id.provider().to_owned()), ..Filter::default() };
        let page = self.0.storage.selected(&filter, None, PAGE).await.unwrap_or_default();
        let names = page.rows.iter().flatten().map(|it| it.id.name());
        let help = match nearest(id.name(), names) {
            Some(near) => match ConnectionId::new(id.provider(), near) {
                Ok(near) => format!("did you mean {near}?"),
                Err(_) => String::new(),
            },
            None => {
                format!("see: keepfresh connection list --provider {}", id.provider())
            }
        };
        let message = format!("there is no connection {id}; {help}");
        Failure::new(Case::Misconfigured, code::Connection::Unknown, message)
    }

    /// Whether the manifest listed it once and no longer does. It is refreshed all the same, until somebody
    /// removes it: a name that was edited by mistake must not cost a grant.
    pub(super) fn is_orphan(&self, connection: &Connection) -> bool {
        connection.origin == Origin::Manifest && !self.manifest().lists(&connection.id)
    }

    async fn provider_names(&self) -> Result<Vec<String>, Failure> {
        let stored = self.0.storage.providers().await.map_err(|it| host_fault(&it))?;
        let mut names = self.manifest().providers.keys().cloned().chain(stored).collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
