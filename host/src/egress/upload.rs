//! What a program sends through the proxy: small bodies are held, so that they can be sent twice; large ones
//! pass as they come. It does not know where they go.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sync_wrapper::SyncWrapper;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

/// How long a program may send nothing while it has not sent everything.
const SILENCE: Duration = Duration::from_mins(1);

/// A body on its way to a provider.
pub struct Upload(Kind);

enum Kind {
    Whole(Bytes),
    Stream(reqwest::Body, oneshot::Receiver<()>),
}

impl Upload {
    /// All of it.
    pub fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }

    /// As it comes. A program that stops in the middle ends it with an error.
    pub fn stream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (sender, ended) = oneshot::channel();
        let body = Sent {
            body: SyncWrapper::new(body),
            waits: Box::pin(tokio::time::sleep(SILENCE)),
            _ended: sender,
        };
        Self(Kind::Stream(reqwest::Body::wrap(body), ended))
    }

    /// The same once more, if it was held.
    pub fn again(&self) -> Option<Self> {
        match &self.0 {
            Kind::Whole(bytes) => Some(Self::whole(bytes.clone())),
            Kind::Stream(..) => None,
        }
    }

    /// The body for the client, and what ends when all of it was sent.
    pub(super) fn into_parts(self) -> (Option<reqwest::Body>, Option<oneshot::Receiver<()>>) {
        match self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => (None, None),
            Kind::Whole(bytes) => (Some(bytes.into()), None),
            Kind::Stream(body, ended) => (Some(body), Some(ended)),
        }
    }
}

/// The program has sent nothing for too long.
#[derive(Debug)]
pub(super) struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the caller has sent nothing for a minute, and not all of its request")
    }
}

impl std::error::Error for Stalled {}

/// A body that says when it is dropped, which is when it was sent, and does not wait for ever.
struct Sent<B> {
    body: SyncWrapper<B>,
    waits: Pin<Box<Sleep>>,
    _ended: oneshot::Sender<()>,
}

impl<B> Body for Sent<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(this.body.get_mut()).poll_frame(context) {
            Poll::Ready(frame) => {
                this.waits.as_mut().reset(Instant::now() + SILENCE);
                Poll::Ready(frame.map(|it| it.map_err(Into::into)))
            }
            Poll::Pending => {
                ready!(this.waits.as_mut().poll(context));
                Poll::Ready(Some(Err(Box::new(Stalled))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_can_be_sent_twice_and_what_passes_cannot() {
        let held = Upload::whole(Bytes::from_static(b"text=hello"));
        assert!(held.again().is_some_and(|it| it.again().is_some()));
    }
}
