//! Who answers a request: the API at once if it asks for a token, as most do; else the router, with the pages beside it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::ServiceExt as _;

use crate::api::listening::Hold;
use crate::api::{Api, tokens};

/// Answers a request, with a hand on the connection that it came by.
pub type Front = Arc<dyn Fn(Request, &Hold) -> BoxFuture<'static, Response> + Send + Sync>;

/// Answers for `api`, whose routes `router` has among others.
pub fn front(api: Api, router: Router) -> Front {
    let routed = routed(router);
    Arc::new(move |request, hold| match tokens::asked_for(&request) {
        Some(id) => tokens::straight(api.clone(), id, request).boxed(),
        None => routed(request, hold),
    })
}

/// Answers as the router does.
pub(super) fn routed(router: Router) -> Front {
    Arc::new(move |mut request, hold| {
        request.extensions_mut().insert(hold.clone());
        let answer = router.clone().oneshot(request);
        answer.map(|it| it.unwrap_or_else(|never| match never {})).boxed()
    })
}
