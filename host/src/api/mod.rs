//! The HTTP API: what the command line can ask for, over HTTP, for programs. Each route asks the
//! [`Operator`](crate::operator::Operator) and takes no decision of its own. Knows the caller, and what it may do; knows nothing of
//! plugins, SQL or providers.

/// Where the API is listened for: an address, with or without TLS, and a socket of the daemon's user.
pub mod listening;

/// What stands before every route: the host, other sites, how many at once, how long.
pub(crate) mod guard;

/// Who calls, and what the key allows.
pub(crate) mod caller;

/// How often somebody may be wrong.
pub(crate) mod throttle;

/// What went wrong, as RFC 9457 has it.
mod problem;

/// What a request says: path, query, body.
mod reading;

/// `ETag`, `If-Match`, `If-None-Match`.
mod version;

/// `Idempotency-Key`.
mod idempotency;

/// The routes, and the document that describes them.
mod routes;

/// Tokens.
mod tokens;

/// Connections: looked at, changed, added and removed.
mod connections;

/// Requests to providers, passed on.
mod proxy;

/// Refreshing one.
mod refreshes;

/// Connecting for web applications.
mod connect;

/// The links that it makes.
mod links;

/// Attempts and statistics.
mod attempts;

/// What happens, as it happens.
mod events;

/// Providers, plugins and schedules.
mod catalogue;

/// Keys, and who did what.
mod access;

/// The three routes of a service with one token.
mod single;

/// Whether this process is alive and ready.
mod health;

/// Figures for Prometheus.
mod metrics;

use std::sync::Arc;

use axum::Router;
use tokio::sync::{Semaphore, mpsc};

pub use routes::document;

use crate::delivery::Feed;
use crate::model::audit::Actor;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Operator, Progress, Reply};
use events::Seats;
use idempotency::Replays;
use links::Links;
use throttle::Throttle;

/// Requests under way at once; the next one is told to come back.
const AT_ONCE: usize = 1024;

/// What the routes work on. A clone is cheap.
#[derive(Clone)]
pub struct Api(Arc<Parts>);

struct Parts {
    operator: Operator,
    throttle: Throttle,
    replays: Replays,
    places: Arc<Semaphore>,
    links: Links,
    feed: Feed,
    seats: Seats,
    /// Where the progress of commands goes that answer at once.
    unheard: mpsc::UnboundedSender<Progress>,
}

impl Api {
    /// An API over `operator`, which tells the events of `feed`.
    pub fn new(operator: Operator, feed: Feed) -> Self {
        Self(Arc::new(Parts {
            operator,
            throttle: Throttle::default(),
            replays: Replays::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            links: Links::default(),
            feed,
            seats: Seats::default(),
            unheard: mpsc::unbounded_channel().0,
        }))
    }

    /// All that can be asked.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    fn operator(&self) -> &Operator {
        &self.0.operator
    }

    /// Asks for something in the name of `actor`. A caller who hangs up ends neither a change nor what is written
    /// down of it.
    async fn ask(&self, actor: &Actor, command: Command) -> Result<Reply, Failure> {
        let operator = self.operator();
        // Tokens are refreshed in tasks of their own.
        if command.only_looks() || matches!(command, Command::TokenGet { .. }) {
            return operator.run(actor, command, &self.0.unheard).await;
        }
        let (this, actor) = (self.clone(), actor.clone());
        let work = async move { this.operator().run(&actor, command, &this.0.unheard).await };
        let done = operator.lifecycle().spawn("command", work).await;
        done.unwrap_or_else(|| {
            Err(Failure::new(
                Case::HostFault,
                code::Internal::Panic,
                "a fault in this program ended it; see the log",
            ))
        })
    }
}
