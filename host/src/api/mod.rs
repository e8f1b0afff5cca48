//! The HTTP API: what the command line can ask for, over HTTP, for programs. Each route asks the
//! [`Operator`](crate::operator::Operator) and takes no decision of its own. Knows the caller, and what it may do; knows nothing of
//! plugins, SQL or providers.

/// Where the API is listened for: an address, with or without TLS, and a socket of the daemon's user.
pub mod listening;

/// Who answers a request.
pub mod front;

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
use tokio::sync::Semaphore;

pub use caller::Peer;
pub use problem::status_of;
pub use routes::document;

use crate::delivery::Feed;
use crate::model::audit::Actor;
use crate::model::failure::Failure;
use crate::operator::{Command, Operator, Reply};
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
    places: Semaphore,
    links: Links,
    feed: Feed,
    seats: Seats,
}

impl Api {
    /// An API over `operator`, which tells the events of `feed`.
    pub fn new(operator: Operator, feed: Feed) -> Self {
        Self(Arc::new(Parts {
            operator,
            throttle: Throttle::default(),
            replays: Replays::default(),
            places: Semaphore::new(AT_ONCE),
            links: Links::default(),
            feed,
            seats: Seats::default(),
        }))
    }

    /// All that can be asked.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    fn operator(&self) -> &Operator {
        &self.0.operator
    }

    async fn ask(&self, actor: &Actor, command: Command) -> Result<Reply, Failure> {
        self.operator().ask(actor, command).await
    }
}
