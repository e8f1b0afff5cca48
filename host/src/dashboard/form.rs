//! What an address and a form bring, read into types; what cannot be read is refused with a page.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::dashboard::Dashboard;
use crate::dashboard::refused::Refused;

/// What follows the `?`.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Dashboard> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Refused> {
        let read = axum::extract::Query::from_request_parts(parts, dashboard).await;
        read.map(|it| Self(it.0)).map_err(|_| Refused::Unreadable)
    }
}

/// The fields of a form.
pub(super) struct Filled<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Dashboard> for Filled<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, dashboard: &Dashboard) -> Result<Self, Refused> {
        let read = axum::extract::Form::from_request(request, dashboard).await;
        read.map(|it| Self(it.0)).map_err(|_| Refused::Unreadable)
    }
}

/// A field that was left empty is none.
pub(super) fn given(field: Option<String>) -> Option<String> {
    field.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}
