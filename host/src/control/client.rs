//! Asks a running daemon.

use std::io::ErrorKind;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::control::{Frame, broken, socket_path};
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Progress, Reply};

/// A connection to a daemon.
pub struct Client(UnixStream);

impl Client {
    /// Connects to the daemon of this database; `None` if there is none.
    pub async fn connect(database: &Path) -> Result<Option<Self>, Failure> {
        let path = socket_path(database);
        match UnixStream::connect(&path).await {
            Ok(stream) => Ok(Some(Self(stream))),
            // A socket without a listener was left by a daemon that was killed.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
            {
                Ok(None)
            }
            Err(error) => {
                let message = format!(
                    "the daemon's socket {} cannot be opened: {error}; run this as the daemon's user",
                    path.display()
                );
                Err(Failure::new(Case::HostFault, "daemon.unreachable", message))
            }
        }
    }
}

/// Sends `command` and waits for its end.
pub async fn ask(
    client: Client,
    command: &Command,
    progress: &mpsc::UnboundedSender<Progress>,
) -> Result<Reply, Failure> {
    let (read, mut write) = client.0.into_split();
    let mut line = serde_json::to_vec(command).map_err(|it| broken(&it.to_string()))?;
    line.push(b'\n');
    write.write_all(&line).await.map_err(|it| broken(&it.to_string()))?;
    let mut frames = BufReader::new(read).lines();
    while let Some(line) = frames.next_line().await.map_err(|it| broken(&it.to_string()))? {
        match serde_json::from_str(&line).map_err(|_| broken("an unknown frame"))? {
            Frame::Progress(step) => drop(progress.send(*step)),
            Frame::Done(reply) => return Ok(*reply),
            Frame::Failed { code, message } => {
                return Err(Failure::new(Case::HostFault, code, message));
            }
        }
    }
    Err(broken("it hung up"))
}
