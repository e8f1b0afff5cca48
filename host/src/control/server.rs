//! Answers commands in the daemon.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::control::{Frame, socket_path};
use crate::lifecycle::Lifecycle;
use crate::model::failure::Failure;
use crate::operator::{Command, Operator, Reply};

/// The longest command: a token to set, and some names.
const LONGEST_COMMAND: u64 = 1 << 20;

/// The daemon's end of the socket. Removes it when dropped.
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Server {
    /// Listens beside `database`. The caller holds the instance lock, so a socket that is there was
    /// left by a dead process.
    pub fn bind(database: &Path) -> io::Result<Self> {
        let path = socket_path(database);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers until the lifecycle's soft stop.
    pub async fn run(self, operator: Operator, lifecycle: Lifecycle) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = lifecycle.wait_for_soft_stop() => return,
            };
            match accepted {
                Ok((stream, _)) if is_ours(&stream) => {
                    let operator = operator.clone();
                    lifecycle.spawn("command", async move {
                        if let Err(error) = answer(stream, &operator).await {
                            debug!("a command's caller went away: {error}");
                        }
                    });
                }
                Ok(_) => {
                    warn!(error.code = "daemon.foreign_user", "refused a command of another user");
                }
                Err(error) => {
                    warn!("the control socket failed: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the other side is this user or root: file modes are set only after the socket is there.
fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|it| it.uid() == own || it.uid() == 0)
}

async fn answer(stream: UnixStream, operator: &Operator) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LONGEST_COMMAND)).read_line(&mut line).await?;
    let Ok(command) = serde_json::from_str::<Command>(&line) else {
        let message = "the command is not known here; is the daemon the same version?";
        let (code, message) = ("command.unknown".to_owned(), message.to_owned());
        return send(&mut write, &Frame::Failed { code, message }).await;
    };
    let (progress, mut steps) = mpsc::unbounded_channel();
    let work = async move { operator.run(command, &progress).await };
    tokio::pin!(work);
    let result = loop {
        tokio::select! {
            biased;
            Some(step) = steps.recv() => send(&mut write, &Frame::Progress(Box::new(step))).await?,
            result = &mut work => break result,
        }
    };
    while let Ok(step) = steps.try_recv() {
        send(&mut write, &Frame::Progress(Box::new(step))).await?;
    }
    send(&mut write, &last(result)).await
}

fn last(result: Result<Reply, Failure>) -> Frame {
    match result {
        Ok(reply) => Frame::Done(Box::new(reply)),
        Err(failure) => Frame::Failed { code: failure.code.into_owned(), message: failure.message },
    }
}

async fn send(write: &mut OwnedWriteHalf, frame: &Frame) -> io::Result<()> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    write.write_all(&line).await
}
