//! What people bring: connections to be there, from a file or one by one, and tokens set and forgotten by
//! hand, for moving in from another system and for providers that a person has to log in to.

/// A connection to be there.
mod enrolment;

/// A token as a person gives it.
mod manual;

use futures_util::future::try_join_all;
use jiff::Timestamp;

pub use enrolment::{Enrolment, Outcome};
pub use manual::ManualToken;

use crate::catalogue::{Catalogue, Plugin};
use crate::model::attempt::Trigger;
use crate::model::clock::Clock;
use crate::model::connection::{Connection, Due};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::claims::Claims;
use crate::refresher::fault::{busy, host_fault, load};
use crate::refresher::flights::Flights;
use crate::refresher::plan::{Timing, share};
use crate::refresher::secrets;
use crate::sandbox::expiry;
use crate::storage::{self, Loaded, ManualSet, Standing, Storage};
use crate::vault::{Sealed, Vault};

/// How connections are added.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Whether their tokens go over those that are there.
    pub replace: bool,
    /// Whether it is only said what would become of them.
    pub dry_run: bool,
}

/// What became of a connection.
#[derive(Debug)]
pub struct Enrolled {
    /// Which.
    pub id: ConnectionId,
    /// What became of it.
    pub outcome: Outcome,
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

/// Takes what people bring.
pub struct Enrolling {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    flights: Flights,
    claims: Claims,
}

impl Enrolling {
    pub(super) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        flights: &Flights,
        claims: &Claims,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, flights, claims) = (clock.clone(), flights.clone(), claims.clone());
        Self { storage, vault, catalogue, clock, flights, claims }
    }

    /// Adds `all` of them to `provider`, and says what became of each, in their order.
    pub async fn enrol(
        &self,
        provider: &str,
        all: Vec<Enrolment>,
        how: How,
    ) -> Result<Vec<Enrolled>, Failure> {
        let plugin = self.catalogue.plugin(provider)?;
        let ids = all.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        let standing = self.storage.standing(&ids).await.map_err(|it| host_fault(&it))?;
        let each = all.into_iter().map(|enrolment| async {
            match standing.get(&enrolment.id).map(Result::as_ref).transpose() {
                Ok(found) => self.enrol_one(&plugin, enrolment, found, how).await,
                Err(error) => {
                    let (id, outcome) = (enrolment.id, Outcome::Refused(error.to_string()));
                    Ok(Enrolled { id, outcome, remarks: Vec::new() })
                }
            }
        });
        // Together: their writes share a commit.
        try_join_all(each).await
    }

    async fn enrol_one(
        &self,
        plugin: &Plugin,
        mut enrolment: Enrolment,
        found: Option<&Standing>,
        how: How,
    ) -> Result<Enrolled, Failure> {
        let (id, digest) = (enrolment.id.clone(), enrolment.digest(&self.vault));
        let outcome = enrolment.outcome(plugin, &digest, found, how.replace);
        let remarks = match outcome {
            Outcome::Unchanged | Outcome::Refused(_) => Vec::new(),
            Outcome::Kept => {
                enrolment.token = None;
                Vec::new()
            }
            Outcome::Added | Outcome::Updated => enrolment.remarks(plugin, found, self.clock.now()),
        };
        if how.dry_run || matches!(outcome, Outcome::Unchanged | Outcome::Refused(_)) {
            return Ok(Enrolled { id, outcome, remarks });
        }
        if found.is_some() && !enrolment.secrets.is_empty() {
            self.keep_other_secrets(&mut enrolment).await?;
        }
        let row = self.row(plugin, enrolment, found, digest)?;
        let stored = self.storage.enrol(row).await.map_err(|it| host_fault(&it))?;
        let busy = || {
            Outcome::Refused("it was just being refreshed or changed; import it again".to_owned())
        };
        Ok(Enrolled { id, outcome: if stored { outcome } else { busy() }, remarks })
    }

    /// Secrets that are there and are not said again stay.
    async fn keep_other_secrets(&self, enrolment: &mut Enrolment) -> Result<(), Failure> {
        let loaded = load(&self.storage, &enrolment.id).await?;
        for (name, secret) in secrets::own(&self.vault, &loaded)?.secrets {
            if enrolment.secrets.iter().all(|(said, _)| *said != name) {
                enrolment.secrets.push((name, secret));
            }
        }
        Ok(())
    }

    /// What is stored of it beside what was `found`.
    fn row(
        &self,
        plugin: &Plugin,
        enrolment: Enrolment,
        found: Option<&Standing>,
        digest: Vec<u8>,
    ) -> Result<storage::Enrolment, Failure> {
        let (settings, labels) = enrolment.beside(found);
        let Enrolment { id, secrets, token, active_at, .. } = enrolment;
        let at = self.clock.now();
        let token = token.map(|it| with_expiry(plugin, it, at));
        let due = first_look(plugin, &id, token.as_ref(), found, at);
        let generation = found.map_or(0, |it| it.generation) + 1;
        Ok(storage::Enrolment {
            found: found.map(|it| it.generation),
            enrolled: found.and_then(|it| it.enrolled.clone()),
            settings,
            labels,
            credentials: secrets::seal_own(&self.vault, &id, &secrets)?,
            token: token.map(|it| self.sealed(&id, generation, it)).transpose()?,
            due,
            probe_at: first_probe(plugin, &id, at),
            active_at,
            digest,
            at,
            id,
        })
    }

    /// Stores a token by hand as the next generation, and returns its number.
    pub async fn set_token(&self, id: &ConnectionId, token: ManualToken) -> Result<u64, Failure> {
        let now = self.clock.now();
        let plugin = self.catalogue.plugin(id.provider()).ok();
        let plugin = plugin.as_deref();
        let token = token.into_set(plugin.and_then(|it| it.descriptor().lifetime), now);
        let due = plugin.and_then(|it| Timing::of(it, id).after_success(token.ends(), now));
        let loaded = load(&self.storage, id).await?;
        let token = self.sealed(id, loaded.connection.generation + 1, token)?;
        self.store(&loaded, Some(token), due).await
    }

    /// Forgets the token of `id`. A connection that can log in by itself does so at the next look.
    pub async fn clear_token(&self, id: &ConnectionId) -> Result<(), Failure> {
        let loaded = load(&self.storage, id).await?;
        let plugin = self.catalogue.plugin(id.provider());
        let unattended = plugin.is_ok_and(|it| it.descriptor().unattended);
        let due = Due { at: self.clock.now(), trigger: Trigger::Expiry };
        self.store(&loaded, None, unattended.then_some(due)).await.map(drop)
    }

    async fn store(
        &self,
        loaded: &Loaded,
        token: Option<(TokenSet, Sealed)>,
        due: Option<Due>,
    ) -> Result<u64, Failure> {
        let at = self.clock.now();
        let Connection { id, generation, .. } = &loaded.connection;
        if self.flights.is_under_way(id) {
            return Err(busy(id));
        }
        self.claims.check(loaded, at)?;
        // An attempt that no living process works on is settled by a new token.
        let adopts = loaded.open.as_ref().map(|it| it.id);
        let set =
            ManualSet { connection: id.clone(), generation: *generation, token, due, adopts, at };
        if self.storage.set_manually(set).await.map_err(|it| host_fault(&it))? {
            return Ok(generation + 1);
        }
        Err(busy(id))
    }

    /// A token set with its sealed form as that generation.
    fn sealed(
        &self,
        id: &ConnectionId,
        generation: u64,
        token: TokenSet,
    ) -> Result<(TokenSet, Sealed), Failure> {
        let sealed = secrets::seal_token(&self.vault, id, generation, &token)?;
        Ok((token, sealed))
    }
}

/// The same token, with the end that the plugin knows of where nobody says when it ends. A refresh token alone is
/// beside an access token that has ended.
fn with_expiry(plugin: &Plugin, token: TokenSet, at: Timestamp) -> TokenSet {
    if token.lacks_access_token() {
        return TokenSet { expires_at: Some(at), ..token };
    }
    let lifetime = plugin.descriptor().lifetime;
    let expires_at = expiry(token.expires_at, &token.access_token, at, lifetime);
    TokenSet { expires_at, ..token }
}

/// When it is looked at first; `None` leaves what is there.
fn first_look(
    plugin: &Plugin,
    id: &ConnectionId,
    token: Option<&TokenSet>,
    found: Option<&Standing>,
    at: Timestamp,
) -> Option<Due> {
    let soon = Due { at, trigger: Trigger::Expiry };
    if let Some(token) = token {
        if token.lacks_access_token() {
            return Some(soon);
        }
        return Timing::of(plugin, id).after_success(token.ends(), at);
    }
    let lacks_token = found.is_none_or(|it| !it.has_token);
    (lacks_token && plugin.descriptor().unattended).then_some(soon)
}

/// Spread over the first period: a hundred thousand that came together are not asked together.
fn first_probe(plugin: &Plugin, id: &ConnectionId, at: Timestamp) -> Option<Timestamp> {
    plugin.provider().probe.map(|period| at + share(Timing::seed_of(id), period))
}
