//! How Google words a refusal.

use serde_json::json;

use crate::provider::{
    answer::Answer,
    authorization::refused::{Fault, Refused},
    call::{Call, form_encoded},
    google::settings::Failure,
};

/// A known client is one whose id is right, whatever it showed.
pub(super) fn refusal(call: &Call, refused: Refused, known_client: bool) -> Answer {
    let grant_type = call.field("grant_type").unwrap_or_default();
    match refused {
        Refused::InvalidGrant(Fault::OtherRedirect) => {
            error(400, "redirect_uri_mismatch", "Bad Request")
        }
        Refused::InvalidGrant(Fault::UnknownCode) => {
            error(400, "invalid_grant", "Malformed auth code.")
        }
        Refused::InvalidGrant(Fault::Token(_)) => failed(Failure::Revoked),
        Refused::InvalidGrant(Fault::Verifier) => {
            error(400, "invalid_grant", "Invalid code verifier.")
        }
        Refused::InvalidGrant(_) => error(400, "invalid_grant", "Bad Request"),
        Refused::InvalidClient if !known_client => {
            error(401, "invalid_client", "The OAuth client was not found.")
        }
        Refused::InvalidClient => error(401, "invalid_client", "Unauthorized"),
        Refused::UnsupportedGrantType => {
            let description = format!("Invalid grant_type: {}", form_encoded(grant_type));
            error(400, "unsupported_grant_type", &description)
        }
        Refused::AuthorizationPending => {
            error(428, "authorization_pending", "Precondition Required")
        }
        Refused::SlowDown => error(403, "slow_down", "Forbidden"),
        Refused::AccessDenied => error(403, "access_denied", "Forbidden"),
        other => error(400, other.code(), other.description()),
    }
}

pub(super) fn failed(failure: Failure) -> Answer {
    match failure {
        Failure::Revoked => error(400, "invalid_grant", "Token has been expired or revoked."),
        Failure::DeletedClient => error(401, "deleted_client", "The OAuth client was deleted."),
        Failure::Reauthentication => {
            let body = json!({
                "error": "invalid_grant", "error_description": "reauth related error (invalid_rapt)",
                "error_subtype": "invalid_rapt",
            });
            Answer::json(400, &body)
        }
    }
}

pub(super) fn error(status: u16, code: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": code, "error_description": description}))
}

pub(super) fn api_error(status: u16, name: &str, message: &str) -> Answer {
    let error = json!({"code": status, "message": message, "status": name});
    Answer::json(status, &json!({ "error": error }))
}
