//! Connecting and disconnecting: a login from the address for the person to the stored token set. What must be
//! known in between is carried by whoever waits for the person (`visit`); nothing of it is kept here.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use tracing::warn;

use crate::model::attempt::{Attempt, Course};
use crate::model::code;
use crate::model::connection::Origin;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::command::{Plain, Wish};
use crate::operator::consent::{Habits, Secrets, asked};
use crate::operator::reply::ConnectStep;
use crate::operator::visit::{Next, Polls, Visit, Way};
use crate::operator::{Operator, Reply};
use crate::refresher::{Brings, Came, Consent, Ending, host_fault, unknown};
use crate::sandbox::{AuthorizationRequest, Code, DeviceProgress};

impl Operator {
    /// Begins a visit: the address for the browser.
    pub(super) async fn connect_start(
        &self,
        id: &ConnectionId,
        redirect_uri: &str,
        wish: Wish,
    ) -> Result<Reply, Failure> {
        self.send_away(id, redirect_uri, wish, false).await.map(Reply::Connect)
    }

    async fn send_away(
        &self,
        id: &ConnectionId,
        redirect_uri: &str,
        wish: Wish,
        consent: bool,
    ) -> Result<ConnectStep, Failure> {
        let settings = self.settings_of(id).await?;
        let issuer = settings.get("issuer").filter(|it| !it.is_empty()).cloned();
        let mut secrets = Secrets::new(redirect_uri, issuer, Habits::of(&settings))?;
        let said = self.plugins_address(id, redirect_uri, &wish.scopes, consent).await?;
        let url = secrets.address(&said)?;
        // Asking anew helps only where the address then says so.
        let helps =
            !consent && self.plugins_address(id, redirect_uri, &wish.scopes, true).await? != said;
        let next = if helps { Next::AskAnew } else { Next::TakeIt };
        let way = Way::Browser { secrets, next };
        let visit = Visit { id: id.clone(), asked: asked(&url), wish, way }.packed()?;
        Ok(ConnectStep::Browser { visit, url: url.to_string().into(), again: consent })
    }

    /// The settings in force for `id`, its own among them.
    async fn settings_of(&self, id: &ConnectionId) -> Result<BTreeMap<String, String>, Failure> {
        let plugin = self.0.catalogue.plugin(id.provider())?;
        let loaded = self.0.storage.load(id).await.map_err(|it| host_fault(&it))?;
        let own = loaded.map(|it| it.connection.settings).unwrap_or_default();
        Ok(plugin.settings(id.name(), &own))
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
    pub(super) async fn connect_finish(
        &self,
        visit: &Plain,
        query: &Plain,
    ) -> Result<Reply, Failure> {
        let Visit { id, asked, wish, way } = Visit::unpacked(visit)?;
        let Way::Browser { secrets, next } = way else { return Err(another()) };
        let answer = secrets.read(query.0.expose_secret())?;
        let redirect_uri = secrets.redirect_uri;
        let code = Code {
            redirect_uri: redirect_uri.clone(),
            code: answer.code,
            verifier: answer.verifier,
        };
        let brings = Brings { nonce: answer.nonce, refresh_token: next == Next::AskAnew };
        let came = Came::Code(code, brings);
        let consent = Consent { came, asked, other_account: wish.other_account };
        let attempt = self.0.refresher.consents.connect(&id, consent).await?;
        let lacks = attempt.error().is_some_and(|it| it.code == code::Connect::NoRefreshToken);
        if lacks {
            return self.send_away(&id, &redirect_uri, wish, true).await.map(Reply::Connect);
        }
        self.connected(&id, attempt).await
    }

    /// Begins a visit from another machine: the code that the person types in there.
    pub(super) async fn device_start(
        &self,
        id: &ConnectionId,
        wish: Wish,
    ) -> Result<Reply, Failure> {
        let settings = self.settings_of(id).await?;
        let usual = settings.get("scopes").map(String::as_str).unwrap_or_default();
        let mut asked = usual.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for scope in &wish.scopes {
            if !asked.contains(scope) {
                asked.push(scope.clone());
            }
        }
        let grant = self.0.refresher.consents.device_start(id, &wish.scopes).await?;
        let interval_s = grant.interval.as_secs();
        let polls = Polls { device_code: grant.device_code.into(), interval_s, faults: 0 };
        let visit = Visit { id: id.clone(), asked, wish, way: Way::Device(polls) }.packed()?;
        Ok(Reply::Connect(ConnectStep::Device {
            visit,
            user_code: grant.user_code,
            verification_uri: grant.verification_uri,
            verification_uri_complete: grant.verification_uri_complete,
            interval_s,
            expires_in_s: grant.expires_in.as_secs(),
        }))
    }

    /// Asks once whether the person has agreed. The caller waits between polls.
    pub(super) async fn device_poll(&self, visit: &Plain) -> Result<Reply, Failure> {
        let mut visit = Visit::unpacked(visit)?;
        let Way::Device(polls) = &mut visit.way else { return Err(another()) };
        let found = self.0.refresher.consents.device_poll(&visit.id, &polls.device_code.0).await;
        let (interval_s, trouble) = match found {
            Ok(DeviceProgress::Granted(token)) => {
                let came = Came::Granted(Box::new(token));
                let (asked, other_account) = (visit.asked, visit.wish.other_account);
                let consent = Consent { came, asked, other_account };
                let attempt = self.0.refresher.consents.connect(&visit.id, consent).await?;
                return self.connected(&visit.id, attempt).await;
            }
            Ok(DeviceProgress::Pending) => (polls.answered(false), None),
            Ok(DeviceProgress::SlowDown) => (polls.answered(true), None),
            // The person may still be on the way, and the provider says itself when the code has ended.
            Err(Failure { case: Case::RateLimited(told), message, .. }) => {
                (polls.unanswered(told), Some(message))
            }
            Err(it) if passes(it.case) => (polls.unanswered(None), Some(it.message)),
            Err(failure) => return Err(failure),
        };
        let visit = visit.packed()?;
        Ok(Reply::Connect(ConnectStep::Waiting { visit, interval_s, trouble }))
    }

    async fn connected(&self, id: &ConnectionId, attempt: Attempt) -> Result<Reply, Failure> {
        if let Course::Failed(failure) = attempt.course {
            return Err(failure);
        }
        self.0.refresher.profiles.learn(id).await;
        let can_refresh = self.0.refresher.consents.can_refresh(id).await?;
        if !can_refresh {
            warn!(connection.id = %id.full(), "{id} has no refresh token: it has to be connected again when its token expires");
        }
        let Reply::Connection(details) = self.show(id).await? else {
            return Ok(Reply::Done(id.clone()));
        };
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
                warn!(connection.id = %id.full(), error.code = %failure.code, "{id} is deleted although its grant was not revoked at the provider: {failure}");
                Ending::NotOffered
            }
            Err(failure) => return Err(not_ended(id, &failure)),
        };
        match found.origin {
            Origin::Added => self.remove(id).await.map(drop)?,
            Origin::Manifest => self.0.refresher.consents.forget(id).await?,
        }
        Ok(Reply::Disconnected {
            id: id.clone(),
            revoked: ending == Ending::Revoked,
            removed: found.origin == Origin::Added,
        })
    }
}

/// Whether a poll that ended so says nothing about the person.
fn passes(case: Case) -> bool {
    matches!(case, Case::Unavailable | Case::InDoubt | Case::Unexpected)
}

fn another() -> Failure {
    Failure::new(Case::Misconfigured, code::Connect::Expired, "this login is another")
}

fn not_ended(id: &ConnectionId, failure: &Failure) -> Failure {
    let message = format!(
        "the grant of {id} was not revoked at the provider, so nothing was deleted: {failure}; try again, or only delete it here: keepfresh disconnect {id} --force"
    );
    Failure::new(failure.case, failure.code.clone(), message)
}
