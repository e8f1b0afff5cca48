//! Commands that work on tokens: asked of the daemon when one runs, carried out here when none does.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::app::{self, Purpose};
use crate::cli::arguments::Add;
use crate::cli::exit::Exit;
use crate::cli::found::{self, Found};
use crate::cli::import;
use crate::cli::render;
use crate::cli::session::Session;
use crate::control;
use crate::lifecycle::lock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::{Command, Progress, Reply};

/// What is asked of whoever does the work.
pub(super) enum Errand {
    /// All of it was typed.
    Command(Command),
    /// A token that works.
    TokenGet {
        /// Whose.
        id: ConnectionId,
        /// Seconds that it must still live.
        min_ttl_s: u64,
        /// Whether it is printed as a header.
        header: bool,
    },
    /// To store a token that comes from standard input.
    TokenSet(ConnectionId),
    /// To add a connection whose secrets come from a file.
    Add(Add),
}

/// Carries out `errand` and prints what came of it.
pub(super) async fn run(config: &Path, errand: Errand, json: bool) -> Exit {
    let found = match found::find(config, json).await {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let header = matches!(errand, Errand::TokenGet { header: true, .. });
    let command = match errand.command().await {
        Ok(command) => command,
        Err(failure) => return render::failure(&failure, json),
    };
    let (progress, steps) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "there is no lifecycle yet; it is awaited below")]
    let bar = tokio::spawn(render::progress::follow(steps, json));
    let result = carry_out(found, command, &progress).await;
    drop(progress);
    let _ = bar.await;
    match result {
        Ok(reply) => render::reply(&reply, json, header),
        Err(failure) => render::failure(&failure, json),
    }
}

impl Errand {
    /// What is read for it is read here, and not before the manifest is.
    async fn command(self) -> Result<Command, Failure> {
        Ok(match self {
            Self::Command(command) => command,
            Self::TokenGet { id, min_ttl_s, .. } => Command::TokenGet { id, min_ttl_s },
            Self::TokenSet(id) => Command::TokenSet { id, text: standard_input()?.into() },
            Self::Add(wanted) => import::one(wanted).await?,
        })
    }
}

/// Asks the daemon, or does it here.
pub(super) async fn carry_out(
    found: Found,
    command: Command,
    progress: &mpsc::UnboundedSender<Progress>,
) -> Result<Reply, Failure> {
    if let Some(reply) = at_hand(&found, &command).await? {
        return Ok(reply);
    }
    let purpose = if command.only_looks() { Purpose::Look } else { Purpose::Command };
    let session = Session::open(found, purpose).await?;
    let result = session.run(command, progress).await;
    session.close().await;
    result
}

/// A token that is stored and lives long enough, when it could only be asked for later: while a daemon
/// starts, or another command works on the database.
async fn at_hand(found: &Found, command: &Command) -> Result<Option<Reply>, Failure> {
    let (Found::Whole(manifest), Command::TokenGet { id, min_ttl_s }) = (found, command) else {
        return Ok(None);
    };
    let database = &manifest.storage.path;
    if control::Client::connect(database).await?.is_some() || lock::holder(database).is_none() {
        return Ok(None);
    }
    let min_ttl = Duration::from_secs(*min_ttl_s);
    Ok(app::token_at_hand(manifest, id, min_ttl).await.map(Reply::from))
}

/// The longest secret of standard input: more is a file that was taken for one, and is not cut off.
const LONGEST_INPUT: u64 = 512 << 10;

/// A secret from standard input: never from an argument, where everybody can read it.
fn standard_input() -> Result<SecretString, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().take(LONGEST_INPUT + 1).read_to_string(&mut text);
    let invalid =
        |message: String| Failure::new(Case::Misconfigured, code::Token::Invalid, message);
    read.map_err(|error| invalid(format!("standard input cannot be read: {error}")))?;
    if text.len() as u64 > LONGEST_INPUT {
        return Err(invalid("standard input has more than 512 KiB, which is no token".to_owned()));
    }
    Ok(SecretString::from(text.as_str()))
}
