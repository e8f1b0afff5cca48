//! A token for a caller, and what the caller is told whose token does not live as long as was asked for. Pure.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::clock;
use crate::model::connection::TokenFacts;
use crate::model::failure::Failure;
use crate::model::state::span;
use crate::refresher::ask::lifetime;
use crate::storage::Loaded;

/// A token for a caller.
#[derive(Debug)]
pub struct Served {
    /// What to present.
    pub token: SecretString,
    /// How: `Bearer`, `Basic`.
    pub token_type: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Which one it is; 0 for the fallback.
    pub generation: u64,
    /// Set when it does not live as long as was asked for.
    pub short: Option<Short>,
}

impl Served {
    /// The operator's, of which nothing is known.
    pub(super) fn fallback(token: SecretString) -> Self {
        let token_type = "Bearer".to_owned();
        Self { token, token_type, expires_at: None, generation: 0, short: None }
    }
}

/// A token that does not live as long as a caller wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Short {
    /// Seconds that it was to live.
    pub min_ttl_s: u64,
    /// Seconds that it lives from now.
    pub lives_s: u64,
    /// Seconds that the provider lets a new one live, as far as that is known.
    pub longest_s: Option<u64>,
    /// All of it in a sentence.
    pub reason: String,
}

/// What a caller is told whose token does not live for `min_ttl`.
pub(super) fn shortfall(
    loaded: &Loaded,
    token: &TokenFacts,
    min_ttl: Duration,
    failed: Option<&Failure>,
    now: Timestamp,
) -> Option<Short> {
    let end = token.expires_at.filter(|it| *it <= clock::after(now, min_ttl))?;
    // An expiry is in whole seconds, and the time since it was stored is not.
    let whole = |it: Duration| Duration::from_secs(it.as_secs() + u64::from(it.subsec_nanos() > 0));
    let longest = lifetime(token, loaded.given).map(whole);
    let provider = loaded.connection.id.provider();
    let because = match (failed, longest) {
        (Some(failure), _) => format!("it could not be refreshed: {failure}"),
        (None, Some(it)) => {
            format!("{provider} issues tokens for at most {}", span(now, clock::after(now, it)))
        }
        (None, None) => "there is no newer token".to_owned(),
    };
    let (lives, wanted) = (span(now, end), span(now, clock::after(now, min_ttl)));
    Some(Short {
        min_ttl_s: min_ttl.as_secs(),
        lives_s: u64::try_from(end.duration_since(now).as_secs()).unwrap_or_default(),
        longest_s: longest.map(|it| it.as_secs()),
        reason: format!("this token is valid for {lives}, not for {wanted}: {because}"),
    })
}
