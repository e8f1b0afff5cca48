//! One attempt, start to stored result, and the tokens that come of it. Others meet this stage by what they
//! want of it: each face is a type of its own over the parts that it needs, and all are joined here, once.
//!
//! Does not know why it was called or who will be told.

// The faces.

/// Refreshing: one attempt, from the ask to the stored outcome.
mod attempts;

/// Handing out tokens.
mod serving;

/// Consent of a person, and its end.
mod consents;

/// Connections and tokens that people bring.
pub mod enrolling;

/// Leaving connections alone.
mod pauses;

/// Facts about the account, asked now and then.
mod profiles;

/// When connections are looked at, by their rows.
mod times;

/// What is sealed, for whoever moves out.
mod exporting;

/// Current tokens, for whoever delivers them.
mod currents;

/// What may be shown of what is sealed.
mod showing;

/// Turns to ask a provider.
mod turns;

// Their parts.

/// One attempt for each connection.
mod flights;

/// This process's claims, and those that are there.
mod claims;

/// An attempt under way.
mod running;

/// How an attempt ends in the database.
mod endings;

/// Answers made durable, and given back.
mod journal;

/// Answers that no disk takes yet.
mod held;

/// Token sets and secrets, opened and sealed.
mod secrets;

/// What whoever asks too early is told.
mod waiting;

/// How much at once.
mod throttle;

/// What limits come to.
mod pace;

/// Who is next.
mod slots;

/// Keeps an outage from becoming a storm, and makes a limit one for all.
mod breaker;

/// What keeps this host from an attempt.
mod fault;

// The rules.

/// Who asks, and how much they want it.
mod ask;

/// What a request for a refresh comes to.
mod decide;

/// What a failure leads to.
mod judge;

/// When a failure or a success is followed by another look.
mod plan;

/// When a connection is looked at next, from its row alone.
mod due;

use std::sync::Arc;

pub use ask::Ask;
pub use attempts::{Attempts, Foreseen};
pub use breaker::{Verdict, Wait};
pub use consents::{Brings, Came, Consent, Consents, Ending};
pub use currents::Currents;
pub use decide::{Decision, Way};
pub use enrolling::{Enrolling, ManualToken};
pub use exporting::Exporting;
pub use fault::{host_fault, unknown};
pub use flights::AttemptResult;
pub use journal::unopenable;
pub use pace::{Pace, places, usual_places};
pub use pauses::Pauses;
pub use plan::longest_margin;
pub use profiles::Profiles;
pub use serving::{Served, Serving, Short, stored_token};
pub use showing::Showing;
pub use times::Times;
pub use turns::Turns;
pub use waiting::sentence;

use crate::catalogue::Catalogue;
use crate::lifecycle::Lifecycle;
use crate::model::clock::Clock;
use crate::storage::Storage;
use crate::vault::Vault;
use attempts::{Calls, Looks, Sending, Unsent};
use claims::Claims;
use consents::Connecting;
use endings::Endings;
use flights::Flights;
use held::HeldAnswers;

/// What others use, each by its name. A clone is cheap and means the same one.
#[derive(Clone)]
pub struct Refresher {
    /// Refreshes, and says what a refresh would come to.
    pub attempts: Arc<Attempts>,
    /// Hands out tokens.
    pub serving: Arc<Serving>,
    /// Gets and ends what people consent to.
    pub consents: Arc<Consents>,
    /// Takes connections and tokens that people bring.
    pub enrolling: Arc<Enrolling>,
    /// Pauses and resumes.
    pub pauses: Arc<Pauses>,
    /// Asks for profiles.
    pub profiles: Arc<Profiles>,
    /// Knows when connections are looked at.
    pub times: Arc<Times>,
    /// Shows names and digests of what is sealed.
    pub showing: Arc<Showing>,
    /// Opens what is sealed, for whoever moves out.
    pub exporting: Arc<Exporting>,
    /// Opens current tokens, for whoever delivers them.
    pub currents: Arc<Currents>,
    /// Says whose turn it is to ask a provider.
    pub turns: Arc<Turns>,
}

impl Refresher {
    /// Joins the parts.
    pub fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        lifecycle: &Lifecycle,
    ) -> Self {
        let flights = Flights::new(lifecycle);
        let claims = Claims::new(storage, clock);
        let endings = Endings::new(storage, vault, clock);
        let times = Times::new(storage, vault, catalogue, clock, &claims);
        let pauses = Pauses::new(storage, clock, &times);
        let turns = Turns::new(clock, lifecycle);
        let held = Arc::new(HeldAnswers::new(storage, clock, lifecycle));
        let calls = Calls::new(storage, vault, clock, &held);
        let unsent = Unsent::new(storage, clock, &claims, &endings);
        let looks = Looks::new(storage, vault, catalogue, clock, &pauses);
        let enrolling = Enrolling::new(storage, vault, catalogue, clock, &flights, &claims);
        let enrolling = Arc::new(enrolling);
        let connecting = Connecting {
            storage: storage.clone(),
            vault: vault.clone(),
            catalogue: catalogue.clone(),
            clock: clock.clone(),
            pauses: pauses.clone(),
            flights: flights.clone(),
            claims: claims.clone(),
            endings: endings.clone(),
        };
        let consents =
            Consents::new(storage, vault, catalogue, clock, &pauses, &enrolling, connecting);
        let sending = Sending::new(clock, &turns, &claims, calls, endings, &unsent, &held);
        let attempts =
            Attempts { flights, held, looks, claims, turns: turns.clone(), unsent, sending };
        let attempts = Arc::new(attempts);
        let serving = Serving::new(storage, vault, catalogue, clock, &turns, &attempts);
        let profiles = Profiles::new(storage, vault, catalogue, clock, &turns, &attempts);
        Self {
            attempts,
            serving: Arc::new(serving),
            consents: Arc::new(consents),
            enrolling,
            pauses: Arc::new(pauses),
            profiles: Arc::new(profiles),
            times: Arc::new(times),
            showing: Arc::new(Showing::new(vault, catalogue)),
            exporting: Arc::new(Exporting::new(vault)),
            currents: Arc::new(Currents::new(vault)),
            turns: Arc::new(turns),
        }
    }
}
