//! What the provider answers: the token endpoint for one client, as RFC 6749 has it, and behind the racers' backs what it
//! has counted.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::provider::request::Request;
use crate::provider::tokens::{Families, Verdict};

/// The one client.
pub(crate) const CLIENT_ID: &str = "racer";

/// Its secret.
pub(crate) const CLIENT_SECRET: &str = "canary";

/// Both in base64.
const BASIC: &str = "Basic cmFjZXI6Y2FuYXJ5";

const FORM: &str = "application/x-www-form-urlencoded";

/// What was counted so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Connections of racers.
    pub(crate) accepted: u64,
    /// Answers with tokens.
    pub(crate) good: u64,
    /// All other answers.
    pub(crate) bad: u64,
    /// Used refresh tokens that were presented.
    pub(crate) reuse: u64,
    /// Answers with tokens within the time that is measured, which begins with the first request.
    pub(crate) in_time: u64,
    /// Seconds from the first request to the last of these.
    pub(crate) span: f64,
    /// Seconds since the first request, if there was one.
    pub(crate) since_first: Option<f64>,
}

/// What is said, and with which status.
pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) body: String,
}

/// What answers.
pub(super) struct Desk {
    families: Families,
    counts: Counts,
    length: Duration,
    first: Option<Instant>,
}

impl Desk {
    /// One that measures for so long from the first request on.
    pub(super) fn new(families: Families, length: Duration) -> Self {
        Self { families, counts: Counts::default(), length, first: None }
    }

    pub(super) fn accepted(&mut self) {
        self.counts.accepted += 1;
    }

    /// A request of a racer.
    pub(super) fn tokens(&mut self, request: &Request<'_>) -> Answer {
        let begun = *self.first.get_or_insert_with(Instant::now);
        let answer = self.grant(request);
        match &answer {
            Ok(_) => self.count(begun.elapsed()),
            Err(_) => self.counts.bad += 1,
        }
        answer.unwrap_or_else(|it| it)
    }

    /// A request of whoever has them race.
    pub(super) fn control(&mut self, request: &Request<'_>) -> Answer {
        let body = match request.path {
            "/counts" => {
                let since_first = self.first.map(|it| it.elapsed().as_secs_f64());
                json!(Counts { since_first, ..self.counts.clone() }).to_string()
            }
            "/current" => self.families.current(),
            _ => return refused("404 Not Found", "not_found"),
        };
        Answer { status: "200 OK", body }
    }

    fn count(&mut self, at: Duration) {
        self.counts.good += 1;
        if at <= self.length {
            self.counts.in_time += 1;
            self.counts.span = at.as_secs_f64();
        }
    }

    fn grant(&mut self, request: &Request<'_>) -> Result<Answer, Answer> {
        let form = form(request)?;
        if form("grant_type") != Some("refresh_token") {
            return Err(refused("400 Bad Request", "unsupported_grant_type"));
        }
        let presented =
            form("refresh_token").ok_or_else(|| refused("400 Bad Request", "invalid_request"))?;
        match self.families.judge(presented) {
            Verdict::Granted { access_token, refresh_token } => {
                Ok(granted(&access_token, &refresh_token))
            }
            Verdict::Used => {
                self.counts.reuse += 1;
                Err(refused("400 Bad Request", "invalid_grant"))
            }
            Verdict::Unknown => Err(refused("400 Bad Request", "invalid_grant")),
        }
    }
}

/// The fields of a form that the client has sent to the token endpoint. Nothing that it may hold is spelled with `%`.
fn form<'a>(request: &Request<'a>) -> Result<impl Fn(&str) -> Option<&'a str>, Answer> {
    if request.path != "/token" {
        return Err(refused("404 Not Found", "not_found"));
    }
    if request.method != "POST" {
        return Err(refused("405 Method Not Allowed", "invalid_request"));
    }
    if request.content_type.split(';').next() != Some(FORM) {
        return Err(refused("400 Bad Request", "invalid_request"));
    }
    let body = request.body;
    let form = move |name: &str| {
        let mut fields = body.split('&').filter_map(|it| it.split_once('='));
        fields.find(|it| it.0 == name).map(|it| it.1)
    };
    let (id, secret) = (form("client_id"), form("client_secret"));
    let known = match request.authorization {
        // Two ways at once are none.
        Some(header) => header == BASIC && secret.is_none(),
        None => id == Some(CLIENT_ID) && secret == Some(CLIENT_SECRET),
    };
    if known { Ok(form) } else { Err(refused("401 Unauthorized", "invalid_client")) }
}

/// Written by hand for the same reason as requests are read by hand.
fn granted(access_token: &str, refresh_token: &str) -> Answer {
    let body = format!(
        r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh_token}"}}"#
    );
    Answer { status: "200 OK", body }
}

fn refused(status: &'static str, error: &str) -> Answer {
    Answer { status, body: format!(r#"{{"error":"{error}"}}"#) }
}
