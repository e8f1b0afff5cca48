//! The seam between a call and what makes its answers durable.

use futures_util::future::BoxFuture;

use crate::egress::Response;
use crate::model::failure::Failure;

/// Keeps the answers of one call, and gives back those of an interrupted one.
pub trait Journal: Send + Sync {
    /// The answer to request number `seq` that an earlier, interrupted attempt got, if it was the same
    /// `request` (method and URL without query).
    fn recall(&self, seq: u32, request: &str) -> Option<Response>;

    /// Makes an answer durable. The plugin sees it only afterwards.
    fn capture<'a>(
        &'a self,
        seq: u32,
        request: &'a str,
        response: &'a Response,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}

/// For calls that cannot lose anything: `describe`, `profile`.
pub struct NoJournal;

impl Journal for NoJournal {
    fn recall(&self, _seq: u32, _request: &str) -> Option<Response> {
        None
    }

    fn capture<'a>(
        &'a self,
        _seq: u32,
        _request: &'a str,
        _response: &'a Response,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}
