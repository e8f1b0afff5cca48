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

/// Signatures of such requests.
mod signing;

/// Messages to people.
pub mod channels;

/// What is current, to places of the operator's.
pub mod sinks;

/// A sign of life.
mod heartbeat;

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

pub use channels::Parts;
pub use feed::{Feed, Part, Place};
pub use log::Log;

use crate::lifecycle::Task;
use crate::manifest::Manifest;
use crate::manifest::channel::Channel;
use crate::manifest::sink::{Columns, How, Sink};
use crate::storage::{Storage, StorageError, Wanted};
use channels::Worker;
use tokio_util::sync::CancellationToken;

/// Everything that delivers. It follows the manifest.
pub struct Delivery {
    parts: Parts,
    feed: Feed,
    running: Mutex<Running>,
    /// Counts how often manifest and plugins were read anew.
    read_anew: watch::Sender<u64>,
}

/// Who is at work.
#[derive(Default)]
struct Running {
    channels: Vec<(Channel, At)>,
    sinks: Vec<(Arc<Sink>, At)>,
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
        let (running, read_anew) = (Mutex::default(), watch::Sender::default());
        let delivery = Self { parts: parts.clone(), feed, running, read_anew };
        log.pass_over().await?;
        delivery.follow(true).await?;
        parts.lifecycle.spawn("delivery", log.run(parts.lifecycle.clone()));
        parts.lifecycle.spawn("ends", ends::run(parts.clone()));
        Ok(delivery)
    }

    /// All events, for others.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Starts, ends and changes what the manifest in force wants otherwise. The others look at once: with the
    /// manifest, plugins were read anew.
    pub async fn follow_manifest(&self) -> Result<(), StorageError> {
        self.follow(false).await
    }

    /// At the start, files are looked at whether they have changed or not: others may have been at them.
    async fn follow(&self, starts: bool) -> Result<(), StorageError> {
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
        self.follow_sinks(&mut running, &manifest, starts).await?;
        if running.heartbeat.is_none()
            && let Some(heartbeat) = manifest.heartbeat.clone()
        {
            let parts = self.parts.clone();
            running.heartbeat =
                Some(self.spawn("heartbeat", |stop| heartbeat::run(parts, heartbeat, stop)));
        }
        self.read_anew.send_modify(|it| *it += 1);
        Ok(())
    }

    async fn follow_sinks(
        &self,
        running: &mut Running,
        manifest: &Manifest,
        starts: bool,
    ) -> Result<(), StorageError> {
        let kit = &self.parts.sinks;
        let wanted = |sink: &Sink| Wanted {
            name: sink.outlet(),
            config: kit.digest_of(sink),
            of_attempts: matches!(&sink.how, How::Sql(it) if matches!(it.columns, Columns::Attempts(_))),
            sweeps: starts && matches!(sink.how, How::File(_)),
        };
        self.parts.storage.want_sinks(manifest.sinks.iter().map(wanted).collect()).await?;
        for sink in &manifest.sinks {
            if running.sinks.iter().all(|(it, _)| **it != *sink) {
                let sink = Arc::new(sink.clone());
                let worker = sinks::Worker::new(kit, &sink, &self.parts.lifecycle);
                let at = self.spawn("sink", |stop| worker.run(stop));
                running.sinks.push((sink, at));
            }
        }
        Ok(())
    }

    async fn begin(&self, channel: &Channel) -> Result<At, StorageError> {
        let worker = Worker::new(self.parts.clone(), Arc::new(channel.clone())).await?;
        let read_anew = self.read_anew.subscribe();
        Ok(self.spawn("channel", |stop| worker.run(stop, read_anew)))
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
    /// Ends channels and sinks that the manifest does not have as they are, and the heartbeat, which is made anew.
    async fn end_those_not_in(&mut self, manifest: &Manifest) {
        let all = std::mem::take(&mut self.channels);
        let (stay, go): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(it, _)| manifest.channels.contains(it));
        self.channels = stay;
        let all = std::mem::take(&mut self.sinks);
        let (stay, gone): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(it, _)| manifest.sinks.contains(it));
        self.sinks = stay;
        let go = go.into_iter().map(|(_, at)| at).chain(gone.into_iter().map(|(_, at)| at));
        let go = go.chain(self.heartbeat.take()).collect::<Vec<_>>();
        // Each may have something on its way: all of them are waited for at once.
        for it in &go {
            it.stop.cancel();
        }
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
    storage.keep_outlets("channel", names).await?;
    let sinks = manifest.sinks.iter().map(Sink::outlet).collect();
    storage.keep_outlets("sink", sinks).await
}
