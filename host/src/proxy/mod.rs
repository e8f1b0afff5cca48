//! Requests of programs that never hold a token: the proxy puts it in on the way, and takes care that it does
//! not come back. Where requests may go is the manifest's to say; a refused token is replaced once, and the
//! request sent again if it can be.
//!
//! Does not know who asks.

/// A request as it came, and as it is sent.
mod route;

/// Headers there and back.
mod headers;

/// The token, put where it belongs.
mod placing;

/// An answer on its way back.
mod answer;

/// Compression undone, as it passes.
mod unpacking;

/// A token in an answer.
mod echo;

/// How a token may be written there.
mod spelling;

/// Connections that a new token does not help.
mod barren;

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use tracing::{debug, info};

pub use answer::Answer;
pub use route::TO;

use crate::catalogue::Catalogue;
use crate::egress::{EgressError, Method, Passed, Upload};
use crate::model::code::Code;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::refresher::{Served, Serving};
use barren::Barren;
use route::Route;

/// A token that ends while the request is on its way is of no use.
const LIVES: Duration = Duration::from_secs(10);

const UNAUTHORIZED: u16 = 401;

/// Passes requests on.
pub struct Proxy {
    serving: Arc<Serving>,
    catalogue: Catalogue,
    barren: Barren,
}

/// What a program sends. It has no `Debug`.
pub struct Asked {
    /// How.
    pub method: Method,
    /// What stands behind the connection in the path, as it came.
    pub path: String,
    /// What stands behind the `?`, as it came.
    pub query: Option<String>,
    /// All headers, as they came.
    pub headers: HeaderMap,
    /// How many bytes the body has, if the program says so.
    pub length: Option<u64>,
    /// What it sends.
    pub body: Upload,
}

/// Why nothing comes back from the provider.
#[derive(Debug)]
pub enum Refusal {
    /// This is not passed on.
    Denied(Code, String),
    /// The way out refused it, or the provider could not be asked.
    Egress(EgressError),
    /// There is no token.
    Failure(Failure),
}

impl Refusal {
    fn denied(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self::Denied(code.into(), message.into())
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<EgressError> for Refusal {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

impl Proxy {
    /// A proxy with the tokens of `serving` and the addresses of `catalogue`.
    pub fn new(serving: &Arc<Serving>, catalogue: &Catalogue) -> Self {
        Self {
            serving: Arc::clone(serving),
            catalogue: catalogue.clone(),
            barren: Barren::default(),
        }
    }

    /// Sends what a program asks for with the token of `id`, which is `sent` then, whatever comes back. Whatever the
    /// provider answers is an answer.
    pub async fn forward(
        &self,
        id: &ConnectionId,
        asked: Asked,
        sent: impl FnOnce(),
    ) -> Result<Answer, Refusal> {
        let plugin = self.catalogue.plugin(id.provider())?;
        let (route, body) = Route::of(plugin, id, asked)?;
        let token = match self.serving.token(id, LIVES).await {
            Ok(token) => Some(token),
            Err(failure) if route.goes_without() => {
                debug!(connection.id = %id.full(), error.code = %failure.code, "a request of {id} is sent without a token: {failure}");
                None
            }
            Err(failure) => return Err(failure.into()),
        };
        let again = body.again();
        if token.is_some() {
            sent();
        }
        let first = route.send(token.as_ref(), body).await?;
        let Some(token) = token else { return Answer::of(id, first, []) };
        if first.status != UNAUTHORIZED {
            return Answer::of(id, first, [&token]);
        }
        self.once_more(id, &route, token, first, again).await
    }

    /// The provider has refused `token`: it is replaced, and the request sent again, if it can be. Else the
    /// answer is the one that there is.
    async fn once_more(
        &self,
        id: &ConnectionId,
        route: &Route,
        token: Served,
        first: Passed,
        again: Option<Upload>,
    ) -> Result<Answer, Refusal> {
        if self.barren.was_untried(id, token.generation) {
            self.barren.note(id, Instant::now());
        }
        if self.barren.holds(id, Instant::now()) {
            return Answer::of(id, first, [&token]);
        }
        let next = match self.serving.rejected(id, Some(token.generation)).await {
            Ok(next) if next.generation != token.generation => next,
            Ok(_) => return Answer::of(id, first, [&token]),
            Err(failure) => {
                info!(connection.id = %id.full(), error.code = %failure.code, "a request of {id} was answered with 401, and there is no other token: {failure}");
                return Answer::of(id, first, [&token]);
            }
        };
        let Some(body) = again else {
            self.barren.leave_untried(id, next.generation);
            return Answer::of(id, first, [&token]);
        };
        drop(first);
        let second = route.send(Some(&next), body).await?;
        if second.status == UNAUTHORIZED {
            self.barren.note(id, Instant::now());
        }
        Answer::of(id, second, [&token, &next])
    }
}
