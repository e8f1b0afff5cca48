//! That something has changed, as it happens: an event without content, upon which a page asks for itself anew. So
//! there is one way to draw a page, and nothing to keep for anybody who looks.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout_at};

use crate::dashboard::Dashboard;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::lifecycle::Lifecycle;
use crate::operator::Operator;

/// Pages that follow at once.
pub(super) const MOST: usize = 128;

/// However much changes, a page is told so often.
const BREATH: Duration = Duration::from_secs(1);

/// How long it is told; then it comes back, and is asked again who it is.
const LONGEST: Duration = Duration::from_mins(5);

/// A silent stream says so often that it is there: proxies close what is silent for a minute.
const PULSE: Duration = Duration::from_secs(15);

/// What proxies that collect answers obey.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

struct Follower {
    changes: watch::Receiver<u64>,
    lifecycle: Lifecycle,
    until: Instant,
    /// Returns once whoever looks may look no more.
    ended: BoxFuture<'static, ()>,
    begun: bool,
    _seat: OwnedSemaphorePermit,
}

/// Tells whoever looks that something has changed.
pub(super) async fn follow(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    let seat = dashboard.0.seats.clone().try_acquire_owned().map_err(|_| Refused::TooMany)?;
    let operator = dashboard.operator();
    let follower = Follower {
        changes: operator.changes(),
        lifecycle: operator.lifecycle().clone(),
        until: Instant::now() + LONGEST,
        ended: ended(operator, &person),
        begun: false,
        _seat: seat,
    };
    let events = stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(PULSE));
    Ok(([UNBUFFERED], sse).into_response())
}

/// When the login is over; a user of this machine has none.
fn ended(operator: &Operator, person: &Person) -> BoxFuture<'static, ()> {
    let (operator, visitor) = (operator.clone(), person.visitor().cloned());
    Box::pin(async move {
        match visitor {
            Some(visitor) => operator.session_ends(&visitor).await,
            None => std::future::pending().await,
        }
    })
}

impl Follower {
    /// The next thing to say; `None` when it is over.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(Event::default().retry(Duration::from_secs(2)).event("open").data("open"));
        }
        let lifecycle = self.lifecycle.clone();
        tokio::select! {
            changed = timeout_at(self.until, self.changes.changed()) => {
                changed.ok()?.ok()?;
            }
            () = lifecycle.wait_for_soft_stop() => return None,
            () = &mut self.ended => return None,
        }
        sleep(BREATH).await;
        self.changes.mark_unchanged();
        Some(Event::default().event("changed").data("changed"))
    }
}
