//! Why there is no page: what is said instead, with what helps. The guard makes the page, since it knows the frame.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::api::status_of;
use crate::model::failure::Failure;

/// Why there is no page.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    /// Nobody knows who looks: the way to the login, and back to this place.
    Login(String),
    /// Who looks is to show it once more: the way to that, and back to this place.
    Confirm(String),
    /// Whoever looks may only look.
    ReadOnly,
    /// There is nothing here.
    NotFound,
    /// The form or the address says what cannot be.
    Unreadable,
    /// The request comes from a page of another site, or is for another host.
    Elsewhere,
    /// The request is for a host that is not this one.
    Misdirected,
    /// Too many tries.
    TooMany,
    /// What was asked for was not done.
    Failed(Box<Failure>),
    /// A mistake in this program.
    Fault,
}

impl Refused {
    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Login(_) | Self::Confirm(_) => StatusCode::SEE_OTHER,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::ReadOnly | Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Failed(failure) => status_of(&failure.code, failure.case),
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}
