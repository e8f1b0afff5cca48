//! Where an answer goes when the database cannot be written: a file of its own beside it, sealed like
//! the row it stands for. It moves into the database at the next look.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{error, info};

use crate::model::code::{self, Code};
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::captures::{Capture, Departed};
use crate::storage::{Storage, StorageError};
use crate::vault::Sealed;

/// The files beside one database.
pub(super) struct Spill {
    folder: PathBuf,
    /// What their names begin with.
    prefix: String,
    /// Which there are, so that a look at a connection costs nothing when there is none.
    files: Mutex<BTreeMap<ConnectionId, Vec<PathBuf>>>,
}

/// An answer as the file has it.
#[derive(Serialize, Deserialize)]
struct Record {
    connection: ConnectionId,
    generation: u64,
    attempt: AttemptId,
    seq: u32,
    request: String,
    at: Timestamp,
    sealed: Vec<u8>,
}

impl Spill {
    /// The files beside the database at `path`, as they are now.
    pub(super) fn beside(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(OsStr::new("keepfresh.db")).to_string_lossy();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let spill = Self { folder, prefix: format!("{name}-answer-"), files: Mutex::default() };
        for file in spill.found() {
            match read(&file) {
                Ok(capture) => spill.note(&capture, file),
                Err(fault) => error!(
                    error.code = Code::from(code::Storage::AnswerUnreadable).text(),
                    "the answer in {} cannot be read ({fault}); the file is not touched",
                    file.display()
                ),
            }
        }
        spill
    }

    fn found(&self) -> Vec<PathBuf> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let is_ours = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with(&self.prefix) && !name.ends_with(".part")
        };
        entries.filter(|it| is_ours(&it.file_name())).map(|it| it.path()).collect()
    }

    fn note(&self, capture: &Capture, file: PathBuf) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(capture.of.connection.clone()).or_default().push(file);
    }

    fn of(&self, id: &ConnectionId) -> Vec<PathBuf> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(id).cloned().unwrap_or_default()
    }

    /// Removes the files of `id`, durably.
    fn remove(&self, id: &ConnectionId) -> io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for file in files.remove(id).unwrap_or_default() {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.sync_folder()
    }

    /// Whole or not at all, and durable when it returns.
    fn write(&self, capture: &Capture) -> io::Result<()> {
        let Departed { attempt, seq, .. } = capture.of;
        let file = self.folder.join(format!("{}{attempt}-{seq}", self.prefix));
        let part = file.with_added_extension("part");
        let mut options = OpenOptions::new();
        let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        serde_json::to_writer(&mut out, &record(capture))?;
        out.flush()?;
        out.sync_all()?;
        fs::rename(&part, &file)?;
        self.sync_folder()?;
        self.note(capture, file);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        File::open(folder)?.sync_all()
    }
}

fn record(capture: &Capture) -> Record {
    let Departed { connection, generation, attempt, seq, request, at } = capture.of.clone();
    let sealed = capture.sealed.as_bytes().to_vec();
    Record { connection, generation, attempt, seq, request, at, sealed }
}

fn read(file: &Path) -> io::Result<Capture> {
    let Record { connection, generation, attempt, seq, request, at, sealed } =
        serde_json::from_slice(&fs::read(file)?)?;
    let of = Departed { connection, generation, attempt, seq, request, at };
    Ok(Capture { of, sealed: Sealed::from_bytes(sealed), readings: 1 })
}

impl Storage {
    /// Makes an answer durable in the database, or beside it when that cannot be written. The error is
    /// the database's, when neither can be.
    pub async fn keep_answer(&self, capture: Capture) -> Result<(), StorageError> {
        let Err(failed) = self.capture(capture.clone()).await else { return Ok(()) };
        let id = &capture.of.connection;
        match self.spill.write(&capture) {
            Ok(()) => {
                error!(connection.id = %id.full(), error.code = failed.code().text(), "an answer for {id} was kept in a file beside the database: {failed}");
                Ok(())
            }
            Err(beside) => {
                error!(connection.id = %id.full(), error.code = failed.code().text(), "an answer for {id} can be written neither to the database ({failed}) nor to a file beside it ({beside})");
                Err(failed)
            }
        }
    }

    /// How many answers of `id` wait beside the database.
    pub fn answers_beside(&self, id: &ConnectionId) -> usize {
        self.spill.of(id).len()
    }

    /// Moves answers of `id` that were kept beside the database into it.
    pub async fn adopt_answers(&self, id: &ConnectionId) -> Result<(), StorageError> {
        let files = self.spill.of(id);
        for file in &files {
            match read(file) {
                Ok(capture) => self.capture(capture).await?,
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
                Err(fault) => return Err(StorageError::Io(fault.to_string())),
            }
        }
        if !files.is_empty() {
            self.spill.remove(id).map_err(|it| StorageError::Io(it.to_string()))?;
            info!(connection.id = %id.full(), "the answer for {id} that was kept beside the database has been moved into it");
        }
        Ok(())
    }

    /// Forgets answers of `id` beside the database: what was in them is stored.
    pub(super) fn drop_answers(&self, id: &ConnectionId) {
        if self.spill.of(id).is_empty() {
            return;
        }
        if let Err(fault) = self.spill.remove(id) {
            error!(connection.id = %id.full(), error.code = Code::from(code::Storage::IoError).text(), "the file with an answer for {id} beside the database could not be deleted: {fault}");
        }
    }
}
