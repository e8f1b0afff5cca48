//! The provider's own process: one thread that serves racers at one port, with or without TLS, and whoever has them race at
//! another.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, process, thread};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::provider::desk::{Answer, Desk};
use crate::provider::request::{self, Request};
use crate::provider::tokens::{Families, Rotation};

/// Serves until it is killed. The arguments: `strict` or `none`, how many families, seconds that are measured, and for TLS
/// the files of a certificate and its key. Prints both ports.
pub(crate) fn serve(arguments: &[String]) {
    let [rotation, families, length, tls @ ..] = arguments else { panic!("{arguments:?}") };
    let rotation = if rotation == "strict" { Rotation::Strict } else { Rotation::Never };
    let families = Families::new(rotation, families.parse().unwrap());
    let desk = Desk::new(families, Duration::from_secs_f64(length.parse().unwrap()));
    let desk = Shared(Arc::new(Mutex::new(desk)));
    let tls = match tls {
        [certificate, key] => Some(acceptor(certificate.as_ref(), key.as_ref())),
        _ => None,
    };
    thread::spawn(end_with_the_race);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let [racers, control] = [listen().await, listen().await];
        println!("{} {}", port(&racers), port(&control));
        tokio::join!(serve_racers(racers, tls, &desk), serve_control(control, &desk));
    });
}

/// Its standard input ends with whoever has started it, however that ends.
fn end_with_the_race() {
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    process::exit(0);
}

/// A handle; a clone is cheap.
#[derive(Clone)]
struct Shared(Arc<Mutex<Desk>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a request is answered.
type Way = fn(&mut Desk, &Request<'_>) -> Answer;

async fn serve_racers(listener: TcpListener, tls: Option<TlsAcceptor>, desk: &Shared) {
    loop {
        let (stream, desk) = (accept(&listener).await, desk.clone());
        desk.lock().accepted();
        match tls.clone() {
            None => drop(tokio::spawn(converse(stream, desk, Desk::tokens))),
            Some(tls) => drop(tokio::spawn(async move {
                // Who does not trust the certificate is seen where they race.
                if let Ok(stream) = tls.accept(stream).await {
                    converse(stream, desk, Desk::tokens).await;
                }
            })),
        }
    }
}

async fn serve_control(listener: TcpListener, desk: &Shared) {
    loop {
        let stream = accept(&listener).await;
        drop(tokio::spawn(converse(stream, desk.clone(), Desk::control)));
    }
}

/// Answers one request after the other until one of both has enough.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, desk: Shared, way: Way) {
    let mut came = Vec::with_capacity(2048);
    loop {
        let (text, length, stays) = match request::read(&came) {
            Ok(Some(it)) => (written(&way(&mut desk.lock(), &it), it.stays), it.length, it.stays),
            Ok(None) => match stream.read_buf(&mut came).await {
                Ok(1..) => continue,
                _ => return,
            },
            Err(request::Malformed) => (BAD.to_owned(), 0, false),
        };
        came.drain(..length);
        // A stream with TLS writes when it is told to.
        if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if !stays {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

const BAD: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn written(answer: &Answer, stays: bool) -> String {
    let Answer { status, body } = answer;
    let close = if stays { "" } else { "connection: close\r\n" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         content-length: {length}\r\n{close}\r\n{body}"
    )
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// TLS as vendors have it: a session can be taken up again with a ticket, on any of their machines.
fn acceptor(certificate: &Path, key: &Path) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(chain.collect(), key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = Ticketer::new().unwrap();
    TlsAcceptor::from(Arc::new(config))
}
