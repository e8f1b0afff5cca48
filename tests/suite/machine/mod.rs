//! What the machine does to Keepfresh: secrets that are away, logs that nobody reads, signals at any moment,
//! folders that cannot be written, links that are set anew. `docs/machine.md` lists it.

/// Secrets from their four sources.
mod secrets;

/// A stop leaves one file.
mod stopping;

/// A log that nobody reads.
mod logs;

/// Beside a daemon that starts, and a command that takes long.
mod starting;

/// Where approvals are kept.
mod approvals;

/// Process 1 of a container.
mod first;

/// Manifest and plugins behind links.
mod links;

/// Pipes that end, modes, owners.
mod odds;

/// Certificates.
mod tls;
