//! Which requests went on a connection that was there already. Such a one may have ended without our knowing; a new one
//! has not. The client does not say it, but the connector is asked in the task of the request that wants a connection.

use std::cell::Cell;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::StatusCode;
use tower::{Layer, Service};

use crate::egress::error::EgressError;
use crate::model::code;

/// A connection that has ended shows it within a round trip. What takes longer is the provider's doing, and whoever is
/// asked again then may have forgiven long enough.
pub const SENT_AGAIN_WITHIN: Duration = Duration::from_secs(2);

tokio::task_local! {
    /// Whether a connection was made for the request that this task sends.
    static DIALLED: Cell<bool>;
}

/// Around a connector: notes that it was asked.
#[derive(Clone)]
pub(super) struct NotesDialling;

/// A connector with that around it.
#[derive(Clone)]
pub(super) struct Noting<S>(S);

impl<S> Layer<S> for NotesDialling {
    type Service = Noting<S>;

    fn layer(&self, connector: S) -> Noting<S> {
        Noting(connector)
    }
}

impl<R, S: Service<R>> Service<R> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        let _ = DIALLED.try_with(|it| it.set(true));
        self.0.call(request)
    }
}

/// What comes of `sending` a request, and whether that certainly went on a connection that was kept.
pub(super) async fn noting<F: Future>(sending: F) -> (F::Output, bool) {
    let noted = async {
        let output = sending.await;
        (output, !DIALLED.with(Cell::get))
    };
    DIALLED.scope(Cell::new(false), noted).await
}

/// What is known after a second try: no more than after the first, if that sent nothing, or if nobody looked at what it
/// sent: what the first may have done is as much in doubt then as it was.
pub(super) fn the_more_certain(
    first: Result<reqwest::Response, EgressError>,
    second: Result<reqwest::Response, EgressError>,
) -> Result<reqwest::Response, EgressError> {
    match &second {
        Err(EgressError::NotSent { .. } | EgressError::Denied { .. }) => first,
        Ok(answer) if turns_away(answer.status()) && first.is_err() => first,
        _ => second,
    }
}

/// Whether who answers so may not have asked what the request is about.
fn turns_away(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

/// Whether a connection that was kept can be why this came: it ended before there was an answer, or what came belongs
/// to no request. Some servers say 408 where they close a connection on which nothing was asked.
pub(super) fn is_stale(came: &Result<reqwest::Response, EgressError>) -> bool {
    match came {
        Ok(answer) => answer.status() == StatusCode::REQUEST_TIMEOUT,
        Err(EgressError::InDoubt { code, .. }) => *code == code::Provider::ConnectionLost,
        Err(EgressError::Unreadable { code, .. }) => *code == code::Provider::HttpInvalid,
        Err(EgressError::Denied { .. } | EgressError::NotSent { .. }) => false,
    }
}
