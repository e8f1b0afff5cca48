//! The HTTP server: one handler for everything a provider is asked, and the control routes beside it.

use std::{future, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

use crate::provider::{
    call::Call,
    control::Control,
    control_http,
    exchange::{Delivery, Line, exchange},
    shared::{Note, Shared},
    wire::{Switch, Wires},
};

/// Serves until its runtime ends.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let control = Control::new(Arc::clone(&shared));
    let accepted = Arc::clone(&shared.accepted);
    let router = Router::new()
        .nest("/__control", control_http::routes(control))
        .fallback(handle)
        .with_state(shared);
    let service = router.into_make_service_with_connect_info::<Switch>();
    // It returns only when accepting is over, and then the test is too.
    let _ = axum::serve(Wires { listener, accepted }, service).await;
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    // A task of its own from the first step on, because this future is dropped when the client goes away.
    match tokio::spawn(take(Arc::clone(&shared), request)).await {
        Ok(Some(delivery)) => send(shared, &switch, delivery).await,
        Ok(None) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn take(shared: Arc<Shared>, request: Request) -> Option<Delivery> {
    let call = Call::read(request).await?;
    Some(exchange(&shared, call).await)
}

async fn send(shared: Arc<Shared>, switch: &Switch, delivery: Delivery) -> Response {
    let Delivery { sequence, answer, handed, line } = delivery;
    match line {
        Line::Whole => switch.on_delivery(Note { shared, sequence, handed }),
        Line::CutBody => switch.cut_body_after(answer.body.len() / 2),
        Line::CutNow => switch.cut(),
        Line::Silent => future::pending().await,
    }
    answer.into()
}
