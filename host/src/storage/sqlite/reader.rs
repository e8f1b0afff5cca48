//! Rows of single connections, for refreshes and for callers: a thread with a connection of its own. Whoever is
//! waiting when it looks shares one read transaction, as changes share one that writes: a hundred refreshes that
//! begin at once take the locks of the file once, and each costs one prepared statement and no hop of its own.
//!
//! What was committed before somebody asked is seen: who is answered together has asked before the transaction began.

use std::sync::{PoisonError, RwLock};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::storage::engine::Answer;
use crate::storage::error::StorageError;

/// Most rows in one transaction: as long as it is open, the write-ahead log is not begun anew.
const MOST_AT_ONCE: usize = 256;

/// A question of somebody who waits: given the open transaction, or why there is none.
type Question = Box<dyn FnOnce(Result<&Connection, StorageError>) + Send>;

/// Hands questions to the thread.
pub(super) struct Reader {
    /// `None` once it was closed.
    questions: RwLock<Option<mpsc::UnboundedSender<Question>>>,
    ended: CancellationToken,
}

impl Reader {
    /// The reader over `db`, which changes nothing. Its thread ends when it is closed or dropped, or when it
    /// panics; `gone` is cancelled then.
    pub(super) fn start(db: Connection, gone: &CancellationToken) -> std::io::Result<Self> {
        let (questions, waiting) = mpsc::unbounded_channel();
        let ended = CancellationToken::new();
        // Dropped with the thread's work, also when that panics.
        let guards = (gone.clone().drop_guard(), ended.clone().drop_guard());
        thread::Builder::new().name("database reader".to_owned()).spawn(move || {
            let _guards = guards;
            // Behind the guards, so that the file is closed when the end is told.
            let db = db;
            run(&db, waiting);
        })?;
        Ok(Self { questions: RwLock::new(Some(questions)), ended })
    }

    /// Takes no more questions, and returns once those that were asked are answered and the file is closed.
    pub(super) async fn close(&self) {
        drop(self.questions.write().unwrap_or_else(PoisonError::into_inner).take());
        self.ended.cancelled().await;
    }

    /// What `look` finds.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Answer<'static, T> {
        let (to, answer) = oneshot::channel();
        let question = move |db: Result<&Connection, StorageError>| {
            // Whoever asked may have gone.
            let _ = to.send(db.and_then(look));
        };
        let questions = self.questions.read().unwrap_or_else(PoisonError::into_inner);
        let sent = questions.as_ref().map(|it| it.send(Box::new(question)));
        Box::pin(async move {
            let Some(Ok(())) = sent else { return Err(StorageError::WriterGone) };
            answer.await.map_err(|_| StorageError::WriterGone)?
        })
    }
}

fn run(db: &Connection, mut waiting: mpsc::UnboundedReceiver<Question>) {
    let mut questions = Vec::with_capacity(MOST_AT_ONCE);
    while waiting.blocking_recv_many(&mut questions, MOST_AT_ONCE) > 0 {
        let begun = db.execute_batch("begin").map_err(StorageError::from);
        for question in questions.drain(..) {
            question(begun.clone().map(|()| db));
        }
        // It has changed nothing, and ends by itself if this cannot be said.
        let _ = db.execute_batch("commit");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> (Reader, CancellationToken) {
        let gone = CancellationToken::new();
        (Reader::start(Connection::open_in_memory().unwrap(), &gone).unwrap(), gone)
    }

    fn one(db: &Connection) -> Result<i64, StorageError> {
        Ok(db.query_row("select 1", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_question_that_fails_spoils_no_other() {
        let (reader, gone) = reader();
        let wrong = |db: &Connection| Ok(db.execute_batch("select nothing")?);
        let (first, failed, last) =
            tokio::join!(reader.ask(one), reader.ask(wrong), reader.ask(one));
        assert!(matches!((first, last), (Ok(1), Ok(1))) && failed.is_err());
        assert!(!gone.is_cancelled());
    }

    #[tokio::test]
    async fn whoever_asks_after_the_end_is_told_and_so_is_the_daemon() {
        let (closed, gone) = reader();
        closed.close().await;
        assert!(gone.is_cancelled());
        assert!(matches!(closed.ask(one).await, Err(StorageError::WriterGone)));
        let (broken, gone) = reader();
        let panics = |_: &Connection| -> Result<(), StorageError> { panic!("as a test") };
        assert!(matches!(broken.ask(panics).await, Err(StorageError::WriterGone)));
        gone.cancelled().await;
        assert!(matches!(broken.ask(one).await, Err(StorageError::WriterGone)));
    }
}
