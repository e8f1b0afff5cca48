//! Keepfresh keeps the API tokens of other people's services fresh.
//!
//! ```text
//!                    plugin .wasm          keepfresh.toml
//!                         |                      |
//!                     catalogue  <- grants -  manifest
//!                         |
//!        clock ------ scheduler   which connection is due, and why
//!                         |
//!                     refresher   one attempt: claim, intent, call, capture, commit
//!                     /       \
//!                sandbox     storage   connections, generations, attempts, captures, outbox
//!                   |           |
//!                egress       vault    sealing and opening
//!                   |
//!               provider
//! ```
//!
//! Modules are in reading order. Imports point one way, which a test enforces: see
//! `tests/suite/tidy/mod.rs` for the order, `ARCHITECTURE.md` for an overview.

/// Plain data that every stage shares.
pub mod model;

/// Logs, and the names of their fields.
pub mod telemetry;

/// Tasks, signals, locks: starting and stopping.
pub mod lifecycle;

/// Secrets to sealed values and back.
pub mod vault;

/// What is kept.
pub mod storage;

/// The only way out.
pub mod egress;

/// What the operator wants: `keepfresh.toml`.
pub mod manifest;

/// Runs plugins, and stops them.
pub mod sandbox;

/// Which plugins there are, and what each provider of the manifest may do.
pub mod catalogue;

/// One attempt, start to stored result.
pub mod refresher;

/// Requests of programs, with the token put in on the way.
pub mod proxy;

/// When a connection is due.
pub mod scheduler;

/// Who is told what happened.
pub mod delivery;

/// The commands of people and scripts, whether the daemon or this process executes them.
pub mod operator;

/// The same, over a socket to a running daemon.
pub mod control;

/// The same for programs, over HTTP.
pub mod api;

/// The pages for people.
pub mod dashboard;

/// The one place where the stages meet.
pub mod app;

/// The command line.
pub mod cli;
