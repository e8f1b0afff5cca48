//! The seam between a call and what makes its requests and answers durable.

use futures_util::future::BoxFuture;

use crate::egress::Arrival;
use crate::model::failure::Failure;

/// What becomes of a step that must be durable.
pub type Kept<'a> = BoxFuture<'a, Result<(), Failure>>;

/// Keeps the answers of one call, and gives back those of an interrupted one.
pub trait Journal: Send + Sync {
    /// Whether a request of this call does no harm if it arrives twice.
    fn is_repeatable(&self) -> bool;

    /// The answer that an earlier, interrupted attempt got to the same `request` (method and URL without
    /// query). An error is an answer that is there and cannot be given.
    fn recall(&self, request: &str) -> Result<Option<Arrival>, Failure>;

    /// Makes it durable that request number `seq`, which may spend something, leaves: it is not sent
    /// before.
    fn depart<'a>(&'a self, seq: u32, request: &'a str) -> Kept<'a>;

    /// Makes it durable that the outcome of request number `seq` is unknown, whatever else is answered.
    fn doubt<'a>(&'a self, seq: u32, request: &'a str) -> Kept<'a>;

    /// Makes an answer durable. The plugin sees it only afterwards.
    fn capture<'a>(&'a self, seq: u32, request: &'a str, arrival: &'a Arrival) -> Kept<'a>;
}

/// For calls that cannot lose anything: `describe`, `profile`.
pub struct NoJournal;

impl Journal for NoJournal {
    fn is_repeatable(&self) -> bool {
        false
    }

    fn recall(&self, _request: &str) -> Result<Option<Arrival>, Failure> {
        Ok(None)
    }

    fn depart<'a>(&'a self, _seq: u32, _request: &'a str) -> Kept<'a> {
        nothing()
    }

    fn doubt<'a>(&'a self, _seq: u32, _request: &'a str) -> Kept<'a> {
        nothing()
    }

    fn capture<'a>(&'a self, _seq: u32, _request: &'a str, _arrival: &'a Arrival) -> Kept<'a> {
        nothing()
    }
}

fn nothing<'a>() -> Kept<'a> {
    Box::pin(async { Ok(()) })
}
