//! `keepfresh connect`: sends a browser to the provider and waits on this machine for it to come back,
//! or shows a code that a person types in elsewhere. Knows nothing of OAuth: the operator does.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::app::Purpose;
use crate::cli::arguments::Connect;
use crate::cli::callback::{Callback, Page};
use crate::cli::exit::Exit;
use crate::cli::render::{self, people};
use crate::cli::session::Session;
use crate::manifest;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::command::Plain;
use crate::operator::reply::ConnectStep;
use crate::operator::{Command, Reply};

/// Connects an account and prints how it is then.
pub(super) async fn run(config: &Path, wanted: Connect, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    // A person takes minutes, and callers want tokens meanwhile: only what is stored is done alone.
    let session = match Session::open(manifest, Purpose::Visit).await {
        Ok(session) => session,
        Err(failure) => return render::failure(&failure, json),
    };
    let patience = Duration::from_secs(wanted.wait);
    let result = tokio::select! {
        result = tokio::time::timeout(patience, connect(&session, &wanted)) => {
            result.unwrap_or_else(|_| Err(too_long(patience)))
        }
        _ = tokio::signal::ctrl_c() => Err(stopped()),
    };
    session.close().await;
    match result {
        Ok(reply) => render::reply(&reply, json, false),
        Err(failure) => render::failure(&failure, json),
    }
}

async fn connect(session: &Session, wanted: &Connect) -> Result<Reply, Failure> {
    let id = named(wanted)?;
    if wanted.device {
        by_code(session, id, wanted).await
    } else {
        by_browser(session, id, wanted).await
    }
}

/// `google-oauth --name ads` is `google-oauth/ads`.
fn named(wanted: &Connect) -> Result<ConnectionId, Failure> {
    let Some(name) = &wanted.name else { return Ok(wanted.connection.clone()) };
    let id = ConnectionId::new(wanted.connection.provider(), name);
    id.map_err(|it| Failure::new(Case::Misconfigured, code::Command::Usage, it.to_string()))
}

async fn by_browser(
    session: &Session,
    id: ConnectionId,
    wanted: &Connect,
) -> Result<Reply, Failure> {
    let mut callback = Callback::listen(&wanted.host, wanted.port).await?;
    let (redirect_uri, scopes) = (callback.address(), wanted.scope.clone());
    let start = Command::ConnectStart { id, redirect_uri, scopes };
    let mut reply = session.ask(start).await?;
    loop {
        let Reply::Connect(step) = &reply else { return Ok(reply) };
        let ConnectStep::Browser { visit, url, again } = step else { return Ok(reply) };
        callback.answer(if *again { Page::Again(url.0.clone()) } else { Page::Nothing });
        // The address is always shown: the browser may open where the person does not see it.
        people::to_do(step).into_iter().for_each(render::hint);
        if !again && !wanted.no_browser {
            open_browser(url.0.expose_secret());
        }
        reply = come_back(session, &mut callback, visit).await?;
    }
}

/// Waits for the browser. What anybody else sends is refused, and the person is waited for.
async fn come_back(
    session: &Session,
    callback: &mut Callback,
    visit: &str,
) -> Result<Reply, Failure> {
    loop {
        let query = Plain(callback.next().await?);
        let finish = Command::ConnectFinish { visit: visit.to_owned(), query };
        match session.ask_alone(finish).await {
            Err(failure) if failure.code == code::Connect::StateMismatch => {
                callback.answer(Page::Failed(failure.message));
            }
            Err(failure) => {
                callback.end(Page::Failed(failure.message.clone())).await;
                return Err(failure);
            }
            Ok(reply @ Reply::Connect(ConnectStep::Connected { .. })) => {
                callback.end(Page::Connected).await;
                return Ok(reply);
            }
            Ok(reply) => return Ok(reply),
        }
    }
}

fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = || std::process::Stdio::null();
    let opened = std::process::Command::new(opener)
        .arg(url)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
    if opened.is_err() {
        render::hint("(no browser could be opened from here)");
    }
}

async fn by_code(session: &Session, id: ConnectionId, wanted: &Connect) -> Result<Reply, Failure> {
    let reply = session.ask(Command::DeviceStart { id, scopes: wanted.scope.clone() }).await?;
    let Reply::Connect(step) = &reply else { return Ok(reply) };
    let ConnectStep::Device { visit, interval_s, .. } = step else { return Ok(reply) };
    people::to_do(step).into_iter().for_each(render::hint);
    let mut wait = *interval_s;
    loop {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        match session.ask_alone(Command::DevicePoll { visit: visit.clone() }).await? {
            Reply::Connect(ConnectStep::Waiting { interval_s }) => wait = interval_s,
            reply => return Ok(reply),
        }
    }
}

fn too_long(patience: Duration) -> Failure {
    let message = format!(
        "the login was not completed within {} s; connect again, or wait longer with --wait",
        patience.as_secs()
    );
    Failure::new(Case::Misconfigured, code::Connect::Expired, message)
}

fn stopped() -> Failure {
    Failure::new(Case::Misconfigured, code::Connect::Stopped, "stopped; nothing was saved")
}
