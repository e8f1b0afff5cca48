//! A try that ends before anything could be sent: there is no plugin, or nobody to log in. It is
//! recorded like any other, so that the log and the state say why nothing happens.

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Course};
use crate::model::connection::Problem;
use crate::model::event::{Event, EventKind};
use crate::model::failure::{Case, Failure};
use crate::model::id::AttemptId;
use crate::model::rotation::Rotation;
use crate::refresher::ask::Ask;
use crate::refresher::commit::fenced;
use crate::refresher::{AttemptResult, Refresher, host_fault};
use crate::storage::{Begin, Begun, Captured, Failed, Loaded};

impl Refresher {
    /// Records `failure` for a connection that nothing can be sent for. What is in doubt stays in
    /// doubt, and captured answers stay.
    pub(super) async fn refuse(
        &self,
        loaded: &Loaded,
        ask: Ask,
        failure: Failure,
    ) -> AttemptResult {
        let now = self.clock.now();
        let id = AttemptId::generate();
        let intent = self.empty_intent(id, loaded, ask, now);
        if self.storage.begin(intent).await.map_err(|it| host_fault(&it))? == Begun::Lost {
            return Err(fenced());
        }
        let connection = &loaded.connection;
        let (problem, event) = match failure.case {
            Case::GrantExpired => (Problem::Reconnect, EventKind::Reconnect),
            _ => (Problem::Misconfigured, EventKind::Misconfigured),
        };
        let code = failure.code.clone();
        let attempt = Attempt {
            id,
            connection: connection.id.clone(),
            trigger: ask.trigger,
            course: Course::Failed(failure.clone()),
            started_at: now,
            duration_ms: Some(0),
            generation: connection.generation,
        };
        let generation = connection.generation;
        let failed = Failed {
            attempt: id,
            connection: connection.id.clone(),
            generation,
            failure,
            problem: Some(problem),
            config: None,
            doubt_since: loaded.doubt_since(),
            keep_captures: true,
            due: None,
            events: vec![Event {
                kind: event,
                connection: connection.id.clone(),
                at: now,
                generation,
                code: Some(code),
            }],
            at: now,
            duration_ms: 0,
        };
        match self.storage.fail(failed).await.map_err(|it| host_fault(&it))? {
            Begun::Yes => Ok(attempt),
            Begun::Lost => Err(fenced()),
        }
    }

    fn empty_intent(&self, id: AttemptId, loaded: &Loaded, ask: Ask, now: Timestamp) -> Begin {
        let open = loaded.open.as_ref();
        Begin {
            attempt: id,
            connection: loaded.connection.id.clone(),
            trigger: ask.trigger,
            generation: loaded.connection.generation,
            rotation: open.map_or(Rotation::Unknown, |it| it.rotation),
            digest: String::new(),
            owner: self.owner.clone(),
            at: now,
            lease_until: now,
            adopts: open.map(|it| it.id),
            captured: Captured::Stay,
            doubt_since: loaded.doubt_since(),
        }
    }
}
