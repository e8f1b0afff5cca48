//! Everything that is tested from outside, in one binary: it links once.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod checking;
mod failing;
mod listing;
mod operating;
mod refreshing;
mod reloading;
mod serving;
mod showing;
mod smoke;
mod tidy;
mod tokens;
mod unattended;
