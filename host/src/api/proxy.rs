//! The proxy: what stands behind `/proxy/CONNECTION` goes to the provider with the token put in, and the answer
//! comes back as it is. Both are streamed.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::BytesMut;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http_body::Body as _;
use percent_encoding::percent_decode_str;
use tokio::time::{Instant, timeout, timeout_at};

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::api::reading::{LARGEST_BODY, id};
use crate::egress::{EgressError, Method, Upload};
use crate::lifecycle::Lifecycle;
use crate::model::api_key::Scope;
use crate::model::code::{self, Code};
use crate::model::id::ConnectionId;
use crate::proxy::{Answer, Asked, Refusal};

/// What every path of the proxy begins with.
pub(super) const BELOW: &str = "/proxy/";

/// Tells an answer of the provider from one of Keepfresh.
const ANSWERED_BY: HeaderName = HeaderName::from_static("keepfresh-answered-by");

/// How long what is under way may go on when the daemon is told to stop.
const PARTING: Duration = Duration::from_secs(20);

/// How long nothing may come meanwhile: a stream of events would never end by itself.
const QUIET: Duration = Duration::from_secs(1);

const STOPS: &str = "the daemon is stopping; try again";

/// Marks an answer of a provider.
#[derive(Clone, Copy)]
pub(super) struct OfProvider;

/// Passes a request on.
pub(super) async fn pass(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &api).await?;
    let request = Request::from_parts(parts, body);
    let (id, path) = split(request.uri().path())?;
    caller.may_with(&api, Scope::ProxyUse, &id).await?;
    let asked = asked(request, path).await?;
    let lifecycle = api.operator().lifecycle();
    let late = async {
        lifecycle.wait_for_soft_stop().await;
        tokio::time::sleep(PARTING).await;
    };
    let answer = tokio::select! {
        answer = api.operator().pass(&caller.actor, &id, asked) => answer.map_err(problem)?,
        () = late => return Err(Problem::new(code::Http::Busy, STOPS).after(1)),
    };
    Ok(passed(answer, lifecycle.clone()))
}

/// The connection that a path names, and what stands behind it, as it came.
fn split(path: &str) -> Result<(ConnectionId, String), Problem> {
    let below = path.strip_prefix(BELOW).unwrap_or_default();
    let (name, rest) = below.split_at(below.find('/').unwrap_or(below.len()));
    let name = percent_decode_str(name).decode_utf8().map_err(|_| {
        Problem::new(code::Http::PathInvalid, "the path is not UTF-8, percent-encoded")
    })?;
    Ok((id(&name)?, rest.to_owned()))
}

async fn asked(request: Request, path: String) -> Result<Asked, Problem> {
    let (parts, body) = request.into_parts();
    let method = Method::named(parts.method.as_str()).ok_or_else(|| {
        let all = Method::ALL.map(Method::as_str).join(", ");
        let detail = format!("the proxy does not pass on this method (the methods are {all})");
        Problem::new(code::Egress::MethodDenied, detail).with(StatusCode::FORBIDDEN)
    })?;
    let length = body.size_hint().exact();
    let body = match length {
        // Small enough to be held, and sent once more if the token is refused.
        Some(length) if length <= LARGEST_BODY as u64 => Upload::whole(held(body).await?),
        _ => Upload::stream(body),
    };
    let query = parts.uri.query().map(str::to_owned);
    Ok(Asked { method, path, query, headers: parts.headers, length, body })
}

/// All of a small body. As of one that is streamed, only silence in the midst of it is limited.
async fn held(body: Body) -> Result<Bytes, Problem> {
    let mut pieces = body.into_data_stream();
    let mut all = BytesMut::new();
    loop {
        let piece = timeout(Upload::SILENCE, pieces.next()).await.map_err(|_| {
            let seconds = Upload::SILENCE.as_secs();
            let detail = format!("nothing more of the body came for {seconds} s");
            Problem::new(code::Http::Timeout, detail)
        })?;
        match piece {
            Some(Ok(piece)) => all.extend_from_slice(&piece),
            Some(Err(_)) => {
                return Err(Problem::new(code::Http::BodyInvalid, "the body did not come whole"));
            }
            None => return Ok(all.freeze()),
        }
    }
}

fn passed(answer: Answer, lifecycle: Lifecycle) -> Response {
    let parting = Parting { body: answer.body, lifecycle, ends: None };
    let body = stream::unfold(parting, |mut it| async move { Some((it.next().await?, it)) });
    let mut response = Response::new(Body::from_stream(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    *response.headers_mut() = answer.headers;
    let headers = response.headers_mut();
    headers.insert(ANSWERED_BY, HeaderValue::from_static("provider"));
    // A page of the provider is not a page of this server, should a browser ever show it.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response.extensions_mut().insert(OfProvider);
    response
}

/// A body that ends when the daemon does: soon after it was told to, and at once when nothing comes.
struct Parting {
    body: BoxStream<'static, Result<Bytes, EgressError>>,
    lifecycle: Lifecycle,
    ends: Option<Instant>,
}

impl Parting {
    async fn next(&mut self) -> Option<Result<Bytes, EgressError>> {
        let mut piece = self.body.next();
        if !self.lifecycle.stopping() {
            tokio::select! {
                piece = &mut piece => return piece,
                () = self.lifecycle.wait_for_soft_stop() => {}
            }
        }
        let now = Instant::now();
        let ends = *self.ends.get_or_insert(now + PARTING);
        let piece = timeout_at(ends.min(now + QUIET), piece).await;
        piece.unwrap_or_else(|_| Some(Err(EgressError::denied(code::Http::Busy, STOPS))))
    }
}

fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Failure(failure) => failure.into(),
        Refusal::Denied(code, message) => Problem::new(code, message),
        Refusal::Egress(error) => {
            let (status, code) = (status_of(&error), error.code());
            Problem::new(code, error.to_string()).with(status)
        }
    }
}

fn status_of(error: &EgressError) -> StatusCode {
    match (error, error.code()) {
        (EgressError::Denied { .. }, Code::Egress(code::Egress::UrlInvalid)) => {
            StatusCode::BAD_REQUEST
        }
        (EgressError::Denied { .. }, _) => StatusCode::FORBIDDEN,
        (
            _,
            Code::Provider(code::Provider::Timeout) | Code::Egress(code::Egress::ConnectTimeout),
        ) => StatusCode::GATEWAY_TIMEOUT,
        (_, Code::Http(code::Http::Timeout)) => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    }
}
