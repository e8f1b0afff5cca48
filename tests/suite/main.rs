//! Everything that is tested from outside, in one binary: it links once.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod alerts;
mod api;
mod canary;
mod captured;
mod checking;
mod connecting;
mod crash;
mod explaining;
mod failing;
mod first_day;
mod following;
mod hostile;
mod json;
mod lengths;
mod listing;
mod machine;
mod many;
mod naming;
mod odd;
mod operating;
mod outage;
mod output;
mod pacing;
mod people;
mod pictures;
mod probing;
mod protocol;
mod providers;
mod proxy;
mod readme;
mod real;
mod refreshing;
mod reloading;
mod schedule;
mod serving;
mod showing;
mod smoke;
mod socket;
mod tidy;
mod times;
mod tokens;
mod traces;
mod unattended;
mod unreadable;
