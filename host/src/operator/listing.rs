//! Lists, in pages: connections and attempts as people and scripts read them. A page is one question, so
//! nobody holds more than one, and nothing is held while the asker prints it.

use crate::model::attempt::{Attempt, Outcome};
use crate::model::connection::Connection;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::operator::command::{LogQuery, PageQuery};
use crate::operator::reply::{Followed, Page};
use crate::operator::view::{self, ConnectionView};
use crate::operator::{Operator, Reply, changed};
use crate::refresher::host_fault;
use crate::storage::{self, Filter, LogEnds, LogFilter, Pruning, Unreadable};

/// Rows of a page when nobody says how many, and at most.
pub const PAGE: u32 = 500;

impl Operator {
    /// How connections are doing. Those that are named are all there, or it fails.
    pub(super) async fn status(
        &self,
        ids: Vec<ConnectionId>,
        page: Option<PageQuery>,
    ) -> Result<Reply, Failure> {
        let filter = Filter { ids, ..Filter::default() };
        if filter.ids.is_empty() {
            return self.list(&filter, page).await;
        }
        // As many as somebody has typed.
        let found = self.all(&filter).await?;
        let shown = |id: &ConnectionId| found.rows.iter().any(|it| it.id == id.full());
        match filter.ids.iter().find(|id| !shown(id)) {
            Some(missing) => Err(self.unknown(missing).await),
            None if page.is_some() => Ok(Reply::ConnectionPage(found)),
            None => Ok(Reply::Connections(found.rows)),
        }
    }

    /// Connections; those who name no page are older and get all in one.
    pub(super) async fn list(
        &self,
        filter: &Filter,
        page: Option<PageQuery>,
    ) -> Result<Reply, Failure> {
        match page {
            Some(page) => self.page(filter, &page).await.map(Reply::ConnectionPage),
            None => Ok(Reply::Connections(self.all(filter).await?.rows)),
        }
    }

    async fn all(&self, filter: &Filter) -> Result<Page<ConnectionView>, Failure> {
        let mut all = self.page(filter, &PageQuery::default()).await?;
        while let Some(after) = all.next.take() {
            let next = PageQuery { after: Some(after), ..PageQuery::default() };
            all = all.and(self.page(filter, &next).await?);
        }
        Ok(all)
    }

    /// One page of connections.
    pub(super) async fn page(
        &self,
        filter: &Filter,
        page: &PageQuery,
    ) -> Result<Page<ConnectionView>, Failure> {
        let (after, limit) = (page.after.as_deref(), page.limit());
        let found = self.0.storage.page(filter, after, limit).await;
        let storage::Page { rows, attempts, next } = found.map_err(|it| host_fault(&it))?;
        let unreadable = attempts.iter().map(view::error_of).collect();
        Ok(Page { rows: self.views(rows).await, unreadable, next })
    }

    /// Rows as people read them.
    pub(super) async fn views(
        &self,
        rows: Vec<Result<Connection, Unreadable>>,
    ) -> Vec<ConnectionView> {
        let (now, shelf) = (self.0.clock.now(), self.0.catalogue.shelf());
        let mut configs = self.0.refresher.showing.configs();
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(match row {
                Ok(connection) => {
                    let plugin = shelf.providers.get(connection.id.provider());
                    let plugin = plugin.and_then(|it| it.as_deref().ok());
                    let view = ConnectionView::of(&connection, view::access_of(plugin), now);
                    let wait = self.0.refresher.turns.wait_for(connection.id.provider());
                    let changed = changed(&mut configs, &connection).await;
                    view.waiting(wait).since(changed).orphaned(self.is_orphan(&connection))
                }
                Err(unreadable) => ConnectionView::unreadable(&unreadable),
            });
        }
        views
    }

    /// Attempts, newest first.
    pub(super) async fn log(&self, mut query: LogQuery) -> Result<Reply, Failure> {
        self.check_query(&query).await?;
        let page = query.page.take();
        let filter = self.log_filter(query);
        match page {
            Some(page) => {
                let limit = filter.limit.min(page.limit());
                let filter = LogFilter { before: page.after, limit, ..filter };
                self.log_page(&filter).await.map(Reply::AttemptPage)
            }
            None => self.log_all(filter).await,
        }
    }

    /// Attempts in the order of their ends, behind a place in it.
    pub(super) async fn follow(
        &self,
        query: LogQuery,
        after: Option<i64>,
    ) -> Result<Reply, Failure> {
        self.check_query(&query).await?;
        let filter = LogFilter { limit: PAGE, ..self.log_filter(query) };
        let found = self.0.storage.ends(&filter, after).await.map_err(|it| host_fault(&it))?;
        let unreadable = found.unreadable.iter().map(view::error_of).collect();
        let LogEnds { attempts, next, more, .. } = found;
        Ok(Reply::Followed(Followed { attempts, unreadable, next, more }))
    }

    /// Forgets attempts from before that time: with the events, or only those that ended so. Who did what is
    /// only forgotten as the manifest says.
    pub(super) async fn prune(
        &self,
        older_than_s: u64,
        outcome: Option<Outcome>,
    ) -> Result<Reply, Failure> {
        let what = outcome.map_or(Pruning::Log, Pruning::Outcome);
        let pruned = self.0.storage.prune(self.ago(older_than_s), what).await;
        pruned.map(Reply::from).map_err(|it| host_fault(&it))
    }

    fn log_filter(&self, query: LogQuery) -> LogFilter {
        LogFilter {
            provider: query.provider,
            connection: query.connection,
            outcome: query.outcome,
            since: query.since_s.map(|it| self.ago(it)),
            before: None,
            limit: query.limit,
        }
    }

    async fn log_all(&self, filter: LogFilter) -> Result<Reply, Failure> {
        let mut attempts = Vec::new();
        let mut page = LogFilter { limit: filter.limit.min(PAGE), ..filter.clone() };
        loop {
            let found = self.log_page(&page).await?;
            attempts.extend(found.rows);
            let left = filter.limit as usize - attempts.len().min(filter.limit as usize);
            page.limit = PAGE.min(u32::try_from(left).unwrap_or(PAGE));
            page.before = found.next;
            if page.before.is_none() || page.limit == 0 {
                return Ok(Reply::Attempts(attempts));
            }
        }
    }

    async fn log_page(&self, filter: &LogFilter) -> Result<Page<Attempt>, Failure> {
        let found = self.0.storage.log_page(filter).await.map_err(|it| host_fault(&it))?;
        let unreadable = found.unreadable.iter().map(view::error_of).collect();
        Ok(Page { rows: found.attempts, unreadable, next: found.next })
    }
}
