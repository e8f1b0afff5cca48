//! Providers, plugins, schedules, what is planned, channels and sinks.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::connections::unexpected;
use crate::api::problem::Problem;
use crate::model::api_key::Scope;
use crate::operator::channels::ChannelView;
use crate::operator::forecast::ForecastView;
use crate::operator::plugins::{PluginView, ScheduleView};
use crate::operator::sinks::SinkView;
use crate::operator::{Command, Reply};

/// A provider of the manifest.
#[derive(Serialize, ToSchema)]
pub(super) struct ProviderView {
    /// Its name in the manifest.
    name: String,
    /// The plugin that knows it.
    plugin: String,
}

/// Providers.
#[derive(Serialize, ToSchema)]
pub(super) struct Providers {
    providers: Vec<ProviderView>,
}

/// The providers of the manifest
#[utoipa::path(get, path = "/api/v1/providers", tag = "installation",
    responses((status = 200, body = Providers, description = "Those that the key reaches"), Problem))]
pub(super) async fn providers(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Providers>, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let manifest = api.operator().manifest();
    let seen = manifest.providers.values().filter(|it| caller.reaches_some_of(&it.name));
    let view = |it: &crate::manifest::provider::Provider| ProviderView {
        name: it.name.clone(),
        plugin: it.plugin.clone(),
    };
    Ok(Json(Providers { providers: seen.map(view).collect() }))
}

/// Plugin files.
#[derive(Serialize, ToSchema)]
pub(super) struct Plugins {
    plugins: Vec<PluginView>,
}

/// Plugin files, and what became of each
#[utoipa::path(get, path = "/api/v1/plugins", tag = "installation",
    responses((status = 200, body = Plugins, description = "All files of the plugin folder"), Problem))]
pub(super) async fn plugins(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Plugins>, Problem> {
    caller.may(Scope::ConnectionRead)?;
    match api.ask(&caller.actor, Command::Plugins).await? {
        Reply::Plugins(plugins) => Ok(Json(Plugins { plugins })),
        _ => Err(unexpected()),
    }
}

/// Channels.
#[derive(Serialize, ToSchema)]
pub(super) struct Channels {
    channels: Vec<ChannelView>,
}

/// Who is told of problems, and whether it arrives
#[utoipa::path(get, path = "/api/v1/channels", tag = "installation",
    responses((status = 200, body = Channels, description = "All channels of the manifest"), Problem))]
pub(super) async fn channels(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Channels>, Problem> {
    caller.may(Scope::Admin)?;
    match api.ask(&caller.actor, Command::Channels).await? {
        Reply::Channels(channels) => Ok(Json(Channels { channels })),
        _ => Err(unexpected()),
    }
}

/// Sinks.
#[derive(Serialize, ToSchema)]
pub(super) struct Sinks {
    sinks: Vec<SinkView>,
}

/// Where tokens are delivered to, and whether that works
#[utoipa::path(get, path = "/api/v1/sinks", tag = "installation",
    responses((status = 200, body = Sinks, description = "All sinks of the manifest"), Problem))]
pub(super) async fn sinks(State(api): State<Api>, caller: Caller) -> Result<Json<Sinks>, Problem> {
    caller.may(Scope::Admin)?;
    match api.ask(&caller.actor, Command::Sinks).await? {
        Reply::Sinks(sinks) => Ok(Json(Sinks { sinks })),
        _ => Err(unexpected()),
    }
}

/// Schedules.
#[derive(Serialize, ToSchema)]
pub(super) struct Schedules {
    schedules: Vec<ScheduleView>,
}

/// Schedules with their next runs
#[utoipa::path(get, path = "/api/v1/schedules", tag = "installation",
    responses((status = 200, body = Schedules, description = "Those of providers that the key reaches"), Problem))]
pub(super) async fn schedules(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Schedules>, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let Reply::Schedules(mut schedules) = api.ask(&caller.actor, Command::Schedules).await? else {
        return Err(unexpected());
    };
    schedules.retain(|it| caller.reaches_some_of(&it.provider));
    for schedule in &mut schedules {
        let mut seen = std::collections::BTreeMap::new();
        for (id, at) in std::mem::take(&mut schedule.next_refresh) {
            if caller.reaches(&api, &id).await? {
                seen.insert(id, at);
            }
        }
        schedule.next_refresh = seen;
    }
    Ok(Json(Schedules { schedules }))
}

/// What is planned for the next 24 hours, and where that is more than the limits let through
#[utoipa::path(get, path = "/api/v1/forecast", tag = "installation",
    responses((status = 200, body = ForecastView, description = "The next refresh of each connection, of providers that the key reaches all of"), Problem))]
pub(super) async fn forecast(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<ForecastView>, Problem> {
    caller.may(Scope::ConnectionRead)?;
    match api.ask(&caller.actor, Command::Forecast).await? {
        // Counts of what it reaches in part would tell how many others there are.
        Reply::Forecast(all) => Ok(Json(all.only(|it| caller.reaches_all_of(it)))),
        _ => Err(unexpected()),
    }
}
