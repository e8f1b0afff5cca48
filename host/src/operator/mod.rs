//! What people and scripts can ask for: one command in, one reply out. The command line carries it
//! out itself when no daemon runs, and through the daemon when one does; both come here.
//!
//! Takes no decision about tokens; those are the refresher's.

/// What can be asked.
pub mod command;

/// What comes back.
pub mod reply;

/// What a provider means that refuses a login.
mod denied;

/// State, nonce and verifier of a login.
mod consent;

/// A login under way, as it is carried.
mod visit;

/// Connecting and disconnecting.
mod connect;

/// Adding connections, and taking them away.
mod enrol;

/// The file that many are imported from, read.
pub mod import_file;

/// Connections in clear, for whoever moves out.
mod export;

/// The file that they are written to.
pub mod export_file;

/// Lists, in pages.
mod listing;

/// One attempt with everything about it.
pub mod attempt;

/// Showing a token to a person.
mod revealing;

/// Names that nothing has.
mod named;

/// All of them in numbers.
pub mod overview;

/// Those first that need somebody.
pub mod urgent;

/// What has become of one.
pub mod history;

/// Refreshing many at once.
mod bulk;

/// What can be wrong with a deployment.
pub mod examine;

/// Whether this deployment is healthy.
pub mod doctor;

/// Plugins and schedules as people read them.
pub mod plugins;

/// What is planned for the next 24 hours.
pub mod forecast;

/// One plugin file, and what a new connection needs.
pub mod inspected;

/// What this installation runs on.
pub mod system;

/// Reading everything anew.
pub mod reload;

/// Keys of programs.
pub mod api_keys;

/// People who use the dashboard.
pub mod accounts;

/// Channels.
pub mod channels;

/// Sinks.
pub mod sinks;

/// Whether the daemon can do its work.
mod readiness;

/// Who did what.
mod audit;

/// Requests of programs through the proxy.
mod passing;

/// Commands of people and programs that may go before they are done.
mod asking;

/// Connections as people and scripts read them.
pub mod view;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

pub use asking::Unheard;
pub use audit::Tally;
pub use command::{AuditQuery, Command, LogQuery, PageQuery, Selection, Wish};
pub use listing::PAGE;
pub use readiness::Readiness;
pub use reload::{Reload, Reloads};
pub use reply::{Page, Progress, Reply};

use crate::catalogue::{Catalogue, Changed, Configs};
use crate::delivery::sinks::Kit;
use crate::egress::Gate;
use crate::lifecycle::Lifecycle;
use crate::manifest::Manifest;
use crate::model::attempt::Attempt;
use crate::model::audit::{Action, Actor};
use crate::model::clock::{self, Clock};
use crate::model::code;
use crate::model::connection::{Connection, Pause};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::proxy::Proxy;
use crate::refresher::enrolling::How;
use crate::refresher::{Ask, ManualToken, Refresher, Served, host_fault};
use crate::storage::{Counted, LogFilter, Storage};
use crate::telemetry::metrics;
use crate::vault::Vault;
use accounts::People;
use api_keys::Keys;
use command::Plain;
use reply::StatsView;

/// Carries out commands. A clone is cheap.
#[derive(Clone)]
pub struct Operator(Arc<Parts>);

/// What commands work on.
pub struct Parts {
    /// The database.
    pub storage: Storage,
    /// What digests of keys are made with.
    pub vault: Vault,
    /// Keys of programs.
    pub keys: Keys,
    /// What is known of people who use the dashboard.
    pub people: People,
    /// What was done and not written down yet.
    pub tally: Tally,
    /// What is loaded.
    pub catalogue: Catalogue,
    /// What refreshes.
    pub refresher: Refresher,
    /// What passes requests on.
    pub proxy: Proxy,
    /// The way out, for tests of channels.
    pub gate: Gate,
    /// What sinks work with.
    pub sinks: Kit,
    /// The time.
    pub clock: Clock,
    /// Tasks that outlive a command.
    pub lifecycle: Lifecycle,
    /// What the operator wants, as it was last read without problems.
    pub manifest: Arc<RwLock<Arc<Manifest>>>,
    /// Whether this is the daemon, with a scheduler behind it.
    pub daemon: bool,
    /// Who reads manifest and plugins anew in the daemon.
    pub reloads: Reloads,
    /// One count of all connections for all who ask.
    pub counts: overview::Counts,
    /// Where nobody listens.
    pub unheard: Unheard,
}

impl Operator {
    /// An operator over those parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Carries out any command; [`run`](Self::run) does so with the one that programs repeat all day.
    async fn carry_out(
        &self,
        command: Command,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Result<Reply, Failure> {
        match command {
            Command::Status { ids, page } => self.status(ids, page).await,
            Command::Connections { selection, page } => self.selected(&selection, page).await,
            Command::Show { id } => self.show(&id).await,
            Command::Refresh { selection, force, dry_run, wait } => {
                self.refresh(&selection, force, dry_run, wait, progress).await
            }
            Command::TokenGet { id, min_ttl_s } => self.token(&id, min_ttl_s).await,
            Command::TokenSet { id, text } => self.set_token(id, &text).await,
            Command::TokenClear { id } => self.clear_token(id).await,
            Command::TokenRejected { id, generation } => self.rejected(&id, generation).await,
            Command::ConnectStart { id, redirect_uri, wish } => {
                self.connect_start(&id, &redirect_uri, wish).await
            }
            Command::ConnectFinish { visit, query } => self.connect_finish(&visit, &query).await,
            Command::DeviceStart { id, wish } => self.device_start(&id, wish).await,
            Command::DevicePoll { visit } => self.device_poll(&visit).await,
            Command::Disconnect { id, force } => self.disconnect(&id, force).await,
            Command::Enrol { provider, rows, replace, dry_run } => {
                self.enrol(&provider, rows, How { replace, dry_run }).await.map(Reply::Enrolled)
            }
            Command::Export { selection, page } => self.export(&selection, &page).await,
            Command::Remove { id } => self.remove(&id).await,
            Command::Pause { id, for_s, reason } => self.pause(&id, for_s, reason).await,
            Command::Resume { id } => self.resume(&id).await,
            Command::Replay { id } => self.replay(&id, progress).await,
            Command::Log(query) => self.log(query).await,
            Command::Attempt { id } => self.show_attempt(id).await,
            Command::Follow { query, after } => self.follow(query, after).await,
            Command::Stats { provider, since_s } => self.statistics(provider, since_s).await,
            Command::Overview => self.overview().await,
            Command::Urgent { query, page } => self.urgent(query, &page).await,
            Command::History { id } => self.history(&id).await,
            Command::Schedules => self.schedules().await,
            Command::Forecast => self.forecast().await,
            Command::Plugin { file } => self.inspect(&file),
            Command::Form { provider } => self.form(&provider),
            Command::System => self.system().await,
            Command::Plugins | Command::Approved { .. } => Ok(Reply::Plugins(self.plugins())),
            Command::Prune { older_than_s, outcome } => self.prune(older_than_s, outcome).await,
            Command::Reload => self.reload().await,
            Command::Doctor => self.doctor().await,
            Command::Readiness => Ok(Reply::Readiness(self.readiness().await)),
            Command::ApiKeyCreate { name, grant } => self.create_api_key(name, grant).await,
            Command::ApiKeys => self.api_keys().await,
            Command::ApiKeyRevoke { key } => self.revoke_api_key(&key).await,
            Command::Accounts => self.accounts().await,
            Command::AccountAdd { name, role } => self.add_account(name, role).await,
            Command::AccountLink { name } => self.link_account(&name).await,
            Command::AccountRole { name, role } => self.set_role(&name, role).await,
            Command::AccountRemove { name } => self.remove_account(&name).await,
            Command::Audit(query) => self.audit_page(query).await,
            Command::Channels => self.list_channels().await,
            Command::ChannelTest { name } => self.test_channel(&name).await,
            Command::Sinks => self.list_sinks().await,
            Command::SinkRun { name, connection } => self.run_sink(name, connection).await,
        }
    }

    /// The manifest in force.
    pub fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.0.manifest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The way out.
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// What the daemon's tasks run in.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.0.lifecycle
    }

    /// Providers of the manifest, and whether each is not asked now.
    pub fn providers_waiting(&self) -> Vec<(String, bool)> {
        let waits = |name: &String| self.0.refresher.turns.wait_for(name).is_some();
        self.manifest().providers.keys().map(|it| (it.clone(), waits(it))).collect()
    }

    /// How many connections each provider has.
    pub async fn counted(&self) -> Result<Vec<Counted>, Failure> {
        self.0.storage.counted().await.map_err(|it| host_fault(&it))
    }

    /// The labels of `id`; `None` if there is no such connection.
    pub async fn labels(&self, id: &ConnectionId) -> Result<Option<Vec<String>>, Failure> {
        let loaded = self.0.storage.recent(id).await.map_err(|it| host_fault(&it))?;
        Ok(loaded.map(|it| it.connection.labels.clone()))
    }

    /// One attempt, open or finished.
    pub async fn attempt(&self, id: AttemptId) -> Result<Option<Attempt>, Failure> {
        self.0.storage.attempt(id).await.map_err(|it| host_fault(&it))
    }

    /// The attempt of `id` that is under way.
    pub async fn open_attempt(&self, id: &ConnectionId) -> Result<Option<Attempt>, Failure> {
        let loaded = self.0.storage.load(id).await.map_err(|it| host_fault(&it))?;
        match loaded.and_then(|it| it.open) {
            Some(open) => self.attempt(open.id).await,
            None => Ok(None),
        }
    }

    async fn show(&self, id: &ConnectionId) -> Result<Reply, Failure> {
        let loaded = self.0.storage.load(id).await.map_err(|it| host_fault(&it))?;
        let Some(mut loaded) = loaded else { return Err(self.unknown(id).await) };
        let plugin = self.0.catalogue.plugin(id.provider());
        let attempts = LogFilter { connection: Some(id.clone()), limit: 5, ..LogFilter::default() };
        let attempts = self.0.storage.log(&attempts).await.map_err(|it| host_fault(&it))?;
        loaded.connection.last_attempt = attempts.first().cloned();
        let mut details =
            view::Details::of(&loaded, plugin.ok().as_deref(), attempts, self.0.clock.now());
        details.captured_answers += self.0.storage.answers_beside(id);
        for name in self.0.refresher.showing.own_secrets(&loaded)? {
            details.secrets.insert(name, "its own".to_owned());
        }
        let changed = changed(&mut self.0.refresher.showing.configs(), &loaded.connection).await;
        details.view = details.view.since(changed).orphaned(self.is_orphan(&loaded.connection));
        Ok(Reply::Connection(Box::new(details)))
    }

    /// Those that are selected, if that names nothing that is not there.
    async fn selected(
        &self,
        selection: &Selection,
        page: Option<PageQuery>,
    ) -> Result<Reply, Failure> {
        self.check_selection(selection).await?;
        self.list(&selection.filter(self.now()), page).await
    }

    async fn clear_token(&self, id: ConnectionId) -> Result<Reply, Failure> {
        self.0.refresher.enrolling.clear_token(&id).await?;
        Ok(Reply::Done(id))
    }

    /// A token for `actor`, counted as any other, if it is in memory and nothing has to be waited for. `None` says
    /// nothing else: `Command::TokenGet` has the answer then.
    pub fn token_at_once(
        &self,
        actor: &Actor,
        id: &ConnectionId,
        min_ttl: Duration,
    ) -> Option<Served> {
        let now = self.now();
        let served = self.0.refresher.serving.at_once(id, min_ttl, now)?;
        metrics::served(id.provider());
        self.count(actor, Action::TokenRead, id.full(), now);
        Some(served)
    }

    async fn token(&self, id: &ConnectionId, min_ttl_s: u64) -> Result<Reply, Failure> {
        let served = self.0.refresher.serving.token(id, Duration::from_secs(min_ttl_s)).await;
        served.map(|it| handed_out(id, it))
    }

    async fn set_token(&self, id: ConnectionId, text: &Plain) -> Result<Reply, Failure> {
        let token = ManualToken::parse(&text.0, self.0.clock.now())?;
        let generation = self.0.refresher.enrolling.set_token(&id, token).await?;
        Ok(Reply::Stored { id, generation })
    }

    async fn rejected(&self, id: &ConnectionId, generation: Option<u64>) -> Result<Reply, Failure> {
        let served = self.0.refresher.serving.rejected(id, generation).await;
        served.map(|it| handed_out(id, it))
    }

    async fn pause(
        &self,
        id: &ConnectionId,
        for_s: Option<u64>,
        reason: Option<String>,
    ) -> Result<Reply, Failure> {
        let until = for_s.map(|it| clock::after(self.now(), Duration::from_secs(it)));
        self.0.refresher.pauses.set(id, Some(Pause { until, reason })).await?;
        Ok(Reply::Done(id.clone()))
    }

    async fn resume(&self, id: &ConnectionId) -> Result<Reply, Failure> {
        self.0.refresher.pauses.set(id, None).await?;
        Ok(Reply::Done(id.clone()))
    }

    /// Runs the plugin over captured answers; sends only what was not captured.
    async fn replay(
        &self,
        id: &ConnectionId,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Result<Reply, Failure> {
        self.0.refresher.attempts.settle(id).await?;
        let loaded = self.0.storage.load(id).await.map_err(|it| host_fault(&it))?;
        let Some(loaded) = loaded else { return Err(self.unknown(id).await) };
        if loaded.captures.is_empty() {
            let message = format!("{id} has no captured answer to read; every answer was used");
            return Err(Failure::new(Case::Misconfigured, code::Replay::Nothing, message));
        }
        let attempt = self.0.refresher.attempts.refresh(id, Ask::replay()).await?;
        let _ = progress.send(Progress { done: 1, total: 1, attempt: attempt.clone() });
        Ok(Reply::refreshed(vec![attempt], Vec::new()))
    }

    async fn statistics(&self, provider: Option<String>, since_s: u64) -> Result<Reply, Failure> {
        if let Some(provider) = &provider {
            self.check_provider(provider).await?;
        }
        let since = self.ago(since_s);
        let found = self.0.storage.statistics(provider.as_deref(), since).await;
        let found = found.map_err(|it| host_fault(&it))?;
        Ok(Reply::Stats(StatsView::of(found, clock::hour(since))))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn ago(&self, seconds: u64) -> Timestamp {
        clock::before(self.now(), Duration::from_secs(seconds))
    }
}

/// A token that a caller gets, which is counted.
fn handed_out(id: &ConnectionId, served: Served) -> Reply {
    metrics::served(id.provider());
    Reply::from(served)
}

/// What has changed since the token of `connection` was got, as far as anybody knows.
async fn changed(configs: &mut Configs, connection: &Connection) -> Vec<Changed> {
    let then = connection.token.as_ref().and_then(|it| it.config.as_ref());
    match then {
        Some(then) => configs.changed_since(&connection.id, &connection.settings, then).await,
        None => Vec::new(),
    }
}
