//! Consent on another device. Google only allows a few scopes this way, and answers 428 and 403
//! where RFC 8628 says 400.

use sdk::oauth::{Call, device_grant, error_code, join, progress};
use sdk::{Context, Device, DeviceGrant, Flow, Progress, Request, kept, send, text};

use crate::Plugin;
use crate::refusal::{OWN, refusal};
use crate::sheet::GOOGLE;
use crate::token::{ask, first};

impl Device for Plugin {
    fn start(context: &Context, scopes: &[String]) -> Flow<DeviceGrant> {
        let settings = &context.settings;
        let scope = join(Some(settings.required("scopes")?), scopes);
        let request = Request::post("{api_url}/device/code")
            .form([("client_id", text(settings.required("client_id")?)), ("scope", text(scope))]);
        send(request, |answer| match error_code(answer) {
            Some(_) => Err(refusal(answer, Call::DeviceStart)),
            None => device_grant(answer, GOOGLE),
        })
    }

    fn poll(context: &Context) -> Flow<Progress> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let fields = [("grant_type", text(grant)), ("device_code", kept("device_code"))];
        let request = ask(context, fields)?;
        let context = context.clone();
        send(request, move |answer| {
            // Google's own words first; what is left is as RFC 8628 has it.
            if let Some(failure) = OWN.known(answer) {
                return Err(failure);
            }
            Ok(match progress(answer, GOOGLE, context.now)? {
                Progress::Granted(tokens) => {
                    Progress::Granted(Box::new(first(&context, answer, *tokens)?))
                }
                waiting => waiting,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Value;
    use sdk::testing::{Canned, Played, context, poll, start};

    fn fresh() -> Context {
        let scopes = "https://www.googleapis.com/auth/business.manage";
        context::<Plugin>(&[("client_id", "c"), ("scopes", scopes)])
    }

    fn polled(status: u16, body: &str) -> Played<Progress> {
        poll::<Plugin>(&fresh(), &[Canned::new(status, body)])
    }

    fn code(status: u16, code: &str) -> Played<Progress> {
        polled(status, &format!(r#"{{"error":"{code}"}}"#))
    }

    #[test]
    fn a_code_for_the_person_is_asked_for_and_read() {
        let answer = Canned::new(200, include_str!("../fixtures/device.json"));
        let played = start::<Plugin>(&fresh(), &["openid".to_owned()], &[answer]);
        let scope: Value = text("https://www.googleapis.com/auth/business.manage openid");
        let sent = Request::post("{api_url}/device/code")
            .form([("client_id", text("c")), ("scope", scope)]);
        assert_eq!(played.requests, [sent]);
        let grant = played.result.unwrap();
        assert_eq!(grant.verification_uri, "https://www.google.com/device");
        assert_eq!((grant.user_code.as_str(), grant.expires_in), ("GQVQ-JKEC", 1800));
    }

    #[test]
    fn googles_statuses_are_understood() {
        assert_eq!(code(428, "authorization_pending").result.unwrap(), Progress::Pending);
        assert_eq!(code(403, "slow_down").result.unwrap(), Progress::SlowDown);
        assert_eq!(code(403, "rate_limit_exceeded").result.unwrap(), Progress::SlowDown);
        assert_eq!(code(400, "admin_policy_enforced").case(), "misconfigured");
        assert_eq!(code(403, "access_denied").case(), "grant-expired");
        assert_eq!(code(400, "invalid_grant").case(), "grant-expired");
        assert_eq!(code(401, "invalid_client").case(), "invalid-credentials");
        assert_eq!(polled(503, "").case(), "unavailable");
    }

    #[test]
    fn what_was_granted_is_compared_here_too() {
        let granted = polled(200, include_str!("../fixtures/first.json")).result.unwrap();
        assert!(matches!(granted, Progress::Granted(_)));
        let less = polled(200, r#"{"access_token":"a","scope":"openid"}"#);
        assert_eq!(less.case(), "misconfigured");
    }
}
