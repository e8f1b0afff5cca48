//! API keys: made, listed, revoked, and recognised when a program presents one. Those that are in force are
//! in memory: a request costs no statement, and a revoked key stops at once.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hashbrown::HashMap;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::api_key::{ApiKey, Grant, Presented, Scope};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::{ConnectionId, check_name};
use crate::operator::command::Plain;
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::{KeyUse, StoredKey};
use crate::vault::Vault;

/// Keys in memory.
#[derive(Default)]
pub struct Keys {
    by_id: RwLock<HashMap<String, Known>>,
    /// Counts changes of them.
    changes: watch::Sender<u64>,
    uses: Mutex<HashMap<String, Timestamp>>,
}

/// A key in memory.
struct Known {
    key: Arc<ApiKey>,
    digest: Vec<u8>,
    /// Its grant, as the digest covers it.
    grant: String,
}

/// Why a presented key opens nothing. Programs are not told which of these it was; the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is none with this id.
    #[error("there is no such key")]
    Unknown,
    /// The secret is another one, or the row was changed by hand.
    #[error("its secret is wrong")]
    Wrong,
    /// It was revoked.
    #[error("it was revoked")]
    Revoked,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
}

/// A key that was just made.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewKey {
    /// What was made.
    pub key: ApiKey,
    /// The key itself; it is shown this once.
    pub secret: Plain,
}

impl Keys {
    /// Whether `presented` opens anything at `now`, and what.
    fn recognise(
        &self,
        presented: &Presented,
        vault: &Vault,
        now: Timestamp,
    ) -> Result<Arc<ApiKey>, Refused> {
        let keys = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        // An id is no secret: how soon one that nobody has is refused tells nothing.
        let Known { key, digest, grant } = keys.get(&presented.id).ok_or(Refused::Unknown)?;
        let is_right = vault.is_api_key(&covered(presented, grant), digest);
        match is_right {
            false => Err(Refused::Wrong),
            true if key.revoked_at.is_some() => Err(Refused::Revoked),
            true if key.grant.is_over(now) => Err(Refused::Expired),
            true => Ok(Arc::clone(key)),
        }
    }

    fn used(&self, id: &str, now: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(id) {
            Some(last) => *last = now,
            None => drop(uses.insert(id.to_owned(), now)),
        }
    }

    /// What is to be written down.
    pub(super) fn take_uses(&self) -> Vec<KeyUse> {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        uses.into_iter().map(|(id, at)| KeyUse { id, at }).collect()
    }

    fn put(&self, all: impl IntoIterator<Item = StoredKey>) {
        let mut keys = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        keys.extend(all.into_iter().map(|StoredKey { key, digest }| {
            let grant = written(&key.grant);
            (key.id.clone(), Known { key: Arc::new(key), digest, grant })
        }));
        drop(keys);
        self.changes.send_modify(|it| *it += 1);
    }

    /// The grant of the key `id` while it is in force.
    fn in_force(&self, id: &str, now: Timestamp) -> Option<Grant> {
        let keys = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(id).map(|it| &it.key)?;
        (key.revoked_at.is_none() && !key.grant.is_over(now)).then(|| key.grant.clone())
    }
}

/// What the digest of a key covers: its secret, and all that it allows.
fn covered<'a>(presented: &'a Presented, grant: &'a str) -> [&'a [u8]; 5] {
    [&presented.id, "\n", presented.secret.expose_secret(), "\n", grant].map(str::as_bytes)
}

/// A grant as the digest covers it.
fn written(grant: &Grant) -> String {
    serde_json::to_string(grant).unwrap_or_default()
}

impl Operator {
    /// Reads the keys into memory: once, when the daemon starts.
    pub async fn load_api_keys(&self) -> Result<(), Failure> {
        self.0.keys.put(self.0.storage.api_keys().await.map_err(|it| host_fault(&it))?);
        Ok(())
    }

    /// The key that a program presents.
    pub fn recognise(&self, presented: &Presented) -> Result<Arc<ApiKey>, Refused> {
        let now = self.0.clock.now();
        let key = self.0.keys.recognise(presented, &self.0.vault, now)?;
        self.0.keys.used(&key.id, now);
        Ok(key)
    }

    /// Whether the key of this id may still change `id`: it may have been revoked since it asked.
    pub(super) async fn key_may_change(&self, key: &str, id: &ConnectionId) -> bool {
        let Some(grant) = self.0.keys.in_force(key, self.now()) else { return false };
        let labels = self.labels(id).await.ok().flatten().unwrap_or_default();
        grant.allows(Scope::ConnectionWrite) && grant.reaches(id, &labels)
    }

    /// Returns once the key `id`, which was recognised before, is revoked or over.
    pub async fn key_ends(&self, id: &str) {
        let mut changes = self.0.keys.changes.subscribe();
        while let Some(grant) = self.0.keys.in_force(id, self.0.clock.now()) {
            let over = async {
                match grant.expires_at {
                    Some(end) => self.0.clock.sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                () = over => {}
            }
        }
    }

    pub(super) async fn create_api_key(
        &self,
        name: String,
        grant: Grant,
    ) -> Result<Reply, Failure> {
        let now = self.0.clock.now();
        self.check_new(&name, &grant, now).await?;
        let presented = Presented::from_random(random()?);
        let digest = self.0.vault.api_key_digest(&covered(&presented, &written(&grant)));
        let (id, created_at) = (presented.id.clone(), now);
        let key = ApiKey { id, name, grant, created_at, revoked_at: None, last_used_at: None };
        let stored = StoredKey { key: key.clone(), digest };
        let added = self.0.storage.add_api_key(stored.clone()).await;
        if !added.map_err(|it| host_fault(&it))? {
            return Err(name_taken(&key.name));
        }
        self.0.keys.put([stored]);
        Ok(Reply::NewKey(Box::new(NewKey { key, secret: presented.text().into() })))
    }

    async fn check_new(&self, name: &str, grant: &Grant, now: Timestamp) -> Result<(), Failure> {
        let refused =
            |message: String| Failure::new(Case::Misconfigured, code::ApiKey::Invalid, message);
        check_name(name).map_err(|_| {
            refused(format!(
                "`{name}` cannot be the name of a key: use letters, digits and . _ - @ + :"
            ))
        })?;
        if grant.scopes.is_empty() {
            return Err(refused(
                "a key without a scope allows nothing; add --scope token:read".into(),
            ));
        }
        if grant.is_over(now) {
            return Err(refused("the key would have expired already; choose a later time".into()));
        }
        for provider in &grant.providers {
            self.check_provider(provider).await?;
        }
        Ok(())
    }

    pub(super) async fn api_keys(&self) -> Result<Reply, Failure> {
        self.note_uses().await?;
        let keys = self.0.storage.api_keys().await.map_err(|it| host_fault(&it))?;
        Ok(Reply::ApiKeys(keys.into_iter().map(|it| it.key).collect()))
    }

    /// Revokes the key in force with that id or that name, and says which it was.
    pub(super) async fn revoke_api_key(&self, wanted: &str) -> Result<Reply, Failure> {
        let keys = self.0.storage.api_keys().await.map_err(|it| host_fault(&it))?;
        let is_meant = |it: &&StoredKey| {
            it.key.id == wanted || (it.key.name == wanted && it.key.revoked_at.is_none())
        };
        let mut stored = keys.iter().find(is_meant).ok_or_else(|| unknown(wanted))?.clone();
        let now = self.0.clock.now();
        let revoked = self.0.storage.revoke_api_key(&stored.key.id, now).await;
        if !revoked.map_err(|it| host_fault(&it))? {
            return Err(unknown(wanted));
        }
        stored.key.revoked_at = Some(now);
        self.0.keys.put([stored.clone()]);
        Ok(Reply::Revoked(Box::new(stored.key)))
    }

    /// Writes down when keys were used.
    pub(super) async fn note_uses(&self) -> Result<(), Failure> {
        let uses = self.0.keys.take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        self.0.storage.note_key_uses(uses).await.map_err(|it| host_fault(&it))
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the operating system gives no random bytes: {error}");
        Failure::new(Case::HostFault, code::Internal::Random, message)
    })?;
    Ok(bytes)
}

fn name_taken(name: &str) -> Failure {
    let message = format!(
        "there is a key called `{name}`; choose another name, or revoke that one: keepfresh api-key revoke {name}"
    );
    Failure::new(Case::Misconfigured, code::ApiKey::NameTaken, message)
}

fn unknown(wanted: &str) -> Failure {
    let message = format!("there is no API key `{wanted}` in force; see: keepfresh api-key list");
    Failure::new(Case::Misconfigured, code::ApiKey::Unknown, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::api_key::Scope;
    use crate::model::fixture::at;
    use crate::vault::key::MasterKey;
    use crate::vault::keyring::Keyring;

    fn vault() -> Vault {
        let master = MasterKey::random().ok().unwrap();
        Vault::new(Keyring::create(&master).unwrap().0, "a test".to_owned())
    }

    fn made(vault: &Vault, grant: Grant) -> (Presented, StoredKey) {
        let presented = Presented::from_random(std::array::from_fn(|it| u8::try_from(it).unwrap()));
        let digest = vault.api_key_digest(&covered(&presented, &written(&grant)));
        let (id, name) = (presented.id.clone(), "web".to_owned());
        let (revoked_at, last_used_at) = (None, None);
        let key = ApiKey { id, name, grant, created_at: at(0), revoked_at, last_used_at };
        (presented, StoredKey { key, digest })
    }

    fn grant() -> Grant {
        Grant { scopes: [Scope::TokenRead].into(), expires_at: Some(at(100)), ..Grant::default() }
    }

    #[test]
    fn only_the_right_key_in_force_is_recognised() {
        let vault = vault();
        let (presented, stored) = made(&vault, grant());
        let check = |stored: StoredKey, presented: &Presented, second| {
            let keys = Keys::default();
            keys.put([stored]);
            keys.recognise(presented, &vault, at(second)).map(|it| it.name.clone())
        };
        assert_eq!(check(stored.clone(), &presented, 99), Ok("web".to_owned()));
        assert_eq!(check(stored.clone(), &presented, 100), Err(Refused::Expired));
        let other = Presented { secret: "wrong".into(), ..presented.clone() };
        assert_eq!(check(stored.clone(), &other, 1), Err(Refused::Wrong));
        let other = Presented { id: "nobody".to_owned(), ..presented.clone() };
        assert_eq!(check(stored.clone(), &other, 1), Err(Refused::Unknown));
        let mut revoked = stored;
        revoked.key.revoked_at = Some(at(5));
        assert_eq!(check(revoked, &presented, 6), Err(Refused::Revoked));
    }

    #[test]
    fn a_row_that_was_changed_by_hand_opens_nothing() {
        let vault = vault();
        let (presented, stored) = made(&vault, grant());
        for change in [
            Grant { scopes: [Scope::Admin].into(), ..grant() },
            Grant { providers: ["eskiz".to_owned()].into(), ..grant() },
            Grant { labels: ["gold".to_owned()].into(), ..grant() },
            Grant { expires_at: None, ..grant() },
        ] {
            let keys = Keys::default();
            let mut changed = stored.clone();
            changed.key.grant = change;
            keys.put([changed]);
            let refused = keys.recognise(&presented, &vault, at(1));
            assert_eq!(refused.unwrap_err(), Refused::Wrong);
        }
    }

    #[test]
    fn a_key_is_in_force_until_it_is_revoked_or_over() {
        let vault = vault();
        let (keys, (_, mut stored)) = (Keys::default(), made(&vault, grant()));
        let (id, mut changes) = (stored.key.id.clone(), keys.changes.subscribe());
        assert!(keys.in_force(&id, at(1)).is_none());
        keys.put([stored.clone()]);
        assert_eq!(keys.in_force(&id, at(99)), Some(grant()));
        assert!(keys.in_force(&id, at(100)).is_none());
        changes.mark_unchanged();
        stored.key.revoked_at = Some(at(2));
        keys.put([stored]);
        assert!(changes.has_changed().unwrap() && keys.in_force(&id, at(3)).is_none());
    }

    #[test]
    fn the_last_use_is_written_down_once() {
        let keys = Keys::default();
        keys.used("a", at(1));
        keys.used("a", at(2));
        assert_eq!(keys.take_uses(), [KeyUse { id: "a".to_owned(), at: at(2) }]);
        assert!(keys.take_uses().is_empty());
    }
}
