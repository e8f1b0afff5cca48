//! The door: how somebody gets in, stays in, shows once more who that is, and leaves; and who may get in at all.

/// With a password.
mod password;

/// At a provider of `OpenID` Connect.
mod openid;

/// By a one-time link, to choose a password.
mod welcome;

/// The password once more.
mod confirm;

/// One's own account.
mod own;

/// All accounts.
mod accounts;

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};

use crate::api::throttle::Throttle;
use crate::dashboard::frame::Frame;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::{Cookie, Stranger};
use crate::dashboard::{Dashboard, PLACE};
use crate::model::account::Ticket;
use crate::model::failure::Failure;

/// Failed logins that are answered as such, for one address, and for one account.
const ATTEMPTS: u32 = 10;

/// Within this time.
const WITHIN: Duration = Duration::from_mins(15);

/// What is known of those who try to get in.
pub(super) struct Door {
    attempts: Throttle,
    begun: openid::Begun,
}

impl Default for Door {
    fn default() -> Self {
        Self { attempts: Throttle::new(ATTEMPTS, WITHIN), begun: openid::Begun::default() }
    }
}

/// The pages of the door.
pub(super) fn pages() -> Router<Dashboard> {
    Router::new()
        .route("/login", get(password::show).post(password::enter))
        .route("/login/openid", get(openid::leave))
        .route("/login/openid/callback", get(openid::come_back))
        .route("/logout", post(own::leave))
        .route("/welcome/{word}", get(welcome::show).post(welcome::choose))
        .route("/confirm", get(confirm::show).post(confirm::confirm))
        .route("/account", get(own::show))
        .route("/account/password", post(own::choose))
        .route("/account/sessions/{number}/end", post(own::end))
        .route("/accounts", get(accounts::list).post(accounts::add))
        .route("/accounts/link", post(accounts::link))
        .route("/accounts/role", post(accounts::role))
        .route("/accounts/remove", post(accounts::remove))
}

impl Dashboard {
    /// Where the pages are, as a browser has it.
    fn base(&self) -> String {
        self.below() + PLACE
    }

    /// Around a page for somebody at the door.
    fn at_the_door(&self, stranger: &Stranger) -> Frame {
        Frame { looks: stranger.looks.clone(), ..Frame::bare(self, String::new()) }
    }

    /// Counts a try to log in before it is looked at: many at once are counted as well. Fails with the seconds to wait.
    /// Others can use up what an account has, but not for an address from which it is logged in.
    async fn attempt(&self, stranger: &Stranger, name: &str) -> Result<Attempt, u64> {
        let now = Instant::now();
        let address = stranger.whence.address.map(|it| it.to_canonical());
        let from = vec![format!("address {}", address.map(near).unwrap_or_default())];
        self.0.door.attempts.failed(&from, now).map_or(Ok(()), Err)?;
        let sessions = self.operator().sessions_of(name).await.unwrap_or_default();
        let address = address.map(|it| it.to_string());
        let is_known = sessions.iter().any(|it| it.address.is_some() && it.address == address);
        let mut attempt = Attempt(from);
        if !is_known {
            let account = [format!("account {name}")];
            self.0.door.attempts.failed(&account, now).map_or(Ok(()), Err)?;
            attempt.0.extend(account);
        }
        Ok(attempt)
    }

    /// A try that has succeeded is none that failed.
    fn succeeded(&self, attempt: &Attempt) {
        self.0.door.attempts.was_none(&attempt.0);
    }
}

/// What a try was counted for.
struct Attempt(Vec<String>);

/// An address, or the network of one that somebody has by the billion.
fn near(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(it) => it.to_string(),
        std::net::IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// As a part of an address.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Gives the browser its session, and leads on.
fn let_in(ticket: &Ticket, encrypted: bool, place: String) -> Response {
    let headers = [(SET_COOKIE, Cookie::Session.set(ticket, encrypted)), (LOCATION, place)];
    (StatusCode::SEE_OTHER, AppendHeaders(headers)).into_response()
}

/// What a person can mend is said on the page; for the rest there is none.
fn mendable(failure: Failure, codes: &[crate::model::code::Code]) -> Result<String, Refused> {
    if codes.contains(&failure.code) { Ok(failure.message) } else { Err(failure.into()) }
}
