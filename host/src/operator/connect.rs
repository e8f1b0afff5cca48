//! Connecting and disconnecting: a visit to the provider from its beginning to the stored token set.
//! Visits under way live in memory: one that is interrupted is simply begun again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::warn;
use uuid::Uuid;

use crate::model::attempt::{Attempt, Course};
use crate::model::code;
use crate::model::connection::Origin;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::command::Plain;
use crate::operator::consent::Visit;
use crate::operator::reply::ConnectStep;
use crate::operator::{Operator, Reply};
use crate::refresher::{Brings, Consent, Ending, host_fault, unknown};
use crate::sandbox::{AuthorizationRequest, Code, DeviceProgress};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// How much longer to wait between polls once the provider has asked for it: RFC 8628 3.5.
const SLOWER: Duration = Duration::from_secs(5);

/// Visits under way, by a name that only their caller knows.
#[derive(Default)]
pub struct Visits(Mutex<HashMap<String, Open>>);

struct Open {
    id: ConnectionId,
    scopes: Vec<String>,
    until: Timestamp,
    way: Way,
}

enum Way {
    Browser { visit: Visit, next: Next },
    Device { device_code: SecretString, interval: Duration },
}

/// What follows when a browser brings no refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The person is asked anew: the provider gives one to those who are.
    AskAnew,
    /// What came is all there is.
    TakeIt,
}

impl Visits {
    fn add(&self, open: Open, now: Timestamp) -> String {
        let name = Uuid::new_v4().to_string();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| it.until > now);
        all.insert(name.clone(), open);
        name
    }

    fn take(&self, name: &str, now: Timestamp) -> Result<Open, Failure> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.remove(name).filter(|it| it.until > now);
        found.ok_or_else(|| {
            let message =
                "this login has expired: it took too long, or keepfresh was restarted; connect again";
            Failure::new(Case::Misconfigured, code::Connect::Expired, message)
        })
    }

    fn put_back(&self, name: &str, open: Open) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), open);
    }
}

impl Operator {
    /// Begins a visit: the address for the browser.
    pub(super) async fn connect_start(
        &self,
        id: &ConnectionId,
        redirect_uri: &str,
        scopes: Vec<String>,
    ) -> Result<Reply, Failure> {
        self.send_away(id, redirect_uri, scopes, false).await.map(Reply::Connect)
    }

    async fn send_away(
        &self,
        id: &ConnectionId,
        redirect_uri: &str,
        scopes: Vec<String>,
        consent: bool,
    ) -> Result<ConnectStep, Failure> {
        let plugin = self.0.catalogue.plugin(id.provider())?;
        let settings = plugin.settings(id.name(), &std::collections::BTreeMap::new());
        let issuer = settings.get("issuer").filter(|it| !it.is_empty()).cloned();
        let mut visit = Visit::new(redirect_uri, issuer)?;
        let said = self.plugins_address(id, redirect_uri, &scopes, consent).await?;
        let url = visit.address(&said)?.to_string();
        // Asking anew helps only where the address then says so.
        let helps =
            !consent && self.plugins_address(id, redirect_uri, &scopes, true).await? != said;
        let next = if helps { Next::AskAnew } else { Next::TakeIt };
        let until = self.now() + PATIENCE;
        let way = Way::Browser { visit, next };
        let visit = self.0.visits.add(Open { id: id.clone(), scopes, until, way }, self.now());
        Ok(ConnectStep::Browser { visit, url: url.into(), again: consent })
    }

    async fn plugins_address(
        &self,
        id: &ConnectionId,
        redirect_uri: &str,
        scopes: &[String],
        consent: bool,
    ) -> Result<String, Failure> {
        let (redirect_uri, scopes) = (redirect_uri.to_owned(), scopes.to_owned());
        let request = AuthorizationRequest { redirect_uri, scopes, consent };
        self.0.refresher.consents.authorization_url(id, &request).await
    }

    /// Ends a visit with the query that the browser came back with.
    pub(super) async fn connect_finish(&self, name: &str, query: &Plain) -> Result<Reply, Failure> {
        let open = self.0.visits.take(name, self.now())?;
        let Way::Browser { visit, next } = &open.way else {
            return Err(Failure::new(
                Case::Misconfigured,
                code::Connect::Expired,
                "this login is another",
            ));
        };
        let answer = match visit.read(query.0.expose_secret()) {
            Ok(answer) => answer,
            // Whoever sent that was not the provider: the person is still on the way.
            Err(failure) if failure.code == code::Connect::StateMismatch => {
                self.0.visits.put_back(name, open);
                return Err(failure);
            }
            Err(failure) => return Err(failure),
        };
        let redirect_uri = visit.redirect_uri.clone();
        let code = Code { redirect_uri, code: answer.code, verifier: answer.verifier };
        let brings = Brings { nonce: answer.nonce, refresh_token: *next == Next::AskAnew };
        let attempt = self.settle(&open.id, Consent::Code(code, brings)).await?;
        let lacks = attempt.error().is_some_and(|it| it.code == code::Connect::NoRefreshToken);
        if lacks {
            let (back, scopes) = (visit.redirect_uri.clone(), open.scopes);
            return self.send_away(&open.id, &back, scopes, true).await.map(Reply::Connect);
        }
        self.connected(&open.id, attempt).await
    }

    /// Begins a visit from another machine: the code that the person types in there.
    pub(super) async fn device_start(
        &self,
        id: &ConnectionId,
        scopes: Vec<String>,
    ) -> Result<Reply, Failure> {
        let grant = self.0.refresher.consents.device_start(id, &scopes).await?;
        let until = self.now() + grant.expires_in.min(PATIENCE * 4);
        let way = Way::Device { device_code: grant.device_code, interval: grant.interval };
        let visit = self.0.visits.add(Open { id: id.clone(), scopes, until, way }, self.now());
        Ok(Reply::Connect(ConnectStep::Device {
            visit,
            user_code: grant.user_code,
            verification_uri: grant.verification_uri,
            verification_uri_complete: grant.verification_uri_complete,
            interval_s: grant.interval.as_secs(),
        }))
    }

    /// Asks once whether the person has agreed. The caller waits between polls.
    pub(super) async fn device_poll(&self, name: &str) -> Result<Reply, Failure> {
        let mut open = self.0.visits.take(name, self.now())?;
        let Way::Device { device_code, interval } = &mut open.way else {
            return Err(Failure::new(
                Case::Misconfigured,
                code::Connect::Expired,
                "this login is another",
            ));
        };
        match self.0.refresher.consents.device_poll(&open.id, device_code).await {
            Ok(DeviceProgress::Granted(token)) => {
                let attempt = self.settle(&open.id, Consent::Granted(Box::new(token))).await?;
                return self.connected(&open.id, attempt).await;
            }
            Ok(DeviceProgress::Pending) => {}
            Ok(DeviceProgress::SlowDown) => *interval = interval.saturating_add(SLOWER),
            // RFC 8628 3.5: a poll that was not answered is tried again, more slowly.
            Err(it) if matches!(it.case, Case::Unavailable | Case::InDoubt) => {
                *interval = interval.saturating_mul(2);
            }
            Err(failure) => return Err(failure),
        }
        let interval_s = interval.as_secs();
        self.0.visits.put_back(name, open);
        Ok(Reply::Connect(ConnectStep::Waiting { interval_s }))
    }

    /// Stores what a consent brings; a connection that was made for it does not outlive its failure.
    async fn settle(&self, id: &ConnectionId, consent: Consent) -> Result<Attempt, Failure> {
        let found = self.0.storage.standing(std::slice::from_ref(id)).await;
        let is_new = !found.map_err(|it| host_fault(&it))?.contains_key(id);
        if is_new {
            self.0.refresher.enrolling.make_room(id).await?;
        }
        let attempt = self.0.refresher.consents.connect(id, consent).await;
        let stored = attempt.as_ref().is_ok_and(|it| it.generation > 0);
        if is_new && !stored {
            self.0.storage.remove(id, true).await.map_err(|it| host_fault(&it))?;
        }
        attempt
    }

    async fn connected(&self, id: &ConnectionId, attempt: Attempt) -> Result<Reply, Failure> {
        if let Course::Failed(failure) = attempt.course {
            return Err(failure);
        }
        self.0.refresher.pauses.set(id, None).await?;
        self.0.refresher.profiles.learn(id).await;
        let can_refresh = self.0.refresher.consents.can_refresh(id).await?;
        if !can_refresh {
            warn!(connection.id = %id, "{id} has no refresh token: it has to be connected again when its token expires");
        }
        let Reply::Connection(details) = self.show(id).await? else { return Ok(Reply::Done) };
        Ok(Reply::Connect(ConnectStep::Connected { details, can_refresh }))
    }

    /// Ends the grant at the provider, then forgets the tokens, and the connection too unless the
    /// manifest wants it.
    pub(super) async fn disconnect(
        &self,
        id: &ConnectionId,
        force: bool,
    ) -> Result<Reply, Failure> {
        let found = self.0.storage.standing(std::slice::from_ref(id)).await;
        let found = found.map_err(|it| host_fault(&it))?.remove(id).ok_or_else(|| unknown(id))?;
        let found = found.map_err(|it| host_fault(&it))?;
        let ending = match self.0.refresher.consents.revoke(id).await {
            Ok(ending) => ending,
            Err(failure) if force => {
                warn!(connection.id = %id, error.code = %failure.code, "{id} is deleted although its grant was not revoked at the provider: {failure}");
                Ending::NotOffered
            }
            Err(failure) => return Err(not_ended(id, &failure)),
        };
        match found.origin {
            Origin::Added => self.remove(id).await.map(drop)?,
            Origin::Manifest => self.0.refresher.consents.forget(id).await?,
        }
        Ok(Reply::Disconnected {
            revoked: ending == Ending::Revoked,
            removed: found.origin == Origin::Added,
        })
    }
}

fn not_ended(id: &ConnectionId, failure: &Failure) -> Failure {
    let message = format!(
        "the grant of {id} was not revoked at the provider, so nothing was deleted: {failure}; try again, or only delete it here: keepfresh disconnect {id} --force"
    );
    Failure::new(failure.case, failure.code.clone(), message)
}
