//! An API behind a token, as callers of the proxy use it: it shows what it was sent, streams in both directions,
//! and refuses tokens that a test has ended.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET /path?query`.
    pub line: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Bytes of its body.
    pub body: Vec<u8>,
}

/// The API.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    ended: Mutex<HashSet<String>>,
    listeners: Mutex<Vec<mpsc::UnboundedSender<String>>>,
}

impl Upstream {
    /// Starts it.
    ///
    /// # Panics
    /// When there is no port.
    pub fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, _runtime: runtime }
    }

    /// `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What it was asked, oldest first.
    ///
    /// # Panics
    /// When a handler has.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no handler panics").clone()
    }

    /// Refuses `token` from now on.
    ///
    /// # Panics
    /// When a handler has.
    pub fn end(&self, token: &str) {
        self.shared.ended.lock().expect("no handler panics").insert(token.to_owned());
    }

    /// Sends an event to everybody at `/events`; how many there are.
    ///
    /// # Panics
    /// When a handler has.
    pub fn tell(&self, text: &str) -> usize {
        let mut all = self.shared.listeners.lock().expect("no handler panics");
        all.retain(|it| it.send(text.to_owned()).is_ok());
        all.len()
    }
}

/// The largest body that is kept; what is longer is only counted.
const KEPT: u64 = 1 << 20;

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let text = |it: &HeaderValue| String::from_utf8_lossy(it.as_bytes()).into_owned();
    let mut headers = BTreeMap::new();
    for (name, value) in &parts.headers {
        headers.entry(name.as_str().to_owned()).or_insert_with(|| text(value));
    }
    if path == "/count" {
        return count(body).await;
    }
    let body = to_bytes(body, usize::try_from(KEPT).unwrap_or(usize::MAX)).await;
    let body = body.unwrap_or_default().to_vec();
    let line = format!("{} {}", parts.method, parts.uri);
    let seen = Seen { line, headers, body };
    shared.seen.lock().expect("no handler panics").push(seen.clone());
    if is_ended(&shared, &seen) {
        return (StatusCode::UNAUTHORIZED, "this token has ended").into_response();
    }
    of_path(&shared, &path, &seen)
}

fn is_ended(shared: &Shared, seen: &Seen) -> bool {
    let ended = shared.ended.lock().expect("no handler panics");
    let has = |text: &String| ended.iter().any(|it| text.contains(it));
    seen.headers.values().any(has) || has(&seen.line)
}

fn of_path(shared: &Shared, path: &str, seen: &Seen) -> Response {
    let shown = json!({
        "line": seen.line, "headers": seen.headers, "body": String::from_utf8_lossy(&seen.body),
    });
    match path {
        "/gzip" => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(shown.to_string().as_bytes()).expect("memory takes it");
            let body = gzip.finish().expect("memory takes it");
            ([(CONTENT_ENCODING, "gzip")], body).into_response()
        }
        "/br" => ([(CONTENT_ENCODING, "br")], "not looked through").into_response(),
        "/away" => {
            let to = format!("https://elsewhere.example/?was={}", token(seen));
            (StatusCode::FOUND, [(LOCATION, to)], "moved").into_response()
        }
        "/session" => {
            let headers = [
                (SET_COOKIE, "session=of-the-provider"),
                (CONTENT_TYPE, "text/html"),
                ("connection".parse().expect("a name"), "x-hop"),
                ("x-hop".parse().expect("a name"), "1"),
                ("x-request-id".parse().expect("a name"), "of-the-provider"),
            ];
            (headers, "<script>1</script>").into_response()
        }
        "/never" => (StatusCode::UNAUTHORIZED, "nobody may").into_response(),
        "/cut" => Response::builder()
            .header(CONTENT_LENGTH, 1000)
            .body(Body::from_stream(cut()))
            .expect("an answer"),
        "/events" => events(shared),
        _ => match path.strip_prefix("/bytes/").and_then(|it| it.parse().ok()) {
            Some(count) => bytes(count),
            None => axum::Json(shown).into_response(),
        },
    }
}

fn token(seen: &Seen) -> String {
    let header = seen.headers.get("authorization").cloned().unwrap_or_default();
    header.rsplit(' ').next().unwrap_or_default().to_owned()
}

fn cut() -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::unfold(0, |step| async move {
        if step == 0 {
            return Some((Ok(Bytes::from_static(b"begun")), 1));
        }
        // What was written before must have left first.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        Some((Err(std::io::Error::other("it breaks")), step))
    })
}

fn events(shared: &Shared) -> Response {
    let (sender, receiver) = mpsc::unbounded_channel();
    shared.listeners.lock().expect("no handler panics").push(sender);
    let events = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let text: String = receiver.recv().await?;
        Some((Ok::<_, Infallible>(format!("data: {text}\n\n")), receiver))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

/// So many bytes, in pieces.
fn bytes(count: u64) -> Response {
    const PIECE: usize = 64 * 1024;
    let piece = Bytes::from(b"a line of thirty-two characters\n".repeat(PIECE / 32));
    let pieces = futures_util::stream::unfold(count, move |left| {
        let piece = piece.clone();
        async move {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
            (size > 0).then(|| (Ok::<_, Infallible>(piece.slice(..size)), left - size as u64))
        }
    });
    ([(CONTENT_LENGTH, count)], Body::from_stream(pieces)).into_response()
}

/// Takes a body of any size, and says how long it was.
async fn count(body: Body) -> Response {
    use futures_util::StreamExt as _;
    let mut count = 0;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => count += piece.len() as u64,
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        }
    }
    axum::Json(json!({ "bytes": count })).into_response()
}
