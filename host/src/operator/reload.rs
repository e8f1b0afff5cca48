//! Asking the daemon to read manifest and plugins anew, and waiting until it has: whoever has changed
//! something then knows what came of it.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::{Operator, Reply};

/// One wish to reload; it is answered once it is done.
pub struct Reload(oneshot::Sender<Result<(), Failure>>);

/// Where wishes go, and what came of the last one.
pub struct Reloads {
    wishes: mpsc::UnboundedSender<Reload>,
    last: Mutex<Option<Reloaded>>,
}

/// What came of a reload, whoever wished it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// When.
    pub at: Timestamp,
    /// Why everything stays as it was, if it does.
    pub refused: Option<Failure>,
}

impl Reloads {
    /// Both ends: where wishes go, and where the daemon finds them.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Reload>) {
        let (wishes, found) = mpsc::unbounded_channel();
        (Self { wishes, last: Mutex::default() }, found)
    }

    /// What came of the last one.
    pub(super) fn last(&self) -> Option<Reloaded> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Reload {
    /// Tells what came of it.
    pub fn answer(self, result: Result<(), Failure>) {
        // Whoever asked may have gone.
        let _ = self.0.send(result);
    }
}

impl Operator {
    /// Keeps in mind what came of a reload.
    pub fn note_reload(&self, result: &Result<(), Failure>) {
        let reloaded = Reloaded { at: self.now(), refused: result.as_ref().err().cloned() };
        let mut last = self.0.reloads.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(reloaded);
    }

    /// The plugins as they are after the reload.
    pub(super) async fn reload(&self) -> Result<Reply, Failure> {
        if !self.0.daemon {
            let message = "no daemon is running; the next start reads everything";
            return Err(Failure::new(Case::Misconfigured, code::Daemon::Unreachable, message));
        }
        let (answer, done) = oneshot::channel();
        self.0.reloads.wishes.send(Reload(answer)).map_err(|_| stopping())?;
        done.await.map_err(|_| stopping())??;
        Ok(Reply::Plugins(self.plugins()))
    }
}

fn stopping() -> Failure {
    let message = "the daemon is stopping; the changes take effect at its next start";
    Failure::new(Case::HostFault, code::Daemon::Unreachable, message)
}
