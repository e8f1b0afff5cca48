//! What is sealed of one connection: its token sets, and secrets of its own. Each is opened and sealed for its
//! place here, and nowhere else in this stage; answers have theirs in `journal`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::catalogue::{Own, Plugin};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::fault::vault_fault;
use crate::sandbox::{CallInput, Journal};
use crate::storage::{Loaded, Presented};
use crate::vault::credentials::Credentials;
use crate::vault::place::Place;
use crate::vault::{Sealed, Vault, credentials, tokens};

/// The current token set.
pub(super) fn current(vault: &Vault, loaded: &Loaded) -> Result<Option<TokenSet>, Failure> {
    let Some(sealed) = &loaded.sealed else { return Ok(None) };
    let row = row(&loaded.connection.id);
    let place = place(&row, loaded.connection.generation);
    tokens::open_tokens(vault, &place, sealed).map(Some).map_err(|it| vault_fault(&it))
}

/// What callers present of it, opened once for as long as the row is remembered.
pub(super) fn presented<'a>(
    vault: &Vault,
    loaded: &'a Loaded,
) -> Result<Option<&'a Presented>, Failure> {
    if let Some(presented) = loaded.presented.get() {
        return Ok(Some(presented));
    }
    let current = current(vault, loaded)?.filter(|it| !it.lacks_access_token());
    let opened = current.map(|it| Presented { token: it.access_token, token_type: it.token_type });
    Ok(opened.map(|it| loaded.presented.get_or_init(|| it)))
}

/// A token set, sealed as that generation of `id`.
pub(super) fn seal_token(
    vault: &Vault,
    id: &ConnectionId,
    generation: u64,
    token: &TokenSet,
) -> Result<Sealed, Failure> {
    let row = row(id);
    let sealed = tokens::seal_tokens(vault, &place(&row, generation), token);
    sealed.map_err(|it| vault_fault(&it))
}

/// What the connection brings of its own, opened.
pub(super) fn own(vault: &Vault, loaded: &Loaded) -> Result<Own, Failure> {
    let connection = &loaded.connection;
    let row = row(&connection.id);
    let open = |sealed| credentials::open_credentials(vault, &row, sealed);
    let secrets = loaded.credentials.as_ref().map(open).transpose();
    Ok(Own {
        settings: connection.settings.clone(),
        secrets: secrets.map_err(|it| vault_fault(&it))?.unwrap_or_default(),
        remembered: connection.token.as_ref().map(|it| it.metadata.clone()).unwrap_or_default(),
    })
}

/// Secrets of its own, sealed for `id`; `None` when it brings none.
pub(super) fn seal_own(
    vault: &Vault,
    id: &ConnectionId,
    secrets: &Credentials,
) -> Result<Option<Sealed>, Failure> {
    let row = row(id);
    let sealed = (!secrets.is_empty()).then(|| credentials::seal_credentials(vault, &row, secrets));
    sealed.transpose().map_err(|it| vault_fault(&it))
}

/// What a call for the connection works on, with `current` as its token set.
pub(super) async fn input(
    vault: &Vault,
    plugin: &Plugin,
    loaded: &Loaded,
    current: Option<TokenSet>,
    journal: Arc<dyn Journal>,
    now: Timestamp,
) -> Result<CallInput, Failure> {
    plugin.input(&loaded.connection.id, own(vault, loaded)?, current, journal, now).await
}

/// Whether a login would replace what this connection has. A plugin that serves people as well can
/// log in for a client; a refresh token is a person's there, and nobody logs in for a person.
pub(super) fn logs_in(vault: &Vault, plugin: &Plugin, loaded: &Loaded) -> Result<bool, Failure> {
    let about = plugin.descriptor();
    if !about.unattended || !about.interactive {
        return Ok(about.unattended);
    }
    Ok(current(vault, loaded)?.is_none_or(|it| it.refresh_token.is_none()))
}

/// The key of a connection's row, as the associated data has it.
fn row(id: &ConnectionId) -> String {
    format!("{}/{}", id.provider(), id.name())
}

/// The place that a token set is sealed for.
fn place(row: &str, generation: u64) -> Place<'_> {
    Place { table: "generations", column: "sealed", row, generation }
}
