//! A caller says that the provider refused a token: one refresh for all who say so of the same one.

use std::time::Duration;

use tracing::info;

use crate::model::attempt::{Course, Trigger};
use crate::model::clock;
use crate::model::code;
use crate::model::connection::TokenFacts;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::{Ask, Refresher, Served};

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
            self.replace_refused(id, &loaded.connection).await?;
        }
        self.token(id, Duration::ZERO).await
    }

    async fn replace_refused(
        &self,
        id: &ConnectionId,
        connection: &crate::model::connection::Connection,
    ) -> Result<(), Failure> {
        self.not_yet(connection)?;
        let now = self.clock.now();
        // What a clock that was ahead has stored may be of any age.
        let is_young = |it: &&TokenFacts| {
            clock::after(it.issued_at, TOO_YOUNG) > now
                && it.issued_at <= clock::after(now, TOO_YOUNG)
        };
        let young = connection.token.as_ref().filter(is_young);
        if let Some(token) = young {
            let age = now.duration_since(token.issued_at).as_secs().max(0);
            let message = format!(
                "{id} was refreshed {age} s ago and the token was refused all the same: its age is not why; look at its scopes and at the account's rights"
            );
            return Err(Failure::new(Case::Unavailable, code::Token::RejectedWhenFresh, message));
        }
        info!(connection.id = %id, "a caller says that the token of {id} was refused");
        let attempt = self.refresh(id, Ask::new(Trigger::Forced)).await?;
        match attempt.course {
            Course::Failed(failure) => Err(failure),
            Course::Open | Course::Success(_) | Course::Skipped(_) => Ok(()),
        }
    }
}
