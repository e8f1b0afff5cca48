//! How logins of people, and connections that were added, are shown.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::cli::render::line::Line;
use crate::cli::render::{hint, out, tone};
use crate::operator::reply::ConnectStep;

/// The stable JSON of a step; what is secret in it is not for a script.
pub(super) fn step_json(step: &ConnectStep) -> Value {
    match step {
        ConnectStep::Connected { details, can_refresh } => {
            json!({
                "done": true,
                "id": details.view.id,
                "short": details.view.short,
                "can_refresh": can_refresh,
                "connection": details,
            })
        }
        ConnectStep::Device { user_code, verification_uri, .. } => {
            json!({ "user_code": user_code, "verification_uri": verification_uri })
        }
        ConnectStep::Browser { .. } | ConnectStep::Waiting { .. } => json!({ "waiting": true }),
    }
}

/// What a person who connects an account has to do now.
pub(in crate::cli) fn to_do(step: &ConnectStep) -> Vec<Line> {
    match step {
        ConnectStep::Browser { url, again: true, .. } => {
            vec![
                "no refresh token was issued: give consent again at".into(),
                url.0.expose_secret().into(),
            ]
        }
        ConnectStep::Browser { url, .. } => {
            vec!["open this in a browser:".into(), url.0.expose_secret().into()]
        }
        ConnectStep::Device { user_code, verification_uri, verification_uri_complete, .. } => {
            let first = format!("on any machine, open {verification_uri} and type: {user_code}");
            let second = verification_uri_complete.as_ref().map(|it| format!("or open {it}"));
            std::iter::once(first).chain(second).map(Line::from).collect()
        }
        ConnectStep::Waiting { .. } | ConnectStep::Connected { .. } => Vec::new(),
    }
}

pub(super) fn step(step: &ConnectStep) {
    let ConnectStep::Connected { details, can_refresh } = step else { return };
    let view = &details.view;
    out(tone::mark(true).then(format!(" {} connected. {}", view.short, view.sentence)));
    if !details.missing_scopes.is_empty() {
        hint(format!(
            "not granted: {}; connect again and agree to all of it, or ask for less with `scopes`",
            details.missing_scopes.join(" ")
        ));
    }
    if !can_refresh {
        hint(format!(
            "no refresh token was issued: {} has to be connected again when this token expires",
            view.short
        ));
    }
}

pub(super) fn disconnected(revoked: bool, removed: bool) {
    let there = if revoked {
        "the provider has revoked the grant"
    } else {
        "the grant was not revoked: it stays valid at the provider until it expires"
    };
    let here =
        if removed { "deleted here" } else { "its token was deleted here, and it is paused" };
    hint(format!("{there}; {here}"));
}
