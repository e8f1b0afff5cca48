//! One thing on its way to its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::delivery::sinks::content::{Ready, To};
use crate::delivery::sinks::file::{self, Wanted};
use crate::delivery::sinks::sql::{Row, Table};
use crate::delivery::sinks::webhook::{self, Parcel};
use crate::delivery::sinks::{Content, Kit, command};
use crate::delivery::undelivered::Undelivered;
use crate::manifest::channel::Url;
use crate::manifest::sink::{How, Sink, Sql};
use crate::model::code;
use crate::model::token::hex;

/// The place of a sink, with what is kept open to reach it.
pub(super) struct End {
    pub(super) sink: Arc<Sink>,
    table: Mutex<Option<Arc<Table>>>,
}

impl End {
    pub(super) fn new(sink: Arc<Sink>) -> Self {
        Self { sink, table: Mutex::default() }
    }

    /// How many are delivered at the same time.
    pub(super) fn width(&self) -> usize {
        match self.sink.how {
            How::Webhook(_) => 4,
            How::File(_) | How::Command(_) | How::Sql(_) => 1,
        }
    }

    /// Delivers it; whether anything had to be done for that. `tag` tells it from other deliveries.
    pub(super) async fn put(
        &self,
        kit: &Kit,
        ready: Ready,
        tag: &[u8],
    ) -> Result<bool, Undelivered> {
        let Ready { to, content } = ready;
        match (&self.sink.how, to, content) {
            (How::File(sink), To::File(path), Content::Text(text)) => {
                let wanted = Wanted::of(sink, &path)?;
                aside(&path, move || wanted.put(&text)).await
            }
            (How::Command(sink), To::Command(argv), Content::Text(input)) => {
                command::run(&argv, &input, sink.timeout).await.map(|()| true)
            }
            (How::Webhook(_), To::Webhook, Content::Text(body)) => {
                self.post(kit, &body, tag).await.map(|()| true)
            }
            (How::Sql(sql), To::Row(key, how), Content::Columns(columns)) => {
                let row = Row { table: sql.table.clone(), key, columns, how };
                self.write(sql, &row).await.map(|()| true)
            }
            // What is made for one kind of sink fits no other; nothing is delivered rather than something else.
            _ => Err(Undelivered::again(code::Sink::Template, "nothing was made for this sink")),
        }
    }

    async fn post(&self, kit: &Kit, body: &SecretString, tag: &[u8]) -> Result<(), Undelivered> {
        let How::Webhook(sink) = &self.sink.how else { return Ok(()) };
        let whose = format!("the sink `{}`", self.sink.name);
        let id = format!("msg_{}", hex(tag));
        let secret = sink.secret.as_ref();
        let parcel = Parcel { whose: &whose, to: &sink.to, secret, id: &id, body };
        webhook::post(&parcel, &kit.gate, kit.clock.now()).await
    }

    /// The database is opened once. Where that was of no use, its URL is read again: the password may be another one.
    async fn write(&self, sql: &Sql, row: &Row) -> Result<(), Undelivered> {
        let table = {
            let mut open = self.table.lock().await;
            match &*open {
                Some(table) => Arc::clone(table),
                None => Arc::clone(open.insert(Arc::new(Table::open(&url(sql).await?)?))),
            }
        };
        let written = table.write(row).await;
        if written.as_ref().is_err_and(Undelivered::is_of_all) {
            *self.table.lock().await = None;
        }
        written
    }

    /// Removes a file that is no longer delivered to, if the sink is to; what a kill left beside it goes at any rate.
    pub(super) async fn leave(&self, place: PathBuf) -> Result<(), Undelivered> {
        let How::File(sink) = &self.sink.how else { return Ok(()) };
        let removes = sink.remove;
        aside(&place.clone(), move || {
            if removes {
                return file::remove(&place).map(drop);
            }
            file::clean_up(&place);
            Ok(())
        })
        .await
    }
}

async fn url(sql: &Sql) -> Result<SecretString, Undelivered> {
    match &sql.url {
        Url::Plain(text) => Ok(text.as_str().into()),
        Url::Secret(source) => Ok(source.read().await?),
    }
}

/// Works with files on a thread that may wait for a disk.
async fn aside<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, Undelivered> + Send + 'static,
) -> Result<T, Undelivered> {
    let interrupted = || {
        let message = format!("{} was not written to its end", path.display());
        Undelivered::again(code::Sink::File, message)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(interrupted()))
}
