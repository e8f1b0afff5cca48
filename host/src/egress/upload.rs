//! What a program sends through the proxy: small bodies are held, so that they can be sent twice; large ones
//! pass as they come. It does not know where they go.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sync_wrapper::SyncWrapper;
use tokio::sync::watch;
use tokio::time::Sleep;

/// A body on its way to a provider.
pub struct Upload(Kind);

enum Kind {
    Whole(Bytes),
    Stream(reqwest::Body, Taking),
}

/// Changes whenever a piece of a body is taken, and is closed when the body is gone.
pub(super) type Taking = watch::Receiver<()>;

impl Upload {
    /// How long a program may send nothing while it has not sent everything.
    pub const SILENCE: Duration = Duration::from_mins(1);

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
        let (taken, taking) = watch::channel(());
        let body = Sent { body: SyncWrapper::new(body), waits: None, taken };
        Self(Kind::Stream(reqwest::Body::wrap(body), taking))
    }

    /// The same once more, if it was held.
    pub fn again(&self) -> Option<Self> {
        match &self.0 {
            Kind::Whole(bytes) => Some(Self::whole(bytes.clone())),
            Kind::Stream(..) => None,
        }
    }

    /// The body for the client, and how it is taken.
    pub(super) fn into_parts(self) -> (Option<reqwest::Body>, Option<Taking>) {
        match self.0 {
            Kind::Whole(bytes) if bytes.is_empty() => (None, None),
            Kind::Whole(bytes) => (Some(bytes.into()), None),
            Kind::Stream(body, taking) => (Some(body), Some(taking)),
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

/// A body that says when it is taken, and when it is dropped, which is when it was sent; it does not wait for ever.
struct Sent<B> {
    body: SyncWrapper<B>,
    /// Ends the wait for the program; only while it is asked for more.
    waits: Option<Pin<Box<Sleep>>>,
    taken: watch::Sender<()>,
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
                this.waits = None;
                this.taken.send_replace(());
                // Trailers are headers that nobody has looked at.
                let frame = frame.filter(|it| it.as_ref().map_or(true, Frame::is_data));
                Poll::Ready(frame.map(|it| it.map_err(Into::into)))
            }
            Poll::Pending => {
                let waits =
                    this.waits.get_or_insert_with(|| Box::pin(tokio::time::sleep(Upload::SILENCE)));
                ready!(waits.as_mut().poll(context));
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

    /// A piece, and trailers behind it.
    struct Trailing(u8);

    impl Body for Trailing {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0 += 1;
            Poll::Ready(match self.0 {
                1 => Some(Ok(Frame::data(Bytes::from_static(b"data")))),
                2 => {
                    let name = reqwest::header::HeaderName::from_static("x-http-method-override");
                    let value = reqwest::header::HeaderValue::from_static("DELETE");
                    Some(Ok(Frame::trailers([(name, value)].into_iter().collect())))
                }
                _ => None,
            })
        }
    }

    #[tokio::test]
    async fn trailers_do_not_pass() {
        let (body, taking) = Upload::stream(Trailing(0)).into_parts();
        let (mut body, mut taking) = (body.unwrap(), taking.unwrap());
        let mut next = async || {
            let frame = std::future::poll_fn(|it| Pin::new(&mut body).poll_frame(it)).await;
            frame.map(|it| it.unwrap().into_data().unwrap())
        };
        assert_eq!(next().await.unwrap(), "data");
        assert!(next().await.is_none());
        assert!(taking.changed().await.is_ok(), "a piece was taken");
        drop(body);
        taking.mark_unchanged();
        assert!(taking.changed().await.is_err(), "the body is gone");
    }

    #[test]
    fn what_is_held_can_be_sent_twice_and_what_passes_cannot() {
        let held = Upload::whole(Bytes::from_static(b"text=hello"));
        assert!(held.again().is_some_and(|it| it.again().is_some()));
    }
}
