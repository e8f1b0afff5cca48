//! The grants of the token endpoint. Each gives what was handed out, or why not.

use jiff::Timestamp;

use crate::provider::{
    authorization::{
        Authorization,
        client::Caller,
        device::user_code,
        refused::{Fault, Refused},
        rules::GrantType,
        tokens::Grant,
    },
    call::{Call, Format},
    ledger::Handed,
    mint::Claim,
};

/// What came back from a request for a device: its code, and the one for the person.
pub(crate) struct Started {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
}

impl Authorization {
    /// The grant that is asked for, after everything that holds for each of them.
    pub(crate) fn grant_type(&self, call: &Call) -> Result<GrantType, Refused> {
        check_form(call)?;
        let name = call.field("grant_type");
        let name = name.ok_or(Refused::InvalidRequest("grant_type is missing"))?;
        let known = GrantType::ALL.into_iter().find(|it| it.name() == name);
        known.filter(|it| self.rules.grants.contains(it)).ok_or(Refused::UnsupportedGrantType)
    }

    pub(crate) fn exchange_code(&mut self, call: &Call, now: Timestamp) -> Result<Handed, Refused> {
        let caller = self.recognise(call, now)?;
        let text = required(call, "code", "code is missing")?;
        let redirect_uri = required(call, "redirect_uri", "redirect_uri is missing")?;
        self.read_target(|name| call.field(name).map(ToOwned::to_owned), false)?;
        let code = self.codes.take(text, now).map_err(|not_taken| {
            if let Some(family) = not_taken.family {
                self.tokens.ledger.revoke(family);
            }
            not_taken.refused
        })?;
        if code.redirect_uri != redirect_uri {
            return Err(Refused::InvalidGrant(Fault::OtherRedirect));
        }
        code.verify(call.field("code_verifier"))?;
        let public = caller == Caller::Public;
        if public && code.challenge.is_none() {
            return Err(Refused::InvalidClient);
        }
        let handed = self.open(Grant { public, ..code.grant }, now);
        self.codes.spend(text, handed.family);
        Ok(handed)
    }

    pub(crate) fn refresh(&mut self, call: &Call, now: Timestamp) -> Result<Handed, Refused> {
        let caller = self.recognise(call, now)?;
        let token = required(call, "refresh_token", "refresh_token is missing")?;
        self.read_target(|name| call.field(name).map(ToOwned::to_owned), false)?;
        let claim = self.tokens.read_refresh(token);
        let claim = claim.ok_or(Refused::InvalidGrant(Fault::UnknownToken))?;
        let grant = self.tokens.grant(claim.family);
        if caller == Caller::Public && !grant.public {
            return Err(Refused::InvalidClient);
        }
        let narrow = read_narrower(grant, call.field("scope"))?;
        let handed = self.tokens.present(claim, now)?;
        if let Some(scope) = narrow {
            self.tokens.narrow(handed, scope);
        }
        Ok(handed)
    }

    pub(crate) fn client_credentials(
        &mut self,
        call: &Call,
        now: Timestamp,
    ) -> Result<Handed, Refused> {
        self.recognise_confidential(call, now)?;
        let mut scope = self.read_scope(call.field("scope"))?;
        // Both speak of a person, and there is none.
        scope.retain(|it| it != "openid" && it != "offline_access");
        let target = |name: &str| call.field(name).map(ToOwned::to_owned);
        let audience = self.read_target(target, true)?;
        let subject = self.credentials.value("client_id");
        Ok(self.open(Grant { subject, scope, audience, ..self.whole_grant() }, now))
    }

    /// RFC 8628, 3.1, for a client that shows itself as everywhere.
    pub(crate) fn start_device(&mut self, call: &Call, now: Timestamp) -> Result<Started, Refused> {
        check_form(call)?;
        let public = self.recognise(call, now)? == Caller::Public;
        self.begin_device(call, public, now)
    }

    /// The same for a client that was recognised.
    pub(crate) fn begin_device(
        &mut self,
        call: &Call,
        public: bool,
        now: Timestamp,
    ) -> Result<Started, Refused> {
        let scope = self.read_scope(call.field("scope"))?;
        let target = |name: &str| call.field(name).map(ToOwned::to_owned);
        let audience = self.read_target(target, true)?;
        let offline = self.rules.refreshes(&scope);
        let grant = Grant { scope, audience, offline, public, ..self.whole_grant() };
        let (device_code, user_code) = (self.mint.unique(), user_code(&self.mint.unique()));
        let started = Started { device_code, user_code };
        self.devices.start(started.device_code.clone(), started.user_code.clone(), grant, now);
        Ok(started)
    }

    pub(crate) fn poll_device(&mut self, call: &Call, now: Timestamp) -> Result<Handed, Refused> {
        let caller = self.recognise(call, now)?;
        let device_code = required(call, "device_code", "device_code is missing")?;
        let grant = self.behaviour.limit(self.devices.poll(device_code, now)?);
        Ok(self.open(Grant { public: caller == Caller::Public, ..grant }, now))
    }

    /// The claim of a token to be revoked or looked at, and whether it is a refresh token.
    pub(crate) fn find_token(&self, token: &str) -> Option<(Claim, bool)> {
        let refresh = self.tokens.read_refresh(token).map(|claim| (claim, true));
        refresh.or_else(|| self.tokens.read_access(token).map(|claim| (claim, false)))
    }

    /// The same, if the token is still good. It is not used by that.
    pub(crate) fn find_live_token(&self, token: &str, now: Timestamp) -> Option<(Claim, bool)> {
        let tokens = &self.tokens;
        self.find_token(token).filter(|(claim, refresh)| {
            if *refresh { tokens.is_current(*claim, now) } else { tokens.lives(*claim, now) }
        })
    }

    /// RFC 6749, 3.3. Nothing asked is everything asked.
    pub(crate) fn read_scope(&self, text: Option<&str>) -> Result<Vec<String>, Refused> {
        let Some(text) = text else { return Ok(self.rules.scopes.clone()) };
        split_within(text, &self.rules.scopes).ok_or(Refused::InvalidScope)
    }

    /// The audience of the tokens. What was consented to need not be said again, and must not be said otherwise.
    pub(crate) fn read_target(
        &self,
        parameter: impl Fn(&str) -> Option<String>,
        needed: bool,
    ) -> Result<Option<String>, Refused> {
        let Some(target) = &self.rules.target else { return Ok(None) };
        match parameter(&target.parameter) {
            Some(value) if value == target.value => Ok(Some(value)),
            None if !needed => Ok(Some(target.value.clone())),
            _ => Err(Refused::InvalidTarget),
        }
    }
}

/// RFC 6749, 3.2 and appendix B.
pub(crate) fn check_form(call: &Call) -> Result<(), Refused> {
    if !matches!(call.format, Format::Form | Format::Empty) {
        return Err(Refused::InvalidRequest("the body must be a form"));
    }
    if call.repeats_a_field() {
        return Err(Refused::InvalidRequest("a parameter is there twice"));
    }
    Ok(())
}

pub(crate) fn required<'a>(
    call: &'a Call,
    name: &str,
    missing: &'static str,
) -> Result<&'a str, Refused> {
    call.field(name).ok_or(Refused::InvalidRequest(missing))
}

/// RFC 6749, 6: a refresh may ask for less than was granted and never for more.
fn read_narrower(grant: &Grant, text: Option<&str>) -> Result<Option<Vec<String>>, Refused> {
    let Some(text) = text else { return Ok(None) };
    split_within(text, &grant.scope).map(Some).ok_or(Refused::InvalidScope)
}

/// The scopes of a text, if each of them is known.
fn split_within(text: &str, known: &[String]) -> Option<Vec<String>> {
    let scopes: Vec<_> = text.split(' ').map(ToOwned::to_owned).collect();
    scopes.iter().all(|it| known.contains(it)).then_some(scopes)
}
