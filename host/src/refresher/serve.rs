//! Handing out tokens: the stored one if it lives long enough, a fresh one if it does not, and the
//! operator's fallback when there is nothing better. Only what is durable is served.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::model::attempt::Course;
use crate::model::clock;
use crate::model::code;
use crate::model::connection::{Connection, TokenFacts};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::state::span;
use crate::model::token::is_presentable;
use crate::refresher::Refresher;
use crate::refresher::ask::{Ask, Wish, lifetime, wish};
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

/// A token that does not live as long as a caller wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// How often a caller is noted.
const NOTED: Duration = Duration::from_hours(1);

impl Refresher {
    /// A token of `id` that lives for `min_ttl`, refreshing first when that helps. A token that still
    /// works is better than none, also when it lives shorter.
    pub async fn token(&self, id: &ConnectionId, min_ttl: Duration) -> Result<Served, Failure> {
        let loaded = self.load(id).await?;
        self.note_caller(&loaded.connection).await;
        let facts = loaded.connection.token.as_ref();
        let wish = facts.map(|it| wish(it, min_ttl, loaded.given, self.clock.now()));
        if let Some(Wish::Met | Wish::Beyond(_)) = wish
            && let Some(served) = self.stored(&loaded, min_ttl, None)?
        {
            return Ok(served);
        }
        let failure = self.refresh_for_caller(&loaded, min_ttl).await.err();
        let loaded = self.load(id).await?;
        if let Some(served) = self.stored(&loaded, min_ttl, failure.as_ref())? {
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

    /// The stored token, if it works. `failed` is why there is no newer one.
    fn stored(
        &self,
        loaded: &Loaded,
        min_ttl: Duration,
        failed: Option<&Failure>,
    ) -> Result<Option<Served>, Failure> {
        let now = self.clock.now();
        let facts = loaded.connection.token.as_ref();
        let Some(facts) = facts.filter(|it| it.is_valid(now)) else { return Ok(None) };
        let short = shortfall(loaded, facts, min_ttl, failed, now);
        let served = self.current(loaded)?.map(|it| Served {
            token: it.access_token,
            token_type: it.token_type,
            expires_at: facts.expires_at,
            generation: loaded.connection.generation,
            short,
        });
        Ok(served)
    }

    async fn refresh_for_caller(&self, loaded: &Loaded, min_ttl: Duration) -> Result<(), Failure> {
        self.not_yet(loaded)?;
        let id = &loaded.connection.id;
        let attempt = self.refresh(id, Ask::on_demand(min_ttl)).await?;
        match attempt.course {
            Course::Failed(failure) => Err(failure),
            // Somebody else's attempt, which had to wait.
            Course::Skipped(_) => self.not_yet(&self.load(id).await?),
            Course::Open | Course::Success(_) => Ok(()),
        }
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
        Some(Served {
            token,
            token_type: "Bearer".to_owned(),
            expires_at: None,
            generation: 0,
            short: None,
        })
    }
}

/// What a caller is told whose token does not live for `min_ttl`.
fn shortfall(
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
            format!("{provider} gives tokens of {} at most", span(now, clock::after(now, it)))
        }
        (None, None) => "there is no newer one".to_owned(),
    };
    let (lives, wanted) = (span(now, end), span(now, clock::after(now, min_ttl)));
    Some(Short {
        min_ttl_s: min_ttl.as_secs(),
        lives_s: u64::try_from(end.duration_since(now).as_secs()).unwrap_or_default(),
        longest_s: longest.map(|it| it.as_secs()),
        reason: format!("this token lives for {lives} and not for {wanted}: {because}"),
    })
}

fn no_token(id: &ConnectionId) -> Failure {
    let message = format!("{id} has no token that works; see: keepfresh status {id}");
    Failure::new(Case::Unavailable, code::Token::None, message)
}
