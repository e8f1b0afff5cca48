//! The token endpoint of RFC 6749 for refresh tokens, and beside it what it has answered and how it is to behave.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::crowd::behaviour::{Behaviour, Counts, Door, Fate};
use crate::crowd::grants::{Grants, Verdict};
use crate::crowd::token::Claim;

/// Everything behind one lock, which is never held across a wait.
struct Desk {
    begun: Instant,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    behaviour: Behaviour,
    counts: Counts,
    door: Door,
    grants: Grants,
}

/// What of a form is looked at.
#[derive(Deserialize)]
struct Asked {
    refresh_token: String,
}

/// Serves until its runtime ends.
pub(super) async fn serve(listener: TcpListener) -> io::Result<()> {
    let desk = Arc::new(Desk { begun: Instant::now(), books: Mutex::default() });
    let router = Router::new()
        .route("/token", post(token))
        .route("/__counts", get(counts))
        .route("/__behave", post(behave))
        .with_state(desk);
    axum::serve(listener, router).await
}

/// A refresh token is looked at when the answer is due: whoever hangs up before that has used nothing up.
async fn token(State(desk): State<Arc<Desk>>, Form(asked): Form<Asked>) -> Response {
    let fate = desk.books().admit(desk.begun.elapsed());
    match fate {
        Fate::Limited => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response(),
        Fate::Fails(delay) => {
            pause(delay).await;
            // Without `Retry-After`, which would have one failure hold up all connections.
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Fate::Is(delay) => {
            pause(delay).await;
            desk.books().answer(&asked.refresh_token)
        }
    }
}

async fn counts(State(desk): State<Arc<Desk>>) -> Json<Counts> {
    Json(desk.books().counts)
}

async fn behave(State(desk): State<Arc<Desk>>, Json(behaviour): Json<Behaviour>) -> StatusCode {
    desk.books().behaviour = behaviour;
    StatusCode::NO_CONTENT
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

impl Desk {
    /// A panic of one request must not end the provider: the books are whole between statements.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn admit(&mut self, at: Duration) -> Fate {
        let fate = self.door.admit(&self.behaviour, at);
        match fate {
            Fate::Limited => self.counts.limited += 1,
            Fate::Fails(_) => self.counts.failed += 1,
            Fate::Is(_) => {}
        }
        fate
    }

    fn answer(&mut self, refresh_token: &str) -> Response {
        let verdict = Claim::read(refresh_token).map(|it| self.grants.present(it));
        match verdict {
            Some(Verdict::Renewed(claim)) => {
                self.counts.renewed += 1;
                self.tokens(claim)
            }
            Some(Verdict::Reused) => {
                self.counts.reused += 1;
                invalid_grant()
            }
            Some(Verdict::Ended) | None => {
                self.counts.refused += 1;
                invalid_grant()
            }
        }
    }

    fn tokens(&self, claim: Claim) -> Response {
        let life = self.behaviour.life.unwrap_or(claim.life);
        Json(json!({
            "access_token": claim.access_token(),
            "token_type": "Bearer",
            "expires_in": life,
            "refresh_token": claim.refresh_token(),
        }))
        .into_response()
    }
}

fn invalid_grant() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_counted() {
        let (mut books, first) = (Books::default(), Claim::first(4, 60));
        let (old, new) = (first.refresh_token(), first.next().refresh_token());
        for (token, status) in [(&old, 200_u16), (&new, 200), (&old, 400), (&new, 400)] {
            assert_eq!(books.answer(token).status(), status, "{token}");
        }
        assert_eq!(books.answer("made up").status(), StatusCode::BAD_REQUEST);
        let counts = Counts { renewed: 2, reused: 1, refused: 2, ..Counts::default() };
        assert_eq!(books.counts, counts);
    }

    #[test]
    fn what_fails_or_is_too_much_is_counted_before_it_is_looked_at() {
        let behaviour = Behaviour { failures: 1_000, limit: Some(1), ..Behaviour::default() };
        let mut books = Books { behaviour, ..Books::default() };
        let fates = [0, 0, 1].map(|it| books.admit(Duration::from_secs(it)));
        assert_eq!(fates[1], Fate::Limited);
        assert!(matches!((fates[0], fates[2]), (Fate::Fails(_), Fate::Fails(_))), "{fates:?}");
        assert_eq!((books.counts.failed, books.counts.limited), (2, 1));
    }
}
