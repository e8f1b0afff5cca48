//! Where the API is listened for: an address, with or without TLS, and a socket beside the database that
//! answers the daemon's own user. Each connection is a task that ends with the daemon; how many there are,
//! and how long a head may take, is bounded.

/// How long is waited for a head.
mod timer;

/// The certificate, read again when it changes.
mod tls;

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::api::caller::Peer;
use crate::api::front::Front;
use crate::control::{bind_private, one_of_ours};
use crate::lifecycle::Lifecycle;
use crate::manifest::server::Server;
use crate::model::code;
use timer::HeadTimer;
use tls::Certificate;

/// Connections at once; those that come then wait for a place.
const CONNECTIONS: usize = 1024;

/// How long a head may take to come, the first one and each after it.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long a handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// The largest head: with more, the connection ends with 431.
const LARGEST_HEAD: usize = 32 * 1024;

/// How long a caller may read nothing of an answer that waits for it. Whoever forgets the rest of answers would keep
/// connections from all others.
const READ_WITHIN: Duration = Duration::from_mins(1);

/// An address that is listened at.
pub struct AtAddress {
    listener: TcpListener,
    certificate: Option<Certificate>,
}

impl AtAddress {
    /// Listens where the manifest says; `None` where it says nothing.
    pub async fn bind(server: &Server) -> io::Result<Option<Self>> {
        let Some(address) = server.listen else { return Ok(None) };
        let certificate = server.tls.as_ref().map(Certificate::read).transpose()?;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let help = "choose another `server.listen` in the manifest, or stop what listens there";
            io::Error::new(error.kind(), format!("{address}: {error}; {help}"))
        })?;
        Ok(Some(Self { listener, certificate }))
    }

    /// Answers until the lifecycle's soft stop.
    pub async fn run(self, front: Front, lifecycle: Lifecycle) {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        if let Ok(address) = self.listener.local_addr() {
            info!("the HTTP API listens at {scheme}://{address}");
        }
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Some(place) = place(&places, &lifecycle).await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = lifecycle.wait_for_soft_stop() => return,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    failed(&error).await;
                    continue;
                }
            };
            let _ = stream.set_nodelay(true);
            let one = One::new(&front, Peer::Address(address), place);
            let (stop, acceptor) =
                (lifecycle.clone(), self.certificate.as_ref().map(Certificate::acceptor));
            lifecycle.spawn("connection", async move {
                match acceptor {
                    None => one.answer(stream, stop).await,
                    Some(acceptor) => {
                        let shaken =
                            tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream));
                        match shaken.await {
                            Ok(Ok(stream)) => one.answer(stream, stop).await,
                            Ok(Err(error)) => debug!("a TLS handshake failed: {error}"),
                            Err(_) => debug!("a TLS handshake took too long"),
                        }
                    }
                }
            });
        }
    }
}

/// The socket that answers the daemon's own user, and root. Removes it when dropped.
pub struct AtSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AtSocket {
    /// Listens beside `database`. The caller holds the instance lock, so a socket that is there was left by
    /// a dead process.
    pub fn bind(database: &Path) -> io::Result<Self> {
        let path = path_of(database);
        Ok(Self { listener: bind_private(&path)?, path })
    }

    /// Answers until the lifecycle's soft stop.
    pub async fn run(self, front: Front, lifecycle: Lifecycle) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Some(place) = place(&places, &lifecycle).await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = lifecycle.wait_for_soft_stop() => return,
            };
            match accepted.map(|(stream, _)| (one_of_ours(&stream), stream)) {
                Ok((Some(uid), stream)) => {
                    let one = One::new(&front, Peer::User(uid), place);
                    let stop = lifecycle.clone();
                    lifecycle.spawn("connection", async move { one.answer(stream, stop).await });
                }
                Ok((None, _)) => warn!(
                    error.code = code::Daemon::ForeignUser.text(),
                    "refused a request from another user"
                ),
                Err(error) => failed(&error).await,
            }
        }
    }
}

impl Drop for AtSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Where the socket of a database is: `keepfresh.http.sock`.
pub fn path_of(database: &Path) -> PathBuf {
    let database = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    database.with_extension("http.sock")
}

async fn place(places: &Arc<Semaphore>, lifecycle: &Lifecycle) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        place = Arc::clone(places).acquire_owned() => place.ok(),
        () = lifecycle.wait_for_soft_stop() => None,
    }
}

async fn failed(error: &io::Error) {
    warn!("a connection to the HTTP API failed: {error}");
    // Usually there are no more files to open: others end in the meantime.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// A hand on a connection, for an answer that goes on until somebody ends it. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Hold(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    /// The daemon stops, or the connection is cut: one thing to look at, whenever anything comes or goes.
    early: CancellationToken,
    cut: CancellationToken,
    over: CancellationToken,
}

impl Hold {
    fn new(lifecycle: &Lifecycle) -> Self {
        let early = lifecycle.soft_stop();
        Self(Arc::new(Ends {
            early,
            cut: CancellationToken::new(),
            over: CancellationToken::new(),
        }))
    }

    /// Returns when the connection is over, and cuts it if that takes longer: whoever does not read what was
    /// sent last would keep it open for ever.
    pub(super) async fn end_within(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.0.over.cancelled()).await.is_err() {
            self.0.cut.cancel();
            self.0.early.cancel();
        }
    }
}

/// One connection.
struct One {
    front: Front,
    peer: Peer,
    place: OwnedSemaphorePermit,
    read_within: Duration,
}

impl One {
    fn new(front: &Front, peer: Peer, place: OwnedSemaphorePermit) -> Self {
        Self { front: Arc::clone(front), peer, place, read_within: READ_WITHIN }
    }

    /// Answers its requests until it ends, or the daemon does.
    async fn answer(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send, stop: Lifecycle) {
        let Self { front, peer, place: _place, read_within } = self;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(read_within));
        let hold = Hold::new(&stop);
        let _over = hold.0.over.clone().drop_guard();
        let ends = Arc::clone(&hold.0);
        let service =
            service_fn(move |request| front(request, peer, &hold).map(Ok::<_, Infallible>));
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(HeadTimer::default()).header_read_timeout(HEAD_WITHIN);
        // At most a hundred headers, as usual: to say so would have room made for them at each request.
        http.max_buf_size(LARGEST_HEAD);
        let mut connection = pin!(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        let mut ended = ends.early.run_until_cancelled(connection.as_mut()).await;
        if ended.is_none() && !ends.cut.is_cancelled() {
            connection.as_mut().graceful_shutdown();
            ended = ends.cut.run_until_cancelled(connection).await;
        }
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => debug!("a connection to the HTTP API ended early: {error}"),
            None => debug!("a stream was not read, and its connection was cut"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::api::front::routed;

    #[tokio::test]
    async fn a_caller_who_does_not_read_is_let_go() {
        let large = || async { vec![b'x'; 1 << 20] };
        let front = routed(Router::new().route("/", axum::routing::get(large)));
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        let read_within = Duration::from_millis(50);
        let one = One { read_within, ..One::new(&front, Peer::User(0), place) };
        let (mut caller, ours) = tokio::io::duplex(4096);
        caller.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        // Without the limit, this would not end.
        one.answer(ours, Lifecycle::new()).await;
    }
}
