//! `Idempotency-Key`: a request that a caller repeats, because it does not know whether the first one came
//! through, is answered as the first one was, and nothing is done twice. Answers are kept in memory for a
//! day; one that holds a secret is not kept, and what gives one is safe to repeat.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::api::Api;
use crate::api::caller::{Caller, Peer};
use crate::api::problem::Problem;
use crate::api::proxy::BELOW;
use crate::api::reading::whole;
use crate::model::code;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key.
const LONGEST_KEY: usize = 255;

/// How long an answer is kept.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The largest answer that is kept, in bytes.
const LARGEST: usize = 16 * 1024;

/// Answers that are kept at once.
const MOST: usize = 4096;

/// Marks an answer that holds a secret.
#[derive(Clone, Copy)]
pub(super) struct Secret;

/// Answers that were given.
#[derive(Default)]
pub(super) struct Replays(Mutex<HashMap<[u8; 32], Kept>>);

struct Kept {
    at: Instant,
    request: [u8; 32],
    /// None yet while the first one is under way.
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Around every route that changes something; all others are answered as they are.
pub(super) async fn replay(api: &Api, request: Request, next: Next) -> Response {
    let key = match request.headers().get(&KEY) {
        // What passes through the proxy is the provider's to repeat.
        Some(key) if request.method() == Method::POST && !is_passed(&request) => key.clone(),
        _ => return next.run(request).await,
    };
    // Boxed: most requests have no such key, and need no room for this.
    Box::pin(once(api, &key, request, next)).await
}

/// Does it, unless that was done before.
async fn once(api: &Api, key: &HeaderValue, request: Request, next: Next) -> Response {
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("an Idempotency-Key has 1 to {LONGEST_KEY} characters");
        return Problem::new(code::Http::KeyReused, detail).into_response();
    }
    let (mut parts, body) = request.into_parts();
    // An answer that was kept is for a caller who may still ask: a key may have been revoked since.
    if let Err(problem) = Caller::from_request_parts(&mut parts, api).await {
        return problem.into_response();
    }
    let body = match whole(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let place = digest(&[&asker(&parts), key.as_bytes()]);
    let uri = parts.uri.path_and_query().map_or("", |it| it.as_str()).as_bytes();
    let said = digest(&[parts.method.as_str().as_bytes(), uri, &body]);
    match api.0.replays.begin(place, said, Instant::now()) {
        Ok(None) => {}
        Ok(Some(answer)) => return answer.again(),
        Err(problem) => return problem.into_response(),
    }
    let first = Begun { replays: &api.0.replays, place };
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    first.end(answer).await
}

fn is_passed(request: &Request) -> bool {
    request.uri().path().starts_with(BELOW)
}

/// Who asks: a key in force or not, or a user of this machine.
fn asker(parts: &axum::http::request::Parts) -> Vec<u8> {
    match parts.extensions.get::<Peer>() {
        Some(Peer::User(uid)) => uid.to_be_bytes().to_vec(),
        _ => parts.headers.get(AUTHORIZATION).map(|it| it.as_bytes().to_vec()).unwrap_or_default(),
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

impl Replays {
    /// `None` for the first of its kind, else the answer of the first one.
    fn begin(
        &self,
        place: [u8; 32],
        request: [u8; 32],
        now: Instant,
    ) -> Result<Option<Answer>, Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, it| it.answer.is_none() || now.duration_since(it.at) < KEPT_FOR);
            let oldest =
                all.iter().filter(|(_, it)| it.answer.is_some()).min_by_key(|(_, it)| it.at);
            if let Some(oldest) = oldest.map(|(place, _)| *place).filter(|_| all.len() >= MOST) {
                all.remove(&oldest);
            }
        }
        match all.get(&place).filter(|it| now.duration_since(it.at) < KEPT_FOR) {
            None => {
                all.insert(place, Kept { at: now, request, answer: None });
                Ok(None)
            }
            Some(kept) if kept.request != request => {
                let detail = "this Idempotency-Key was used for another request";
                Err(Problem::new(code::Http::KeyReused, detail))
            }
            Some(Kept { answer: None, .. }) => {
                let detail = "the first request with this Idempotency-Key is still under way";
                Err(Problem::new(code::Http::Busy, detail).after(1))
            }
            Some(Kept { answer: Some(answer), .. }) => Ok(Some(answer.clone())),
        }
    }
}

/// The first request of its kind. If it ends without an answer that is kept, the next one is the first.
struct Begun<'a> {
    replays: &'a Replays,
    place: [u8; 32],
}

impl Begun<'_> {
    async fn end(self, answer: Response) -> Response {
        let is_kept = answer.status().is_success() && answer.extensions().get::<Secret>().is_none();
        if !is_kept {
            return answer;
        }
        let (parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        if body.len() <= LARGEST {
            let mut all = self.replays.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = all.get_mut(&self.place) {
                let (status, headers) = (parts.status, parts.headers.clone());
                kept.answer = Some(Answer { status, headers, body: body.clone() });
            }
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut all = self.replays.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&self.place).is_some_and(|it| it.answer.is_none()) {
            all.remove(&self.place);
        }
    }
}

impl Answer {
    fn again(self) -> Response {
        let mut answer = (self.status, self.body).into_response();
        for name in [CONTENT_TYPE, LOCATION] {
            if let Some(value) = self.headers.get(&name) {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *BEGIN.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    async fn ended(replays: &Replays, place: u8, answer: Response) {
        Begun { replays, place: [place; 32] }.end(answer).await;
    }

    fn answer(status: u16) -> Response {
        (StatusCode::from_u16(status).unwrap(), "done").into_response()
    }

    #[tokio::test]
    async fn a_request_that_is_repeated_gets_the_first_answer_for_a_day() {
        let replays = Replays::default();
        assert!(replays.begin([1; 32], [7; 32], at(0)).unwrap().is_none());
        assert!(replays.begin([1; 32], [7; 32], at(1)).is_err(), "it is under way");
        ended(&replays, 1, answer(202)).await;
        let again = replays.begin([1; 32], [7; 32], at(9)).unwrap().unwrap();
        assert_eq!((again.status.as_u16(), &again.body[..]), (202, &b"done"[..]));
        let other = replays.begin([1; 32], [8; 32], at(9)).err().unwrap();
        assert_eq!(*other.code(), code::Http::KeyReused);
        assert!(replays.begin([1; 32], [8; 32], at(86_400)).unwrap().is_none());
    }

    #[tokio::test]
    async fn an_error_and_a_secret_are_not_kept() {
        let replays = Replays::default();
        let mut secret = answer(200);
        secret.extensions_mut().insert(Secret);
        for answer in [answer(401), answer(503), secret] {
            assert!(replays.begin([1; 32], [7; 32], at(0)).unwrap().is_none());
            ended(&replays, 1, answer).await;
        }
    }

    #[tokio::test]
    async fn many_answers_take_no_more_room_than_there_is() {
        let replays = Replays::default();
        for number in 0..u16::try_from(MOST).unwrap() + 9 {
            let mut place = [0; 32];
            place[..2].copy_from_slice(&number.to_be_bytes());
            replays.begin(place, [7; 32], at(u64::from(number))).unwrap();
            Begun { replays: &replays, place }.end(answer(200)).await;
        }
        assert_eq!(replays.0.lock().unwrap().len(), MOST);
    }
}
