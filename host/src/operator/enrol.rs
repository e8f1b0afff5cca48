//! Adding connections and taking them away: rows as people give them are enrolled, and what became of each is
//! counted.

use std::collections::{BTreeMap, HashMap};

use secrecy::SecretString;

use crate::model::code::{self, Code};
use crate::model::connection::Origin;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::{TokenSet, USUAL_TYPE};
use crate::operator::import_file::{Row, RowToken};
use crate::operator::reply::{Enrolled, Refusal};
use crate::operator::{Operator, Reply};
use crate::refresher::enrolling::{Enrolment, How, Outcome};
use crate::refresher::host_fault;

impl Operator {
    pub(super) async fn enrol(
        &self,
        provider: &str,
        rows: Vec<Row>,
        how: How,
    ) -> Result<Enrolled, Failure> {
        let mut enrolled = Enrolled::default();
        let mut all = Vec::with_capacity(rows.len());
        let mut lines = HashMap::new();
        for row in rows {
            let (line, name) = (row.line, row.name.clone());
            match enrolment(provider, row) {
                Ok(enrolment) => all.push(enrolment),
                Err(message) => {
                    enrolled.refused.push(Refusal { line, name: name.clone(), message });
                }
            }
            lines.insert(name, line);
        }
        for one in self.0.refresher.enrolling.enrol(provider, all, how).await? {
            let name = one.id.name().to_owned();
            let line = lines.get(&name).copied().unwrap_or_default();
            match one.outcome {
                Outcome::Added => enrolled.added += 1,
                Outcome::Updated => enrolled.updated += 1,
                Outcome::Kept => enrolled.kept += 1,
                Outcome::Unchanged => enrolled.unchanged += 1,
                Outcome::Refused(message) => {
                    enrolled.refused.push(Refusal { line, name, message });
                }
            }
            one.remarks.into_iter().for_each(|it| enrolled.remarks.add(line, it));
        }
        Ok(enrolled)
    }

    pub(super) async fn remove(&self, id: &ConnectionId) -> Result<Reply, Failure> {
        let listed = self.manifest().lists(id);
        if self.0.storage.remove(id, listed).await.map_err(|it| host_fault(&it))? {
            return Ok(Reply::Done(id.clone()));
        }
        let found = self.0.storage.standing(std::slice::from_ref(id)).await;
        let found = found.map_err(|it| host_fault(&it))?.remove(id);
        let Some(found) = found else { return Err(self.unknown(id).await) };
        let found = found.map_err(|it| host_fault(&it))?;
        let (code, message): (Code, _) = match found.origin {
            Origin::Manifest if listed => (
                code::Connection::OfManifest.into(),
                format!(
                    "{id} is in the manifest; remove it there, or delete its tokens: keepfresh token clear {id}"
                ),
            ),
            Origin::Manifest | Origin::Added => (
                code::Refresh::Held.into(),
                format!("{id} is already being refreshed; try again in a moment"),
            ),
        };
        Err(Failure::new(Case::Misconfigured, code, message))
    }
}

fn enrolment(provider: &str, row: Row) -> Result<Enrolment, String> {
    let id = ConnectionId::new(provider, &row.name).map_err(|it| it.to_string())?;
    Ok(Enrolment {
        id,
        settings: row.settings,
        labels: row.labels,
        more_labels: row.more_labels,
        secrets: row.secrets.into_iter().map(|(name, it)| (name, it.0)).collect(),
        token: row.token.map(token_set).transpose()?,
        active_at: row.active_at,
    })
}

/// A refresh token alone is beside an empty access token, which is never served.
fn token_set(token: RowToken) -> Result<TokenSet, String> {
    token.check()?;
    let none = || SecretString::from("");
    Ok(TokenSet {
        access_token: token.access_token.map_or_else(none, |it| it.0),
        token_type: token.token_type.unwrap_or_else(|| USUAL_TYPE.to_owned()),
        expires_at: token.expires_at,
        refresh_token: token.refresh_token.map(|it| it.0),
        refresh_expires_at: token.refresh_expires_at,
        scopes: token.scopes,
        extra: token.extra.into_iter().map(|(name, it)| (name, it.0)).collect(),
        metadata: token.metadata.into_iter().collect(),
        made_of: BTreeMap::new(),
    })
}
