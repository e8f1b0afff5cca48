//! Connections with everything that is sealed of them, in clear, as rows that an import takes: the way out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::model::connection::{Connection, Origin};
use crate::model::failure::Failure;
use crate::model::token::TokenSet;
use crate::operator::command::{PageQuery, Plain, Selection};
use crate::operator::import_file::{Row, RowToken};
use crate::operator::reply::{Exported, Refusal};
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::Loaded;

/// A token that a plugin made itself is made of the manifest's secrets, and comes again of them.
const MADE: &str =
    "its token is made of secrets and is left out; whoever has the secrets makes it again";

impl Operator {
    /// One page of them.
    pub(super) async fn export(
        &self,
        selection: &Selection,
        page: &PageQuery,
    ) -> Result<Reply, Failure> {
        self.check_selection(selection).await?;
        let filter = selection.filter(self.now());
        let found = self.0.storage.page(&filter, page.after.as_deref(), page.limit()).await;
        let found = found.map_err(|it| host_fault(&it))?;
        let mut exported = Exported { next: found.next, ..Exported::default() };
        for row in found.rows {
            match row {
                Ok(connection) => self.export_one(&connection, &mut exported).await?,
                Err(it) => exported.notes.push(note(&it.key, it.error.to_string())),
            }
        }
        match selection.ids.iter().find(|_| exported.rows.is_empty() && exported.notes.is_empty()) {
            Some(missing) => Err(self.unknown(missing).await),
            None => Ok(Reply::Exported(exported)),
        }
    }

    async fn export_one(
        &self,
        connection: &Connection,
        exported: &mut Exported,
    ) -> Result<(), Failure> {
        let loaded = self.0.storage.load(&connection.id).await.map_err(|it| host_fault(&it))?;
        // It was removed meanwhile.
        let Some(loaded) = loaded else { return Ok(()) };
        let name = connection.id.name();
        match self.0.refresher.exporting.open(&loaded) {
            Ok((token, secrets)) => {
                let is_made = token.as_ref().is_some_and(|it| !it.made_of.is_empty());
                let notes = [is_made.then_some(MADE), doubt(&loaded)];
                exported.notes.extend(notes.into_iter().flatten().map(|it| note(name, it.into())));
                exported.rows.push(row(&loaded.connection, token.filter(|_| !is_made), secrets));
            }
            Err(failure) => exported.notes.push(note(name, failure.message)),
        }
        Ok(())
    }
}

fn note(name: &str, message: String) -> Refusal {
    Refusal { line: 0, name: name.to_owned(), message }
}

/// Why its refresh token may be of no use.
fn doubt(loaded: &Loaded) -> Option<&'static str> {
    if !loaded.captures.is_empty() {
        return Some("an answer with newer tokens waits to be read: keepfresh plugin replay");
    }
    let doubtful = loaded.doubt_since().is_some();
    doubtful.then_some(
        "the outcome of its last refresh is unknown, so its refresh token may be used up",
    )
}

/// What the manifest lists is set there, and only its token goes along.
fn row(
    connection: &Connection,
    token: Option<TokenSet>,
    secrets: Vec<(String, SecretString)>,
) -> Row {
    let labels = Some(connection.labels.clone());
    Row {
        name: connection.id.name().to_owned(),
        settings: connection.settings.clone(),
        labels: labels.filter(|it| !it.is_empty() && connection.origin == Origin::Added),
        secrets: secrets.into_iter().map(|(name, it)| (name, Plain::from(it))).collect(),
        token: token.map(row_token),
        active_at: connection.active_at.and_then(whole),
        ..Row::default()
    }
}

fn row_token(token: TokenSet) -> RowToken {
    let alone = token.lacks_access_token();
    RowToken {
        access_token: (!alone).then(|| token.access_token.into()),
        refresh_token: token.refresh_token.map(Plain::from),
        token_type: Some(token.token_type),
        expires_at: token.expires_at.filter(|_| !alone).and_then(whole),
        refresh_expires_at: token.refresh_expires_at.and_then(whole),
        scopes: token.scopes,
        extra: token.extra.into_iter().map(|(name, it)| (name, it.into())).collect(),
        metadata: token.metadata.into_iter().collect::<BTreeMap<_, _>>(),
    }
}

/// A time in whole seconds, as an import reads it.
fn whole(time: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(time.as_second()).ok()
}
