//! What several pages say in the same words: states, changes, tries, lifetimes.

use jiff::Timestamp;

use crate::dashboard::drawing::Tone;
use crate::dashboard::drawing::gauge::gauge;
use crate::dashboard::frame::Frame;
use crate::dashboard::words::Words;
use crate::model::attempt::{Outcome, Trigger};
use crate::model::event::EventKind;
use crate::model::state::State;

/// A state, in one word.
pub(super) fn state_word(words: &Words, state: State) -> String {
    match state {
        State::New => words.say("state-new"),
        State::Fresh => words.say("state-fresh"),
        State::Refreshing => words.say("state-refreshing"),
        State::Late => words.say("state-late"),
        State::Expired => words.say("state-expired"),
        State::Reconnect => words.say("state-reconnect"),
        State::Misconfigured => words.say("state-misconfigured"),
        State::Paused => words.say("state-paused"),
    }
}

/// What has changed, and its class in the style sheet.
pub(super) fn change_word(words: &Words, kind: EventKind) -> (String, &'static str) {
    match kind {
        EventKind::Refreshed => (words.say("change-refreshed"), "success"),
        EventKind::Recovered => (words.say("change-recovered"), "success"),
        EventKind::Failed => (words.say("change-failed"), "failed"),
        EventKind::Reconnect => (words.say("change-reconnect"), "failed"),
        EventKind::Misconfigured => (words.say("change-misconfigured"), "failed"),
        EventKind::Critical => (words.say("change-critical"), "failed"),
        EventKind::Ending => (words.say("change-ending"), "failed"),
        EventKind::Expired => (words.say("change-expired"), "failed"),
    }
}

/// Why something was tried.
pub(super) fn trigger_word(words: &Words, trigger: Trigger) -> String {
    match trigger {
        Trigger::Scheduled => words.say("trigger-scheduled"),
        Trigger::Expiry => words.say("trigger-expiry"),
        Trigger::Manual => words.say("trigger-manual"),
        Trigger::Forced => words.say("trigger-forced"),
        Trigger::OnDemand => words.say("trigger-on-demand"),
        Trigger::Retry => words.say("trigger-retry"),
        Trigger::Backup => words.say("trigger-backup"),
        Trigger::Recovery => words.say("trigger-recovery"),
    }
}

/// The time of day, in the zone of whoever looks.
pub(super) fn clock_of(frame: &Frame, at: Timestamp) -> String {
    at.to_zoned(frame.looks.zone.clone()).strftime("%H:%M").to_string()
}

/// What a strip of tries says.
pub(super) fn tried(frame: &Frame, tries: &[Outcome]) -> String {
    let words = &frame.words;
    let failed = tries.iter().filter(|it| **it == Outcome::Failed).count().to_string();
    if tries.is_empty() {
        return words.say("strip-none");
    }
    words.count_with("strip-said", tries.len() as u64, &[("failed", &failed)])
}

/// How much of a token's life is used up.
pub(super) fn lifetime(
    frame: &Frame,
    state: State,
    issued: Option<Timestamp>,
    expires: Option<Timestamp>,
) -> String {
    let words = &frame.words;
    let tone = match state {
        State::Fresh | State::New | State::Paused => Tone::Good,
        State::Late | State::Refreshing => Tone::Wait,
        State::Expired | State::Reconnect | State::Misconfigured => Tone::Bad,
    };
    let (Some(issued), Some(expires)) = (issued, expires) else {
        return gauge(&words.say("gauge-unknown"), None, tone);
    };
    let seconds = |to: Timestamp| u64::try_from(to.duration_since(issued).as_secs()).unwrap_or(0);
    let (used, whole) = (seconds(frame.now), seconds(expires).max(1));
    let percent = (used.saturating_mul(100) / whole).min(100).to_string();
    let tone = if used >= whole { Tone::Bad } else { tone };
    gauge(&words.with("gauge-said", &[("percent", &percent)]), Some((used, whole)), tone)
}
