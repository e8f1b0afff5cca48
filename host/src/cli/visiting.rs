//! Where the commands of a login go: each to whoever works on the database then. A daemon that starts while a
//! person agrees finishes the login, and one that ends meanwhile leaves it to this process.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::app::{App, Purpose};
use crate::cli::found::Found;
use crate::cli::render;
use crate::cli::session::{self, cannot_open};
use crate::control;
use crate::lifecycle::owner;
use crate::manifest::Manifest;
use crate::model::audit::Actor;
use crate::model::code;
use crate::model::failure::Failure;
use crate::operator::{Command, Reply};

/// How long the database is waited for once the person has decided: RFC 6749 4.1.2 lets a code live for ten
/// minutes at most.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// How often it is looked who has it.
const STEP: Duration = Duration::from_millis(50);

/// How often a daemon may hang up before that is an error.
const MOST_HANGUPS: u32 = 20;

/// A wait that is worth a word.
const NOTEWORTHY: Duration = Duration::from_secs(3);

/// A login of a person.
pub(super) struct Visiting {
    found: Found,
    /// Opened when it is needed.
    app: Option<Box<App>>,
}

impl Visiting {
    /// One under that manifest, or with that daemon.
    pub(super) fn new(found: Found) -> Self {
        Self { found, app: None }
    }

    /// Carries out a command that stores nothing.
    pub(super) async fn look(&mut self, command: Command) -> Result<Reply, Failure> {
        match self.daemon().await? {
            Some(daemon) => ask(daemon, &command).await,
            None => here(self.app().await?, command).await,
        }
    }

    /// Carries out a command that may store something, alone.
    pub(super) async fn settle(&mut self, command: Command) -> Result<Reply, Failure> {
        let (begun, mut told, mut hung_up) = (Instant::now(), false, 0);
        loop {
            if let Some(daemon) = self.daemon().await? {
                match ask(daemon, &command).await {
                    // It is stopping and has not heard the command: what it has heard, it finishes.
                    Err(it) if it.code == code::Daemon::Unreachable && hung_up < MOST_HANGUPS => {
                        hung_up += 1;
                        tokio::time::sleep(STEP).await;
                        continue;
                    }
                    answered => return answered,
                }
            }
            // Before it is alone: what is new in it needs the lock, too.
            let app = self.app().await?;
            match app.alone(Duration::ZERO).await {
                Ok(_alone) => return here(app, command).await,
                Err(error) if begun.elapsed() > LONGEST_WAIT => return Err(cannot_open(&error)),
                Err(error) if begun.elapsed() > NOTEWORTHY && !told => {
                    told = true;
                    render::hint(format!("waiting to store the login: {error}"));
                }
                Err(_) => tokio::time::sleep(STEP).await,
            }
        }
    }

    /// Waits for what has begun here, and lets go of the database.
    pub(super) async fn close(self) {
        if let Some(app) = self.app {
            app.lifecycle.drain(app.longest_attempt()).await;
            app.storage.close().await;
        }
    }

    async fn daemon(&self) -> Result<Option<control::Client>, Failure> {
        control::Client::connect(self.found.database()).await
    }

    /// The app in this process. A person takes minutes, and callers want tokens meanwhile: so it is not alone.
    async fn app(&mut self) -> Result<&App, Failure> {
        let app = if let Some(app) = self.app.take() {
            app
        } else {
            let Found::Whole(manifest) = &self.found else {
                return Err(session::has_stopped());
            };
            // Boxed: opening holds a lot, and whoever waits for a person would carry it.
            let opening = session::start(Manifest::clone(manifest), Purpose::Visit);
            Box::new(Box::pin(opening).await?)
        };
        Ok(self.app.insert(app))
    }
}

/// Nobody looks on.
async fn ask(daemon: control::Client, command: &Command) -> Result<Reply, Failure> {
    let (nobody, _) = mpsc::unbounded_channel();
    control::ask(daemon, command, &nobody).await
}

async fn here(app: &App, command: Command) -> Result<Reply, Failure> {
    let (nobody, _) = mpsc::unbounded_channel();
    app.operator.run(&Actor::User(owner::own()), command, &nobody).await
}
