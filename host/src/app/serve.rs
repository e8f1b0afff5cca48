//! The daemon: starts the loops, follows signals and changes, and ends in order.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::api::Api;
use crate::api::front::front;
use crate::api::listening::{AtAddress, AtSocket};
use crate::app::App;
use crate::app::watch::Watch;
use crate::control::Server;
use crate::dashboard::Dashboard;
use crate::delivery::{Delivery, Log};
use crate::lifecycle::signals::Signals;
use crate::lifecycle::{limits, systemd};
use crate::manifest;
use crate::manifest::provider::Provider;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::said;
use crate::operator::Reload;
use crate::scheduler::Scheduler;
use crate::storage::{StorageError, Tally};
use crate::telemetry::metrics;

/// Why the daemon ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The control socket.
    #[error("the daemon cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// Attempts were still running after the drain.
    #[error("some attempts did not finish within {} s; they are resolved at the next start", .0.as_secs())]
    Drain(Duration),
    /// Nothing can be stored any more.
    #[error(transparent)]
    Writer(StorageError),
}

impl ServeError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Listen(_) | Self::Drain(_) => code::Daemon::Failed.into(),
            Self::Writer(error) => error.code(),
        }
    }
}

/// Runs until a signal ends it. `watch` has stood since before the manifest of `app` was read, and
/// `signals` since before anything.
pub async fn serve(mut app: App, watch: Watch, signals: Signals) -> Result<(), ServeError> {
    let at_socket = AtSocket::bind(&app.manifest().storage.path)?;
    let at_address = AtAddress::bind(&app.manifest().server).await?;
    // Last, because whoever finds it takes the daemon for ready.
    let server = Server::bind(&app.manifest().storage.path)?;
    let socket = server.path().to_owned();
    app.operator.load_api_keys().await.map_err(io::Error::other)?;
    let (hangup, hangups) = mpsc::unbounded_channel();
    let reloads = std::mem::replace(&mut app.reloads, mpsc::unbounded_channel().1);
    let causes = Causes { watch, hangups, reloads };
    let app = Arc::new(app);
    let scheduler = app.scheduler();
    // Before anything happens that it is told of.
    let delivery = Delivery::start(app.delivery(&scheduler)).await.map_err(io::Error::other)?;
    scheduler.start();
    app.lifecycle.spawn("control", server.run(app.operator.clone(), app.lifecycle.clone()));
    let api = Api::new(app.operator.clone(), delivery.feed());
    let router = Dashboard::new(app.operator.clone(), api.clone()).router();
    let front = front(api, router);
    app.lifecycle.spawn("api socket", at_socket.run(Arc::clone(&front), app.lifecycle.clone()));
    if let Some(at_address) = at_address {
        app.lifecycle.spawn("api", at_address.run(front, app.lifecycle.clone()));
    }
    app.lifecycle.spawn("audit", app.operator.clone().keep_writing_counts());
    if let Some(few) = limits::too_few_files() {
        warn!("{few}");
    }
    systemd::ready();
    metrics::reloaded(true, app.clock.now().as_second());
    tell_ready(&app, &socket).await;
    tell_nobody_can_log_in(&app).await;
    app.examine();
    let signals = app.lifecycle.follow(signals, move || {
        let _ = hangup.send(());
    });
    tokio::pin!(signals);
    tokio::select! {
        // It never ends: it has the second signal, which cuts the drain short.
        () = &mut signals => Ok(()),
        drained = work(&app, &scheduler, &delivery, causes) => drained,
    }
}

/// The one line that says what runs here, and on what.
async fn tell_ready(app: &App, socket: &Path) {
    let manifest = app.manifest();
    let Tally { connections, problems } = app.storage.tally().await.unwrap_or_default();
    let need = match problems {
        0 => String::new(),
        1 => ", 1 of them needs a person; see: keepfresh status".to_owned(),
        it => format!(", {it} of them need a person; see: keepfresh status"),
    };
    info!(
        version = env!("CARGO_PKG_VERSION"),
        manifest = %absolute(&manifest.path),
        database = %absolute(&manifest.storage.path),
        socket = %socket.display(),
        pid = std::process::id(),
        "keepfresh is ready: {}, {}{need}",
        inventory(app),
        said::count(connections, "connection"),
    );
}

/// The one line that says how the first person gets in.
async fn tell_nobody_can_log_in(app: &App) {
    let manifest = app.manifest();
    let is_there = manifest.dashboard.enabled && manifest.server.listen.is_some();
    if is_there && app.operator.has_no_accounts().await.unwrap_or_default() {
        info!(
            "nobody can log in to the dashboard yet; make the first account: keepfresh account add NAME --role operator"
        );
    }
}

/// A path that makes sense wherever the log is read.
fn absolute(path: &Path) -> impl Display {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

/// What makes the daemon reload everything.
struct Causes {
    /// Changes of files.
    watch: Watch,
    /// SIGHUP.
    hangups: mpsc::UnboundedReceiver<()>,
    /// Commands, which wait until it is done.
    reloads: mpsc::UnboundedReceiver<Reload>,
}

/// Works until the soft stop, or until nothing can be stored any more, then waits for what runs.
async fn work(
    app: &Arc<App>,
    scheduler: &Scheduler,
    delivery: &Delivery,
    causes: Causes,
) -> Result<(), ServeError> {
    let writes = tokio::select! {
        () = follow(app, scheduler, delivery, causes) => true,
        () = app.storage.writer_ended() => false,
    };
    let longest = app.longest_attempt();
    systemd::stopping(longest);
    if !writes {
        let gone = StorageError::WriterGone;
        error!(
            error.code = gone.code().text(),
            "exiting so that the service manager restarts keepfresh: {gone}"
        );
        app.lifecycle.drain(longest).await;
        app.storage.close().await;
        return Err(ServeError::Writer(gone));
    }
    let seconds = longest.as_secs();
    info!("stopping: waiting up to {seconds} s for running attempts; no new ones are started");
    let drained = app.lifecycle.drain(longest).await;
    // What happened while stopping is told, too.
    let told = async { Log::continued(&app.storage).await?.deliver().await };
    app.operator.write_counts().await;
    if let Err(error) = told.await {
        warn!("events could not be delivered and wait for the next start: {error}");
    }
    app.storage.close().await;
    info!("stopped");
    if drained { Ok(()) } else { Err(ServeError::Drain(longest)) }
}

/// Time beyond its calls in which an attempt is surely over: sealing, two commits, a busy disk.
const END_MARGIN: Duration = Duration::from_secs(30);

impl App {
    /// How long a stop waits for what runs.
    pub fn longest_attempt(&self) -> Duration {
        longest_attempt(self.manifest().providers.values())
    }
}

/// How long a running attempt may still take: a refresh, a login after it, and a busy disk. An attempt
/// that is cut off leaves its outcome in doubt.
fn longest_attempt<'a>(providers: impl IntoIterator<Item = &'a Provider>) -> Duration {
    let longest = providers.into_iter().map(|it| it.timeout).max().unwrap_or_default();
    longest * 2 + END_MARGIN
}

fn inventory(app: &App) -> String {
    let shelf = app.catalogue.shelf();
    let plugins = shelf.files.iter().filter(|it| it.program.is_some()).count() as u64;
    let providers = shelf.providers.len() as u64;
    format!("{}, {}", said::count(plugins, "plugin"), said::count(providers, "provider"))
}

/// Follows changes of files, hang-ups and commands until the soft stop.
async fn follow(app: &Arc<App>, scheduler: &Scheduler, delivery: &Delivery, causes: Causes) {
    let Causes { mut watch, mut hangups, mut reloads } = causes;
    loop {
        let asked = tokio::select! {
            () = app.lifecycle.wait_for_soft_stop() => return,
            () = watch.changed() => None,
            Some(()) = hangups.recv() => None,
            Some(asked) = reloads.recv() => Some(asked),
        };
        // Before anything is read: a change between reading and watching would be missed. And a new
        // watch, because a folder of the same name may be another one by now.
        watch = Watch::over(&app.manifest());
        let mut result = reload(app).await;
        if !watch.covers(&app.manifest()) {
            watch = Watch::over(&app.manifest());
            result = reload(app).await;
        }
        if let Err(error) = delivery.follow_manifest().await {
            error!(error.code = error.code().text(), "the channels were not changed: {error}");
        }
        scheduler.wake();
        if let Some(asked) = asked {
            asked.answer(result);
        }
    }
}

/// Puts the changed manifest in force; one with problems changes nothing, and that is said.
async fn reload(app: &Arc<App>) -> Result<(), Failure> {
    systemd::reloading();
    let result = read_anew(app).await;
    app.operator.note_reload(&result);
    systemd::ready();
    result
}

async fn read_anew(app: &Arc<App>) -> Result<(), Failure> {
    let path = app.manifest().path.clone();
    let manifest = match manifest::load(&path) {
        Ok(manifest) => manifest,
        Err(problems) => {
            metrics::reloaded(false, app.clock.now().as_second());
            for problem in &problems {
                error!(error.code = problem.code.text(), "{problem}");
            }
            error!("{} was not reloaded; the last valid version stays in use", path.display());
            let first = problems.first().map(|it| format!(": {it}")).unwrap_or_default();
            let path = path.display();
            let message = format!("the daemon cannot read {path}{first}; see: keepfresh check");
            return Err(Failure::new(Case::Misconfigured, code::Manifest::NotReloaded, message));
        }
    };
    let adopted = match app.adopt(Arc::new(manifest)).await {
        Ok(()) => app.refresher.times.check().await,
        Err(error) => Err(error),
    };
    match adopted {
        Ok(()) => {
            metrics::reloaded(true, app.clock.now().as_second());
            info!("reloaded {}: {}", path.display(), inventory(app));
            app.examine();
            Ok(())
        }
        Err(error) => {
            error!(error.code = error.code().text(), "the reload failed: {error}");
            Err(Failure::new(Case::HostFault, error.code(), error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_waits_as_long_as_the_longest_call_may_last() {
        let text = "[providers.a]\ntimeout = \"5s\"\n[providers.b]\ntimeout = \"60s\"";
        let manifest = manifest::parse(text, std::path::Path::new("keepfresh.toml")).unwrap();
        let longest = longest_attempt(manifest.providers.values());
        assert_eq!(longest, Duration::from_secs(150));
        assert_eq!(longest_attempt([]), END_MARGIN);
    }
}
