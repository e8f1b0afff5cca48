//! What a failure leads to. Pure: the failure and the facts in; state, next wake-up, and what to tell
//! out.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::code::{self, Code};
use crate::model::connection::{Due, Problem};
use crate::model::event::EventKind;
use crate::model::failure::{Case, Failure};
use crate::model::rotation::{Remedy, Rotation};
use crate::refresher::plan::Timing;

/// What the verdict rests on, besides the failure.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    /// What the provider does with used refresh tokens.
    pub rotation: Rotation,
    /// Whether the plugin can log in with nobody present.
    pub unattended: bool,
    /// Failures in a row before this one.
    pub failures: u32,
    /// Whether the outcome of an earlier request was unknown.
    pub in_doubt: bool,
    /// When the first request began whose outcome is unknown, this one included.
    pub since: Timestamp,
    /// When the current token ends.
    pub expires_at: Option<Timestamp>,
    /// How long the provider asks to wait, besides what the failure says.
    pub told: Option<Duration>,
    /// The manifest's times.
    pub timing: Timing<'a>,
    /// Now.
    pub now: Timestamp,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The failure, perhaps in words that know more.
    pub failure: Failure,
    /// Set when only a person can help.
    pub problem: Option<Problem>,
    /// Set when the outcome at the provider is unknown.
    pub in_doubt: bool,
    /// Whether captured answers stay.
    pub keep_captures: bool,
    /// When to look again; `None` when a person has to act first.
    pub due: Option<Due>,
    /// What to tell.
    pub event: EventKind,
}

/// Says what `failure` leads to.
pub(super) fn judge(failure: Failure, facts: &Facts<'_>) -> Verdict {
    let outage = || Some(after_outage(facts));
    let verdict = Verdict {
        problem: None,
        in_doubt: facts.in_doubt,
        keep_captures: false,
        due: outage(),
        event: EventKind::Failed,
        failure,
    };
    match verdict.failure.case {
        Case::InvalidCredentials | Case::Misconfigured => Verdict {
            problem: Some(Problem::Misconfigured),
            due: None,
            event: EventKind::Misconfigured,
            // Without its secret the plugin was not called, and has not seen what waits for it.
            keep_captures: matches!(verdict.failure.code, Code::Secret(_)),
            ..verdict
        },
        Case::GrantExpired | Case::TokenRejected => dead_grant(verdict, facts),
        Case::RateLimited(told) => {
            let told = told.or(facts.told);
            let due = facts.timing.after_rate_limit(told, facts.failures + 1, facts.now);
            Verdict { due: Some(due), ..verdict }
        }
        Case::InDoubt => doubt(verdict, facts),
        Case::Unavailable => verdict,
        // The answer is here and was not understood: it waits for a plugin that can read it. Rubbish
        // from a provider that rotates says nothing about what the provider has done.
        Case::Unexpected => {
            let in_doubt = facts.in_doubt || facts.rotation.needs_capture();
            Verdict { keep_captures: true, in_doubt, ..verdict }
        }
        Case::PluginFault | Case::HostFault => Verdict { keep_captures: true, ..verdict },
    }
}

/// When to try again after an outage: not before the time that the provider named, if it named one.
fn after_outage(facts: &Facts<'_>) -> Due {
    let (timing, failures) = (facts.timing, facts.failures + 1);
    let due = timing.after_outage(failures, facts.expires_at, facts.now);
    Due { at: told(facts).unwrap_or(due.at).max(due.at), ..due }
}

/// When the provider wants to be asked again, if it said so.
fn told(facts: &Facts<'_>) -> Option<Timestamp> {
    let due = |it| facts.timing.after_rate_limit(Some(it), facts.failures + 1, facts.now);
    facts.told.map(|it| due(it).at)
}

/// Says whose fault a dead grant is: the provider's, or an answer that was lost on the way.
fn dead_grant(verdict: Verdict, facts: &Facts<'_>) -> Verdict {
    let failure = if facts.in_doubt {
        let message = format!(
            "the provider no longer accepts the refresh token: the answer to an earlier refresh was lost, and the provider does not accept a used refresh token again ({}); log in again",
            verdict.failure.message
        );
        Failure::new(Case::GrantExpired, code::Refresh::GrantLost, message)
    } else {
        verdict.failure
    };
    Verdict {
        problem: Some(Problem::Reconnect),
        in_doubt: false,
        due: None,
        event: EventKind::Reconnect,
        failure,
        ..verdict
    }
}

fn doubt(verdict: Verdict, facts: &Facts<'_>) -> Verdict {
    // Who answers, and names a time to come back at, has done nothing; only a strict provider is not believed.
    if facts.rotation == Rotation::Unknown && facts.told.is_some() && !facts.in_doubt {
        return verdict;
    }
    let age = Duration::try_from(facts.now.duration_since(facts.since)).unwrap_or_default();
    let waits = !facts.unattended && facts.rotation.remedy(age) == Remedy::WaitForEnd;
    let mut verdict = Verdict { in_doubt: facts.rotation != Rotation::None, ..verdict };
    if let (Some(left), Some(due)) = (facts.rotation.grace_left(age), &mut verdict.due) {
        // What is forgiven now is not forgiven after the usual pause.
        let at = due.at.min(facts.now + left / 2);
        *due = Due { at, trigger: Trigger::Recovery };
    }
    match facts.expires_at.filter(|it| waits && *it > facts.now) {
        Some(end) => Verdict {
            due: Some(Due { at: told(facts).unwrap_or(end).max(end), trigger: Trigger::Recovery }),
            event: EventKind::Critical,
            ..verdict
        },
        None => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::provider::Provider;
    use crate::model::fixture::at;

    fn check(case: Case, rotation: Rotation, change: impl Fn(&mut Facts<'_>)) -> Verdict {
        let text = "[providers.x]\nretry = { attempts = 3, backoff = \"60s\" }";
        let manifest =
            crate::manifest::parse(text, std::path::Path::new("keepfresh.toml")).unwrap();
        let provider: &Provider = &manifest.providers["x"];
        let id = "x".parse().unwrap();
        let mut facts = Facts {
            rotation,
            unattended: false,
            failures: 0,
            in_doubt: false,
            since: at(0),
            expires_at: Some(at(3_600)),
            told: None,
            timing: Timing::new(provider, None, &id),
            now: at(0),
        };
        change(&mut facts);
        judge(Failure::new(case, Code::read("x.y"), "why"), &facts)
    }

    #[test]
    fn wrong_credentials_are_not_tried_again() {
        let verdict = check(Case::InvalidCredentials, Rotation::None, |_| ());
        assert_eq!((verdict.problem, verdict.due), (Some(Problem::Misconfigured), None));
    }

    #[test]
    fn a_dead_grant_needs_a_person() {
        let verdict = check(Case::GrantExpired, Rotation::Strict, |_| ());
        assert_eq!((verdict.problem, verdict.due), (Some(Problem::Reconnect), None));
        assert_eq!(verdict.failure.code.text(), "x.y");
    }

    #[test]
    fn a_grant_that_died_of_a_lost_answer_says_so() {
        let verdict = check(Case::GrantExpired, Rotation::Strict, |it| it.in_doubt = true);
        assert_eq!(verdict.failure.code.text(), "refresh.grant_lost");
    }

    #[test]
    fn a_provider_in_doubt_that_is_strict_or_may_be_is_left_alone_until_the_end() {
        for rotation in [Rotation::Strict, Rotation::Unknown] {
            let verdict = check(Case::InDoubt, rotation, |_| ());
            assert_eq!(verdict.due, Some(Due { at: at(3_600), trigger: Trigger::Recovery }));
            assert_eq!((verdict.in_doubt, verdict.event), (true, EventKind::Critical));
        }
    }

    #[test]
    fn other_providers_in_doubt_are_tried_again_soon() {
        for rotation in [Rotation::None, Rotation::Grace(30), Rotation::UntilUsed] {
            let due = check(Case::InDoubt, rotation, |_| ()).due.unwrap();
            assert!(due.at <= at(60), "{rotation:?}");
        }
    }

    #[test]
    fn a_time_that_was_named_is_no_doubt_unless_the_provider_is_strict() {
        let told = |it: &mut Facts<'_>| it.told = Some(Duration::from_mins(10));
        let unknown = check(Case::InDoubt, Rotation::Unknown, told);
        assert!((at(600)..=at(660)).contains(&unknown.due.unwrap().at) && !unknown.in_doubt);
        let strict = check(Case::InDoubt, Rotation::Strict, told);
        assert_eq!((strict.due.unwrap().at, strict.in_doubt), (at(3_600), true));
        let older = check(Case::InDoubt, Rotation::Unknown, |it| {
            told(it);
            it.in_doubt = true;
        });
        assert_eq!((older.due.unwrap().at, older.in_doubt), (at(3_600), true));
        let long =
            check(Case::InDoubt, Rotation::Strict, |it| it.told = Some(Duration::from_hours(2)));
        assert!(long.due.unwrap().at >= at(7_200));
    }

    #[test]
    fn a_grace_is_used_while_it_lasts() {
        let due = check(Case::InDoubt, Rotation::Grace(10), |_| ()).due.unwrap();
        assert_eq!(due, Due { at: at(5), trigger: Trigger::Recovery });
        let over = check(Case::InDoubt, Rotation::Grace(10), |it| it.now = at(10));
        assert_eq!((over.due.unwrap().at, over.event), (at(3_600), EventKind::Critical));
    }

    #[test]
    fn a_plugin_that_can_log_in_need_not_wait() {
        let verdict = check(Case::InDoubt, Rotation::Strict, |it| it.unattended = true);
        assert!(verdict.due.unwrap().at <= at(60));
    }

    #[test]
    fn an_answer_that_was_not_understood_is_kept() {
        assert!(check(Case::PluginFault, Rotation::Strict, |_| ()).keep_captures);
        assert!(check(Case::Unexpected, Rotation::Strict, |_| ()).keep_captures);
        assert!(!check(Case::Unavailable, Rotation::Strict, |_| ()).keep_captures);
    }

    #[test]
    fn an_answer_that_waits_is_kept_while_a_secret_is_missing() {
        let manifest =
            crate::manifest::parse("[providers.x]", std::path::Path::new("keepfresh.toml"));
        let manifest = manifest.unwrap();
        let id = "x".parse().unwrap();
        let facts = Facts {
            rotation: Rotation::Strict,
            unattended: false,
            failures: 0,
            in_doubt: false,
            since: at(0),
            expires_at: None,
            told: None,
            timing: Timing::new(&manifest.providers["x"], None, &id),
            now: at(0),
        };
        for (code, kept) in [
            (Code::from(code::Secret::EnvMissing), true),
            (code::Provider::Misconfigured.into(), false),
        ] {
            let failure = Failure::new(Case::Misconfigured, code, "why");
            assert_eq!(judge(failure, &facts).keep_captures, kept);
        }
    }

    #[test]
    fn the_provider_says_how_long_to_wait() {
        let told = Case::RateLimited(Some(Duration::from_mins(2)));
        let due = check(told, Rotation::None, |_| ()).due.unwrap().at;
        assert!((at(120)..=at(132)).contains(&due), "{due}");
    }

    #[test]
    fn a_provider_that_is_down_says_until_when_and_a_limit_may_be_a_date() {
        let told = |it: &mut Facts<'_>| it.told = Some(Duration::from_mins(20));
        for case in [Case::Unavailable, Case::InDoubt, Case::RateLimited(None)] {
            let due = check(case, Rotation::None, told).due.unwrap().at;
            assert!((at(1_200)..=at(1_320)).contains(&due), "{case:?}: {due}");
        }
    }

    #[test]
    fn an_outage_does_not_settle_an_older_doubt() {
        assert!(check(Case::Unavailable, Rotation::Strict, |it| it.in_doubt = true).in_doubt);
    }
}
