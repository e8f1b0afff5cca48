//! Everything that is tested from outside, in one binary: it links once.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod canary;
mod hostile;
mod smoke;
mod tidy;
