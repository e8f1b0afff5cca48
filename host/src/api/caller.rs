//! Who calls, and what the key allows. A program of the daemon's own user at the local socket needs no key
//! and may do everything, as the command line may.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use tracing::warn;

use crate::api::Api;
use crate::api::problem::Problem;
use crate::manifest::server::Server;
use crate::model::api_key::{ApiKey, Grant, Presented, Scope};
use crate::model::audit::Actor;
use crate::model::code::{self, Code};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    /// At an address.
    Address(SocketAddr),
    /// A user of this machine, at the socket: the daemon's own, or root.
    User(u32),
}

/// Who asks, with what it may do.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// For the audit log.
    pub(super) actor: Actor,
    /// Its key; without one, everything is allowed.
    key: Option<Arc<ApiKey>>,
}

impl Caller {
    /// Who asks, if it is somebody who may. Nothing is noted of anybody else.
    pub(super) fn known(api: &Api, peer: Peer, headers: &HeaderMap) -> Option<Self> {
        match peer {
            Peer::User(uid) => Some(Self::user(uid)),
            Peer::Address(_) => {
                let presented = presented(headers).ok()?.ok()?;
                api.operator().recognise(&presented).ok().map(Self::with)
            }
        }
    }

    fn user(uid: u32) -> Self {
        Self { actor: Actor::User(uid), key: None }
    }

    fn with(key: Arc<ApiKey>) -> Self {
        Self { actor: Actor::Key(key.id.clone()), key: Some(key) }
    }

    /// What its key allows; everything without one.
    fn grant(&self) -> Option<&Grant> {
        self.key.as_ref().map(|it| &it.grant)
    }

    /// Fails unless the key allows `scope`.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Problem> {
        match self.grant() {
            Some(grant) if !grant.allows(scope) => {
                Err(Problem::new(code::Auth::Scope, format!("this key lacks {scope}")))
            }
            _ => Ok(()),
        }
    }

    /// Fails unless the key allows `scope` and reaches `id`. What it does not reach is not there for it.
    pub(super) async fn may_with(
        &self,
        api: &Api,
        scope: Scope,
        id: &ConnectionId,
    ) -> Result<(), Problem> {
        self.may(scope)?;
        if self.reaches(api, id).await? { Ok(()) } else { Err(unknown(id)) }
    }

    /// Whether the key reaches `id`, which need not be there.
    pub(super) async fn reaches(&self, api: &Api, id: &ConnectionId) -> Result<bool, Problem> {
        if let Some(known) = self.reaches_by_name(id) {
            return Ok(known);
        }
        let labels = api.operator().labels(id).await?;
        Ok(labels.is_some_and(|it| self.reaches_known(id, &it)))
    }

    /// The same, unless it depends on the labels of `id`.
    pub(super) fn reaches_by_name(&self, id: &ConnectionId) -> Option<bool> {
        let is_plain = self.grant().is_none_or(|it| it.labels.is_empty());
        is_plain.then(|| self.reaches_known(id, &[]))
    }

    /// Whether the key reaches a connection that is known with its labels.
    pub(super) fn reaches_known(&self, id: &ConnectionId, labels: &[String]) -> bool {
        self.grant().is_none_or(|it| it.reaches(id, labels))
    }

    /// Whether the key reaches everything of `provider`.
    pub(super) fn reaches_all_of(&self, provider: &str) -> bool {
        let Some(grant) = self.grant() else { return true };
        grant.labels.is_empty()
            && (grant.providers.is_empty() || grant.providers.contains(provider))
    }

    /// Whether the key may reach something of `provider`.
    pub(super) fn reaches_some_of(&self, provider: &str) -> bool {
        self.grant().is_none_or(|it| it.providers.is_empty() || it.providers.contains(provider))
    }

    /// What a failure says to this caller: one that sees some alone is not told which others it may have meant.
    pub(super) fn told(&self, failure: Failure) -> Problem {
        match failure.code {
            Code::Connection(code::Connection::ProviderUnknown) if self.is_bound() => no_provider(),
            _ => failure.into(),
        }
    }

    /// Fails if it has asked for rows of `provider`, was shown none, and can see some of it alone: whether there are
    /// others is not told.
    pub(super) fn has_seen(&self, provider: Option<&str>, rows: usize) -> Result<(), Problem> {
        match provider {
            Some(provider) if rows == 0 && !self.reaches_all_of(provider) => Err(no_provider()),
            _ => Ok(()),
        }
    }

    /// Whether the key is for some connections only.
    pub(super) fn is_bound(&self) -> bool {
        self.grant().is_some_and(Grant::is_bound)
    }
}

fn no_provider() -> Problem {
    Problem::new(code::Connection::ProviderUnknown, "there is no such provider")
}

/// The same words as for one that is not there: a key learns nothing of what it does not reach.
pub(super) fn unknown(id: &ConnectionId) -> Problem {
    let detail = format!("there is no connection {id}; see: keepfresh connection list");
    Problem::new(code::Connection::Unknown, detail)
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match parts.extensions.get::<Peer>() {
            Some(Peer::User(uid)) => Ok(Self::user(*uid)),
            Some(Peer::Address(_)) | None => of_key(parts, api),
        }
    }
}

fn of_key(parts: &Parts, api: &Api) -> Result<Caller, Problem> {
    match presented(&parts.headers)? {
        Ok(presented) => api
            .operator()
            .recognise(&presented)
            .map(Caller::with)
            .map_err(|why| refused(parts, api, Some(&presented.id), &why.to_string())),
        Err(why) => Err(refused(parts, api, None, &why)),
    }
}

/// The key of a request, or why there is none in what stands there.
fn presented(headers: &HeaderMap) -> Result<Result<Presented, String>, Problem> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = all.next() else {
        let detail = "send an API key: Authorization: Bearer KEY";
        return Err(Problem::new(code::Auth::Missing, detail));
    };
    if all.next().is_some() {
        return Err(Problem::new(code::Auth::Ambiguous, "send one Authorization header"));
    }
    let text = header.to_str().unwrap_or_default();
    let key = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, key)) = key else { return Ok(Err("it is no Bearer token".to_owned())) };
    Ok(key.trim().parse::<Presented>().map_err(|it| it.to_string()))
}

/// One answer for all that is wrong with a key; only the log says which it was.
fn refused(parts: &Parts, api: &Api, key: Option<&str>, why: &str) -> Problem {
    let address = address(parts, api);
    let who = [address.map(|it| format!("address {it}")), key.map(|it| format!("key {it}"))];
    let who = who.into_iter().flatten().collect::<Vec<_>>();
    if let Some(seconds) = api.0.throttle.failed(&who, Instant::now()) {
        let detail = format!("too many wrong keys; try again in {seconds} s");
        return Problem::new(code::Auth::Throttled, detail).after(seconds);
    }
    warn!(
        error.code = code::Auth::Invalid.text(),
        key.id = key.unwrap_or_default(),
        peer.address = address.map(|it| it.to_string()).unwrap_or_default(),
        "refused an API key: {why}"
    );
    Problem::new(code::Auth::Invalid, "the API key is not valid")
}

fn address(parts: &Parts, api: &Api) -> Option<IpAddr> {
    address_of(parts, &api.operator().manifest().server)
}

/// Where the request comes from: behind a proxy, what the proxy itself has added.
pub(crate) fn address_of(parts: &Parts, server: &Server) -> Option<IpAddr> {
    let peer = match parts.extensions.get::<Peer>() {
        Some(Peer::Address(address)) => Some(address.ip()),
        _ => None,
    };
    if !server.behind_proxy {
        return peer;
    }
    let last = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let last = last.and_then(|it| it.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.or(peer)
}
