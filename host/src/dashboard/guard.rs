//! What stands around every page: the headers that keep other sites and other scripts out, and the page that is
//! shown where there is none.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::Peer;
use crate::api::guard::{host_name, host_of};
use crate::dashboard::frame::{Frame, page_with};
use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE};
use crate::manifest::server::Server;
use crate::model::code::Code;
use crate::model::failure::Failure;

/// How long a browser that has seen TLS here asks for nothing else.
const A_YEAR: &str = "max-age=31536000";

/// What a page may load and where it may send forms: to this server alone, by the name that browsers have for it as well,
/// since a login at a provider begins and ends there.
fn policy(server: &Server) -> String {
    let outside = origin_of(server).map_or_else(String::new, |it| format!(" {it}"));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'{outside}; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// The origin of `server.url`.
fn origin_of(server: &Server) -> Option<String> {
    let url = url::Url::parse(server.url.as_deref()?).ok()?;
    Some(url.origin().ascii_serialization())
}

/// Of every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

/// Around every page.
pub(super) async fn guard(
    State(dashboard): State<Dashboard>,
    request: Request,
    next: Next,
) -> Response {
    let manifest = dashboard.operator().manifest();
    if !manifest.dashboard.enabled {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut answer = match admitted(&request, &manifest.server) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    if let Some(refused) = answer.extensions_mut().remove::<Refused>() {
        answer = told(&dashboard, &refused);
    }
    add(answer.headers_mut());
    if let Ok(policy) = HeaderValue::from_str(&policy(&manifest.server)) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    if manifest.server.is_encrypted() {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(A_YEAR));
    }
    answer
}

/// Fails if the request is for another host, or wants to change something and comes from a page of another site.
fn admitted(request: &Request, server: &Server) -> Result<(), Refused> {
    let (headers, at_socket) =
        (request.headers(), matches!(request.extensions().get::<Peer>(), Some(Peer::User(_))));
    let host = host_of(headers, request.uri());
    if !at_socket && !server.is_called(host_name(host)) {
        return Err(Refused::Misdirected);
    }
    let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if only_looks || is_of_a_page_of_ours(headers, host, server) {
        Ok(())
    } else {
        Err(Refused::Elsewhere)
    }
}

/// What the browser says itself; an old one says the origin alone, and who says neither is no browser.
fn is_of_a_page_of_ours(headers: &HeaderMap, host: &str, server: &Server) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site.as_bytes() == b"same-origin";
    }
    let origin = headers.get(ORIGIN).and_then(|it| it.to_str().ok());
    let scheme = if server.is_encrypted() { "https" } else { "http" };
    let outside = origin_of(server);
    origin.is_some_and(|it| {
        it.eq_ignore_ascii_case(&format!("{scheme}://{host}")) || outside.as_deref() == Some(it)
    })
}

fn add(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Why there is no page, as a page.
#[derive(Template)]
#[template(path = "refused.html")]
struct Told {
    frame: Frame,
    text: String,
    failure: Option<(String, Vec<String>)>,
}

fn told(dashboard: &Dashboard, refused: &Refused) -> Response {
    let door = match refused {
        Refused::Login(back) => Some(("login", back)),
        Refused::Confirm(back) => Some(("confirm", back)),
        _ => None,
    };
    if let Some((door, back)) = door {
        let query = percent_encoding::utf8_percent_encode(back, percent_encoding::NON_ALPHANUMERIC);
        let place = format!("{}{PLACE}/{door}?back={query}", dashboard.below());
        return (refused.status(), [(LOCATION, place)]).into_response();
    }
    let frame = Frame::bare(dashboard, String::new());
    let (title, text) = said(&frame, refused);
    let failure = match refused {
        Refused::Failed(failure) => Some((failure.code.to_string(), meaning(failure))),
        _ => None,
    };
    let told = Told { frame: Frame { title, ..frame }, text, failure };
    page_with(refused.status(), &told).unwrap_or_else(|it| it.status().into_response())
}

/// The meaning of its code, and what helps.
fn meaning(failure: &Failure) -> Vec<String> {
    let entry = Code::entry(&failure.code);
    entry.map(|it| vec![it.meaning.to_owned(), it.remedy.to_owned()]).unwrap_or_default()
}

fn said(frame: &Frame, refused: &Refused) -> (String, String) {
    let words = &frame.words;
    let both = |title: &str, text: &str| (title.to_owned(), text.to_owned());
    match refused {
        Refused::ReadOnly => {
            both(&words.say("refused-read-only"), &words.say("refused-read-only-text"))
        }
        Refused::NotFound => {
            both(&words.say("refused-not-found"), &words.say("refused-not-found-text"))
        }
        Refused::Unreadable => {
            both(&words.say("refused-unreadable"), &words.say("refused-unreadable-text"))
        }
        Refused::Elsewhere => {
            both(&words.say("refused-elsewhere"), &words.say("refused-elsewhere-text"))
        }
        Refused::TooMany => {
            both(&words.say("refused-too-many"), &words.say("refused-too-many-text"))
        }
        Refused::Failed(failure) => (words.say("refused-failed"), failure.message.clone()),
        Refused::Misdirected => {
            both(&words.say("refused-misdirected"), &words.say("refused-misdirected-text"))
        }
        Refused::Login(_) | Refused::Confirm(_) | Refused::Fault => {
            both(&words.say("refused-fault"), &words.say("refused-fault-text"))
        }
    }
}
