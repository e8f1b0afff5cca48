//! Asks a running daemon, once it is sure who that is: a command may hold a token.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::control::{Frame, LONGEST_COMMAND, broken, socket};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Progress, Reply};

/// A connection to a daemon.
pub struct Client(UnixStream);

impl Client {
    /// Connects to the daemon of this database; `None` if there is none.
    pub async fn connect(database: &Path) -> Result<Option<Self>, Failure> {
        let path = socket::path_of(database);
        let stream = match socket::connect(&path).await {
            Ok(stream) => stream,
            Err(error) if nobody_listens(&error) => return Ok(None),
            Err(error) => {
                let message = format!(
                    "the daemon's socket {} cannot be opened: {error}; run this as the daemon's user",
                    path.display()
                );
                return Err(Failure::new(Case::HostFault, code::Daemon::Unreachable, message));
            }
        };
        let who = stream.peer_cred().map_err(|it| broken(&it.to_string()))?.uid();
        let own = rustix::process::geteuid().as_raw();
        let owner = std::fs::metadata(database).ok().map(|it| it.uid());
        if may_be_asked(who, own, owner) {
            return Ok(Some(Self(stream)));
        }
        let message = format!(
            "the process behind the socket {} belongs to user {who}, who is neither you nor the owner of the database; nothing was sent: find out who that is, and remove the socket",
            path.display()
        );
        Err(Failure::new(Case::HostFault, code::Daemon::ForeignUser, message))
    }
}

/// A socket without a listener was left by a daemon that was killed, and one that cannot have a name
/// was never there.
fn nobody_listens(error: &io::Error) -> bool {
    let kinds = [ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::InvalidFilename];
    kinds.contains(&error.kind())
}

/// Whether a command may go to the user `who`: to oneself and to root, who could read it anyway. Root
/// also asks the owner of the database.
fn may_be_asked(who: u32, own: u32, owner: Option<u32>) -> bool {
    who == 0 || who == own || (own == 0 && owner == Some(who))
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
    if line.len() as u64 > LONGEST_COMMAND {
        return Err(too_long(line.len()));
    }
    write.write_all(&line).await.map_err(|it| broken(&it.to_string()))?;
    let mut frames = BufReader::new(read).lines();
    while let Some(line) = frames.next_line().await.map_err(|it| broken(&it.to_string()))? {
        match serde_json::from_str(&line).map_err(|_| broken("an unknown frame"))? {
            Frame::Progress(step) => drop(progress.send(*step)),
            Frame::Done(reply) => return Ok(*reply),
            Frame::Failed(failure) => return Err(failure),
        }
    }
    Err(broken("it closed the connection"))
}

fn too_long(bytes: usize) -> Failure {
    let (has, most) = (bytes >> 10, LONGEST_COMMAND >> 10);
    let message = format!(
        "this command is {has} KiB long, and the daemon takes at most {most} KiB; nothing was sent"
    );
    Failure::new(Case::Misconfigured, code::Command::TooLong, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_oneself_root_and_for_root_the_owner_are_asked() {
        for (who, own, owner, asked) in [
            (1000, 1000, Some(1000), true),
            (1000, 1000, None, true),
            (0, 1000, Some(1000), true),
            (1001, 1000, Some(1000), false),
            // Putting a database there does not make a user trusted.
            (1001, 1000, Some(1001), false),
            (1001, 1000, None, false),
            (0, 0, None, true),
            (1000, 0, Some(1000), true),
            (1001, 0, Some(1000), false),
            (1001, 0, None, false),
        ] {
            assert_eq!(may_be_asked(who, own, owner), asked, "{who} {own} {owner:?}");
        }
    }

    #[tokio::test]
    async fn a_command_that_no_daemon_takes_is_not_sent() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let text = "a".repeat(1 << 20).into();
        let command = Command::TokenSet { id: "x".parse().unwrap(), text };
        let (nobody, _) = mpsc::unbounded_channel();
        let failure = ask(Client(ours), &command, &nobody).await.unwrap_err();
        assert_eq!(failure.code.text(), "command.too_long");
    }
}
