//! The answers of the device grant, RFC 8628. The code in `error` decides and never the status,
//! because Google answers 428 and 403 where the RFC says 400, and GitHub 200.

use crate::answer::Answer;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::failure::trouble;
use crate::flow::{DeviceGrant, Progress};
use crate::oauth::refusal::{Call, Server, error_code, refusal};
use crate::oauth::token::tokens;

/// RFC 8628 3.2 has this where the answer says nothing.
const INTERVAL: u32 = 5;

/// Long enough for a person; the RFC has every answer say how long the code works.
const LIFETIME: u32 = 300;

/// The code for a person, or why there is none.
pub fn device_grant(answer: &dyn Answer, server: Server) -> Result<DeviceGrant, Failure> {
    if !answer.is_success() || error_code(answer).is_some() {
        return Err(refusal(answer, Call::DeviceStart, server));
    }
    let text = |name: &str| answer.text(name).filter(|it| !it.is_empty());
    // Google says `verification_url`.
    let address = |end: &str| {
        let found = ["uri", "url"].iter().find_map(|it| text(&format!("/verification_{it}{end}")));
        found.filter(|it| it.starts_with("https://") || it.starts_with("http://"))
    };
    let span = |pointer| {
        let seconds = times::span(&answer.written(pointer)).value();
        seconds.and_then(|it| u32::try_from(it).ok())
    };
    let (true, Some(user_code), Some(verification_uri)) =
        (answer.has_secret("/device_code"), text("/user_code"), address(""))
    else {
        let name = server.name;
        return Err(Failure::unexpected(format!(
            "{name} answered {} without a device code, a user code and a verification URL",
            answer.status()
        )));
    };
    Ok(DeviceGrant {
        device_code: "/device_code".into(),
        user_code,
        verification_uri,
        verification_uri_complete: address("_complete"),
        expires_in: span("/expires_in").unwrap_or(LIFETIME),
        interval: span("/interval").unwrap_or(INTERVAL),
    })
}

/// What a poll found.
pub fn progress(answer: &dyn Answer, server: Server, now: u64) -> Result<Progress, Failure> {
    match error_code(answer).as_deref() {
        Some("authorization_pending") => Ok(Progress::Pending),
        // Whoever counts requests wants the same; ending the person's visit would help nobody.
        Some("slow_down" | "rate_limit_exceeded") => Ok(Progress::SlowDown),
        _ if answer.status() == 429 => Ok(Progress::SlowDown),
        Some("expired_token") => Err(Failure::GrantExpired(
            "the code expired before it was confirmed; connect again".to_owned(),
        )),
        _ => match tokens(answer, server, now) {
            Some(read) => Ok(Progress::Granted(Box::new(read?))),
            None if says_nothing(answer) => Err(odd(answer, server)),
            None => Err(refusal(answer, Call::DevicePoll, server)),
        },
    }
}

/// Whether an answer comes from somebody on the way: a proxy, a firewall, a page for maintenance.
fn says_nothing(answer: &dyn Answer) -> bool {
    error_code(answer).is_none() && !(answer.status() == 401 && answer.is_json())
}

/// The next poll may find another answer, and the code ends by itself.
fn odd(answer: &dyn Answer, server: Server) -> Failure {
    trouble(answer, server.name).unwrap_or_else(|| {
        let (name, status) = (server.name, answer.status());
        Failure::unavailable(format!(
            "{name} answered {status} to a poll, and nothing that is an answer"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Canned, ending};

    const SERVER: Server = Server { name: "It", settings: "`device_url`" };

    fn poll(status: u16, error: &str) -> Result<Progress, Failure> {
        progress(&Canned::new(status, &format!(r#"{{"error":"{error}"}}"#)), SERVER, 0)
    }

    #[test]
    fn a_grant_is_read_in_both_spellings() {
        for spelling in ["verification_uri", "verification_url"] {
            let body = format!(
                r#"{{"device_code":"d","user_code":"AB-CD","{spelling}":"https://a.example/device",
                    "{spelling}_complete":"https://a.example/device?c=AB-CD","expires_in":900}}"#
            );
            let grant = device_grant(&Canned::new(200, &body), SERVER).unwrap();
            assert_eq!(grant.verification_uri, "https://a.example/device");
            assert!(grant.verification_uri_complete.unwrap().ends_with("AB-CD"));
            assert_eq!((grant.expires_in, grant.interval), (900, 5));
        }
    }

    #[test]
    fn a_grant_without_what_a_person_needs_is_not_understood() {
        for body in [
            "{}",
            r#"{"device_code":"d","user_code":"A"}"#,
            r#"{"device_code":"d","user_code":"A","verification_uri":"javascript:0"}"#,
        ] {
            let result = device_grant(&Canned::new(200, body), SERVER);
            assert_eq!(ending(&result).0, "unexpected", "{body}");
        }
        let refused = device_grant(&Canned::new(400, r#"{"error":"invalid_scope"}"#), SERVER);
        assert_eq!(ending(&refused).0, "misconfigured");
    }

    #[test]
    fn the_code_decides_whatever_the_status_is() {
        for status in [200, 400, 403, 428] {
            assert_eq!(poll(status, "authorization_pending").unwrap(), Progress::Pending);
            assert_eq!(poll(status, "slow_down").unwrap(), Progress::SlowDown);
            assert_eq!(poll(status, "rate_limit_exceeded").unwrap(), Progress::SlowDown);
            assert_eq!(ending(&poll(status, "access_denied")).0, "grant-expired");
            assert_eq!(ending(&poll(status, "expired_token")).0, "grant-expired");
        }
    }

    #[test]
    fn an_answer_from_somebody_on_the_way_is_waited_out() {
        for (status, body) in [
            (200, "<html>Sign in to the network</html>"),
            (403, "<html>Blocked</html>"),
            (302, ""),
            (404, "<p>"),
            (408, ""),
            (200, "{}"),
            (502, "<p>"),
        ] {
            let result = progress(&Canned::new(status, body), SERVER, 0);
            let case = ending(&result).0;
            assert!(matches!(case, "unavailable" | "unexpected"), "{status} {body}: {case}");
        }
        let refused = progress(&Canned::new(401, "{}"), SERVER, 0);
        assert_eq!(ending(&refused).0, "grant-expired");
    }

    #[test]
    fn agreement_brings_tokens_and_an_outage_is_waited_out() {
        let granted = progress(&Canned::new(200, r#"{"access_token":"a"}"#), SERVER, 0).unwrap();
        assert!(matches!(granted, Progress::Granted(_)));
        assert_eq!(ending(&poll(503, "")).0, "unavailable");
        assert_eq!(poll(429, "").unwrap(), Progress::SlowDown);
    }
}
