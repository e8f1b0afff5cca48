//! The one writer: a thread that owns the only connection that changes anything. Everything that is
//! waiting when a transaction begins shares it and its fsync: a hundred refreshes cost one commit. A
//! change that fails does not take the others down: they are then made one by one.
//!
//! Knows nothing of what is written.

use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::storage::engine::Answer;
use crate::storage::error::StorageError;
pub(super) use crate::storage::sqlite::db::Db;
use crate::storage::sqlite::recent::{Recent, Touched};

/// Most changes in one transaction: bounds how long the first of them waits.
const MOST_PER_COMMIT: usize = 256;

/// With more attempts under way than this, a transaction waits for [`COMPANY`]: each of them hands in three changes,
/// and what shares a commit shares its pages and its fsync (decision 0059). With few, each would only wait for itself.
const CROWD: usize = 64;

/// How long a transaction waits for others to share it.
const COMPANY: Duration = Duration::from_millis(1);

/// Something is under way that hands in changes, for as long as it is held.
pub(super) type UnderWay = Arc<()>;

/// A change to the database: all of it or nothing. It may be made twice, the first time rolled back.
pub(super) trait Write: Send + 'static {
    /// What the caller learns.
    type Answer: Send + 'static;

    /// Makes the change inside the writer's transaction.
    fn apply(&self, db: &Db) -> Result<Self::Answer, StorageError>;

    /// What it may have altered of what `load` says of connections.
    fn touched(&self) -> Touched {
        Touched::All
    }
}

/// Runs a statement that is kept prepared; how many rows it has changed.
pub(super) fn change(
    db: &Db,
    statement: &'static str,
    arguments: impl rusqlite::Params,
) -> Result<usize, StorageError> {
    Ok(db.prepare_cached(statement)?.execute(arguments)?)
}

/// Hands changes to the writer.
pub(super) struct Writer {
    /// `None` once it was closed.
    jobs: RwLock<Option<mpsc::UnboundedSender<Box<dyn Job>>>>,
    ended: CancellationToken,
    under_way: UnderWay,
}

impl Writer {
    /// The writer over `db`. Its thread ends when it is closed or dropped, or when a change panics.
    /// `gone` is cancelled then. After each commit it tells `recent` what was touched.
    pub(super) fn start(
        db: Db,
        recent: Arc<Recent>,
        gone: &CancellationToken,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let ended = CancellationToken::new();
        // Dropped with the thread's work, also when that panics.
        let guards = (gone.clone().drop_guard(), ended.clone().drop_guard());
        let under_way = UnderWay::default();
        let busy = Arc::clone(&under_way);
        thread::Builder::new().name("database".to_owned()).spawn(move || {
            let _guards = guards;
            // Behind the guards, so that the file is closed when the end is told.
            let db = db;
            run(&db, &recent, waiting, &busy);
            settle(&db);
        })?;
        Ok(Self { jobs: RwLock::new(Some(jobs)), ended, under_way })
    }

    /// To be held by an attempt while it is under way.
    pub(super) fn under_way(&self) -> UnderWay {
        Arc::clone(&self.under_way)
    }

    /// Takes no more changes, and returns once those that were handed in are made and the file is closed.
    pub(super) async fn close(&self) {
        drop(self.jobs.write().unwrap_or_else(PoisonError::into_inner).take());
        self.ended.cancelled().await;
    }

    /// Makes `write` durable. Dropping the future does not undo or cancel it.
    pub(super) fn write<W: Write>(&self, write: W) -> Answer<'static, W::Answer> {
        let (to, answer) = oneshot::channel();
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        let sent = jobs.as_ref().map(|it| it.send(Box::new(One { write, to, answer: None })));
        Box::pin(async move {
            let Some(Ok(())) = sent else { return Err(StorageError::WriterGone) };
            answer.await.map_err(|_| StorageError::WriterGone)?
        })
    }
}

/// A change that somebody waits for; its type forgotten, so that all kinds share a transaction.
trait Job: Send {
    fn apply(&mut self, db: &Db) -> Result<(), StorageError>;

    /// What it may have altered.
    fn touched(&self) -> Touched;

    /// Tells the caller that the change stands.
    fn confirm(self: Box<Self>);

    /// Tells the caller that nothing was changed.
    fn refuse(self: Box<Self>, error: StorageError);
}

struct One<W: Write> {
    write: W,
    to: oneshot::Sender<Result<W::Answer, StorageError>>,
    answer: Option<W::Answer>,
}

impl<W: Write> Job for One<W> {
    fn apply(&mut self, db: &Db) -> Result<(), StorageError> {
        self.answer = Some(self.write.apply(db)?);
        Ok(())
    }

    fn touched(&self) -> Touched {
        self.write.touched()
    }

    fn confirm(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // The caller may have gone; the change stands all the same.
            let _ = self.to.send(Ok(answer));
        }
    }

    fn refuse(self: Box<Self>, error: StorageError) {
        let _ = self.to.send(Err(error));
    }
}

type Waiting = mpsc::UnboundedReceiver<Box<dyn Job>>;

fn run(db: &Db, recent: &Recent, mut waiting: Waiting, under_way: &UnderWay) {
    let mut jobs = Vec::with_capacity(MOST_PER_COMMIT);
    while waiting.blocking_recv_many(&mut jobs, MOST_PER_COMMIT) > 0 {
        if Arc::strong_count(under_way) > CROWD {
            thread::sleep(COMPANY);
            let room = MOST_PER_COMMIT - jobs.len();
            jobs.extend(std::iter::from_fn(|| waiting.try_recv().ok()).take(room));
        }
        match commit(db, &mut jobs) {
            Ok(()) => {
                for job in &jobs {
                    recent.forget(job.touched());
                }
                jobs.drain(..).for_each(Job::confirm);
            }
            // Nobody could write: the next attempt would wait as long again, for each of them.
            Err(Refused::All(error)) => jobs.drain(..).for_each(|it| it.refuse(error.clone())),
            Err(Refused::One(_)) => jobs.drain(..).for_each(|it| alone(db, recent, it)),
        }
    }
}

/// Moves what is in the log beside the file into it, so that the file alone is a copy. What a reader of
/// another process still looks at stays there; it is not waited for.
fn settle(db: &Db) {
    if let Err(error) = db.execute_batch("pragma wal_checkpoint(passive)") {
        tracing::warn!("the write-ahead log could not be moved into the database: {error}");
    }
}

fn alone(db: &Db, recent: &Recent, job: Box<dyn Job>) {
    let mut job = [job];
    let committed = commit(db, &mut job);
    let [job] = job;
    match committed {
        Ok(()) => {
            recent.forget(job.touched());
            job.confirm();
        }
        Err(Refused::All(error) | Refused::One(error)) => job.refuse(error),
    }
}

/// Why nothing of a transaction was written.
enum Refused {
    /// It could not begin.
    All(StorageError),
    /// One of its changes failed, or the commit.
    One(StorageError),
}

fn commit(db: &Db, jobs: &mut [Box<dyn Job>]) -> Result<(), Refused> {
    db.begin().map_err(|it| Refused::All(it.into()))?;
    let applied = jobs.iter_mut().try_for_each(|it| it.apply(db));
    let ended = applied.and_then(|()| db.commit());
    ended.map_err(|error| {
        // SQLite has rolled back by itself after some errors; then this has nothing to do.
        let _ = db.execute_batch("rollback");
        Refused::One(error)
    })
}
