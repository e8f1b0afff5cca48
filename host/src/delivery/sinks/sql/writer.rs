//! Writes one row in one transaction, over a connection that is kept for the next one. One that was lost meanwhile is
//! made anew: what is written twice is there once. Which database it is is not known here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::delivery::sinks::Cell;
use crate::delivery::sinks::sql::engine::{Column, Engine, Fault};
use crate::delivery::sinks::sql::fitting::{Bound, fit};
use crate::delivery::sinks::sql::refusal::Refusal;
use crate::delivery::sinks::sql::statement::{Dialect, Field, Name};
use crate::delivery::sinks::sql::{How, Row};
use crate::delivery::undelivered::Undelivered;

/// How long a connection may take to be made, and one row to be written. The database itself gives up sooner: what it
/// then says is more than that nothing came.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// A connection that nobody has used for so long is not kept: what stands between may have forgotten it.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// How often a row is tried at once when somebody else writes the same.
const TRIES: u32 = 3;

/// A database, with one connection to it.
pub(super) struct Writer<E: Engine> {
    way: Box<E::Way>,
    kept: Mutex<Option<Link<E>>>,
}

/// A connection, and what is known of the table that was written last.
struct Link<E> {
    engine: E,
    table: Option<(String, Arc<Vec<Column>>)>,
    used_at: Instant,
}

/// A row as its table has it.
struct Fitted {
    table: Name,
    key: Vec<Field>,
    columns: Vec<Field>,
    how: How,
}

impl<E: Engine> Writer<E> {
    pub(super) fn new(way: Box<E::Way>) -> Self {
        Self { way, kept: Mutex::new(None) }
    }

    pub(super) async fn write(&self, row: &Row) -> Result<(), Undelivered> {
        let written = timeout(WRITE_WITHIN, self.write_over_a_link(row)).await;
        written.unwrap_or(Err(Refusal::Busy)).map_err(Refusal::told)
    }

    /// The connection is kept only if the database has answered to the end: where this is given up halfway, it is
    /// dropped, and the database undoes what was begun.
    async fn write_over_a_link(&self, row: &Row) -> Result<(), Refusal> {
        let kept = self.take();
        let was_kept = kept.is_some();
        let mut link = match kept {
            Some(link) => link,
            None => self.connect().await?,
        };
        let mut written = link.write(row).await;
        if was_kept && matches!(written, Err(Fault::Lost(_))) {
            link = self.connect().await?;
            written = link.write(row).await;
        }
        if !matches!(written, Err(Fault::Lost(_))) {
            self.keep(link);
        }
        written.map_err(Fault::refusal)
    }

    async fn connect(&self) -> Result<Link<E>, Refusal> {
        let slow = || Refusal::Unreachable("it did not answer in time".to_owned());
        let connected = timeout(CONNECT_WITHIN, E::connect(&self.way)).await.map_err(|_| slow())?;
        let engine = connected.map_err(|error| Fault::of::<E>(&error).refusal())?;
        Ok(Link { engine, table: None, used_at: Instant::now() })
    }

    fn take(&self) -> Option<Link<E>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|it| it.used_at.elapsed() < KEPT_FOR)
    }

    fn keep(&self, mut link: Link<E>) {
        link.used_at = Instant::now();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }
}

impl<E: Engine> Link<E> {
    async fn write(&mut self, row: &Row) -> Result<(), Fault> {
        let written = self.write_as_known(row).await;
        if written.is_err() {
            // Somebody may have changed the table, which is looked at anew the next time.
            self.table = None;
        }
        written
    }

    async fn write_as_known(&mut self, row: &Row) -> Result<(), Fault> {
        if row.columns.is_empty() && row.how == How::Update {
            return Ok(());
        }
        let no_table = || Fault::Refused(Refusal::NoTable(row.table.clone()));
        let table = Name::parse(&row.table).ok_or_else(no_table)?;
        let columns = self.columns(&row.table, &table).await?;
        if columns.is_empty() {
            return Err(no_table());
        }
        let fitted = Fitted::of::<E>(row, table, &columns).map_err(Fault::Refused)?;
        let mut written = self.transact(&fitted).await;
        for _ in 1..TRIES {
            match written {
                Err(Fault::Refused(Refusal::Contended)) => written = self.transact(&fitted).await,
                _ => break,
            }
        }
        written
    }

    async fn columns(&mut self, text: &str, name: &Name) -> Result<Arc<Vec<Column>>, Fault> {
        if let Some((_, columns)) = self.table.as_ref().filter(|(known, _)| known == text) {
            return Ok(Arc::clone(columns));
        }
        let columns = self.engine.columns(name).await.map_err(|it| Fault::of::<E>(&it))?;
        let columns = Arc::new(columns);
        self.table = Some((text.to_owned(), Arc::clone(&columns)));
        Ok(columns)
    }

    async fn transact(&mut self, row: &Fitted) -> Result<(), Fault> {
        let Dialect { begin, begin_alone, .. } = E::DIALECT;
        self.run(if row.how == How::Update { begin } else { begin_alone }).await?;
        let written = self.put(row).await;
        match written {
            Ok(()) => self.run("commit").await,
            // Where even that is refused, nobody knows what the connection is in the middle of.
            Err(Fault::Refused(why)) => {
                let undone = self.run("rollback").await;
                Err(if undone.is_ok() { Fault::Refused(why) } else { Fault::Lost(why) })
            }
            lost @ Err(Fault::Lost(_)) => lost,
        }
    }

    async fn put(&mut self, row: &Fitted) -> Result<(), Fault> {
        let Fitted { table, key, columns, how } = row;
        if *how != How::InsertOnce && !columns.is_empty() {
            let statement = E::DIALECT.update(table, key, columns);
            let found = self.engine.execute(&statement).await.map_err(|it| Fault::of::<E>(&it))?;
            match found {
                0 if *how == How::Update => return Err(Fault::Refused(Refusal::NoRow)),
                0 => {}
                1 => return Ok(()),
                many => return Err(Fault::Refused(Refusal::ManyRows(many))),
            }
        }
        let statement = E::DIALECT.insert(table, key, columns);
        let made = self.engine.execute(&statement).await.map_err(|it| Fault::of::<E>(&it))?;
        // Somebody has made one between the two statements, and it holds something else.
        let is_missed = made == 0 && *how == How::Upsert && !columns.is_empty();
        if is_missed { Err(Fault::Refused(Refusal::Contended)) } else { Ok(()) }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), Fault> {
        self.engine.run(sql).await.map_err(|it| Fault::of::<E>(&it))
    }
}

impl Fitted {
    fn of<E: Engine>(row: &Row, table: Name, known: &[Column]) -> Result<Self, Refusal> {
        let fitted = |(name, cell): &(String, Cell)| {
            let is_it = |it: &&Column| {
                it.name == *name || (E::IGNORES_CASE && it.name.eq_ignore_ascii_case(name))
            };
            let missing = || Refusal::NoColumn(row.table.clone(), name.clone());
            let column = known.iter().find(is_it).ok_or_else(missing)?;
            let value = fit(cell, column.kind);
            let value = value.ok_or_else(|| Refusal::Value(Some(name.clone())))?;
            Ok(Field { name: column.name.clone(), cast: column.cast.clone(), value })
        };
        let key = row.key.iter().map(fitted).collect::<Result<Vec<_>, _>>()?;
        // Nothing is equal to nothing: such a key finds no row, and would make one each time.
        if let Some(empty) = key.iter().find(|it| matches!(it.value, Bound::Null)) {
            return Err(Refusal::NoKey(empty.name.clone()));
        }
        let columns = row.columns.iter().map(fitted).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { table, key, columns, how: row.how })
    }
}
