//! Handing out tokens: the stored one if it lives long enough, a fresh one if it does not, and the
//! operator's fallback when there is nothing better. Only what is durable is served. A caller that complains of a
//! token gets another: one refresh for all who say so of the same one.

/// What a caller gets.
mod served;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

pub use served::{Served, Short};

use crate::catalogue::Catalogue;
use crate::model::attempt::Course;
use crate::model::clock::{self, Clock};
use crate::model::code;
use crate::model::connection::{Connection, TokenFacts};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::is_presentable;
use crate::refresher::ask::{Ask, Wish, wish};
use crate::refresher::attempts::Attempts;
use crate::refresher::fault::{load, recent};
use crate::refresher::secrets;
use crate::refresher::turns::Turns;
use crate::refresher::waiting;
use crate::storage::{Loaded, Storage};
use crate::vault::Vault;
use served::shortfall;

/// How often a caller is noted.
const NOTED: Duration = Duration::from_hours(1);

/// A token that is refused so soon after it was stored is not refused for its age.
const TOO_YOUNG: Duration = Duration::from_secs(10);

/// Hands out tokens.
pub struct Serving {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    turns: Turns,
    attempts: Arc<Attempts>,
}

impl Serving {
    pub(super) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        turns: &Turns,
        attempts: &Arc<Attempts>,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, turns, attempts) = (clock.clone(), turns.clone(), Arc::clone(attempts));
        Self { storage, vault, catalogue, clock, turns, attempts }
    }

    /// The token of `id` if it is in memory, lives for `min_ttl`, and nothing has to be written down or waited for.
    /// `None` says nothing else: [`Serving::token`] has the answer then.
    pub fn at_once(&self, id: &ConnectionId, min_ttl: Duration, now: Timestamp) -> Option<Served> {
        let loaded = self.storage.remembered(id)?;
        let noted = is_noted(&loaded.connection, now);
        noted.then(|| good(&self.vault, &loaded, min_ttl, now).ok().flatten()).flatten()
    }

    /// A token of `id` that lives for `min_ttl`, refreshing first when that helps. A token that still
    /// works is better than none, also when it lives shorter.
    pub async fn token(&self, id: &ConnectionId, min_ttl: Duration) -> Result<Served, Failure> {
        let loaded = recent(&self.storage, id).await?;
        let now = self.clock.now();
        if !is_noted(&loaded.connection, now) {
            Box::pin(self.note_caller(&loaded.connection, now)).await;
        }
        if let Some(served) = good(&self.vault, &loaded, min_ttl, now)? {
            return Ok(served);
        }
        // Boxed: most callers have their token by now, and need no room for what a refresh takes.
        Box::pin(self.refreshed(id, &loaded, min_ttl)).await
    }

    /// A token of `id` after a refresh, or what is there when that fails.
    async fn refreshed(
        &self,
        id: &ConnectionId,
        loaded: &Loaded,
        min_ttl: Duration,
    ) -> Result<Served, Failure> {
        let failure = self.refresh(loaded, min_ttl).await.err();
        let loaded = load(&self.storage, id).await?;
        let now = self.clock.now();
        if let Some(served) = stored(&self.vault, &loaded, min_ttl, failure.as_ref(), now)? {
            if let Some(failure) = &failure {
                warn!(connection.id = %id.full(), error.code = %failure.code, "serving the old token of {id}: {failure}");
            }
            return Ok(served);
        }
        match self.fallback(id).await {
            Some(served) => Ok(served),
            None => Err(failure.unwrap_or_else(|| no_token(id))),
        }
    }

    /// A token of `id` other than that of `generation`, which a provider has refused; of the current
    /// one when none is named. Whoever comes later with the same complaint gets what the first one got.
    pub async fn rejected(
        &self,
        id: &ConnectionId,
        generation: Option<u64>,
    ) -> Result<Served, Failure> {
        let loaded = load(&self.storage, id).await?;
        let current = loaded.connection.generation;
        let refused = generation.unwrap_or(current);
        if refused > current {
            let message =
                format!("{id} is at generation {current}; generation {refused} has never existed");
            return Err(Failure::new(Case::Misconfigured, code::Token::GenerationUnknown, message));
        }
        if refused == current {
            self.replace(id, &loaded).await?;
        }
        self.token(id, Duration::ZERO).await
    }

    async fn refresh(&self, loaded: &Loaded, min_ttl: Duration) -> Result<(), Failure> {
        self.not_yet(loaded)?;
        let id = &loaded.connection.id;
        let attempt = self.attempts.refresh(id, Ask::on_demand(min_ttl)).await?;
        match attempt.course {
            Course::Failed(failure) => Err(failure),
            // Somebody else's attempt, which had to wait.
            Course::Skipped(_) => self.not_yet(&load(&self.storage, id).await?),
            Course::Open | Course::Success(_) => Ok(()),
        }
    }

    /// Has the current token replaced, which was refused.
    async fn replace(&self, id: &ConnectionId, loaded: &Loaded) -> Result<(), Failure> {
        self.not_yet(loaded)?;
        let (connection, now) = (&loaded.connection, self.clock.now());
        if let Some(age) = connection.token.as_ref().and_then(|it| youth(it, now)) {
            return Err(too_young(id, age));
        }
        info!(connection.id = %id.full(), "a caller reports that the token of {id} was rejected");
        let refused = connection.generation;
        let attempt = self.attempts.refresh(id, Ask::replacing(refused)).await?;
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
        let loaded = load(&self.storage, id).await?;
        if loaded.connection.generation != refused {
            return Ok(());
        }
        self.not_yet(&loaded)?;
        let message =
            format!("the token of {id} was rejected and cannot be replaced now: {reason}");
        Err(Failure::new(Case::Unavailable, code::Token::NotReplaced, message))
    }

    fn not_yet(&self, loaded: &Loaded) -> Result<(), Failure> {
        let wait = self.turns.wait_for(loaded.connection.id.provider());
        waiting::not_yet(loaded, wait, self.clock.now())
    }

    /// Notes that somebody wants this token.
    async fn note_caller(&self, connection: &Connection, now: Timestamp) {
        if let Err(error) = self.storage.touch(&connection.id, now).await {
            warn!(connection.id = %connection.id.full(), error.code = error.code().text(), "the time of a request could not be stored: {error}");
        }
    }

    async fn fallback(&self, id: &ConnectionId) -> Option<Served> {
        let plugin = self.catalogue.plugin(id.provider()).ok()?;
        let source = plugin.provider().fallback_token.as_ref()?;
        let read = source.read().await;
        let token = read.inspect_err(|error| {
            warn!(connection.id = %id.full(), error.code = error.code().text(), "the fallback token of {id} is not served: {error}");
        });
        let token = token.ok()?;
        if !is_presentable(&token) {
            warn!(connection.id = %id.full(), error.code = code::Token::Invalid.text(), "the fallback token of {id} is not one word of visible ASCII; it is not served");
            return None;
        }
        warn!(connection.id = %id.full(), "serving the fallback token of {id}: no other token is available");
        Some(Served::fallback(token))
    }
}

/// The stored token of `id`, if it lives for `min_ttl` or no new one would live longer: for those who look
/// beside whoever works on the database. Nobody is noted, and nothing is sent.
pub async fn stored_token(
    storage: &Storage,
    vault: &Vault,
    id: &ConnectionId,
    min_ttl: Duration,
    now: Timestamp,
) -> Result<Option<Served>, Failure> {
    good(vault, &load(storage, id).await?, min_ttl, now)
}

/// The stored token, if it lives for `min_ttl` or no new one would live longer.
fn good(
    vault: &Vault,
    loaded: &Loaded,
    min_ttl: Duration,
    now: Timestamp,
) -> Result<Option<Served>, Failure> {
    let facts = loaded.connection.token.as_ref();
    match facts.map(|it| wish(it, min_ttl, loaded.given, now)) {
        Some(Wish::Met | Wish::Beyond(_)) => stored(vault, loaded, min_ttl, None, now),
        _ => Ok(None),
    }
}

/// The stored token, if it works. `failed` is why there is no newer one.
fn stored(
    vault: &Vault,
    loaded: &Loaded,
    min_ttl: Duration,
    failed: Option<&Failure>,
    now: Timestamp,
) -> Result<Option<Served>, Failure> {
    let facts = loaded.connection.token.as_ref();
    let Some(facts) = facts.filter(|it| it.is_valid(now)) else { return Ok(None) };
    let short = shortfall(loaded, facts, min_ttl, failed, now);
    let presented = secrets::presented(vault, loaded)?;
    Ok(presented.map(|it| Served {
        token: it.token.clone(),
        token_type: it.token_type.clone(),
        expires_at: facts.expires_at,
        generation: loaded.connection.generation,
        short,
    }))
}

/// Whether it is known that somebody wants this token: once an hour is enough.
fn is_noted(connection: &Connection, now: Timestamp) -> bool {
    connection.active_at.is_some_and(|it| clock::after(it, NOTED) > now && it <= now)
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

fn too_young(id: &ConnectionId, age: Duration) -> Failure {
    let age = age.as_secs();
    let message = format!(
        "{id} was refreshed {age} s ago and the token was rejected anyway, so its age is not the reason; check its scopes and the account's permissions"
    );
    Failure::new(Case::Unavailable, code::Token::RejectedWhenFresh, message)
}

fn no_token(id: &ConnectionId) -> Failure {
    let message = format!("{id} has no valid token; see: keepfresh status {id}");
    Failure::new(Case::Unavailable, code::Token::None, message)
}
