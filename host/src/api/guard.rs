//! What stands before every route: an id for the request, a place, a limit of time, and whether the request
//! is meant for this server and comes from a program. A page that a browser has loaded from elsewhere can
//! reach a local address under a name of its own; so names are checked, and pages of other sites refused.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use crate::api::Api;
use crate::api::caller::Peer;
use crate::api::idempotency;
use crate::api::problem::Problem;
use crate::api::proxy::{BELOW, OfProvider};
use crate::manifest::server::Server;
use crate::model::code;
use crate::telemetry::cause;
use crate::telemetry::metrics::{self, Took};

/// How long a request may take, with the longest wait for a refresh in it.
const LONGEST: Duration = Duration::from_mins(2);

/// The longest path with its query, in bytes.
const LONGEST_URI: usize = 8 * 1024;

/// The longest id of a request that a caller may give.
const LONGEST_ID: usize = 64;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around every route of the router.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (route, begun) = (route_of(&request), Instant::now());
    let (id, method) = (request_id(request.headers()), word_of(request.method()));
    let peer = request.extensions().get::<Peer>().copied();
    // How long the provider takes is between it and the program, and bounded there.
    let limit = (!request.uri().path().starts_with(BELOW)).then_some(LONGEST);
    let answer = match admitted(&api, peer, &request) {
        Ok(_place) => {
            let answered = caused(request, |it| idempotency::replay(&api, it, next));
            within(limit, pin!(answered)).await.unwrap_or_else(|| {
                told(Problem::new(code::Http::Timeout, "it took too long; try again"))
            })
        }
        Err(problem) => told(problem),
    };
    metrics::answered(method, &route, answer.status().as_u16(), begun.elapsed());
    finished(answer, &id)
}

/// The same around one route, if `answer` has something at once: how long that took goes to `took`. Otherwise nothing
/// has happened.
pub(super) fn at_once<B>(
    api: &Api,
    peer: Peer,
    request: &axum::http::Request<B>,
    took: &Took,
    answer: impl FnOnce() -> Option<Response>,
) -> Option<Response> {
    let begun = Instant::now();
    let _place = admitted(api, Some(peer), request).ok()?;
    let answer = answer()?;
    took.note(begun.elapsed());
    Some(finished(answer, &request_id(request.headers())))
}

/// Runs the route as a part of the trace that the caller names.
async fn caused<F>(request: Request, answer: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let headers = ["traceparent", "tracestate"].map(|it| request.headers().get(it).cloned());
    let headers = headers.each_ref().map(|it| it.as_ref().and_then(|it| it.to_str().ok()));
    // By reference: whoever is handed the work itself keeps room for it once more.
    cause::caused(headers, pin!(answer(request))).await
}

/// What `work` comes to, unless it takes longer. Most of it is done at once, and no timer is set for that.
async fn within<T>(
    limit: Option<Duration>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    match (futures_util::poll!(work.as_mut()), limit) {
        (Poll::Ready(done), _) => Some(done),
        (Poll::Pending, None) => Some(work.await),
        (Poll::Pending, Some(limit)) => tokio::time::timeout(limit, work).await.ok(),
    }
}

/// The path of the route, which is one of a closed set.
fn route_of(request: &Request) -> String {
    let route = request.extensions().get::<MatchedPath>();
    route.map_or("none", MatchedPath::as_str).to_owned()
}

/// The method, as one of a closed set.
fn word_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn told(problem: Problem) -> Response {
    axum::response::IntoResponse::into_response(problem)
}

/// A place for the request, if it may be answered at all.
fn admitted<'a, B>(
    api: &'a Api,
    peer: Option<Peer>,
    request: &axum::http::Request<B>,
) -> Result<SemaphorePermit<'a>, Problem> {
    let place = api.0.places.try_acquire();
    let place = place.map_err(|_| {
        Problem::new(code::Http::Busy, "too many requests are under way; try again").after(1)
    })?;
    if request.uri().path_and_query().is_some_and(|it| it.as_str().len() > LONGEST_URI) {
        let detail = format!("path and query may have {LONGEST_URI} bytes");
        return Err(Problem::new(code::Http::PathInvalid, detail));
    }
    if !matches!(peer, Some(Peer::User(_))) {
        is_meant(request.headers(), request.uri(), &api.operator().manifest().server)?;
    }
    // A person comes from the provider's pages, and brings a secret: the word of a link, or its cookie.
    if !request.uri().path().starts_with("/connect/") {
        of_no_other_site(request.headers())?;
    }
    Ok(place)
}

/// Fails if the request is for another host: then a name was made to point here.
fn is_meant(headers: &HeaderMap, uri: &Uri, server: &Server) -> Result<(), Problem> {
    if server.is_called(host_name(host_of(headers, uri))) {
        return Ok(());
    }
    let detail = "this server is not called by that name; add it to `server.hosts` in the manifest";
    Err(Problem::new(code::Http::HostDenied, detail))
}

/// Whom a request is for, with its port if it says one.
pub(crate) fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> &'a str {
    let header = headers.get(HOST).and_then(|it| it.to_str().ok());
    uri.authority().map(hyper::http::uri::Authority::as_str).or(header).unwrap_or_default()
}

/// A host without its port.
pub(crate) fn host_name(host: &str) -> &str {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    name.map_or(host, |(name, _)| name)
}

/// Fails if a page of another site has sent it. Programs send neither header.
fn of_no_other_site(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let from_elsewhere = matches!(site, Some(b"cross-site" | b"same-site"));
    if from_elsewhere || headers.contains_key(ORIGIN) {
        let detail = "this request comes from a page of another site";
        return Err(Problem::new(code::Http::CrossSite, detail));
    }
    Ok(())
}

/// The caller's id of the request if it is fit to be logged, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|it| it.to_str().ok());
    let fits = |it: &&str| {
        let plain = it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        !it.is_empty() && it.len() <= LONGEST_ID && plain
    };
    given.filter(fits).map_or_else(new_id, str::to_owned)
}

fn new_id() -> String {
    // Without a context: it would be a lock that all requests take.
    Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext))
        .hyphenated()
        .encode_lower(&mut Uuid::encode_buffer())
        .to_owned()
}

/// The answer as it leaves: errors get their body, and nothing is kept on the way.
fn finished(answer: Response, id: &str) -> Response {
    let allow = answer.headers().get(ALLOW).cloned();
    let of_provider = answer.extensions().get::<OfProvider>().is_some();
    let mut answer = match answer.extensions().get::<Problem>() {
        Some(problem) => problem.written(id),
        None => answer,
    };
    let headers = answer.headers_mut();
    if let Some(allow) = allow {
        headers.insert(ALLOW, allow);
    }
    // A provider's own id of a request is the one that its support asks for.
    let has_one = of_provider && headers.contains_key(REQUEST_ID);
    if let Ok(id) = HeaderValue::from_str(id)
        && !has_one
    {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    answer
}

/// There is no such path.
pub(super) async fn not_found() -> Problem {
    Problem::new(code::Http::NotFound, "there is nothing here; see /openapi.json")
}

/// There is one, but not for this method.
pub(super) async fn wrong_method() -> Problem {
    Problem::new(code::Http::Method, "this path does not take this method")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_ours_is_refused() {
        let server = Server { hosts: vec!["keep.example".to_owned()], ..Server::default() };
        let check = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            is_meant(&headers, &Uri::from_static("/x"), &server).is_ok()
        };
        for ours in
            ["localhost", "LOCALHOST:7420", "127.0.0.1:7420", "[::1]:7420", "keep.example:443"]
        {
            assert!(check(ours), "{ours}");
        }
        for others in ["evil.example", "localhost.evil.example", "keep.example.evil:7420", ""] {
            assert!(!check(others), "{others}");
        }
        assert!(is_meant(&HeaderMap::new(), &Uri::from_static("/x"), &server).is_err());
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let check = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            of_no_other_site(&headers).is_ok()
        };
        assert!(check("sec-fetch-site", "none") && check("accept", "*/*"));
        assert!(!check("sec-fetch-site", "cross-site") && !check("sec-fetch-site", "same-site"));
        assert!(!check("origin", "null") && !check("origin", "https://evil.example"));
    }

    #[test]
    fn an_id_that_could_forge_a_line_of_the_log_is_not_taken() {
        let check = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
            request_id(&headers).as_bytes() == value
        };
        assert!(check(b"abc-123_x.y"));
        assert!(!check(b"a b") && !check(b"") && !check(&[b'a'; 65]) && !check(b"\xff"));
    }
}
