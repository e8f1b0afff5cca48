//! Who answers a request: the API at once if it asks for a token that is in memory, as most do; else the router, with
//! the pages beside it.

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use crate::api::caller::Peer;
use crate::api::listening::Hold;
use crate::api::{Api, tokens};

/// Answers a request of `Peer`, with a hand on the connection that it came by.
pub type Front = Arc<dyn Fn(Request<Incoming>, Peer, &Hold) -> Answer + Send + Sync>;

/// What is there at once, or what has to be worked for.
pub type Answer = Either<Ready<Response>, BoxFuture<'static, Response>>;

/// Answers for `api`, whose routes `router` has among others.
pub fn front(api: Api, router: Router) -> Front {
    let routed = routed(router);
    Arc::new(move |request, peer, hold| match tokens::at_once(&api, peer, &request) {
        Some(answer) => Either::Left(ready(answer)),
        None => routed(request, peer, hold),
    })
}

/// Answers as the router does.
pub(super) fn routed(router: Router) -> Front {
    Arc::new(move |mut request, peer, hold| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(hold.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        Either::Right(answer.map(|it| it.unwrap_or_else(|never| match never {})).boxed())
    })
}
