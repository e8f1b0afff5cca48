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
        let answer = self.0.proxy.forward(id, asked).await;
        metrics::passed(id.provider(), answer.as_ref().ok().map(|it| it.status));
        if answer.is_ok() {
            self.note(actor, Action::TokenUsed, id.full(), None).await;
        }
        answer
    }
}
