//! A person who agrees on another machine. Google takes only a few scopes this way, and answers 428
//! and 403 where RFC 8628 says 400.

use sdk::oauth::{Call, device_grant, error_code, join, progress};
use sdk::{Context, DeviceGrant, Flow, Progress, Request, kept, send, text};

use crate::refusal::{own, refusal};
use crate::sheet::GOOGLE;
use crate::token::{ask, first};

pub(crate) fn start(context: &Context, scopes: &[String]) -> Flow<DeviceGrant> {
    let settings = &context.settings;
    let scope = join(Some(settings.required("scopes")?), scopes);
    let request = Request::post("{api_url}/device/code")
        .form([("client_id", text(settings.required("client_id")?)), ("scope", text(scope))]);
    send(request, |answer| match error_code(answer) {
        Some(_) => Err(refusal(answer, Call::DeviceStart)),
        None => device_grant(answer, GOOGLE),
    })
}

pub(crate) fn poll(context: &Context) -> Flow<Progress> {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", text(grant)), ("device_code", kept("device_code"))];
    let request = ask(context, fields)?;
    let context = context.clone();
    send(request, move |answer| {
        // Google's own words first; what is left is as RFC 8628 has it.
        if let Some(failure) = own(answer) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context, ending, play, undeclared};
    use sdk::{Failure, Value};

    fn fresh() -> Context {
        let scopes = "https://www.googleapis.com/auth/business.manage";
        context::<crate::Plugin>(&[("client_id", "c"), ("scopes", scopes)])
    }

    fn polled(status: u16, body: &str) -> Result<Progress, Failure> {
        play::<crate::Plugin, _>(poll(&fresh()), &[Canned::new(status, body)]).result
    }

    fn code(status: u16, code: &str) -> Result<Progress, Failure> {
        polled(status, &format!(r#"{{"error":"{code}"}}"#))
    }

    #[test]
    fn a_code_for_the_person_is_asked_for_and_read() {
        let answer = Canned::new(200, include_str!("../fixtures/device.json"));
        let played = play::<crate::Plugin, _>(start(&fresh(), &["openid".to_owned()]), &[answer]);
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
        assert_eq!(code(428, "authorization_pending").unwrap(), Progress::Pending);
        assert_eq!(code(403, "slow_down").unwrap(), Progress::SlowDown);
        assert_eq!(code(403, "rate_limit_exceeded").unwrap(), Progress::SlowDown);
        assert_eq!(ending(&code(400, "admin_policy_enforced")).0, "misconfigured");
        assert_eq!(ending(&code(403, "access_denied")).0, "grant-expired");
        assert_eq!(ending(&code(400, "invalid_grant")).0, "grant-expired");
        assert_eq!(ending(&code(401, "invalid_client")).0, "invalid-credentials");
        assert_eq!(ending(&polled(503, "")).0, "unavailable");
    }

    #[test]
    fn what_was_granted_is_compared_here_too() {
        let granted = polled(200, include_str!("../fixtures/first.json")).unwrap();
        assert!(matches!(granted, Progress::Granted(_)));
        let less = polled(200, r#"{"access_token":"a","scope":"openid"}"#);
        assert_eq!(ending(&less).0, "misconfigured");
    }

    #[test]
    fn every_request_is_declared() {
        let described = crate::sheet::describe();
        let requests = [
            play::<crate::Plugin, _>(start(&fresh(), &[]), &[]).requests,
            play::<crate::Plugin, _>(poll(&fresh()), &[]).requests,
        ];
        assert_eq!(undeclared(&described, &requests.concat()), None);
    }
}
