//! Requests of programs through the proxy: who sent them is counted, and how they ended.

use crate::model::audit::{Action, Actor};
use crate::model::id::ConnectionId;
use crate::operator::Operator;
use crate::proxy::{Answer, Asked, Refusal};
use crate::telemetry::metrics;

impl Operator {
    /// Sends what `actor` asks for with the token of `id`.
    pub async fn pass(
        &self,
        actor: &Actor,
        id: &ConnectionId,
        asked: Asked,
    ) -> Result<Answer, Refusal> {
        let sent = || self.count(actor, Action::TokenUsed, id.full(), self.now());
        let answer = self.0.proxy.forward(id, asked, sent).await;
        // A name that anybody may write is no label.
        if self.manifest().providers.contains_key(id.provider()) {
            metrics::passed(id.provider(), answer.as_ref().ok().map(|it| it.status));
        }
        answer
    }
}
