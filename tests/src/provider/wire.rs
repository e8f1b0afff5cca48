//! The connection under HTTP, where an answer can be cut and where it is known to have left.
//!
//! An HTTP server always answers somehow. A connection that closes without a byte, or in the middle of a body, needs
//! a hand on the socket: the handler sets the switch, and the next write fails. Knows nothing of providers.

use std::{
    io, mem,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// A listener whose connections have a switch and are counted.
pub(crate) struct Wires {
    pub(crate) listener: TcpListener,
    pub(crate) accepted: Arc<AtomicU64>,
}

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    switch: Switch,
    /// Whether the end of what the client sends was met.
    ended: bool,
}

/// The handler's hand on its connection. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Switch(Arc<Mutex<Line>>);

/// Somebody who wants to know that an answer left.
pub(crate) trait Receipt: Send {
    /// Calls `write` once. When that says that the last byte is written, notes it before anybody else can look: a
    /// client that has its answer must not find an account of it that says otherwise.
    fn around(&self, write: &mut dyn FnMut() -> bool);
}

#[derive(Default)]
struct Line {
    flow: Flow,
    receipt: Option<Box<dyn Receipt>>,
}

#[derive(Clone, Copy, Default)]
enum Flow {
    #[default]
    Open,
    /// The head of the answer may pass, and so many bytes of the body.
    HeadThen(usize),
    Closed,
}

impl Switch {
    /// Nothing more is sent on this connection.
    pub(crate) fn cut(&self) {
        self.line().flow = Flow::Closed;
    }

    /// The head of the next answer is sent, and so many bytes of its body.
    pub(crate) fn cut_body_after(&self, bytes: usize) {
        self.line().flow = Flow::HeadThen(bytes);
    }

    /// Tells this receipt when the answer has been handed to the kernel.
    pub(crate) fn on_delivery(&self, receipt: impl Receipt + 'static) {
        self.line().receipt = Some(Box::new(receipt));
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of these bytes may pass. What passes on a cut line is the last that does.
    fn admit(&self, bytes: &[u8]) -> usize {
        let mut line = self.line();
        match line.flow {
            Flow::Open => bytes.len(),
            Flow::Closed => 0,
            Flow::HeadThen(body) => {
                line.flow = Flow::Closed;
                let head =
                    bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
                bytes.len().min(head + body)
            }
        }
    }
}

impl Wire {
    /// HTTP/1 puts head and body of a small answer in one buffer, so that a write of all of it is the whole answer.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        let receipt = self.switch.line().receipt.take();
        let Some(receipt) = receipt else { return stream.poll_write(context, bytes) };
        let (mut stream, mut written, mut whole) = (stream, Poll::Pending, false);
        receipt.around(&mut || {
            written = stream.as_mut().poll_write(context, bytes);
            whole = matches!(written, Poll::Ready(Ok(count)) if count == bytes.len());
            whole
        });
        if !whole {
            self.switch.line().receipt = Some(receipt);
        }
        written
    }
}

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        self.accepted.fetch_add(1, Ordering::SeqCst);
        // Answers are one write; waiting for more would add 40 ms to some of them. Failing to say so is no harm.
        let _ = stream.set_nodelay(true);
        (Wire { stream, switch: Switch::default(), ended: false }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Wires>> for Switch {
    fn connect_info(incoming: IncomingStream<'_, Wires>) -> Self {
        incoming.io().switch.clone()
    }
}

/// The end is told one turn late: the server drops a request whose client it knows to be gone, and a request that came
/// together with the end would never be acted on.
impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let end = matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() == before;
        if end && !mem::replace(&mut self.ended, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.switch.admit(bytes) {
            0 if !bytes.is_empty() => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            count => self.write(context, &bytes[..count]),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
