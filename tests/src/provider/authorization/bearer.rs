//! Access tokens at a resource (RFC 6750).

use jiff::Timestamp;
use serde_json::json;

use crate::provider::{answer::Answer, authorization::Authorization, call::Call, mint::Claim};

impl Authorization {
    /// The claim of a good access token, or 401. A request without credentials is told no reason (RFC 6750, 3.1).
    pub(crate) fn bearer(&mut self, call: &Call, now: Timestamp) -> Result<Claim, Answer> {
        let Some(token) = &call.bearer else {
            return Err(Answer::new(401, "text/plain", "").header("www-authenticate", "Bearer"));
        };
        self.tokens.touch(token, now).ok_or_else(|| {
            let body =
                json!({"error": "invalid_token", "error_description": "the token is not good"});
            Answer::json(401, &body).header("www-authenticate", "Bearer error=\"invalid_token\"")
        })
    }
}
