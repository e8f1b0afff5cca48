//! `/metrics`: the figures of the process, and what the database says of connections at this moment. Few
//! connections have a series each; of many, each provider has some. Prometheus presents a key with
//! `connection:read`.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::connections::unexpected;
use crate::api::problem::Problem;
use crate::model::api_key::Scope;
use crate::model::code;
use crate::model::state::State as ConnectionState;
use crate::operator::view::ConnectionView;
use crate::operator::{Command, Page, PageQuery, Reply, Selection};
use crate::telemetry::metrics;

/// Connections that have a series each; with more, none has.
const MOST: u32 = 500;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfConnection {
    connection: String,
    provider: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfState {
    connection: String,
    provider: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfProvider {
    provider: String,
}

/// Figures for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "installation",
    responses((status = 200, body = String, content_type = "application/openmetrics-text", description = "OpenMetrics"), Problem))]
pub(super) async fn metrics(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionRead)?;
    if caller.is_bound() {
        return Err(Problem::new(
            code::Auth::Scope,
            "this key is bound; figures are of everything",
        ));
    }
    let mut registry = Registry::with_prefix("keepfresh");
    breakers(&api, &mut registry);
    counts(&api, &mut registry).await?;
    connections(&api, &caller, &mut registry).await?;
    let text = metrics::text(&registry).map_err(|_| unexpected())?;
    Ok(([(CONTENT_TYPE, OPENMETRICS)], text).into_response())
}

/// Which providers are not asked for now, because they are down or want to be asked less.
fn breakers(api: &Api, registry: &mut Registry) {
    let open = Family::<OfProvider, Gauge>::default();
    let help = "Whether a provider is not asked now, because it is down or wants to be asked less";
    registry.register("provider_breaker_open", help, open.clone());
    for (provider, waits) in api.operator().providers_waiting() {
        metrics::known(&provider);
        open.get_or_create(&OfProvider { provider }).set(i64::from(waits));
    }
}

/// How many connections each provider has, and how many of them need a person.
async fn counts(api: &Api, registry: &mut Registry) -> Result<(), Problem> {
    let (all, stuck) = <(Family<OfProvider, Gauge>, Family<OfProvider, Gauge>)>::default();
    registry.register("connections", "Connections", all.clone());
    registry.register(
        "connections_needing_a_person",
        "Those only a person can help",
        stuck.clone(),
    );
    for counted in api.operator().counted().await? {
        let labels = OfProvider { provider: counted.provider };
        let gauge = |count| i64::try_from(count).unwrap_or(i64::MAX);
        all.get_or_create(&labels).set(gauge(counted.connections));
        stuck.get_or_create(&labels).set(gauge(counted.needing_a_person));
    }
    Ok(())
}

async fn connections(api: &Api, caller: &Caller, registry: &mut Registry) -> Result<(), Problem> {
    let page = Some(PageQuery { after: None, limit: Some(MOST) });
    let all = Command::Connections { selection: Selection::default(), page };
    let Reply::ConnectionPage(Page { rows, next: None, .. }) = api.ask(&caller.actor, all).await?
    else {
        return Ok(());
    };
    let (expiry, last) = <(Family<OfConnection, Gauge>, Family<OfConnection, Gauge>)>::default();
    let states = Family::<OfState, Gauge>::default();
    let help = "When the token stops working";
    registry.register_with_unit("token_expiry_timestamp", help, Unit::Seconds, expiry.clone());
    let help = "When the connection is refreshed next";
    registry.register_with_unit("next_refresh_timestamp", help, Unit::Seconds, last.clone());
    registry.register("token_state", "1 for the state that holds", states.clone());
    for row in rows {
        one(&row, &expiry, &last, &states);
    }
    Ok(())
}

fn one(
    row: &ConnectionView,
    expiry: &Family<OfConnection, Gauge>,
    next: &Family<OfConnection, Gauge>,
    states: &Family<OfState, Gauge>,
) {
    let (connection, provider) = (row.id.clone(), row.provider.clone());
    let labels = OfConnection { connection: connection.clone(), provider: provider.clone() };
    if let Some(at) = row.expires_at {
        expiry.get_or_create(&labels).set(at.as_second());
    }
    if let Some(at) = row.next_refresh_at {
        next.get_or_create(&labels).set(at.as_second());
    }
    for state in ConnectionState::ALL {
        let (connection, provider, word) = (connection.clone(), provider.clone(), state.as_str());
        let labels = OfState { connection, provider, state: word };
        states.get_or_create(&labels).set(i64::from(row.state == *state));
    }
}
