//! Commands that work on tokens: asked of the daemon when one runs, carried out here when none does.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::app::Purpose;
use crate::cli::arguments::{ConnectionVerb, PluginVerb, TokenVerb, Verb};
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::cli::session::Session;
use crate::manifest::{self, Manifest};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, LogQuery, Progress, Reply, Selection};

/// Carries out `verb` and prints what came of it.
pub(super) async fn run(config: &Path, verb: Verb, json: bool) -> Exit {
    let manifest = match manifest::load(config) {
        Ok(manifest) => manifest,
        Err(problems) => return render::problems(config, &problems, json),
    };
    let follow = matches!(verb, Verb::Log { follow: true, .. });
    let header = matches!(verb, Verb::Token { verb: TokenVerb::Get { header: true, .. } });
    let command = match command(verb) {
        Ok(command) => command,
        Err(failure) => return render::failure(&failure, json),
    };
    let (progress, steps) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "there is no lifecycle yet; it is awaited below")]
    let bar = tokio::spawn(render::progress::follow(steps, json));
    let again = follow.then(|| command.query()).flatten();
    let result = carry_out(manifest, command, &progress).await;
    drop(progress);
    let _ = bar.await;
    match result {
        Ok(Reply::Attempts(attempts)) if follow => follow_log(config, again, attempts, json).await,
        Ok(reply) => render::reply(&reply, json, header),
        Err(failure) => render::failure(&failure, json),
    }
}

/// Asks the daemon, or does it here.
async fn carry_out(
    manifest: Manifest,
    command: Command,
    progress: &mpsc::UnboundedSender<Progress>,
) -> Result<Reply, Failure> {
    let purpose = if command.only_looks() { Purpose::Look } else { Purpose::Command };
    let session = Session::open(manifest, purpose).await?;
    let result = session.run(command, progress).await;
    session.close().await;
    result
}

fn command(verb: Verb) -> Result<Command, Failure> {
    Ok(match verb {
        Verb::Status { connections } => Command::Status { ids: connections, page: None },
        Verb::Refresh {
            connections,
            provider,
            failed,
            force,
            sync,
            dry_run,
            label,
            active_within,
            all: _,
        } => {
            let ids = connections;
            let selection =
                Selection { ids, provider, failed, label, active_within_s: active_within };
            Command::Refresh { selection, force, dry_run, wait: sync }
        }
        Verb::Token { verb } => token_command(verb)?,
        Verb::Disconnect { connection, force } => Command::Disconnect { id: connection, force },
        Verb::Connection { verb } => connection_command(verb)?,
        Verb::Log { connection, provider, outcome, since, limit, .. } => Command::Log(LogQuery {
            provider,
            connection,
            outcome,
            since_s: since,
            after: None,
            limit,
            page: None,
        }),
        Verb::Stats { provider, since } => Command::Stats { provider, since_s: since },
        Verb::Schedule { .. } => Command::Schedules,
        Verb::Plugin { verb: PluginVerb::Replay { connection } } => {
            Command::Replay { id: connection }
        }
        Verb::Plugin { .. } => Command::Plugins,
        Verb::Prune { older_than } => Command::Prune { older_than_s: older_than },
        Verb::Doctor => Command::Doctor,
        Verb::Init
        | Verb::Serve
        | Verb::Check
        | Verb::Connect(_)
        | Verb::Explain(_)
        | Verb::Completions { .. } => Command::Ping,
    })
}

fn token_command(verb: TokenVerb) -> Result<Command, Failure> {
    Ok(match verb {
        TokenVerb::Get { connection, min_ttl, .. } => {
            Command::TokenGet { id: connection, min_ttl_s: min_ttl }
        }
        TokenVerb::Set { connection } => {
            Command::TokenSet { id: connection, text: standard_input()?.into() }
        }
        TokenVerb::Rejected { connection, generation } => {
            Command::TokenRejected { id: connection, generation }
        }
        TokenVerb::Clear { connection } => Command::TokenClear { id: connection },
    })
}

fn connection_command(verb: ConnectionVerb) -> Result<Command, Failure> {
    Ok(match verb {
        ConnectionVerb::List { provider, label, active_within } => {
            let active_within_s = active_within;
            let selection = Selection { provider, label, active_within_s, ..Selection::default() };
            Command::Connections { selection, page: None }
        }
        ConnectionVerb::Add { connection, label, setting, from, replace } => {
            super::import::one(&connection, label, setting, from.as_deref(), replace)?
        }
        ConnectionVerb::Remove { connection } => Command::Remove { id: connection },
        ConnectionVerb::Import(_) => Command::Ping,
        ConnectionVerb::Show { connection } => Command::Show { id: connection },
        ConnectionVerb::Pause { connection, time, reason } => {
            Command::Pause { id: connection, for_s: time, reason }
        }
        ConnectionVerb::Resume { connection } => Command::Resume { id: connection },
    })
}

/// A secret from standard input: never from an argument, where everybody can read it.
pub(super) fn standard_input() -> Result<SecretString, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().take(1 << 20).read_to_string(&mut text);
    read.map_err(|error| {
        let message = format!("standard input cannot be read: {error}");
        Failure::new(Case::Misconfigured, code::Token::Invalid, message)
    })?;
    Ok(SecretString::from(text.as_str()))
}

/// Attempts between two looks, at most: more than a second has.
const BETWEEN_LOOKS: u32 = 100_000;

/// Prints new attempts until it is interrupted.
async fn follow_log(
    config: &Path,
    query: Option<LogQuery>,
    mut attempts: Vec<crate::model::attempt::Attempt>,
    json: bool,
) -> Exit {
    let Some(mut query) = query else { return Exit::Usage };
    let (nobody, _) = mpsc::unbounded_channel();
    loop {
        attempts.reverse();
        render::followed(&attempts, json);
        query.after = attempts.last().map(|it| it.id).or(query.after);
        // Those that were wanted to begin with are there; of those that come, none is left out.
        query.limit = BETWEEN_LOOKS;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = tokio::signal::ctrl_c() => return Exit::Done,
        }
        let Ok(manifest) = manifest::load(config) else { return Exit::Config };
        match carry_out(manifest, Command::Log(query.clone()), &nobody).await {
            Ok(Reply::Attempts(found)) => attempts = found,
            Ok(_) => return Exit::Failed,
            Err(failure) => return render::failure(&failure, json),
        }
    }
}
