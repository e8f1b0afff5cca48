//! A provider's answer on its way to the caller: its headers sorted, its compression undone, the token masked.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap,
};
use tracing::warn;

use crate::egress::{EgressError, Passed};
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::proxy::echo::{Mask, Masked};
use crate::proxy::unpacking::Unpacking;
use crate::proxy::{Refusal, headers};
use crate::refresher::Served;

/// What the caller gets. It has no `Debug`.
pub struct Answer {
    /// The provider's status.
    pub status: u16,
    /// The provider's headers, without those of the way and of sessions.
    pub headers: HeaderMap,
    /// The body, as it comes. An error ends it in the middle.
    pub body: BoxStream<'static, Result<Bytes, EgressError>>,
}

impl Answer {
    /// The answer `passed` to a request of `id` that was sent with `tokens`.
    pub(super) fn of<'a>(
        id: &ConnectionId,
        passed: Passed,
        tokens: impl IntoIterator<Item = &'a Served>,
    ) -> Result<Self, Refusal> {
        let mask = Mask::over(tokens);
        let unpacking = Unpacking::of(&passed.headers).ok_or_else(|| unsupported(passed.host()))?;
        let mut headers = headers::back(&passed.headers);
        let mut found = false;
        for value in headers.values_mut() {
            if let Some(masked) = mask.header(value) {
                *value = masked;
                found = true;
            }
        }
        if !unpacking.is_plain() {
            // They speak of the packed bytes.
            for name in [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ACCEPT_RANGES, ETAG] {
                headers.remove(name);
            }
        }
        let status = passed.status;
        let coming = Coming {
            id: id.clone(),
            passed,
            unpacking,
            packed: Bytes::new(),
            masked: Masked::new(mask),
            ended: false,
            told: false,
        };
        coming.tell(found);
        Ok(Self { status, headers, body: coming.stream() })
    }
}

fn unsupported(host: &str) -> EgressError {
    let message = format!(
        "{host} answered in an encoding that nobody asked for and that cannot be looked through (only gzip and deflate can)"
    );
    EgressError::Unreadable { code: code::Provider::EncodingUnsupported.into(), message }
}

/// A body that is still coming.
struct Coming {
    id: ConnectionId,
    passed: Passed,
    unpacking: Unpacking,
    /// What has come and is not unpacked yet.
    packed: Bytes,
    masked: Masked,
    ended: bool,
    told: bool,
}

impl Coming {
    fn stream(self) -> BoxStream<'static, Result<Bytes, EgressError>> {
        stream::try_unfold(self, |mut this| async move {
            Ok(this.next().await?.map(|piece| (piece, this)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, EgressError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if self.packed.is_empty() {
                match self.passed.chunk().await? {
                    Some(chunk) => self.packed = chunk,
                    None => return self.last(),
                }
            }
            let plain = self.unpacking.next(&mut self.packed).map_err(|_| self.broken())?;
            let piece = self.masked.pass(plain);
            self.tell_once();
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    fn last(&mut self) -> Result<Option<Bytes>, EgressError> {
        self.ended = true;
        // An answer to HEAD has the headers of a body and none.
        let rest = if self.passed.has_body() { self.unpacking.end() } else { Ok(Bytes::new()) };
        let rest = rest.map_err(|_| self.broken())?;
        let piece = [self.masked.pass(rest), self.masked.end()].concat();
        self.tell_once();
        Ok(Some(piece.into()))
    }

    fn broken(&self) -> EgressError {
        let message =
            format!("{} sent a compressed answer that cannot be unpacked", self.passed.host());
        EgressError::Unreadable { code: code::Provider::EncodingInvalid.into(), message }
    }

    fn tell_once(&mut self) {
        if self.masked.found && !self.told {
            self.told = true;
            self.tell(true);
        }
    }

    fn tell(&self, found: bool) {
        if found {
            let (id, host) = (&self.id, self.passed.host());
            warn!(connection.id = %id.full(), error.code = code::Proxy::Echo.text(), "{host} repeats the token of {id} in an answer; it was masked");
        }
    }
}
