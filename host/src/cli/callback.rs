//! The page on this machine that the provider redirects the browser to. It passes on the query and
//! shows the outcome; it does not interpret the query.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::model::code;
use crate::model::failure::{Case, Failure};

/// How long a browser is given to fetch the last page.
const LAST_PAGE: Duration = Duration::from_millis(200);

/// What a browser is shown.
pub(super) enum Page {
    /// It is done.
    Connected,
    /// It is not.
    Failed(String),
    /// The person has to agree once more, there.
    Again(SecretString),
    /// The command no longer waits for the page.
    Nothing,
}

type Visit = (SecretString, oneshot::Sender<Page>);

/// Listens for a browser on this machine alone.
pub(super) struct Callback {
    address: String,
    visits: mpsc::Receiver<Visit>,
    waiting: Option<oneshot::Sender<Page>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Door(Arc<Mutex<mpsc::Sender<Visit>>>);

impl Callback {
    /// Listens on `port`, or a free one when that is 0.
    #[expect(clippy::disallowed_methods, reason = "a command has no lifecycle; drop ends it")]
    pub(super) async fn listen(host: &str, port: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
            let message =
                format!("cannot listen on 127.0.0.1:{port}: {error}; choose another --port");
            Failure::new(Case::Misconfigured, code::Connect::PortTaken, message)
        })?;
        let port = listener.local_addr().map_or(port, |it| it.port());
        let (door, visits) = mpsc::channel(4);
        let door = Door(Arc::new(Mutex::new(door)));
        let app = Router::new().route("/callback", get(visit)).with_state(door);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address: format!("http://{host}:{port}/callback"),
            visits,
            waiting: None,
            server,
        })
    }

    /// Where a browser comes back to, exactly.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// The query of the next visit.
    pub(super) async fn next(&mut self) -> Result<SecretString, Failure> {
        let gone = || {
            Failure::new(
                Case::HostFault,
                code::Internal::Callback,
                "the page for the callback has stopped",
            )
        };
        let (query, page) = self.visits.recv().await.ok_or_else(gone)?;
        self.waiting = Some(page);
        Ok(query)
    }

    /// Shows the one who waits a page.
    pub(super) fn answer(&mut self, page: Page) {
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.send(page);
        }
    }

    /// The same for the last time: waits until it is on its way.
    pub(super) async fn end(&mut self, page: Page) {
        self.answer(page);
        tokio::time::sleep(LAST_PAGE).await;
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn visit(State(door): State<Door>, RawQuery(query): RawQuery) -> Response {
    let (page, shown) = oneshot::channel();
    let visits = door.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let handed = visits.send((SecretString::from(query.unwrap_or_default()), page)).await;
    let page = match handed {
        Ok(()) => shown.await.unwrap_or(Page::Nothing),
        Err(_) => Page::Nothing,
    };
    render(page)
}

fn render(page: Page) -> Response {
    let (title, text) = match page {
        Page::Connected => ("Connected", "You can close this page.".to_owned()),
        Page::Failed(why) => ("Not connected", why),
        Page::Nothing => ("Keepfresh", "This login is over.".to_owned()),
        Page::Again(url) => return Redirect::to(url.expose_secret()).into_response(),
    };
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <h1>{title}</h1><p>{}</p>",
        escape(&text)
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (headers, Html(page)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
