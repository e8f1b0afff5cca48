//! The one writer. Everything that is waiting when a transaction begins shares it and its fsync, and
//! writes of one kind share their statements too: a hundred refreshes cost one commit and a handful of
//! statements. A write that fails does not take the others down: they are then done one by one.
//!
//! Knows nothing of what is written.

use std::any::{Any, TypeId};

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::storage::error::StorageError;

/// Most writes in one transaction: bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 256;

/// A change to the database: all of it or nothing. It may be run twice, the first run rolled back.
/// Writes that share a transaction do not depend on each other: whoever needs one done waits for it.
pub(super) trait Write: Send + Sync + Sized + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Applies changes of this kind inside the writer's transaction; an answer for each, in order.
    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<Self::Answer>, StorageError>>;
}

/// A change that is too rare to share statements.
pub(super) trait WriteOne: Send + Sync + Sized + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Applies the change inside the writer's transaction.
    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Self::Answer, StorageError>>;
}

impl<W: WriteOne> Write for W {
    type Answer = W::Answer;

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<W::Answer>, StorageError>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(writes.len());
            for write in writes {
                answers.push(write.apply(db).await?);
            }
            Ok(answers)
        })
    }
}

/// Hands changes to the writer. A clone is cheap.
#[derive(Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Box<dyn Group>>);

impl Writer {
    /// The writer over `db`, and its loop, which ends when the last handle is dropped, or when `db` has
    /// gone.
    pub(super) fn new(db: SqliteConnection) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, waiting) = mpsc::unbounded_channel();
        (Self(jobs), run(db, waiting))
    }

    /// Applies `write` durably. Dropping the future does not undo or cancel it.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Answer, StorageError> {
        let (to, answer) = oneshot::channel();
        let gone = || StorageError::WriterGone;
        let job = Kind { writes: vec![write], to: vec![to], answers: Vec::new() };
        self.0.send(Box::new(job)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Writes of one kind, their type forgotten, so that different kinds share a transaction.
trait Group: Send {
    /// Which kind.
    fn kind(&self) -> TypeId;

    /// Takes over the writes of `other`, which is of the same kind.
    fn absorb(&mut self, other: Box<dyn Group>);

    fn apply<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>>;

    /// Tells the callers that their writes stand.
    fn confirm(self: Box<Self>);

    /// Tells the only caller that its write failed.
    fn refuse(self: Box<Self>, error: StorageError);

    /// Each write on its own.
    fn split(self: Box<Self>) -> Vec<Box<dyn Group>>;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

struct Kind<W: Write> {
    writes: Vec<W>,
    to: Vec<oneshot::Sender<Result<W::Answer, StorageError>>>,
    answers: Vec<W::Answer>,
}

impl<W: Write> Group for Kind<W> {
    fn kind(&self) -> TypeId {
        TypeId::of::<W>()
    }

    fn absorb(&mut self, other: Box<dyn Group>) {
        if let Ok(other) = other.into_any().downcast::<Self>() {
            self.writes.extend(other.writes);
            self.to.extend(other.to);
        }
    }

    fn apply<'a>(
        &'a mut self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            self.answers = W::apply_all(&self.writes, db).await?;
            Ok(())
        })
    }

    fn confirm(self: Box<Self>) {
        for (to, answer) in self.to.into_iter().zip(self.answers) {
            // The caller may have gone; the write stands all the same.
            let _ = to.send(Ok(answer));
        }
    }

    fn refuse(self: Box<Self>, error: StorageError) {
        let mut to = self.to;
        if let Some(to) = to.pop() {
            let _ = to.send(Err(error));
        }
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Group>> {
        let Self { writes, to, .. } = *self;
        let alone = |(write, to)| -> Box<dyn Group> {
            Box::new(Self { writes: vec![write], to: vec![to], answers: Vec::new() })
        };
        writes.into_iter().zip(to).map(alone).collect()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

async fn run(mut db: SqliteConnection, mut waiting: mpsc::UnboundedReceiver<Box<dyn Group>>) {
    let mut jobs = Vec::with_capacity(MOST_PER_COMMIT);
    while waiting.recv_many(&mut jobs, MOST_PER_COMMIT).await > 0 {
        let mut groups = gather(&mut jobs);
        if commit(&mut db, &mut groups).await.is_ok() {
            groups.into_iter().for_each(Group::confirm);
            continue;
        }
        for alone in groups.into_iter().flat_map(Group::split) {
            let mut alone = [alone];
            let committed = commit(&mut db, &mut alone).await;
            let [alone] = alone;
            match committed {
                Ok(()) => alone.confirm(),
                Err(StorageError::WriterGone) => return alone.refuse(StorageError::WriterGone),
                Err(error) => alone.refuse(error),
            }
        }
    }
}

/// One group for each kind, in the order of their first writes.
fn gather(jobs: &mut Vec<Box<dyn Group>>) -> Vec<Box<dyn Group>> {
    let mut groups: Vec<Box<dyn Group>> = Vec::new();
    for job in jobs.drain(..) {
        match groups.iter_mut().find(|it| it.kind() == job.kind()) {
            Some(group) => group.absorb(job),
            None => groups.push(job),
        }
    }
    groups
}

async fn commit(
    db: &mut SqliteConnection,
    groups: &mut [Box<dyn Group>],
) -> Result<(), StorageError> {
    sqlx::query("begin immediate").execute(&mut *db).await?;
    let ended = match apply(db, groups).await {
        Ok(()) => sqlx::query("commit").execute(&mut *db).await.map(drop).map_err(Into::into),
        Err(error) => Err(error),
    };
    if ended.is_err() {
        // SQLite has rolled back by itself after some errors; then this one has nothing to do.
        let _ = sqlx::query("rollback").execute(&mut *db).await;
    }
    ended
}

async fn apply(
    db: &mut SqliteConnection,
    groups: &mut [Box<dyn Group>],
) -> Result<(), StorageError> {
    for group in groups {
        group.apply(db).await?;
    }
    Ok(())
}
