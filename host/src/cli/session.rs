//! Where commands run: in the daemon if there is one, otherwise in this process. All commands of a
//! session go to the same one.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::app::{App, COMMAND_WAIT, OpenError, Purpose};
use crate::cli::found::Found;
use crate::control;
use crate::egress::Gate;
use crate::lifecycle::{lock, owner};
use crate::manifest::Manifest;
use crate::model::audit::Actor;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Progress, Reply};
use crate::sandbox::Compiler;

/// Where commands go.
pub(super) enum Session {
    /// To the daemon of this database.
    Daemon(PathBuf),
    /// To this process.
    Here(Box<App>),
}

impl Session {
    /// Finds the daemon, or opens everything here for `purpose`.
    pub(super) async fn open(found: Found, purpose: Purpose) -> Result<Self, Failure> {
        let database = found.database().to_owned();
        let Found::Whole(manifest) = found else { return Ok(Self::Daemon(database)) };
        if daemon_comes(&database, purpose).await? {
            return Ok(Self::Daemon(database));
        }
        let app = start(*manifest, purpose).await?;
        stop_on_interrupt(&app);
        Ok(Self::Here(Box::new(app)))
    }

    /// Whether somebody refreshes what is due: a daemon that runs, or one that is starting.
    pub(super) fn has_daemon(&self) -> bool {
        match self {
            Self::Daemon(_) => true,
            Self::Here(app) => {
                let holder = lock::holder(&app.manifest().storage.path);
                holder.is_some_and(|it| it.role == "serve")
            }
        }
    }

    /// Carries out one command.
    pub(super) async fn run(
        &self,
        command: Command,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Result<Reply, Failure> {
        match self {
            Self::Here(app) => {
                let actor = Actor::User(owner::own());
                app.operator.run(&actor, command, progress).await
            }
            Self::Daemon(database) => match control::Client::connect(database).await? {
                Some(daemon) => control::ask(daemon, &command, progress).await,
                None => Err(has_stopped()),
            },
        }
    }

    /// The same without anybody to look on.
    pub(super) async fn ask(&self, command: Command) -> Result<Reply, Failure> {
        let (nobody, _) = mpsc::unbounded_channel();
        self.run(command, &nobody).await
    }

    /// Waits for what has begun, and lets go of the database.
    pub(super) async fn close(self) {
        if let Self::Here(app) = self {
            app.lifecycle.drain(app.longest_attempt()).await;
            app.operator.write_counts().await;
            app.storage.close().await;
        }
    }
}

/// Whether there is a daemon. A command that would work on the database waits while somebody else does: a
/// daemon that is starting listens soon, and another command ends.
async fn daemon_comes(database: &Path, purpose: Purpose) -> Result<bool, Failure> {
    let begun = Instant::now();
    loop {
        if control::Client::connect(database).await?.is_some() {
            return Ok(true);
        }
        let waits = purpose == Purpose::Command && begun.elapsed() < COMMAND_WAIT;
        if !waits || lock::holder(database).is_none() {
            return Ok(false);
        }
        tokio::time::sleep(STEP).await;
    }
}

/// How often it is looked whether the database is free.
const STEP: Duration = Duration::from_millis(50);

/// Ctrl-C stops beginning new attempts; those that have begun end in order.
#[expect(clippy::disallowed_methods, reason = "it ends with the process, and nothing waits for it")]
fn stop_on_interrupt(app: &App) {
    let lifecycle = app.lifecycle.clone();
    drop(tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            lifecycle.stop();
        }
    }));
}

/// Opens everything in this process.
pub(super) async fn start(manifest: Manifest, purpose: Purpose) -> Result<App, Failure> {
    let (clock, gate, compiler) = (Clock::system(), Gate::system(), Compiler::itself());
    let app = App::open(manifest, purpose, clock, gate, compiler).await;
    app.map_err(|it| cannot_open(&it))
}

/// A daemon that was there is not any more.
pub(super) fn has_stopped() -> Failure {
    let message = "the daemon has stopped; run this again";
    Failure::new(Case::HostFault, code::Daemon::Unreachable, message)
}

pub(super) fn cannot_open(error: &OpenError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}
