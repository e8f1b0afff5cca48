//! Which page is where.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Uri;
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use tower::ServiceExt as _;

use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE, assets, frame, guard, live, login, looks, pages};

/// The longest form, in bytes.
const LONGEST_FORM: usize = 1 << 16;

fn pages() -> Router<Dashboard> {
    Router::new()
        .route("/retry", post(pages::overview::retry))
        .route("/queued/{word}", get(pages::queued::show))
        .route(
            "/providers/{name}/refresh",
            get(pages::provider::ask).post(pages::provider::refresh),
        )
        .merge(connections())
        .route("/attempts", get(pages::attempts::list))
        .route("/attempts.csv", get(pages::attempts::download::csv))
        .route("/attempts.json", get(pages::attempts::download::json))
        .route("/attempts/{id}", get(pages::attempt::show))
        .route("/attempts/{id}/support", get(pages::attempt::support))
        .route("/schedules", get(pages::schedules::list))
        .route("/plugins", get(pages::plugins::list))
        .route("/plugins/{file}", get(pages::plugins::show))
        .route("/sinks", get(pages::outlets::sinks))
        .route("/sinks/{name}/run", post(pages::outlets::run))
        .route("/alerts", get(pages::outlets::alerts))
        .route("/alerts/{name}/test", post(pages::outlets::test))
        .route("/system", get(pages::system::show))
        .route("/system/doctor", post(pages::system::doctor))
        .route("/audit", get(pages::audit::list))
        .route("/add", get(pages::adding::choose))
        .route("/add/{provider}", get(pages::adding::form).post(pages::adding::add))
        .route("/connect/{id}", get(pages::connect::form).post(pages::connect::begin))
        .route("/connected", get(pages::connect::came_back))
        .route("/device/{word}", get(pages::connect::waiting).post(pages::connect::poll))
        .merge(login::pages())
        .route("/looks", post(looks::set))
        .route("/live", get(live::follow))
        .route("/assets/{digest}/{name}", get(assets::serve))
}

/// A connection, what is asked before something is done with it, and doing that.
fn connections() -> Router<Dashboard> {
    use pages::connection::{asking, doing, show, token};
    let one = Router::new()
        .route("/", get(show))
        .route("/refresh", get(asking::force).post(doing::refresh))
        .route("/pause", get(asking::pause).post(doing::pause))
        .route("/resume", post(doing::resume))
        .route("/clear", get(asking::clear).post(doing::clear))
        .route("/disconnect", get(asking::disconnect).post(doing::disconnect))
        .route("/remove", get(asking::remove).post(doing::remove))
        .route("/reveal", post(token::reveal));
    Router::new().nest("/connections/{id}", one)
}

/// The pages, and the API beside them; both below the path of `server.url` as well, for a proxy that leaves it there.
pub(super) fn router(dashboard: &Dashboard) -> Router {
    let guarded = |pages: Router<Dashboard>| {
        pages
            .method_not_allowed_fallback(async || Refused::NotFound)
            .layer(DefaultBodyLimit::max(LONGEST_FORM))
            .layer(middleware::from_fn_with_state(dashboard.clone(), guard::guard))
            .with_state(dashboard.clone())
    };
    // The page at the slash itself: below a place, `/` is that place without one.
    let overview = guarded(Router::new().route("/", get(pages::overview::show)));
    let root = guarded(Router::new().route("/", get(root)).route(PLACE, get(root)));
    let all = dashboard.api().router().merge(root);
    let all = all
        .nest(PLACE, guarded(pages().fallback(async || Refused::NotFound)))
        .nest(&format!("{PLACE}/"), overview);
    let (dashboard, inner) = (dashboard.clone(), all.clone());
    all.fallback(move |request: Request| below(dashboard.clone(), inner.clone(), request))
}

async fn root(State(dashboard): State<Dashboard>) -> Response {
    frame::to(&format!("{}{PLACE}/", dashboard.below()))
}

/// Takes the path of `server.url` away, if it is there; what then is nowhere is the API's to refuse.
async fn below(dashboard: Dashboard, all: Router, mut request: Request) -> Response {
    if let Some(uri) = without(&dashboard.below(), request.uri()) {
        *request.uri_mut() = uri;
    }
    all.oneshot(request).await.unwrap_or_else(|never| match never {})
}

fn without(below: &str, uri: &Uri) -> Option<Uri> {
    let text = uri.path_and_query()?.as_str();
    let rest = text.strip_prefix(below).filter(|_| !below.is_empty())?;
    match rest.as_bytes().first() {
        Some(b'/') => rest.parse().ok(),
        None | Some(b'?') => format!("/{rest}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_address_is_taken_away_and_no_more() {
        let check = |text: &str| without("/keep", &text.parse().unwrap()).map(|it| it.to_string());
        assert_eq!(check("/keep/ui/?a=b").as_deref(), Some("/ui/?a=b"));
        assert_eq!(
            (check("/keep").as_deref(), check("/keep?x").as_deref()),
            (Some("/"), Some("/?x"))
        );
        assert_eq!((check("/keeper/ui"), check("/ui/keep")), (None, None));
        assert_eq!(without("", &"/ui/".parse().unwrap()), None);
    }
}
