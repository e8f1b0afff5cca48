//! Everything that is tested from outside, in one binary: it links once.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod failing;
mod refreshing;
mod smoke;
mod tidy;
mod unattended;
