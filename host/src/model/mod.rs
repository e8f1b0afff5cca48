//! Plain data that every stage shares. No I/O, no async, and no way to print a secret.

/// `provider/name`, and the ids of attempts.
pub mod id;

/// What a plugin says about itself.
pub mod descriptor;

/// One set of credentials at one provider, as the stages see it.
pub mod connection;

/// What tests invent.
#[cfg(test)]
pub(crate) mod fixture;

/// What a provider gave.
pub mod token;

/// Scopes asked for and granted.
pub mod scopes;

/// What is taken for a token by mistake.
pub mod mistaken;

/// When tokens end, and by when they must be used.
pub mod ends;

/// One try to refresh: trigger, outcome, cause.
pub mod attempt;

/// A request of a try, and what came back.
pub mod exchange;

/// Why a try failed, and whose turn it is.
pub mod failure;

/// Every error code: what it means, what helps, who acts.
pub mod code;

/// How a command ends for a script.
pub mod exit;

/// What happens to a refresh token when it is used.
pub mod rotation;

/// The one state of a connection, and the sentence that goes with it.
pub mod state;

/// Keys of programs, and what they allow.
pub mod api_key;

/// People who use the dashboard.
pub mod account;

/// Who did what.
pub mod audit;

/// What happened, as the outbox tells it.
pub mod event;

/// What people are told of.
pub mod alert;

/// The only source of the current time.
pub mod clock;

/// When cron ticks.
pub mod schedule;

/// How times are written for people.
pub mod said;

/// Text from elsewhere, made fit to be read.
pub mod plain;

/// What a person meant to write.
pub mod nearest;

/// Texts with places for values.
pub mod template;
