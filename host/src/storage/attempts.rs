//! An attempt from its intent to its outcome, as steps: begin, renew, and one of four ends.

use jiff::Timestamp;

use crate::model::attempt::{Spent, Trigger};
use crate::model::connection::{Agreed, Due, Problem};
use crate::model::event::Event;
use crate::model::exchange::Exchange;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::storage::{Storage, StorageError};
use crate::vault::Sealed;

/// The intent to send: durable before any byte is.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The new attempt.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub trigger: Trigger,
    /// The generation to send from; another one means that somebody was faster.
    pub generation: u64,
    /// What the provider does with used refresh tokens.
    pub rotation: Rotation,
    /// Digest of the plugin that will run.
    pub digest: String,
    /// This process.
    pub owner: String,
    /// Now.
    pub at: Timestamp,
    /// When another process may take over.
    pub lease_until: Timestamp,
    /// The interrupted attempt that this one takes over, closed in the same step.
    pub adopts: Option<AttemptId>,
    /// What becomes of answers that were captured.
    pub captured: Captured,
    /// When a request began that may have left without a captured answer.
    pub doubt_since: Option<Timestamp>,
}

/// What a new attempt does with the answers of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// It leaves them where they are.
    Stay,
    /// It reads them once more, which counts.
    AreRead,
    /// It gives them up for a new request: what is captured from now on is its.
    AreGivenUp,
}

/// Whether a step of an attempt was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It was.
    Yes,
    /// Another attempt has the claim, or the generation has moved on: look again.
    Lost,
}

/// A claim that is held for longer.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The attempt that has the claim.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// When another process may take over.
    pub lease_until: Timestamp,
}

/// A new generation, and all that goes with it, in one step.
#[derive(Debug)]
pub struct Succeeded {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// The generation it was sent from; the new one is one more.
    pub generation: u64,
    /// How it came about, when that is worth a word.
    pub reason: Option<String>,
    /// The new token set, of which only the plain facts are stored from here.
    pub token: TokenSet,
    /// The new token set, sealed for its new generation.
    pub sealed: Sealed,
    /// Keyed digests of the configuration that it came of, if they are known.
    pub config: Option<Vec<u8>>,
    /// Why it is of no use, when it came dead: then the attempt has failed.
    pub dead: Option<Failure>,
    /// What a person agreed to for it; `None` leaves what is there.
    pub agreed: Option<Agreed>,
    /// Whether it may be another account's than before, whose facts then go.
    pub may_be_another: bool,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// What to tell.
    pub events: Vec<Event>,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// What it spent that on.
    pub spent: Spent,
    /// The requests that it made.
    pub exchanges: Vec<Exchange>,
}

/// A try that failed, and what follows from it, in one step. Credentials are never touched.
#[derive(Debug)]
pub struct Failed {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// The generation it was sent from: the failure says nothing about another one.
    pub generation: u64,
    /// Why.
    pub failure: Failure,
    /// Set when only a person can help.
    pub problem: Option<Problem>,
    /// Keyed digest of the configuration, with a problem.
    pub config: Option<Vec<u8>>,
    /// Set when the outcome at the provider is unknown: when the request began.
    pub doubt_since: Option<Timestamp>,
    /// Whether captured answers stay for a replay.
    pub keep_captures: bool,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// What to tell.
    pub events: Vec<Event>,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// What it spent that on.
    pub spent: Spent,
    /// The requests that it made.
    pub exchanges: Vec<Exchange>,
}

/// A try of a person that came to nothing, beside a token that it does not concern.
#[derive(Debug)]
pub struct Abandoned {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub failure: Failure,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// What it spent that on.
    pub spent: Spent,
    /// The requests that it made.
    pub exchanges: Vec<Exchange>,
}

/// A request for a refresh that sent nothing.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its id.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why it was asked for.
    pub trigger: Trigger,
    /// Why nothing was sent.
    pub reason: String,
    /// The current generation.
    pub generation: u64,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// Stores the next generation; `Lost`, and nothing written, if the one it was sent from is no
    /// longer current or the attempt is no longer open.
    pub async fn succeed(&self, mut succeeded: Succeeded) -> Result<Begun, StorageError> {
        let heard = self.keep_heard(&mut succeeded.events);
        let (id, due) = (succeeded.connection.clone(), succeeded.due);
        let begun = self.making_due(due, self.engine.succeed(succeeded)).await?;
        self.wake_listeners(&heard);
        if begun == Begun::Yes {
            self.drop_answers(&id);
        }
        Ok(begun)
    }

    /// Stores a failure; `Lost`, and nothing written, if the attempt is no longer open. What it says of the
    /// connection is not written if another generation is there by now.
    pub async fn fail(&self, mut failed: Failed) -> Result<Begun, StorageError> {
        let heard = self.keep_heard(&mut failed.events);
        let spent = (!failed.keep_captures).then(|| failed.connection.clone());
        let begun = self.making_due(failed.due, self.engine.fail(failed)).await?;
        self.wake_listeners(&heard);
        if let Some(id) = spent.filter(|_| begun == Begun::Yes) {
            self.drop_answers(&id);
        }
        Ok(begun)
    }

    /// Ends an attempt and leaves the connection as it was before; `Lost` if it is no longer open.
    pub async fn abandon(&self, abandoned: Abandoned) -> Result<Begun, StorageError> {
        self.changing_times(self.engine.abandon(abandoned)).await
    }
}
