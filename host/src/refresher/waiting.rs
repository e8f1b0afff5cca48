//! What whoever asks too early is told: a provider that is down or wants to be asked less is waited for by
//! everybody alike, and so is the next try of a connection that failed.

use crate::model::attempt::{Attempt, Trigger};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::refresher::Refresher;
use crate::refresher::breaker::{Wait, Why};
use crate::refresher::decide::next_try;
use crate::refresher::running::Running;
use crate::storage::Loaded;

impl Refresher {
    /// Sends nothing: its provider is waited for. A caller wants to hear of it; for the others it is one
    /// more reason why nothing is done now.
    pub(super) async fn turn_away(
        &self,
        running: &Running,
        wait: Wait,
    ) -> Result<Attempt, Failure> {
        let id = &running.connection;
        if running.ask.trigger == Trigger::OnDemand || running.ask.replaces.is_some() {
            return Err(failure(id.provider(), wait));
        }
        let now = format!("or now if you name it: keepfresh refresh {id} --force");
        self.skip(running, format!("{}, {now}", sentence(id.provider(), wait))).await
    }

    /// Why a refresh for a caller would not help now, if it would not: a caller does not wait for what
    /// only a person can mend, nor add to an outage.
    pub(super) fn not_yet(&self, loaded: &Loaded) -> Result<(), Failure> {
        let connection = &loaded.connection;
        if let (Some(_), Some(error)) = (connection.problem, &connection.error) {
            return Err(error.clone());
        }
        // One that is under way is joined.
        let next = next_try(connection, self.clock.now()).filter(|_| loaded.open.is_none());
        if let (Some(at), Some(error)) = (next, &connection.error) {
            let message = format!("{} (next try at {at})", error.message);
            return Err(Failure { message, ..error.clone() });
        }
        let provider = connection.id.provider();
        self.wait_for(provider).map_or(Ok(()), |it| Err(failure(provider, it)))
    }
}

/// Why `provider` is not asked now, and when it is.
pub fn sentence(provider: &str, wait: Wait) -> String {
    let Wait { until, why } = wait;
    match why {
        Why::Outage(1) => format!("{provider} is down (next try at {until})"),
        Why::Outage(times) => {
            format!("{provider} is down: {times} requests in a row failed (next try at {until})")
        }
        Why::Limit => format!("{provider} asks to slow down (next try at {until})"),
    }
}

fn failure(provider: &str, wait: Wait) -> Failure {
    let code = match wait.why {
        Why::Outage(_) => code::Provider::Unavailable,
        Why::Limit => code::Provider::RateLimited,
    };
    Failure::new(Case::Unavailable, code, sentence(provider, wait))
}
