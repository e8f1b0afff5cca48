//! Tells whoever must know what happened: the log, and channels. Delivers at least once and in order; a receiver that
//! fails keeps its messages waiting, and never delays a refresh. Who reads the events of the whole day, from a place
//! of its own, has a feed.

/// What to tell of one trouble, and when.
pub mod alerts;

/// Ends of tokens, which nobody else notices.
mod ends;

/// The log of the daemon.
mod log;

/// Events for many readers.
mod feed;

/// When a delivery that failed is tried again.
pub mod retrying;

/// Why something was not delivered.
pub mod undelivered;

/// One request to an address of the operator's.
pub mod posting;

/// Messages to people.
pub mod channels;

/// A sign of life.
mod heartbeat;

use std::sync::Arc;

use tokio::sync::Mutex;

pub use channels::Parts;
pub use feed::{Feed, Part, Place};
pub use log::Log;

use crate::lifecycle::Task;
use crate::manifest::Manifest;
use crate::manifest::channel::Channel;
use crate::storage::{Storage, StorageError};
use channels::Worker;
use tokio_util::sync::CancellationToken;

/// Everything that delivers. It follows the manifest.
pub struct Delivery {
    parts: Parts,
    feed: Feed,
    running: Mutex<Running>,
}

/// Who is at work.
#[derive(Default)]
struct Running {
    channels: Vec<(Channel, At)>,
    heartbeat: Option<At>,
}

/// A task that can be ended.
struct At {
    stop: CancellationToken,
    task: Task<()>,
}

impl Delivery {
    /// Delivers from now on, to the log and to the channels of the manifest in force.
    pub async fn start(parts: Parts) -> Result<Self, StorageError> {
        let log = Log::continued(&parts.storage).await?;
        let feed = Feed::start(&parts.storage).await?;
        let delivery = Self { parts: parts.clone(), feed, running: Mutex::default() };
        log.pass_over().await?;
        delivery.follow_manifest().await?;
        parts.lifecycle.spawn("delivery", log.run(parts.lifecycle.clone()));
        parts.lifecycle.spawn("ends", ends::run(parts.clone()));
        Ok(delivery)
    }

    /// All events, for others.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Starts, ends and changes what the manifest in force wants otherwise.
    pub async fn follow_manifest(&self) -> Result<(), StorageError> {
        let manifest = self.parts.manifest();
        let mut running = self.running.lock().await;
        running.end_those_not_in(&manifest).await;
        forget_all_but(&self.parts.storage, &manifest).await?;
        for channel in &manifest.channels {
            if running.channels.iter().all(|(it, _)| it != channel) {
                let at = self.begin(channel).await?;
                running.channels.push((channel.clone(), at));
            }
        }
        if running.heartbeat.is_none()
            && let Some(heartbeat) = manifest.heartbeat.clone()
        {
            let parts = self.parts.clone();
            running.heartbeat =
                Some(self.spawn("heartbeat", |stop| heartbeat::run(parts, heartbeat, stop)));
        }
        Ok(())
    }

    async fn begin(&self, channel: &Channel) -> Result<At, StorageError> {
        let worker = Worker::new(self.parts.clone(), Arc::new(channel.clone())).await?;
        Ok(self.spawn("channel", |stop| worker.run(stop)))
    }

    fn spawn<F>(&self, name: &'static str, work: impl FnOnce(CancellationToken) -> F) -> At
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.parts.lifecycle.soft_stop();
        let task = self.parts.lifecycle.spawn(name, work(stop.clone()));
        At { stop, task }
    }
}

impl Running {
    /// Ends channels that the manifest does not have as they are, and the heartbeat, which is made anew.
    async fn end_those_not_in(&mut self, manifest: &Manifest) {
        let all = std::mem::take(&mut self.channels);
        let (stay, go): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(it, _)| manifest.channels.contains(it));
        self.channels = stay;
        let go = go.into_iter().map(|(_, at)| at).chain(self.heartbeat.take()).collect::<Vec<_>>();
        // Each may have a message on its way: all of them are waited for at once.
        go.iter().for_each(|it| it.stop.cancel());
        for at in go {
            // Two of one name would tell everything twice.
            let _ = at.task.await;
        }
    }
}

/// Forgets those who listened once: nothing waits for them any more.
async fn forget_all_but(storage: &Storage, manifest: &Manifest) -> Result<(), StorageError> {
    let names = manifest.channels.iter().map(Channel::outlet).collect::<Vec<_>>();
    let listeners = names.iter().map(String::as_str).chain([log::NAME, feed::NAME]);
    storage.keep_listeners(&listeners.collect::<Vec<_>>()).await?;
    storage.keep_outlets("channel", names).await
}
