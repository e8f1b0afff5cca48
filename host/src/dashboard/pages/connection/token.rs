//! Showing a token to a person: only to somebody who has just proved again who that is, and never without a line in the
//! audit log.

use axum::extract::{Path, State};
use axum::response::Response;

use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};

/// Shows the token.
pub(in crate::dashboard) async fn reveal(
    State(_): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    address::read(&text)?;
    Err(Refused::ReadOnly)
}
