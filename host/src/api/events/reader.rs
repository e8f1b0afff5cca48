//! One who reads events: a task that looks at its place in the feed when something was written, and hands on
//! a page at a time. It waits for whoever reads, and holds nothing for it: the next page is read when this
//! one was taken. It ends with the daemon, with the key, and when nobody reads for long.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, warn};

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::events::seats::Seat;
use crate::api::events::{Filter, Told};
use crate::api::listening::Hold;
use crate::api::problem::Problem;
use crate::delivery::Part;
use crate::model::audit::Actor;
use crate::storage::OutboxEvent;

/// A silent stream says so often that it is there: proxies close what is silent for a minute.
const PULSE: Duration = Duration::from_secs(15);

/// However much is written, it is looked at so often.
const BREATH: Duration = Duration::from_millis(20);

/// How long nobody may take what is ready. Whoever is slower comes back and misses nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the rest of a stream that has ended may take to be read.
const GRACE: Duration = Duration::from_secs(2);

/// How long a client waits before it comes back, in milliseconds.
const RETRY: u32 = 2_000;

/// What proxies that collect answers obey.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Reads for one caller.
pub(super) struct Reader {
    api: Api,
    caller: Caller,
    filter: Filter,
    place: i64,
    _seat: Seat,
}

/// The end of a stream that events are put into.
#[derive(Clone)]
struct Outlet {
    to: mpsc::Sender<Bytes>,
    patience: Duration,
}

/// Whoever read does not any more.
#[derive(Debug)]
struct Unread;

impl Reader {
    pub(super) fn new(api: Api, caller: Caller, filter: Filter, place: i64, seat: Seat) -> Self {
        Self { api, caller, filter, place, _seat: seat }
    }

    /// The answer that events come in, until the task behind it ends.
    pub(super) fn answer(self, hold: Hold) -> Response {
        let (to, from) = mpsc::channel::<Bytes>(1);
        let outlet = Outlet { to, patience: PATIENCE };
        let lifecycle = self.api.operator().lifecycle().clone();
        lifecycle.spawn("events", async move {
            self.run(outlet).await;
            hold.end_within(GRACE).await;
        });
        let pages = stream::unfold(from, async |mut from| {
            from.recv().await.map(|page| (Ok::<_, Infallible>(page), from))
        });
        let mut answer = Response::new(Body::from_stream(pages));
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
        // So that the end of the stream is the end of the connection, which can then be held to it.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    async fn run(mut self, outlet: Outlet) {
        let (api, actor) = (self.api.clone(), self.caller.actor.clone());
        let closed = outlet.to.clone();
        tokio::select! {
            () = api.operator().lifecycle().wait_for_soft_stop() => {}
            () = key_ends(&api, &actor) => debug!("a stream of events ended with its key"),
            () = closed.closed() => {}
            told = self.tell(&outlet) => if told.is_err() {
                debug!("a stream of events was not read any more");
            },
        }
    }

    /// Tells what happens for as long as it is read and can be told without a gap.
    async fn tell(&mut self, outlet: &Outlet) -> Result<(), Unread> {
        outlet.put(format!("retry: {RETRY}\nid: {}\n\n", self.place)).await?;
        let mut pulse = Instant::now() + PULSE;
        loop {
            let part = match self.api.0.feed.after(self.place).await {
                Ok(part) => part,
                Err(error) => {
                    warn!(error.code = error.code().text(), "events could not be read: {error}");
                    return Ok(());
                }
            };
            let mut text = String::new();
            match part {
                Part::Events(events, next) => {
                    let Ok(written) = self.written(&events).await else {
                        warn!("a stream of events ends: it could not be told what its key reaches");
                        return Ok(());
                    };
                    (text, self.place) = (written, next);
                }
                Part::End(then) => {
                    if timeout_at(pulse, self.api.0.feed.woken(then)).await.is_ok() {
                        sleep(BREATH).await;
                    }
                }
                // The next request for it is told so.
                Part::Removed(_) => return Ok(()),
            }
            if text.is_empty() && Instant::now() >= pulse {
                text = format!(": nothing new\nid: {}\n\n", self.place);
            }
            if !text.is_empty() {
                outlet.put(text).await?;
                pulse = Instant::now() + PULSE;
            }
        }
    }

    /// Those that are wanted and within reach. What cannot be told is not passed over: the place stays before it.
    async fn written(&self, events: &[Arc<OutboxEvent>]) -> Result<String, Problem> {
        let mut text = String::new();
        for it in events {
            let reached = self.filter.wants(it)
                && self.caller.reaches(&self.api, &it.event.connection).await?;
            if reached {
                let data = serde_json::to_string(&Told::of(it)).unwrap_or_default();
                let kind = it.event.kind;
                let _ = write!(text, "id: {}\nevent: {kind}\ndata: {data}\n\n", it.id);
            }
        }
        Ok(text)
    }
}

/// Returns when the caller's key is no longer good.
async fn key_ends(api: &Api, actor: &Actor) {
    match actor {
        Actor::Key(id) => api.operator().key_ends(id).await,
        // Of people, the dashboard knows when their sessions end.
        Actor::User(_) | Actor::Account(_) | Actor::Nobody => std::future::pending().await,
    }
}

impl Outlet {
    async fn put(&self, text: String) -> Result<(), Unread> {
        let put = timeout(self.patience, self.to.send(text.into())).await;
        put.map_err(|_| Unread)?.map_err(|_| Unread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_takes_is_waited_for_and_then_given_up() {
        let (to, mut from) = mpsc::channel(1);
        let outlet = Outlet { to, patience: Duration::from_millis(20) };
        outlet.put("one".to_owned()).await.unwrap();
        assert!(outlet.put("two".to_owned()).await.is_err(), "one page waits, and no more");
        assert_eq!(from.recv().await.unwrap(), "one");
        outlet.put("three".to_owned()).await.unwrap();
        drop(from);
        assert!(outlet.put("four".to_owned()).await.is_err());
    }
}
