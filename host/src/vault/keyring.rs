//! The data keys, wrapped by the master key as the keyring table keeps them. A value names its key
//! by id, so no key is ever tried. Knows nothing of how the table is stored.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, ExposeSecretMut};

use crate::vault::envelope::{self, Context};
use crate::vault::error::VaultError;
use crate::vault::key::{Key, MasterKey, derive, random_key, random_nonce};
use crate::vault::place::{Place, Purpose};

/// One row of the keyring table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// What sealed values name.
    pub id: u32,
    /// The [`MasterKey::id`] that wraps it, in clear, so that an error can name the missing key.
    pub master_id: String,
    /// Whether new values are sealed with it.
    pub state: KeyState,
    /// The data key, sealed.
    pub blob: Vec<u8>,
}

/// What a data key still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Seals and opens. There is one.
    Primary,
    /// Opens what was sealed before the last rotation.
    DecryptOnly,
}

/// The data keys, opened, with a key for each purpose.
pub struct Keyring {
    primary: DataKey,
    others: Vec<DataKey>,
}

/// The keys of the purposes. The data key itself is forgotten once they are derived.
pub(super) struct DataKey {
    id: u32,
    tokens: Key,
    capture: Key,
    credential: Key,
    code_cache: Key,
    api_keys: Key,
    accounts: Key,
}

const FIRST: u32 = 1;
/// The master key's id in an envelope; data keys start at [`FIRST`].
const MASTER: u32 = 0;

impl Keyring {
    /// A ring with one new key, for a database that has no rows. The caller stores the row before
    /// anything is sealed.
    pub fn create(master: &MasterKey) -> Result<(Self, WrappedKey), VaultError> {
        let key = random_key()?;
        let row = wrap(master, FIRST, KeyState::Primary, &key)?;
        Ok((Self { primary: DataKey::new(FIRST, &key), others: Vec::new() }, row))
    }

    /// Opens the stored ring. A key that is not the one that wrapped it is named, with the one
    /// that is missing.
    pub fn open(master: &MasterKey, rows: &[WrappedKey]) -> Result<Self, VaultError> {
        let mut primary = None;
        let mut others = Vec::<DataKey>::new();
        for row in rows {
            let key = DataKey::new(row.id, &unwrap(master, row)?);
            match row.state {
                KeyState::Primary if primary.is_none() => primary = Some(key),
                KeyState::Primary => {
                    return Err(VaultError::Malformed("the keyring has two primary keys"));
                }
                KeyState::DecryptOnly => others.push(key),
            }
        }
        let primary = primary.ok_or(VaultError::Malformed("the keyring has no primary key"))?;
        Ok(Self { primary, others })
    }

    pub(super) fn primary(&self) -> &DataKey {
        &self.primary
    }

    pub(super) fn find(&self, id: u32) -> Result<&DataKey, VaultError> {
        self.all()
            .find(|it| it.id == id)
            .ok_or_else(|| VaultError::UnknownKey { id, known: self.ids() })
    }

    fn all(&self) -> impl Iterator<Item = &DataKey> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    fn ids(&self) -> Vec<u32> {
        self.all().map(|it| it.id).collect()
    }
}

impl DataKey {
    fn new(id: u32, key: &Key) -> Self {
        Self {
            id,
            tokens: derive(key, "tokens"),
            capture: derive(key, "capture"),
            credential: derive(key, "credential"),
            code_cache: derive(key, "code-cache"),
            api_keys: derive(key, "api-keys"),
            accounts: derive(key, "accounts"),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn for_purpose(&self, purpose: Purpose) -> &Key {
        match purpose {
            Purpose::Tokens => &self.tokens,
            Purpose::Capture => &self.capture,
            Purpose::Credential => &self.credential,
        }
    }

    pub(super) fn code_cache(&self) -> &Key {
        &self.code_cache
    }

    pub(super) fn api_keys(&self) -> &Key {
        &self.api_keys
    }

    pub(super) fn accounts(&self) -> &Key {
        &self.accounts
    }
}

fn wrap(master: &MasterKey, id: u32, state: KeyState, key: &Key) -> Result<WrappedKey, VaultError> {
    let master_id = master.id();
    let blob = in_keyring(id, &master_id, |context| {
        envelope::seal(&master.wrapping_key(), random_nonce()?, context, key.expose_secret())
    })?;
    Ok(WrappedKey { id, master_id, state, blob })
}

fn unwrap(master: &MasterKey, row: &WrappedKey) -> Result<Key, VaultError> {
    let offered = master.id();
    if row.master_id != offered {
        return Err(VaultError::WrongKey { expected: row.master_id.clone(), offered });
    }
    let plain = in_keyring(row.id, &offered, |context| {
        envelope::open(&master.wrapping_key(), context, &row.blob)
    })?;
    let bytes = <&[u8; 32]>::try_from(plain.as_slice())
        .map_err(|_| VaultError::Malformed("a data key does not have 32 bytes"))?;
    let mut key = Key::default();
    key.expose_secret_mut().copy_from_slice(bytes);
    Ok(key)
}

/// Binds a wrapped key to its id and its master key, so that two entries cannot be swapped.
fn in_keyring<T>(id: u32, master_id: &str, run: impl FnOnce(&Context<'_>) -> T) -> T {
    let row = id.to_string();
    let place = Place { table: "keyring", column: "blob", row: &row, generation: 0 };
    run(&Context { key_id: MASTER, instance: master_id, place: &place })
}

impl KeyState {
    /// As the table keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::DecryptOnly => "decrypt-only",
        }
    }
}

impl FromStr for KeyState {
    type Err = VaultError;

    fn from_str(text: &str) -> Result<Self, VaultError> {
        match text {
            "primary" => Ok(Self::Primary),
            "decrypt-only" => Ok(Self::DecryptOnly),
            _ => Err(VaultError::Malformed("the keyring has a key in an unknown state")),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("ids", &self.ids()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master() -> MasterKey {
        MasterKey::random().ok().unwrap()
    }

    fn second(master: &MasterKey) -> WrappedKey {
        wrap(master, 2, KeyState::DecryptOnly, &random_key().unwrap()).unwrap()
    }

    #[test]
    fn a_stored_ring_opens_with_its_master_key() {
        let master = master();
        let (made, row) = Keyring::create(&master).unwrap();
        let opened = Keyring::open(&master, &[row, second(&master)]).unwrap();
        assert_eq!(opened.ids(), [1, 2]);
        assert_eq!(
            opened.primary().for_purpose(Purpose::Tokens).expose_secret(),
            made.primary().for_purpose(Purpose::Tokens).expose_secret()
        );
    }

    #[test]
    fn a_wrong_master_key_names_both() {
        let (master, other) = (master(), master());
        let (_, row) = Keyring::create(&master).unwrap();
        let error = Keyring::open(&other, &[row]).unwrap_err();
        assert_eq!(error.code().text(), "vault.wrong_key");
        assert!(error.to_string().contains(&master.id()));
        assert!(error.to_string().contains(&other.id()));
    }

    #[test]
    fn entries_of_the_ring_cannot_be_swapped() {
        let master = master();
        let (_, first) = Keyring::create(&master).unwrap();
        let swapped = WrappedKey { blob: second(&master).blob, ..first };
        let error = Keyring::open(&master, &[swapped]).unwrap_err();
        assert_eq!(error.code().text(), "vault.bad_context");
    }

    #[test]
    fn a_ring_without_one_primary_is_malformed() {
        let master = master();
        let (_, first) = Keyring::create(&master).unwrap();
        for rows in [vec![], vec![second(&master)], vec![first.clone(), first]] {
            let error = Keyring::open(&master, &rows).unwrap_err();
            assert_eq!(error.code().text(), "vault.malformed");
        }
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let key = DataKey::new(1, &random_key().unwrap());
        let DataKey { tokens, capture, credential, code_cache, api_keys, accounts, .. } = &key;
        let mut all = [tokens, capture, credential, code_cache, api_keys, accounts]
            .map(|it| *it.expose_secret())
            .to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }
}
