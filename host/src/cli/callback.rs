//! The page on this machine that the provider redirects the browser to. It passes on the query and
//! shows the outcome; it does not interpret the query. A provider may also send what it says as a form, and a
//! person may paste the address that a browser elsewhere ended at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{mpsc, oneshot};

use crate::cli::{loopback, paste};
use crate::model::code;
use crate::model::failure::{Case, Failure};

/// How long a browser is given to fetch the last page.
const LAST_PAGE: Duration = Duration::from_millis(200);

/// The longest form: a code, a state, and what providers add.
const LONGEST_FORM: usize = 1 << 16;

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

/// What came back, and who waits to be shown a page for it.
pub(super) type Visit = (SecretString, oneshot::Sender<Page>);

/// Listens for a browser on this machine alone.
pub(super) struct Callback {
    address: String,
    door: mpsc::Sender<Visit>,
    visits: mpsc::Receiver<Visit>,
    waiting: Option<oneshot::Sender<Page>>,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Clone)]
struct Door(Arc<Mutex<mpsc::Sender<Visit>>>);

impl Callback {
    /// Listens on `port`, or a free one when that is 0.
    #[expect(clippy::disallowed_methods, reason = "a command has no lifecycle; drop ends it")]
    pub(super) async fn listen(host: &str, port: u16) -> Result<Self, Failure> {
        let (port, listeners) = loopback::listen(host, port).await?;
        let (door, visits) = mpsc::channel(4);
        let state = Door(Arc::new(Mutex::new(door.clone())));
        let app = Router::new().route("/callback", get(visit).post(posted));
        let app = app.layer(DefaultBodyLimit::max(LONGEST_FORM)).with_state(state);
        let serve = |listener| {
            let app = app.clone();
            tokio::spawn(async move {
                let _ = axum::serve(listener, app).await;
            })
        };
        let servers = listeners.into_iter().map(serve).collect();
        let address = format!("http://{host}:{port}/callback");
        Ok(Self { address, door, visits, waiting: None, servers })
    }

    /// Takes what a person pastes on standard input as well.
    pub(super) fn take_pasted(&self) {
        paste::follow(self.door.clone());
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
        self.servers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn visit(State(door): State<Door>, RawQuery(query): RawQuery) -> Response {
    hand_in(&door, query.unwrap_or_default().into()).await
}

/// `response_mode=form_post`: the same in the body of a POST.
async fn posted(State(door): State<Door>, form: String) -> Response {
    hand_in(&door, form.into()).await
}

async fn hand_in(door: &Door, query: SecretString) -> Response {
    let (page, shown) = oneshot::channel();
    let visits = door.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let handed = visits.send((query, page)).await;
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
