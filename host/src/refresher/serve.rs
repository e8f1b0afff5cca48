//! Handing out tokens: the stored one if it lives long enough, a fresh one if it does not, and the
//! operator's fallback when there is nothing better. Only what is durable is served.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tracing::warn;

use crate::model::attempt::Course;
use crate::model::clock;
use crate::model::code;
use crate::model::connection::Connection;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::is_presentable;
use crate::refresher::{Ask, Refresher};
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
}

/// How often a caller is noted.
const NOTED: Duration = Duration::from_hours(1);

impl Refresher {
    /// A token of `id` that lives for `min_ttl`, refreshing first when it must. If that fails, a token
    /// that still works is better than none.
    pub async fn token(&self, id: &ConnectionId, min_ttl: Duration) -> Result<Served, Failure> {
        let loaded = self.load(id).await?;
        self.note_caller(&loaded.connection).await;
        if let Some(served) = self.stored(&loaded, min_ttl)? {
            return Ok(served);
        }
        let failure = self.refresh_for_caller(&loaded, min_ttl).await.err();
        let loaded = self.load(id).await?;
        if let Some(served) = self.stored(&loaded, Duration::ZERO)? {
            if let Some(failure) = &failure {
                warn!(connection.id = %id, error.code = %failure.code, "serving the old token of {id}: {failure}");
            }
            return Ok(served);
        }
        match self.fallback(id).await {
            Some(served) => Ok(served),
            None => Err(failure.unwrap_or_else(|| no_token(id))),
        }
    }

    fn stored(&self, loaded: &Loaded, min_ttl: Duration) -> Result<Option<Served>, Failure> {
        let now = self.clock.now();
        let until = clock::after(now, min_ttl);
        let Some(facts) = loaded.connection.token.as_ref().filter(|it| it.is_valid(until)) else {
            return Ok(None);
        };
        let served = self.current(loaded)?.map(|it| Served {
            token: it.access_token,
            token_type: it.token_type,
            expires_at: facts.expires_at,
            generation: loaded.connection.generation,
        });
        Ok(served)
    }

    /// A caller does not wait for what only a person can mend, nor add to an outage.
    async fn refresh_for_caller(&self, loaded: &Loaded, min_ttl: Duration) -> Result<(), Failure> {
        let connection = &loaded.connection;
        self.not_yet(connection)?;
        let ask = Ask::on_demand(min_ttl);
        let attempt = self.refresh(&connection.id, ask).await?;
        match attempt.course {
            Course::Failed(failure) => Err(failure),
            Course::Open | Course::Success(_) | Course::Skipped(_) => Ok(()),
        }
    }

    /// Why a refresh would not help now, if it would not.
    pub(super) fn not_yet(&self, connection: &Connection) -> Result<(), Failure> {
        if let (Some(_), Some(error)) = (connection.problem, &connection.error) {
            return Err(error.clone());
        }
        let backing_off =
            connection.due.filter(|it| connection.failures > 0 && it.at > self.clock.now());
        if let (Some(due), Some(error)) = (backing_off, &connection.error) {
            let message = format!("{} (next try at {})", error.message, due.at);
            return Err(Failure { message, ..error.clone() });
        }
        Ok(())
    }

    /// Notes that somebody wants this token: once an hour is enough to know.
    async fn note_caller(&self, connection: &Connection) {
        let now = self.clock.now();
        if connection.active_at.is_some_and(|it| clock::after(it, NOTED) > now && it <= now) {
            return;
        }
        if let Err(error) = self.storage.touch(&connection.id, now).await {
            warn!(connection.id = %connection.id, error.code = error.code().text(), "a caller could not be noted: {error}");
        }
    }

    async fn fallback(&self, id: &ConnectionId) -> Option<Served> {
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        let source = plugin.provider().fallback_token.as_ref()?;
        let token = source.read().await.ok()?;
        if !is_presentable(&token) {
            warn!(connection.id = %id, error.code = code::Token::Invalid.text(), "the fallback token of {id} is not one word of visible ASCII; it is not served");
            return None;
        }
        warn!(connection.id = %id, "serving the fallback token of {id}: there is nothing better");
        Some(Served { token, token_type: "Bearer".to_owned(), expires_at: None, generation: 0 })
    }
}

fn no_token(id: &ConnectionId) -> Failure {
    let message = format!("{id} has no token that works; see: keepfresh status {id}");
    Failure::new(Case::Unavailable, code::Token::None, message)
}
