//! What OAuth 2.0 providers have in common: reading a token answer, RFC 6749's errors, the device
//! grant's answers, and the address that a browser is sent to. Pure functions of an answer; they
//! know no endpoint, no setting but by the name that a failure text mentions, and no secret.

/// Reads the answer of a token endpoint.
mod token;

/// Says what a refusal means.
mod refusal;

/// Knows the words of providers.
mod words;

/// Reads the answers of the device grant.
mod device;

/// Builds an address with a query.
mod address;

/// What is read of answers here.
mod declared;

pub use self::address::with_query;
pub use self::device::{device_grant, progress};
pub use self::refusal::{Call, Server, error_code, refusal};
pub use self::token::{join, tokens, words};
