//! One request to an address of the operator's, through the door. What is sent is not known here.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::delivery::undelivered::{Then, Undelivered};
use crate::egress::{Body, Gate, Method, Pattern, Policy, Request, Response};
use crate::manifest::channel::{Endpoint, Url};
use crate::model::code::{self, Code};

/// How long a receiver may take.
const WITHIN: Duration = Duration::from_secs(20);

/// What can be wrong, as those who send call it.
pub struct Codes {
    /// The URL cannot be used.
    pub url_invalid: Code,
    /// The secret to sign with is none.
    pub secret_invalid: Code,
    /// A status that is no success.
    pub status: Code,
    /// A redirect.
    pub redirect: Code,
    /// The receiver wants nothing any more.
    pub gone: Code,
}

/// For channels, and the heartbeat.
pub const CHANNEL: Codes = Codes {
    url_invalid: Code::Channel(code::Channel::UrlInvalid),
    secret_invalid: Code::Channel(code::Channel::SecretInvalid),
    status: Code::Channel(code::Channel::Status),
    redirect: Code::Channel(code::Channel::Redirect),
    gone: Code::Channel(code::Channel::Gone),
};

/// Who sends where.
#[derive(Clone, Copy)]
pub struct Post<'a> {
    /// Who, for messages: "the channel `ops`".
    pub whose: &'a str,
    /// Its section of the manifest, for the remedy of what is refused.
    pub section: &'a str,
    /// Where to.
    pub to: &'a Endpoint,
    /// How errors are called.
    pub codes: &'a Codes,
}

impl Post<'_> {
    /// Sends it; any status from 200 to 299 is a success.
    pub async fn send(
        &self,
        gate: &Gate,
        method: Method,
        headers: Vec<(String, SecretString)>,
        body: Body,
        now: Timestamp,
    ) -> Result<(), Undelivered> {
        let url = self.url().await?;
        let policy = self.policy(method, &url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let (query, carries) = (Vec::new(), BTreeSet::new());
        let url = url.into();
        // What waits for a channel is sent again by itself, and told apart by its id; a connection is not worth keeping.
        let request = Request { method, url, query, headers, body, carries, repeatable: false };
        let arrival = gate.send(&policy, request, WITHIN).await?;
        judge(self.codes, &host, &arrival.open(&host)?, now)
    }

    /// What is said of a secret that is none.
    pub(super) fn secret_invalid(&self) -> Undelivered {
        let message = format!(
            "the secret of {} is not `whsec_` and base64 of 24 to 64 bytes; nothing was sent",
            self.whose
        );
        Undelivered::again(self.codes.secret_invalid.clone(), message)
    }

    async fn url(&self) -> Result<url::Url, Undelivered> {
        let text = match &self.to.url {
            Url::Plain(text) => SecretString::from(text.as_str()),
            Url::Secret(source) => source.read().await?,
        };
        // Nothing of the text is shown: it may be the secret, in the wrong form.
        let is_fine = |it: &url::Url| matches!(it.scheme(), "http" | "https") && it.has_host();
        let parsed = url::Url::parse(text.expose_secret().trim()).ok().filter(is_fine);
        parsed.ok_or_else(|| {
            let message = format!("the URL of {} is not an http or https URL", self.whose);
            Undelivered::again(self.codes.url_invalid.clone(), message)
        })
    }

    /// What the operator has written may be called, whatever its path, which may be a secret and is logged nowhere.
    fn policy(&self, method: Method, url: &url::Url) -> Result<Policy, Undelivered> {
        let origin = url.origin().ascii_serialization();
        let pattern = Pattern::expand(&format!("{method} {origin}/*"), &|_| None);
        let pattern = pattern.map_err(|_| {
            let message = format!("the URL of {} has a host that cannot be used", self.whose);
            Undelivered::again(self.codes.url_invalid.clone(), message)
        })?;
        Ok(Policy {
            plugin: self.whose.to_owned(),
            provider: self.section.to_owned(),
            patterns: vec![pattern],
            networks: self.to.egress.networks.clone(),
            plaintext: self.to.egress.plaintext,
        })
    }
}

/// What an answer means. Its body is not looked at.
fn judge(codes: &Codes, host: &str, answer: &Response, now: Timestamp) -> Result<(), Undelivered> {
    let status = answer.status;
    let (code, what, then) = match status {
        200..=299 => return Ok(()),
        300..=399 => {
            let what = "a redirect, which is not followed; write the address that it leads to";
            (&codes.redirect, what, Then::Again(None))
        }
        410 => {
            let what = "410: it wants nothing any more, and gets nothing";
            (&codes.gone, what, Then::Disabled)
        }
        _ => (&codes.status, "no success", Then::Again(retry_after(answer, now))),
    };
    let message = format!("{host} answered {status}: {what}");
    Err(Undelivered { code: code.clone(), message, then })
}

fn retry_after(answer: &Response, now: Timestamp) -> Option<Duration> {
    let (_, value) = answer.headers.iter().find(|(name, _)| name == "retry-after")?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    Duration::try_from(then.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        let header = retry_after.map(|it| ("retry-after".to_owned(), it.to_owned()));
        Response { status, headers: header.into_iter().collect(), body: b"CANARY".to_vec() }
    }

    #[test]
    fn a_status_says_what_follows() {
        let check = |status| judge(&CHANNEL, "h.example", &answer(status, None), at(0));
        assert!([200, 202, 204, 299].into_iter().all(|it| check(it).is_ok()));
        assert_eq!(check(410).unwrap_err().then, Then::Disabled);
        for (status, code) in
            [(302, "channel.redirect"), (404, "channel.status"), (500, "channel.status")]
        {
            let error = check(status).unwrap_err();
            assert_eq!((error.code.text(), error.then), (code, Then::Again(None)));
            assert!(
                error.message.contains(&status.to_string()) && !error.message.contains("CANARY")
            );
        }
    }

    #[test]
    fn a_time_to_come_back_at_is_read_in_seconds_or_as_a_date() {
        for (text, wait) in [
            ("120", Some(120)),
            ("Thu, 01 Jan 1970 00:10:00 GMT", Some(600)),
            ("soon", None),
            ("Wed, 31 Dec 1969 00:10:00 GMT", None),
        ] {
            let error = judge(&CHANNEL, "h", &answer(503, Some(text)), at(0)).unwrap_err();
            assert_eq!(error.then, Then::Again(wait.map(Duration::from_secs)), "{text}");
        }
    }
}
