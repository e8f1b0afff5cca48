//! Whether this process is alive, and whether it can do its work. Nobody needs a key for this, so it says no
//! names.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::operator::Readiness;

/// That it is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    #[schema(example = "ok")]
    status: &'static str,
    /// The version that runs.
    version: &'static str,
}

/// Whether the process is alive
#[utoipa::path(get, path = "/healthz", tag = "installation", security(()),
    responses((status = 200, body = Alive, description = "It is")))]
pub(super) async fn healthz() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether it can do its work: database, key and plugins
#[utoipa::path(get, path = "/readyz", tag = "installation", security(()),
    responses((status = 200, body = Readiness, description = "It can"), (status = 503, body = Readiness, description = "It cannot; what is wrong is in the log and in `keepfresh doctor`")))]
pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let readiness = api.operator().readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
