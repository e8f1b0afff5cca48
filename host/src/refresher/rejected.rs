//! A caller says that the provider refused a token: one refresh for all who say so of the same one.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::model::attempt::Course;
use crate::model::clock;
use crate::model::code;
use crate::model::connection::TokenFacts;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::{Ask, Refresher, Served};
use crate::storage::Loaded;

/// A token that is refused so soon after it was stored is not refused for its age.
const TOO_YOUNG: Duration = Duration::from_secs(10);

impl Refresher {
    /// A token of `id` other than that of `generation`, which a provider has refused; of the current
    /// one when none is named. Whoever comes later with the same complaint gets what the first one got.
    pub async fn rejected(
        &self,
        id: &ConnectionId,
        generation: Option<u64>,
    ) -> Result<Served, Failure> {
        let loaded = self.load(id).await?;
        let current = loaded.connection.generation;
        let refused = generation.unwrap_or(current);
        if refused > current {
            let message =
                format!("{id} has had {current} token sets; there was no number {refused}");
            return Err(Failure::new(Case::Misconfigured, code::Token::GenerationUnknown, message));
        }
        if refused == current {
            self.replace_refused(id, &loaded).await?;
        }
        self.token(id, Duration::ZERO).await
    }

    async fn replace_refused(&self, id: &ConnectionId, loaded: &Loaded) -> Result<(), Failure> {
        self.not_yet(loaded)?;
        let (connection, now) = (&loaded.connection, self.clock.now());
        if let Some(age) = connection.token.as_ref().and_then(|it| youth(it, now)) {
            let age = age.as_secs();
            let message = format!(
                "{id} was refreshed {age} s ago and the token was refused all the same: its age is not why; look at its scopes and at the account's rights"
            );
            return Err(Failure::new(Case::Unavailable, code::Token::RejectedWhenFresh, message));
        }
        info!(connection.id = %id, "a caller says that the token of {id} was refused");
        let refused = connection.generation;
        let attempt = self.refresh(id, Ask::replacing(refused)).await?;
        match attempt.course {
            Course::Failed(failure) => Err(failure),
            Course::Skipped(reason) => self.is_replaced(id, refused, &reason).await,
            Course::Open | Course::Success(_) => Ok(()),
        }
    }

    /// Nothing was sent for this complaint: either somebody else had replaced the token before, or it is
    /// the one that was refused, and not handed out again.
    async fn is_replaced(
        &self,
        id: &ConnectionId,
        refused: u64,
        reason: &str,
    ) -> Result<(), Failure> {
        let loaded = self.load(id).await?;
        if loaded.connection.generation != refused {
            return Ok(());
        }
        self.not_yet(&loaded)?;
        let message = format!("the token of {id} was refused and is not replaced now: {reason}");
        Err(Failure::new(Case::Unavailable, code::Token::NotReplaced, message))
    }
}

/// How old a token is that is too young to be refused for its age.
fn youth(token: &TokenFacts, now: Timestamp) -> Option<Duration> {
    // What a clock that was ahead has stored may be of any age.
    if token.issued_at > clock::after(now, TOO_YOUNG) {
        return None;
    }
    let age = Duration::try_from(now.duration_since(token.issued_at)).unwrap_or_default();
    Some(age).filter(|it| *it < TOO_YOUNG)
}
