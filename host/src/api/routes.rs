//! The routes, and the OpenAPI document that is made of them. `docs/openapi.json` is a copy; a test compares
//! the two.

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{
    Api, access, attempts, catalogue, connect, connections, events, guard, health, metrics,
    problem, proxy, refreshes, single, tokens,
};

/// What the document says about all routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keepfresh",
        description = "Keeps the API tokens of other people's services fresh. A connection is written `PROVIDER` or `PROVIDER~NAME` in a path. Errors are RFC 9457 problems; `keepfresh explain CODE` says what a code means and what helps. Programs of the daemon's own user need no key at the socket beside the database. What passes through `/proxy/CONNECTION/...` is not part of this document: the provider's own describes it."
    ),
    modifiers(&Keys),
    components(schemas(problem::Written)),
    security(("api_key" = [])),
    tags(
        (name = "tokens", description = "Tokens for programs"),
        (name = "connections", description = "Connections, and what can be done with them"),
        (name = "log", description = "What happened"),
        (name = "installation", description = "Plugins, schedules, keys and health"),
        (name = "one token", description = "For a service with a single token")
    )
)]
struct Document;

struct Keys;

/// The longest form that a person brings back: a code, a state, and what providers add.
const LONGEST_FORM: usize = 1 << 16;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("kf_...");
        let scheme = scheme.description(Some("A key made with `keepfresh api-key create`")).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// What the API can do: `OpenAPI` 3.1.
pub fn document() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(tokens::get, tokens::set, tokens::clear))
        .routes(routes!(tokens::rejected))
        .routes(routes!(connections::list, connections::add))
        .routes(routes!(connections::show, connections::remove))
        .routes(routes!(connections::pause))
        .routes(routes!(connections::resume))
        .routes(routes!(connections::disconnect))
        .routes(routes!(refreshes::refresh))
        .routes(routes!(connect::link))
        .routes(routes!(attempts::list))
        .routes(routes!(attempts::show))
        .routes(routes!(attempts::stats))
        .routes(routes!(events::follow))
        .routes(routes!(catalogue::providers))
        .routes(routes!(catalogue::plugins))
        .routes(routes!(catalogue::schedules))
        .routes(routes!(catalogue::forecast))
        .routes(routes!(catalogue::channels))
        .routes(routes!(catalogue::sinks))
        .routes(routes!(access::keys, access::create))
        .routes(routes!(access::revoke))
        .routes(routes!(access::audit))
        .routes(routes!(single::status))
        .routes(routes!(single::refresh))
        .routes(routes!(single::clear))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
}

/// The router with all that stands around it.
pub(super) fn router(api: &Api) -> Router {
    let (routes, document) = described().split_for_parts();
    let document = move || {
        let document = Json(document.clone());
        async move { document.into_response() }
    };
    routes
        .route("/openapi.json", get(document))
        .route("/proxy/{id}", any(proxy::pass))
        .route("/proxy/{id}/", any(proxy::pass))
        .route("/proxy/{id}/{*path}", any(proxy::pass))
        .route("/connect/callback", get(connect::finish).post(connect::finish_form))
        .route("/connect/{word}", get(connect::open).post(connect::begin))
        .layer(DefaultBodyLimit::max(LONGEST_FORM))
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), guard::guard))
        .with_state(api.clone())
}
