//! Answers commands in the daemon.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::control::{Frame, LONGEST_COMMAND, socket};
use crate::lifecycle::Lifecycle;
use crate::model::audit::Actor;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Operator, Reply};

/// How long a caller may take to say what it wants: a program that has connected says so at once.
const SAID_WITHIN: Duration = Duration::from_secs(5);

/// How long a caller may leave a piece of an answer unread, which a stop would wait for.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// What is sent at once.
const PIECE: usize = 1 << 16;

/// The daemon's end of the socket. Removes it when dropped.
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Server {
    /// Listens beside `database`. The caller holds the instance lock, so a socket that is there was
    /// left by a dead process.
    pub fn bind(database: &Path) -> io::Result<Self> {
        let path = socket::path_of(database);
        Ok(Self { listener: socket::bind_private(&path)?, path })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Answers until the lifecycle's soft stop.
    pub async fn run(self, operator: Operator, lifecycle: Lifecycle) {
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = lifecycle.wait_for_soft_stop() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    if let Some(actor) = one_of_ours(&stream).map(Actor::User) {
                        let (operator, stop) = (operator.clone(), lifecycle.clone());
                        lifecycle.spawn("command", async move {
                            let Some((command, write)) = hear(stream, &stop).await else { return };
                            if let Err(error) = answer(&actor, command, write, &operator).await {
                                debug!("the client of a command disconnected: {error}");
                            }
                        });
                    } else {
                        warn!(
                            error.code = code::Daemon::ForeignUser.text(),
                            "refused a command from another user"
                        );
                    }
                }
                Err(error) => {
                    warn!("the control socket failed: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
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

/// Who the other side is, if it is this user or root: file modes are set only after the socket is there.
pub fn one_of_ours(stream: &UnixStream) -> Option<u32> {
    let own = rustix::process::geteuid().as_raw();
    let uid = stream.peer_cred().ok()?.uid();
    (uid == own || uid == 0).then_some(uid)
}

/// Waits for a command, but not for an idle client, and not during a stop.
async fn hear(stream: UnixStream, stop: &Lifecycle) -> Option<(String, OwnedWriteHalf)> {
    let (read, write) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(LONGEST_COMMAND));
    tokio::select! {
        heard = tokio::time::timeout(SAID_WITHIN, reader.read_line(&mut line)) => {
            if !matches!(heard, Ok(Ok(1..))) {
                debug!("a client sent nothing and was disconnected");
                return None;
            }
        }
        () = stop.wait_for_soft_stop() => return None,
    }
    Some((line, write))
}

async fn answer(
    actor: &Actor,
    line: String,
    mut write: OwnedWriteHalf,
    operator: &Operator,
) -> io::Result<()> {
    let Ok(command) = serde_json::from_str::<Command>(&line) else {
        let message = "the daemon does not know this command; is it the same version?";
        let failure = Failure::new(Case::Misconfigured, code::Command::Unknown, message);
        return send(&mut write, &Frame::Failed(failure)).await;
    };
    let (progress, mut steps) = mpsc::unbounded_channel();
    let work = async move { operator.run(actor, command, &progress).await };
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
        Err(failure) => Frame::Failed(failure),
    }
}

async fn send(write: &mut OwnedWriteHalf, frame: &Frame) -> io::Result<()> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    for piece in line.chunks(PIECE) {
        let sent = tokio::time::timeout(READ_WITHIN, write.write_all(piece)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
    Ok(())
}
