//! What happens to connections, told as it happens: server-sent events over one answer that does not end.
//! Each event has a number, and whoever comes back with the last one it has seen misses nothing, as long as
//! the events behind it are kept. What a key does not reach is not told.

/// How many readers there may be.
mod seats;

/// One who reads.
mod reader;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(super) use seats::Seats;

use crate::api::Api;
use crate::api::caller::{Caller, unknown};
use crate::api::listening::Hold;
use crate::api::problem::Problem;
use crate::api::reading::{Params, id};
use crate::delivery::Place;
use crate::model::api_key::Scope;
use crate::model::code;
use crate::model::event::EventKind;
use crate::model::id::ConnectionId;
use crate::refresher::host_fault;
use crate::storage::OutboxEvent;
use reader::Reader;

/// Which events, and from where on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this connection: `PROVIDER` or `PROVIDER~NAME`.
    connection: Option<String>,
    /// Only those of this provider.
    provider: Option<String>,
    /// Only these kinds, with commas between them.
    #[param(example = "failed,reconnect")]
    kind: Option<String>,
    /// Only those behind the event of this id; only new ones without it. `Last-Event-ID` overrides it.
    after: Option<String>,
}

/// The data of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct Told<'a> {
    /// Its number, as a text: `after` and `Last-Event-ID` take it.
    id: String,
    kind: EventKind,
    /// `PROVIDER/NAME`.
    connection: String,
    /// The provider's name in the manifest.
    provider: &'a str,
    at: Timestamp,
    /// The token's generation afterwards.
    generation: u64,
    /// The code of the error, for kinds that have one.
    code: Option<&'a str>,
}

impl<'a> Told<'a> {
    fn of(OutboxEvent { id, event }: &'a OutboxEvent) -> Self {
        Self {
            id: id.to_string(),
            kind: event.kind,
            connection: event.connection.full().to_owned(),
            provider: event.connection.provider(),
            at: event.at,
            generation: event.generation,
            code: event.code.as_ref().map(code::Code::text),
        }
    }
}

/// What happens to connections, as it happens
///
/// The answer does not end: each event has an `id`, its kind as `event`, and JSON as `data`. An `id` without
/// data moves the place to come back to. After a break, `Last-Event-ID` goes on behind the last event. Where
/// events behind it are no longer kept, the answer is 410.
#[utoipa::path(get, path = "/api/v1/events", tag = "log", params(Wanted, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, body = Told, content_type = "text/event-stream", description = "Events; the schema is that of their data"), Problem))]
pub(super) async fn follow(
    State(api): State<Api>,
    caller: Caller,
    Extension(hold): Extension<Hold>,
    headers: HeaderMap,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let after = after(&headers, wanted.after.as_deref())?;
    let filter = Filter::read(&wanted)?;
    filter.check(&api, &caller).await?;
    let seat = api.0.seats.take(&caller.actor).ok_or_else(|| {
        Problem::new(code::Http::Busy, "too many streams of events are open; try again").after(5)
    })?;
    let place = api.0.feed.place(after).await.map_err(|it| host_fault(&it))?;
    Ok(Reader::new(api, caller, filter, here(place)?, seat).answer(hold))
}

/// The place to begin at, or why there is none.
fn here(place: Place) -> Result<i64, Problem> {
    let gone = |detail: String| Err(Problem::new(code::Http::EventsGone, detail));
    match place {
        Place::Here(place) => Ok(place),
        Place::Removed(first) => gone(format!(
            "events behind this one were removed; look at the connections, then go on with after={first}"
        )),
        Place::Unknown(last) => gone(format!(
            "this database has no such event, so it is not the one of before; look at the connections, then go on with after={last}"
        )),
    }
}

/// The place to come back to. A client that reconnects by itself repeats the query as it was, so the header
/// is the newer one.
fn after(headers: &HeaderMap, query: Option<&str>) -> Result<Option<i64>, Problem> {
    let header = headers.get("last-event-id").map(|it| it.to_str().unwrap_or("?"));
    let Some(text) = header.filter(|it| !it.is_empty()).or(query) else { return Ok(None) };
    let number = text.parse().ok().filter(|it| *it >= 0);
    number.map(Some).ok_or_else(|| {
        let detail = "after and Last-Event-ID are the id of an event";
        Problem::new(code::Http::QueryInvalid, detail)
    })
}

/// Which events a reader wants.
#[derive(Debug)]
struct Filter {
    connection: Option<ConnectionId>,
    provider: Option<String>,
    kinds: Vec<EventKind>,
}

impl Filter {
    fn read(wanted: &Wanted) -> Result<Self, Problem> {
        let kinds = wanted.kind.iter().flat_map(|it| it.split(',')).map(str::parse);
        let kinds = kinds.collect::<Result<Vec<_>, String>>();
        Ok(Self {
            connection: wanted.connection.as_deref().map(id).transpose()?,
            provider: wanted.provider.clone(),
            kinds: kinds.map_err(|_| {
                let all = EventKind::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>();
                let detail = format!("kind is some of these, with commas: {}", all.join(", "));
                Problem::new(code::Http::QueryInvalid, detail)
            })?,
        })
    }

    /// Fails if it names what is not there, or not for this caller: such a stream would be silent for ever.
    async fn check(&self, api: &Api, caller: &Caller) -> Result<(), Problem> {
        if let Some(id) = &self.connection
            && !caller.reaches(api, id).await?
        {
            return Err(unknown(id));
        }
        if let Some(provider) = &self.provider
            && !caller.reaches_some_of(provider)
        {
            let detail = "this key is bound to other providers";
            return Err(Problem::new(code::Auth::Scope, detail));
        }
        let (provider, connection) = (self.provider.as_deref(), self.connection.as_ref());
        let checked = api.operator().check_events(provider, connection).await;
        checked.map_err(|it| caller.told(it))
    }

    fn wants(&self, OutboxEvent { event, .. }: &OutboxEvent) -> bool {
        self.connection.as_ref().is_none_or(|it| *it == event.connection)
            && self.provider.as_ref().is_none_or(|it| it == event.connection.provider())
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_newer_than_the_query() {
        let check = |header: Option<&str>, query| {
            let headers = header.map(|it| ("last-event-id".parse().unwrap(), it.parse().unwrap()));
            after(&headers.into_iter().collect(), query).map_err(|it| it.code().clone())
        };
        assert_eq!(check(None, None), Ok(None));
        assert_eq!(check(None, Some("7")), Ok(Some(7)));
        assert_eq!(check(Some("9"), Some("7")), Ok(Some(9)));
        assert_eq!(check(Some(""), Some("7")), Ok(Some(7)));
        for wrong in ["-1", "x", "1e3", "99999999999999999999", "7 "] {
            assert_eq!(check(None, Some(wrong)), Err(code::Http::QueryInvalid.into()), "{wrong}");
        }
        assert_eq!(check(Some("\u{e9}"), None), Err(code::Http::QueryInvalid.into()));
    }
}
