//! One attempt with everything that is known of it, for people and for scripts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::attempt::Attempt;
use crate::model::code;
use crate::model::exchange::Exchange;
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::model::said;
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::Recorded;

/// One attempt, with what lists leave out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptDetails {
    /// As lists have it.
    #[serde(flatten)]
    pub attempt: Attempt,
    /// Which file of the plugin ran; null when none did.
    pub plugin_digest: Option<String>,
    /// The requests that it made, in order. Of more than sixteen, the first and the last.
    pub exchanges: Vec<Exchange>,
}

impl From<Recorded> for AttemptDetails {
    fn from(recorded: Recorded) -> Self {
        let Recorded { attempt, digest, exchanges } = recorded;
        Self { attempt, plugin_digest: digest.map(|it| said::digest(&it)), exchanges }
    }
}

impl Operator {
    /// One attempt with everything about it.
    pub async fn recorded(&self, id: AttemptId) -> Result<Option<AttemptDetails>, Failure> {
        let found = self.0.storage.recorded(id).await.map_err(|it| host_fault(&it))?;
        Ok(found.map(AttemptDetails::from))
    }

    /// The same of one that must be there.
    pub(super) async fn show_attempt(&self, id: AttemptId) -> Result<Reply, Failure> {
        let unknown = || {
            let message = format!("there is no attempt {id}; see: keepfresh log");
            Failure::new(Case::Misconfigured, code::Attempt::Unknown, message)
        };
        let found = self.recorded(id).await?.ok_or_else(unknown)?;
        Ok(Reply::Attempt(Box::new(found)))
    }
}
