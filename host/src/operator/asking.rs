//! Commands of people and programs that may go before they are done: over HTTP, whoever hangs up ends neither a change
//! nor what is written down of it.

use tokio::sync::{mpsc, watch};

use crate::model::audit::Actor;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Command, Operator, Progress, Reply};

/// Where the progress of commands goes that answer at once.
#[derive(Clone, Debug)]
pub struct Unheard(mpsc::UnboundedSender<Progress>);

impl Default for Unheard {
    fn default() -> Self {
        Self(mpsc::unbounded_channel().0)
    }
}

impl Operator {
    /// Carries out a command in the name of `actor`. A caller who hangs up ends neither a change nor what is written
    /// down of it.
    pub async fn ask(&self, actor: &Actor, command: Command) -> Result<Reply, Failure> {
        // Tokens are refreshed in tasks of their own.
        if command.only_looks() || matches!(command, Command::TokenGet { .. }) {
            return self.run(actor, command, &self.0.unheard.0).await;
        }
        let (this, actor) = (self.clone(), actor.clone());
        let work = async move { this.run(&actor, command, &this.0.unheard.0).await };
        let done = self.lifecycle().spawn("command", work).await;
        done.unwrap_or_else(|| {
            Err(Failure::new(
                Case::HostFault,
                code::Internal::Panic,
                "a fault in this program ended it; see the log",
            ))
        })
    }

    /// Changes whenever a connection may have.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.storage.changes()
    }
}
