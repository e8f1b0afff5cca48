//! The one writer. Everything that is waiting when a transaction begins shares it and its fsync, so
//! that a hundred refreshes cost one commit and not a hundred. A write that fails does not take the
//! others down: they are then done one by one.
//!
//! Knows nothing of what is written.

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::storage::error::StorageError;

/// Most writes in one transaction: bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 256;

/// A change to the database: all of it or nothing. It may be run twice, the first run rolled back.
pub(super) trait Write: Send + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Applies the change inside the writer's transaction.
    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Self::Answer, StorageError>>;
}

/// Hands changes to the writer. A clone is cheap.
#[derive(Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Box<dyn Job>>);

impl Writer {
    /// The writer over `db`, and its loop, which ends when the last handle is dropped.
    pub(super) fn new(db: SqliteConnection) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, waiting) = mpsc::unbounded_channel();
        (Self(jobs), run(db, waiting))
    }

    /// Applies `write` durably. Dropping the future does not undo or cancel it.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Answer, StorageError> {
        let (to, answer) = oneshot::channel();
        let gone = || StorageError::Other("the writer has stopped".to_owned());
        self.0.send(Box::new(Pending { write, to, answer: None })).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// A write whose answer type is forgotten, so that different ones share a transaction.
trait Job: Send {
    fn apply<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>>;

    fn reply(self: Box<Self>, committed: Result<(), StorageError>);
}

struct Pending<W: Write> {
    write: W,
    answer: Option<W::Answer>,
    to: oneshot::Sender<Result<W::Answer, StorageError>>,
}

impl<W: Write> Job for Pending<W> {
    fn apply<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            self.answer = Some(self.write.apply(db).await?);
            Ok(())
        })
    }

    fn reply(self: Box<Self>, committed: Result<(), StorageError>) {
        let Self { to, answer, .. } = *self;
        let lost = || StorageError::Other("a write was committed without an answer".to_owned());
        // The caller may have gone; the write stands all the same.
        let _ = to.send(committed.and_then(|()| answer.ok_or_else(lost)));
    }
}

async fn run(mut db: SqliteConnection, mut waiting: mpsc::UnboundedReceiver<Box<dyn Job>>) {
    let mut batch = Vec::with_capacity(MOST_PER_COMMIT);
    while waiting.recv_many(&mut batch, MOST_PER_COMMIT).await > 0 {
        if batch.len() > 1 && commit(&mut db, &mut batch).await.is_ok() {
            batch.drain(..).for_each(|job| job.reply(Ok(())));
            continue;
        }
        for job in batch.drain(..) {
            alone(&mut db, job).await;
        }
    }
}

async fn alone(db: &mut SqliteConnection, job: Box<dyn Job>) {
    let mut one = [job];
    let committed = commit(db, &mut one).await;
    let [job] = one;
    job.reply(committed);
}

async fn commit(db: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    sqlx::query("begin immediate").execute(&mut *db).await?;
    let applied = apply(db, jobs).await;
    let ended = match applied {
        Ok(()) => sqlx::query("commit").execute(&mut *db).await.map(drop).map_err(Into::into),
        Err(error) => Err(error),
    };
    if ended.is_err() {
        // SQLite has rolled back by itself after some errors; then this one has nothing to do.
        let _ = sqlx::query("rollback").execute(&mut *db).await;
    }
    ended
}

async fn apply(db: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    for job in jobs {
        job.apply(db).await?;
    }
    Ok(())
}
