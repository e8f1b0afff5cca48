//! What a consent brings is an attempt like any other, and keeps the connection's id and history; one that
//! fails leaves the connection as it was (decision 0013).

use std::sync::Arc;

use crate::catalogue::{Catalogue, Plugin};
use crate::model::attempt::Trigger;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::ask::Ask;
use crate::refresher::claims::Claims;
use crate::refresher::consents::brought::Consent;
use crate::refresher::endings::Endings;
use crate::refresher::fault::{busy, load};
use crate::refresher::flights::{AttemptResult, Flights};
use crate::refresher::running::Running;
use crate::refresher::secrets;
use crate::sandbox::NoJournal;
use crate::storage::{Captured, Storage};
use crate::vault::Vault;

/// Turns consents into generations.
pub(in crate::refresher) struct Connecting {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    flights: Flights,
    claims: Claims,
    endings: Endings,
}

impl Connecting {
    pub(in crate::refresher) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        flights: &Flights,
        claims: &Claims,
        endings: &Endings,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, flights) = (clock.clone(), flights.clone());
        let (claims, endings) = (claims.clone(), endings.clone());
        Self { storage, vault, catalogue, clock, flights, claims, endings }
    }

    /// Turns a consent into the next generation of `id`, once nothing else runs for it.
    pub(super) async fn connect(
        self: &Arc<Self>,
        id: &ConnectionId,
        consent: Consent,
    ) -> AttemptResult {
        let (this, own) = (Arc::clone(self), id.clone());
        let work = move || async move { this.attempt(&own, consent).await };
        self.flights.run_next(id, work).await
    }

    async fn attempt(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        let started = self.clock.now();
        let loaded = load(&self.storage, id).await?;
        self.claims.check(&loaded, started)?;
        let plugin = self.catalogue.plugin(id.provider())?;
        let running = Running::new(loaded, plugin, Ask::new(Trigger::Manual), started);
        // A consent that comes to nothing makes nothing worse: what was captured stays until it holds.
        if !self.claims.begin(&running, Captured::Stay).await? {
            return Err(busy(id));
        }
        let traded = self.claims.hold(running.id, id, self.token_of(&running, consent)).await;
        let committed = match traded {
            Ok(token) => self.endings.commit(&running, token, Some("connected".to_owned())).await,
            Err(failure) => Err(failure),
        };
        match committed {
            Ok(attempt) => Ok(attempt),
            Err(failure) => self.endings.abandon(&running, failure).await,
        }
    }

    async fn token_of(&self, running: &Running, consent: Consent) -> Result<TokenSet, Failure> {
        let (code, brings) = match consent {
            Consent::Granted(token) => return Ok(*token),
            Consent::Code(code, brings) => (code, brings),
        };
        let (plugin, loaded, journal) = (&running.plugin, &running.loaded, Arc::new(NoJournal));
        let now = self.clock.now();
        let input = secrets::input(&self.vault, plugin, loaded, None, journal, now).await?;
        running.note_config(&self.vault, &input);
        let traded = plugin.program().exchange(&input, &code).await;
        let token = traded.unwrap_or_else(|| Err(unsupported(plugin, "a browser")))?;
        brings.check(&token)?;
        Ok(token)
    }
}

/// The plugin has no such way to connect.
pub(super) fn unsupported(plugin: &Plugin, what: &str) -> Failure {
    let descriptor = plugin.descriptor();
    let help = if descriptor.unattended {
        "it logs in by itself: keepfresh refresh"
    } else {
        "set a token: keepfresh token set"
    };
    let message =
        format!("the plugin {} does not support a login with {what}; {help}", descriptor.name);
    Failure::new(Case::Misconfigured, code::Connect::Unsupported, message)
}
