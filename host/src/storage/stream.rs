//! Events for readers who keep their places themselves, as programs at a distance do. They hold up nothing:
//! what is old is removed whether they have read it or not, and they can tell.

use tokio::sync::watch;

use crate::model::event::EventKind;
use crate::storage::listeners::Heard;
use crate::storage::{OutboxEvent, Storage, StorageError};

/// Events in their order. A clone is cheap, and is woken on its own.
#[derive(Clone)]
pub struct Stream {
    storage: Storage,
    written: watch::Receiver<Heard>,
}

/// Some events behind a place.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Those that can be read, oldest first.
    pub events: Vec<OutboxEvent>,
    /// Why others between them cannot.
    pub unreadable: Vec<StorageError>,
    /// The number of the last one, whether it can be read or not; the place itself where there is none.
    pub last: i64,
    /// Up to this number, some were removed.
    pub removed: i64,
    /// The number of the newest event that there is.
    pub newest: i64,
}

impl Storage {
    /// A stream of these kinds, written from now on, under a name that is kept as a listener's is.
    pub async fn stream(
        &self,
        name: &'static str,
        kinds: &[EventKind],
    ) -> Result<Stream, StorageError> {
        let listener = self.listen(name, kinds).await?;
        // It has no place, and so nothing waits for it.
        listener.told(i64::MAX).await?;
        Ok(Stream { storage: self.clone(), written: self.heard.subscribe() })
    }
}

impl Stream {
    /// Up to `limit` events behind the place `after`, oldest first. Those that cannot be read are told of in
    /// the log and passed over.
    pub async fn after(&self, after: i64, limit: u32) -> Result<Stretch, StorageError> {
        let stretch = self.storage.engine.events_after(after, limit).await?;
        stretch.unreadable.iter().for_each(|it| self.storage.report(it));
        Ok(stretch)
    }

    /// How often something was written. Whoever asks before reading knows what it has read.
    pub fn written(&self) -> u64 {
        self.written.borrow().written
    }

    /// Returns once something was written after `written` said so.
    pub async fn woken(&mut self, written: u64) {
        // The sender lives as long as the storage that is in here.
        let _ = self.written.wait_for(|it| it.written > written).await;
    }
}
