//! The journal of one attempt: answers are sealed and durable before the plugin sees them, and those
//! of an interrupted attempt are given back instead of sending again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tracing::Instrument as _;
use zeroize::Zeroizing;

use crate::egress::Arrival;
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::refresher::fault::host_fault;
use crate::refresher::held::HeldAnswers;
use crate::sandbox::{Journal, Kept};
use crate::storage::{Capture, Departed, Storage};
use crate::telemetry::spans;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::place::{Place, Purpose};

/// Answers of one connection and generation.
pub(super) struct AttemptJournal {
    pub(super) storage: Storage,
    pub(super) held: Arc<HeldAnswers>,
    pub(super) vault: Vault,
    pub(super) clock: Clock,
    pub(super) connection: ConnectionId,
    pub(super) generation: u64,
    pub(super) attempt: AttemptId,
    /// Whether answers are kept: not for a provider that never rotates.
    pub(super) durable: bool,
    /// Whether the provider forgives a refresh token that it is sent twice within a moment.
    pub(super) forgiven: bool,
    /// Answers of an earlier attempt that nobody has spent, in order.
    pub(super) unspent: Mutex<Vec<Capture>>,
    /// Whether the database has an answer of this generation. Until then the intent alone says that a
    /// request may have left; afterwards each has to say it of itself.
    pub(super) answered: AtomicBool,
}

impl Journal for AttemptJournal {
    fn is_repeatable(&self) -> bool {
        self.forgiven
    }

    fn recall(&self, request: &str) -> Result<Option<Arrival>, Failure> {
        let mut unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = unspent.iter().position(|it| it.of.request == request);
        let Some(found) = found else { return Ok(None) };
        let capture = unspent.remove(found);
        open(&self.vault, &capture).map(Some).map_err(|_| unopenable(&self.connection))
    }

    fn depart<'a>(&'a self, seq: u32, request: &'a str) -> Kept<'a> {
        Box::pin(async move {
            if !self.durable || !self.answered.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.note(seq, request).await
        })
    }

    fn doubt<'a>(&'a self, seq: u32, request: &'a str) -> Kept<'a> {
        Box::pin(async move {
            if !self.durable {
                return Ok(());
            }
            self.note(seq, request).await
        })
    }

    fn capture<'a>(&'a self, seq: u32, request: &'a str, arrival: &'a Arrival) -> Kept<'a> {
        Box::pin(async move {
            if !self.durable {
                return Ok(());
            }
            let of = self.departed(seq, request);
            let capture = seal(&self.vault, of, arrival)?;
            self.held.keep(capture).instrument(spans::capture()).await?;
            self.answered.store(true, Ordering::Relaxed);
            Ok(())
        })
    }
}

impl AttemptJournal {
    /// A captured answer is read at the time it came: "expires in an hour" counts from then.
    pub(super) fn replay_time(&self) -> Option<Timestamp> {
        let unspent = self.unspent.lock().unwrap_or_else(PoisonError::into_inner);
        unspent.first().map(|it| it.of.at)
    }

    async fn note(&self, seq: u32, request: &str) -> Result<(), Failure> {
        let noted = self.storage.depart(self.departed(seq, request)).await;
        noted.map_err(|it| host_fault(&it))
    }

    fn departed(&self, seq: u32, request: &str) -> Departed {
        Departed {
            connection: self.connection.clone(),
            generation: self.generation,
            attempt: self.attempt,
            seq,
            request: request.to_owned(),
            at: self.clock.now(),
        }
    }
}

fn seal(vault: &Vault, of: Departed, arrival: &Arrival) -> Result<Capture, Failure> {
    let fault = |code: Code, message: String| Failure::new(Case::HostFault, code, message);
    let plain = serde_json::to_vec(arrival).map(Zeroizing::new);
    let plain = plain.map_err(|it| fault(code::Internal::Serialise.into(), it.to_string()))?;
    let row = row(&of);
    let sealed = vault.seal(Purpose::Capture, &place(&row, of.generation), &plain);
    let sealed = sealed.map_err(|it| fault(it.code(), it.to_string()))?;
    Ok(Capture { of, sealed, readings: 1 })
}

/// Whether every answer can be opened.
pub(super) fn can_open(vault: &Vault, captures: &[Capture]) -> bool {
    captures.iter().all(|it| open(vault, it).is_ok())
}

fn open(vault: &Vault, capture: &Capture) -> Result<Arrival, VaultError> {
    let row = row(&capture.of);
    let opened = vault.open(Purpose::Capture, &place(&row, capture.of.generation), &capture.sealed);
    let plain = opened.or_else(|error| {
        // Before answers belonged to an attempt, they were sealed for their number alone.
        let row = former_row(&capture.of);
        let place = place(&row, capture.of.generation);
        vault.open(Purpose::Capture, &place, &capture.sealed).map_err(|_| error)
    })?;
    serde_json::from_slice(&plain)
        .map_err(|_| VaultError::Malformed("a captured answer is not in its stored form"))
}

/// An answer is here, and nobody can read it.
pub fn unopenable(id: &ConnectionId) -> Failure {
    let message = format!(
        "the stored answer to an earlier refresh of {id} cannot be decrypted: its key is missing, or the row is damaged; restore the key and run `keepfresh plugin replay {id}`, or get a new token: `keepfresh connect {id}` or `keepfresh token set {id}`"
    );
    Failure::new(Case::Misconfigured, code::Vault::AnswerUnopenable, message)
}

fn row(of: &Departed) -> String {
    let Departed { connection, attempt, seq, .. } = of;
    format!("{}/{}#{attempt}#{seq}", connection.provider(), connection.name())
}

fn former_row(of: &Departed) -> String {
    let Departed { connection, seq, .. } = of;
    format!("{}/{}#{seq}", connection.provider(), connection.name())
}

fn place(row: &str, generation: u64) -> Place<'_> {
    Place { table: "captures", column: "sealed", row, generation }
}
