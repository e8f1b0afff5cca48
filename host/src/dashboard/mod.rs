//! The dashboard: what is broken for callers, what breaks next, and what to click. Pages are made here and work
//! without JavaScript; each asks the operator what the command line and the API ask, and takes no decision of
//! its own.

/// What a page says, in the reader's language.
pub mod words;

/// Moments and durations, as pages show them.
mod times;

/// What stands around every page.
mod frame;

/// Style, script and icons.
mod assets;

/// How somebody wants to see the pages.
mod looks;

/// Who looks, and what that person may do.
mod session;

/// The door: logging in, and who may.
mod login;

/// What stands before every page, and the headers of every answer.
mod guard;

/// Why there is no page.
mod refused;

/// Connections in addresses.
mod address;

/// What a form brings.
mod form;

/// That something has changed, as it happens.
mod live;

/// Logins with a code on another machine.
mod devices;

/// What forms have queued.
mod queues;

/// Numbers as pictures.
mod drawing;

/// The pages.
mod pages;

/// Which page is where.
mod routes;

use std::sync::Arc;

use axum::Router;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::dashboard::devices::Devices;
use crate::dashboard::queues::Queues;
use crate::model::audit::Actor;
use crate::model::failure::Failure;
use crate::operator::{Command, Operator, Reply};

/// Where the pages are, below the path of `server.url`.
pub const PLACE: &str = "/ui";

/// What the pages work on. A clone is cheap.
#[derive(Clone)]
pub struct Dashboard(Arc<Parts>);

struct Parts {
    operator: Operator,
    api: Api,
    /// What is known of those who try to get in.
    door: login::Door,
    /// For pages that follow what happens.
    seats: Arc<Semaphore>,
    /// Logins with a code on another machine that are under way.
    devices: Devices,
    /// What forms have queued lately.
    queues: Queues,
}

impl Dashboard {
    /// A dashboard over `operator`; people who connect accounts come back through `api`.
    pub fn new(operator: Operator, api: Api) -> Self {
        let seats = Arc::new(Semaphore::new(live::MOST));
        let (door, devices) = (login::Door::default(), Devices::default());
        let queues = Queues::default();
        Self(Arc::new(Parts { operator, api, door, seats, devices, queues }))
    }

    /// The pages, and the API beside them.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    fn operator(&self) -> &Operator {
        &self.0.operator
    }

    fn api(&self) -> &Api {
        &self.0.api
    }

    async fn ask(&self, actor: &Actor, command: Command) -> Result<Reply, Failure> {
        self.operator().ask(actor, command).await
    }

    /// The path under which browsers reach this server, if it is not the root.
    fn below(&self) -> String {
        self.operator().manifest().server.sub_path()
    }
}
