//! One attempt, start to stored result, and the tokens that come of it. Callers who want the same
//! connection at the same time share one attempt, and dropping a caller never ends it.
//!
//! Does not know why it was called or who will be told.

/// One attempt: intent, call, capture, commit.
mod attempt;

/// Who asks, and how much they want it.
mod ask;

/// What an ask comes to, for whoever only wants to know.
pub mod foresee;

/// How an attempt ends in the database.
mod commit;

/// Keeps an outage from becoming a storm, and makes a limit one for all.
mod breaker;

/// What whoever asks too early is told.
mod waiting;

/// What a request for a refresh comes to.
pub mod decide;

/// Answers that no disk takes yet.
mod held;

/// Answers made durable, and given back.
mod journal;

/// What a failure leads to.
pub mod judge;

/// Tokens set and forgotten by hand.
mod manual;

/// Connections that are added.
pub mod people;

/// When a failure or a success is followed by another look.
pub mod plan;

/// When a connection is looked at next, from its row alone.
pub mod due;

/// That rule, asked of rows in the database.
mod times;

/// Facts about the account, asked now and then.
mod probe;

/// A try that ends before anything could be sent.
mod refuse;

/// Handing out tokens.
mod serve;

/// Consent of a person, and its end.
pub mod connect;

/// Notes of what callers say about a token.
mod rejected;

/// An attempt under way.
mod running;

/// How much at once.
mod throttle;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

pub use ask::Ask;
pub use attempt::LEASE_MARGIN;
pub use breaker::{Verdict, Wait};
pub use journal::unopenable;
pub use manual::ManualToken;
pub use serve::{Served, Short};
pub use waiting::sentence;

use crate::catalogue::{Catalogue, Configs, Own, Plugin};
use crate::lifecycle::{self, Lifecycle};
use crate::model::attempt::Attempt;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::storage::{Loaded, Storage, StorageError};
use crate::vault::error::VaultError;
use crate::vault::{Vault, credentials, tokens};
use breaker::Breakers;
use held::HeldAnswers;
use throttle::Throttle;

/// What an attempt came to; an error is one that could not even be recorded.
pub type AttemptResult = Result<Attempt, Failure>;

type Flight = Shared<BoxFuture<'static, AttemptResult>>;

/// Refreshes tokens and hands them out. A clone is cheap and means the same one.
#[derive(Clone)]
pub struct Refresher(Arc<Parts>);

/// What a refresher works with.
pub struct Parts {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    lifecycle: Lifecycle,
    /// This process, as it signs its claims.
    owner: String,
    /// Whether the instance lock proves that no other process works on this database.
    alone: bool,
    flights: Mutex<HashMap<ConnectionId, Flight>>,
    breakers: Breakers,
    throttle: Throttle,
    held: Arc<HeldAnswers>,
}

impl std::ops::Deref for Refresher {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Refresher {
    /// A refresher for a process that holds the instance lock, so that every claim it finds open is
    /// its own or that of a dead process.
    pub fn new(
        storage: Storage,
        vault: Vault,
        catalogue: Catalogue,
        clock: Clock,
        lifecycle: Lifecycle,
    ) -> Self {
        let held = HeldAnswers::new(storage.clone(), clock.clone(), lifecycle.clone());
        Self(Arc::new(Parts {
            held: Arc::new(held),
            storage,
            vault,
            catalogue,
            clock,
            lifecycle,
            owner: lifecycle::instance(),
            alone: true,
            flights: Mutex::default(),
            breakers: Breakers::default(),
            throttle: Throttle::default(),
        }))
    }

    /// Refreshes `id` if `ask` finds that it needs it, joining an attempt that is already running.
    pub async fn refresh(&self, id: &ConnectionId, ask: Ask) -> AttemptResult {
        let (flight, joined) = self.join_or_start(id, ask);
        let result = flight.await;
        if joined && !ask.is_content_with(&result) {
            return self.join_or_start(id, ask).0.await;
        }
        result
    }

    /// The attempt that runs for `id`, or a new one; and whether it ran already.
    fn join_or_start(&self, id: &ConnectionId, ask: Ask) -> (Flight, bool) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(id) {
            return (flight.clone(), true);
        }
        let (this, own) = (self.clone(), id.clone());
        let work = async move { this.attempt(&own, ask).await };
        (self.start(&mut flights, id, work), false)
    }

    /// Makes `work` the one attempt of `id`. It runs as a task of its own: when the caller goes away,
    /// the attempt goes on.
    fn start(
        &self,
        flights: &mut HashMap<ConnectionId, Flight>,
        id: &ConnectionId,
        work: impl Future<Output = AttemptResult> + Send + 'static,
    ) -> Flight {
        let (this, own) = (self.clone(), id.clone());
        let task = self.lifecycle.spawn("refresh", async move {
            let result = work.await;
            this.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&own);
            result
        });
        let (this, own) = (self.clone(), id.clone());
        let outcome = async move {
            let result = task.await;
            result.unwrap_or_else(|| {
                this.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&own);
                let message = format!(
                    "refreshing {own} failed inside keepfresh; see the log, and please report it"
                );
                Err(Failure::new(Case::HostFault, code::Internal::Panic, message))
            })
        };
        let flight = outcome.boxed().shared();
        flights.insert(id.clone(), flight.clone());
        flight
    }

    /// This process, as it signs its claims.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    async fn load(&self, id: &ConnectionId) -> Result<Loaded, Failure> {
        let loaded = self.storage.load(id).await.map_err(|it| host_fault(&it))?;
        loaded.ok_or_else(|| unknown(id))
    }

    /// Stores answers for `id` that could not be stored when they came.
    pub async fn settle(&self, id: &ConnectionId) -> Result<(), Failure> {
        self.held.settle(id).await
    }

    /// What a connection brings of its own, opened.
    pub fn own(&self, loaded: &Loaded) -> Result<Own, Failure> {
        let connection = &loaded.connection;
        let row = running::token_row(&connection.id);
        let open = |sealed| credentials::open_credentials(&self.vault, &row, sealed);
        let secrets = loaded.credentials.as_ref().map(open).transpose();
        Ok(Own {
            settings: connection.settings.clone(),
            secrets: secrets.map_err(|it| vault_fault(&it))?.unwrap_or_default(),
            remembered: connection.token.as_ref().map(|it| it.metadata.clone()).unwrap_or_default(),
        })
    }

    /// What the connections are configured with now. No command is run for it.
    pub fn configs(&self) -> Configs {
        Configs::new(self.catalogue.shelf(), self.vault.clone(), false)
    }

    /// Whether a login would replace what this connection has. A plugin that serves people as well can
    /// log in for a client; a refresh token is a person's there, and nobody logs in for a person.
    pub fn logs_in(&self, plugin: &Plugin, loaded: &Loaded) -> Result<bool, Failure> {
        let about = plugin.descriptor();
        if !about.unattended || !about.interactive {
            return Ok(about.unattended);
        }
        let current = self.current(loaded)?;
        Ok(current.is_none_or(|it| it.refresh_token.is_none()))
    }

    /// The current token set, opened.
    fn current(&self, loaded: &Loaded) -> Result<Option<TokenSet>, Failure> {
        let Some(sealed) = &loaded.sealed else { return Ok(None) };
        let row = running::token_row(&loaded.connection.id);
        let place = running::token_place(&row, loaded.connection.generation);
        tokens::open_tokens(&self.vault, &place, sealed).map(Some).map_err(|it| vault_fault(&it))
    }
}

/// There is no such connection.
pub fn unknown(id: &ConnectionId) -> Failure {
    let message = format!("there is no connection {id}; see: keepfresh connection list");
    Failure::new(Case::Misconfigured, code::Connection::Unknown, message)
}

/// The database failed.
pub fn host_fault(error: &StorageError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}

/// A value could not be sealed or opened.
pub fn vault_fault(error: &VaultError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}
