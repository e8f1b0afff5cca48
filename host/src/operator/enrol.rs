//! Adding connections and taking them away: rows as people give them are enrolled, and what became of each is
//! counted.

use crate::model::code::{self, Code};
use crate::model::connection::Origin;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::{TokenSet, USUAL_TYPE};
use crate::operator::import_file::{Row, RowToken};
use crate::operator::reply::Enrolled;
use crate::operator::{Operator, Reply};
use crate::refresher::enrolling::{Enrolment, Outcome};
use crate::refresher::host_fault;

impl Operator {
    pub(super) async fn enrol(
        &self,
        provider: &str,
        rows: Vec<Row>,
        replace: bool,
    ) -> Result<Enrolled, Failure> {
        let mut enrolled = Enrolled::default();
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let name = row.name.clone();
            match enrolment(provider, row) {
                Ok(enrolment) => all.push(enrolment),
                Err(why) => enrolled.refused.push((name, why)),
            }
        }
        for (id, outcome) in self.0.refresher.enrolling.enrol(provider, all, replace).await? {
            match outcome {
                Outcome::Added => enrolled.added += 1,
                Outcome::Updated => enrolled.updated += 1,
                Outcome::Kept => enrolled.kept += 1,
                Outcome::Unchanged => enrolled.unchanged += 1,
                Outcome::Refused(why) => enrolled.refused.push((id.name().to_owned(), why)),
            }
        }
        Ok(enrolled)
    }

    pub(super) async fn remove(&self, id: &ConnectionId) -> Result<Reply, Failure> {
        let listed = self.manifest().lists(id);
        if self.0.storage.remove(id, listed).await.map_err(|it| host_fault(&it))? {
            return Ok(Reply::Done);
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
        secrets: row.secrets.into_iter().map(|(name, it)| (name, it.0)).collect(),
        token: row.token.map(token_set).transpose()?,
        active_at: row.active_at,
    })
}

fn token_set(token: RowToken) -> Result<TokenSet, String> {
    token.check()?;
    Ok(TokenSet {
        access_token: token.access_token.0,
        token_type: token.token_type.unwrap_or_else(|| USUAL_TYPE.to_owned()),
        expires_at: token.expires_at,
        refresh_token: token.refresh_token.map(|it| it.0),
        refresh_expires_at: token.refresh_expires_at,
        scopes: token.scopes,
        extra: Vec::new(),
        metadata: Vec::new(),
        made_of: std::collections::BTreeMap::new(),
    })
}
