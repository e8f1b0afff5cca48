//! Which verb goes where: to this process alone, to a list that is asked for page by page, or as a command to
//! whoever does the work.

use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::arguments::{
    AccountVerb, Arguments, ChannelVerb, ConnectionVerb, LogVerb, PluginVerb, ProviderVerb,
    ScheduleVerb, SinkVerb, TokenVerb, Verb,
};
use crate::cli::exit::Exit;
use crate::cli::listing::List;
use crate::cli::run::Errand;
use crate::cli::{
    access, check, config, connect, explain, export, follow, healthcheck, import, init, inspect,
    listing, plugin, provider, reference, render, run, serve,
};
use crate::operator::{Command, LogQuery, Selection};

/// Carries out what was typed, and says how it went.
pub(super) async fn dispatch(arguments: Arguments) -> Exit {
    let Arguments { config, json, verb } = arguments;
    let config = config::chosen(config, matches!(verb, Verb::Init));
    let ask = |command| run::run(&config, Errand::Command(command), json);
    match verb {
        Verb::Init => init::run(&config, json).await,
        Verb::Serve => serve::run(&config, json).await,
        Verb::Check { effective } => check::run(&config, effective, json).await,
        Verb::Status { connections: ids, provider, label, state: states, all } => {
            let selection = Selection { ids, provider, label, ..Selection::default() };
            let list = List::Status { selection, states, all };
            listing::run(&config, list, json).await
        }
        Verb::Refresh {
            connections: ids,
            provider,
            all: _,
            failed,
            label,
            active_within: active_within_s,
            force,
            sync: wait,
            dry_run,
        } => {
            let selection = Selection { ids, provider, failed, label, active_within_s };
            ask(Command::Refresh { selection, force, dry_run, wait }).await
        }
        Verb::Connect(wanted) => Box::pin(connect::run(&config, wanted, json)).await,
        Verb::Disconnect { connection: id, force } => ask(Command::Disconnect { id, force }).await,
        Verb::Token { verb } => run::run(&config, token(verb), json).await,
        Verb::Connection { verb } => connection(&config, verb, json).await,
        Verb::Log { verb: Some(LogVerb::Show { attempt: id }), .. } => {
            ask(Command::Attempt { id }).await
        }
        Verb::Log { verb: None, connection, provider, outcome, since: since_s, follow, limit } => {
            let page = None;
            let query = LogQuery { provider, connection, outcome, since_s, limit, page };
            log(&config, query, follow, json).await
        }
        Verb::Stats { provider, since: since_s } => ask(Command::Stats { provider, since_s }).await,
        Verb::Schedule { verb } => ask(schedule(verb)).await,
        Verb::Manifest { verb } => reference::run(verb, json),
        Verb::Provider { verb: ProviderVerb::Add { name, plugin } } => {
            provider::add(&config, &name, plugin.as_deref(), json).await
        }
        Verb::Plugin { verb } => of_plugin(&config, verb, json).await,
        Verb::Prune { older_than: older_than_s, outcome } => {
            ask(Command::Prune { older_than_s, outcome }).await
        }
        Verb::ApiKey { verb } => ask(access::api_key(verb)).await,
        Verb::Account { verb } => ask(account(verb)).await,
        Verb::Channel { verb } => ask(channel(verb)).await,
        Verb::Sink { verb } => ask(sink(verb)).await,
        Verb::Audit(wanted) => access::audit(&config, &wanted, json).await,
        Verb::Doctor => ask(Command::Doctor).await,
        Verb::Healthcheck => healthcheck::run(&config, json).await,
        Verb::Explain(wanted) => explain::run(&wanted, json),
        Verb::Completions { shell } => complete(shell),
    }
}

async fn log(config: &Path, query: LogQuery, follow: bool, json: bool) -> Exit {
    if follow {
        return follow::run(config, query, json).await;
    }
    listing::run(config, List::Log(query), json).await
}

fn schedule(verb: ScheduleVerb) -> Command {
    match verb {
        ScheduleVerb::List => Command::Schedules,
        ScheduleVerb::Forecast => Command::Forecast,
    }
}

fn account(verb: AccountVerb) -> Command {
    match verb {
        AccountVerb::Add { name, role } => Command::AccountAdd { name, role },
        AccountVerb::List => Command::Accounts,
        AccountVerb::Link { name } => Command::AccountLink { name },
        AccountVerb::Role { name, role } => Command::AccountRole { name, role },
        AccountVerb::Remove { name } => Command::AccountRemove { name },
    }
}

fn channel(verb: ChannelVerb) -> Command {
    match verb {
        ChannelVerb::List => Command::Channels,
        ChannelVerb::Test { name } => Command::ChannelTest { name },
    }
}

fn sink(verb: SinkVerb) -> Command {
    match verb {
        SinkVerb::List => Command::Sinks,
        SinkVerb::Run { name, connection } => Command::SinkRun { name, connection },
    }
}

fn token(verb: TokenVerb) -> Errand {
    match verb {
        TokenVerb::Get { connection: id, min_ttl: min_ttl_s, header } => {
            Errand::TokenGet { id, min_ttl_s, header }
        }
        TokenVerb::Set { connection } => Errand::TokenSet(connection),
        TokenVerb::Rejected { connection: id, generation } => {
            Errand::Command(Command::TokenRejected { id, generation })
        }
        TokenVerb::Clear { connection: id } => Errand::Command(Command::TokenClear { id }),
    }
}

async fn connection(config: &Path, verb: ConnectionVerb, json: bool) -> Exit {
    let ask = |command| run::run(config, Errand::Command(command), json);
    match verb {
        ConnectionVerb::List { provider, label, active_within: active_within_s } => {
            let all = Selection::default();
            let selection = Selection { provider, label, active_within_s, ..all };
            listing::run(config, List::Connections(selection), json).await
        }
        ConnectionVerb::Add(wanted) => run::run(config, Errand::Add(wanted), json).await,
        ConnectionVerb::Export(wanted) => export::run(config, wanted, json).await,
        ConnectionVerb::Import(wanted) => import::run(config, wanted, json).await,
        ConnectionVerb::Remove { connection: id } => ask(Command::Remove { id }).await,
        ConnectionVerb::Show { connection: id } => ask(Command::Show { id }).await,
        ConnectionVerb::Pause { connection: id, time: for_s, reason } => {
            ask(Command::Pause { id, for_s, reason }).await
        }
        ConnectionVerb::Resume { connection: id } => ask(Command::Resume { id }).await,
    }
}

async fn of_plugin(config: &Path, verb: PluginVerb, json: bool) -> Exit {
    let ask = |command| run::run(config, Errand::Command(command), json);
    match verb {
        PluginVerb::List => ask(Command::Plugins).await,
        PluginVerb::Inspect { file } => inspect::run(config, &file, json).await,
        PluginVerb::Approve { name, digest } => {
            plugin::approve(config, &name, digest.as_deref(), json).await
        }
        PluginVerb::Replay { connection: id } => ask(Command::Replay { id }).await,
    }
}

fn complete(shell: clap_complete::Shell) -> Exit {
    // To memory first: it panics where writing fails, and a reader that has gone away is no error.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "keepfresh", &mut text);
    render::raw(&text);
    Exit::Done
}
