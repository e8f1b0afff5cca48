//! The way to a collector of traces, which the operator names in the environment of the daemon. It is no
//! provider: no plugin has a say in it, and no policy. What it is told is dropped if it does not answer;
//! that is said once, and again when it answers.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::Client;
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::egress::client;

/// The longest answer that is read; collectors say little.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Sends to a collector.
pub struct Collector {
    client: Client,
    /// Whoever sends has a thread of its own, where no sockets are waited for.
    runtime: Handle,
    is_down: AtomicBool,
}

/// Why a batch did not arrive, in words that hold nothing of its address: that may have a password.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("it cannot be connected to")]
    Unreachable,
    #[error("it did not answer in time")]
    Late,
    #[error("it answered {0}")]
    Refused(u16),
    #[error("its answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("the exchange with it failed")]
    Failed,
}

impl Collector {
    /// Sends on `runtime`, and waits so long for each answer. `None` if the HTTP client cannot be set up.
    pub fn new(runtime: Handle, timeout: Duration) -> Option<Self> {
        let client = client::for_collector(timeout).ok()?;
        Some(Self { client, runtime, is_down: AtomicBool::new(false) })
    }

    /// Says it when that changes, and not each time: batches come every few seconds.
    fn tell(&self, host: &str, sent: Result<(), &Undelivered>) {
        let was_down = self.is_down.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(why) if !was_down => {
                warn!("traces cannot be sent to {host}: {why}; they are dropped until they can");
            }
            Ok(()) if was_down => info!("traces are sent to {host} again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let client = self.client.clone();
        let exchange = self.runtime.spawn(async move { exchange(&client, request).await });
        let answer = exchange.await.unwrap_or(Err(Undelivered::Failed));
        let refused = match &answer {
            Ok(answer) if !answer.status().is_success() => {
                Some(Undelivered::Refused(answer.status().as_u16()))
            }
            _ => None,
        };
        self.tell(&host, refused.as_ref().or(answer.as_ref().err()).map_or(Ok(()), Err));
        Ok(answer?)
    }
}

async fn exchange(
    client: &Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Undelivered> {
    let request = reqwest::Request::try_from(request).map_err(|it| of(&it))?;
    let mut answer = client.execute(request).await.map_err(|it| of(&it))?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|it| of(&it))? {
        if body.len() + part.len() > LONGEST_ANSWER {
            return Err(Undelivered::TooLong);
        }
        body.extend_from_slice(&part);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

fn of(error: &reqwest::Error) -> Undelivered {
    match error {
        _ if error.is_timeout() => Undelivered::Late,
        _ if error.is_connect() => Undelivered::Unreachable,
        _ => Undelivered::Failed,
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Collector").finish_non_exhaustive()
    }
}
