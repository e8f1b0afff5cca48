//! What stands around every page: the headers that keep other sites and other scripts out, and the page that is
//! shown where there is none.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::dashboard::frame::{Frame, page_with};
use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE};
use crate::model::code::Code;
use crate::model::failure::Failure;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Of every answer.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
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
    let mut answer = next.run(request).await;
    if let Some(refused) = answer.extensions_mut().remove::<Refused>() {
        answer = told(&dashboard, refused);
    }
    add(answer.headers_mut());
    answer
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

fn told(dashboard: &Dashboard, refused: Refused) -> Response {
    if let Refused::Login(back) = &refused {
        let query = percent_encoding::utf8_percent_encode(back, percent_encoding::NON_ALPHANUMERIC);
        let place = format!("{}{PLACE}/login?back={query}", dashboard.below());
        return (refused.status(), [(LOCATION, place)]).into_response();
    }
    let frame = Frame::bare(dashboard, String::new());
    let (title, text) = said(&frame, &refused);
    let failure = match &refused {
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
        Refused::Login(_) | Refused::Fault => {
            both(&words.say("refused-fault"), &words.say("refused-fault-text"))
        }
    }
}
