//! What a consent brings is an attempt like any other, and keeps the connection's id and history; one that
//! fails leaves the connection as it was (decision 0013).

use std::sync::Arc;

use crate::catalogue::{Catalogue, Plugin};
use crate::model::attempt::{Attempt, Trigger};
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::connection::{Agreed, Problem};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::scopes::missing;
use crate::model::token::TokenSet;
use crate::refresher::ask::Ask;
use crate::refresher::claims::Claims;
use crate::refresher::consents::account::{Account, Whose};
use crate::refresher::consents::brought::{self, Brings, Brought, Came, Consent};
use crate::refresher::consents::keeping::{Facts, Keep, Old, keep};
use crate::refresher::endings::Endings;
use crate::refresher::fault::{busy, host_fault, load};
use crate::refresher::flights::{AttemptResult, Flights};
use crate::refresher::pauses::Pauses;
use crate::refresher::running::Running;
use crate::refresher::secrets;
use crate::sandbox::NoJournal;
use crate::storage::Storage;
use crate::telemetry::spans;
use crate::vault::Vault;

/// Turns consents into generations.
pub(in crate::refresher) struct Connecting {
    pub(in crate::refresher) storage: Storage,
    pub(in crate::refresher) vault: Vault,
    pub(in crate::refresher) catalogue: Catalogue,
    pub(in crate::refresher) clock: Clock,
    pub(in crate::refresher) pauses: Pauses,
    pub(in crate::refresher) flights: Flights,
    pub(in crate::refresher) claims: Claims,
    pub(in crate::refresher) endings: Endings,
}

impl Connecting {
    /// Turns a consent into the next generation of `id`, once nothing else runs for it. Whoever waits for
    /// that may go away: it is finished all the same.
    pub(super) async fn connect(
        self: &Arc<Self>,
        id: &ConnectionId,
        consent: Consent,
    ) -> AttemptResult {
        let (this, own) = (Arc::clone(self), id.clone());
        let work = move || async move { this.attempt_with_room(&own, consent).await };
        self.flights.run_next(id, work).await
    }

    /// A connection that is made for a consent does not outlive its failure, and one that was paused goes on
    /// with what the consent brings.
    async fn attempt_with_room(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        let at = self.clock.now();
        let is_new = self.storage.make_room(id, at).await.map_err(|it| host_fault(&it))?;
        let attempt = self.attempt(id, consent).await;
        let stored = attempt.as_ref().is_ok_and(|it| it.generation > 0);
        if is_new && !stored {
            self.storage.remove(id, true).await.map_err(|it| host_fault(&it))?;
        }
        if attempt.as_ref().is_ok_and(|it| it.error().is_none()) {
            self.pauses.set(id, None).await?;
        }
        attempt
    }

    async fn attempt(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        let started = self.clock.now();
        let loaded = load(&self.storage, id).await?;
        self.claims.check(&loaded, started)?;
        let plugin = self.catalogue.plugin(id.provider())?;
        let running = Running::new(loaded, plugin, Ask::new(Trigger::Manual), started);
        // A consent that comes to nothing makes nothing worse: what was captured stays until it holds, and
        // no refresh token is spent, so that one which is interrupted leaves no doubt about it.
        let (plugin, name) = (Arc::clone(&running.plugin), id.clone());
        let begun = running.begun("token.connect", &plugin, name.full());
        let ended = spans::attempt(&begun, Box::pin(self.take(&running, consent))).await;
        ended?.ok_or_else(|| busy(id))
    }

    /// `None` if somebody was faster.
    async fn take(&self, running: &Running, consent: Consent) -> Result<Option<Attempt>, Failure> {
        if !self.claims.begin_consent(running).await? {
            return Ok(None);
        }
        let id = &running.connection;
        let brought = self.claims.hold(running.id, id, self.brought(running, consent)).await;
        let committed = match brought {
            Ok(brought) => self.endings.commit_consent(running, brought).await,
            Err(failure) => Err(failure),
        };
        match committed {
            Ok(attempt) => Ok(Some(attempt)),
            Err(failure) => self.endings.abandon(running, failure).await.map(Some),
        }
    }

    /// What is stored of the consent, if it may be.
    async fn brought(&self, running: &Running, consent: Consent) -> Result<Brought, Failure> {
        let Consent { came, asked, other_account } = consent;
        let can_ask = matches!(&came, Came::Code(_, Brings { refresh_token: true, .. }));
        let mut token = self.token_of(running, came).await?;
        if token.scopes.is_empty() {
            // RFC 6749 5.1: it is what was asked for.
            token.scopes.clone_from(&asked);
        }
        let old = secrets::current(&self.vault, &running.loaded)?;
        let whose = self.whose(running, old.as_ref(), &token).await?;
        if whose == Whose::Another && !other_account {
            return Err(brought::other_account(&running.connection));
        }
        let old = old.filter(|it| self.may_still_work(running, it));
        let keep = keep(Facts {
            brought: token.refresh_token.is_some(),
            old: match &old {
                None => Old::None,
                Some(it) if missing(&token.scopes, &it.scopes).is_empty() => Old::Covers,
                Some(_) => Old::Narrower,
            },
            whose,
            can_ask,
        });
        match (keep, old) {
            (Keep::AskAnew, _) => return Err(brought::no_refresh_token()),
            (Keep::Ours, Some(old)) => token.keep_refresh_token_of(old),
            _ => {}
        }
        let renewable = brought::is_renewable(&token, running.plugin.descriptor());
        let agreed = Agreed { asked, renewable };
        Ok(Brought { token, reason: keep.reason().to_owned(), agreed, whose })
    }

    /// Whether the refresh token of `old` is worth keeping.
    fn may_still_work(&self, running: &Running, old: &TokenSet) -> bool {
        let dead = running.loaded.connection.problem == Some(Problem::Reconnect);
        let over = old.refresh_expires_at.is_some_and(|it| it <= self.clock.now());
        old.refresh_token.is_some() && !dead && !over
    }

    /// Whether `new` is of the same account as `old`. Where the tokens do not say, the profile does: it is asked
    /// for anyway.
    async fn whose(
        &self,
        running: &Running,
        old: Option<&TokenSet>,
        new: &TokenSet,
    ) -> Result<Whose, Failure> {
        let Some(old) = old else { return Ok(Whose::Unknown) };
        let whose = Account::of_tokens(old).compare(&Account::of_tokens(new));
        let known = running.loaded.connection.profile.as_ref().map(Account::of_profile);
        let Some(known) = known.filter(|it| whose == Whose::Unknown && !it.is_unknown()) else {
            return Ok(whose);
        };
        let (plugin, loaded, journal) = (&running.plugin, &running.loaded, Arc::new(NoJournal));
        let (current, now) = (Some(new.clone()), self.clock.now());
        let input = secrets::input(&self.vault, plugin, loaded, current, journal, now).await?;
        let Some(Ok(said)) = plugin.program().profile(&input).await else { return Ok(whose) };
        let profile = serde_json::from_str(&said).unwrap_or_default();
        Ok(known.compare(&Account::of_profile(&profile)))
    }

    async fn token_of(&self, running: &Running, came: Came) -> Result<TokenSet, Failure> {
        let (code, brings) = match came {
            Came::Granted(token) => return Ok(*token),
            Came::Code(code, brings) => (code, brings),
        };
        let (plugin, loaded, journal) = (&running.plugin, &running.loaded, Arc::new(NoJournal));
        let now = self.clock.now();
        let mut input = secrets::input(&self.vault, plugin, loaded, None, journal, now).await?;
        input.heard = Arc::clone(&running.heard);
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
