//! What replies mean to a script. Which exit an error has is data: `model/code` says it.

pub(super) use crate::model::exit::Exit;

use crate::model::attempt::Attempt;
use crate::model::state::State;
use crate::operator::reply::Refreshed;
use crate::operator::sinks::SinkRun;
use crate::operator::view::ConnectionView;

impl Exit {
    /// What states mean for a script: the worst one counts.
    pub(super) fn of_states(connections: &[ConnectionView]) -> Self {
        if connections.iter().any(|it| it.state.needs_a_person()) {
            return Self::Person;
        }
        let late = connections.iter().any(|it| it.state == State::Late);
        if late { Self::Partly } else { Self::Done }
    }

    /// Of two, the one that counts more for a script.
    #[must_use]
    pub(super) fn or_worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Person, _) | (_, Self::Person) => Self::Person,
            (Self::Done, other) => other,
            (this, _) => this,
        }
    }

    /// What a refresh came to. A failure means the same as from every other command, by its code; beside
    /// successes it is a part that failed, unless a person is needed.
    pub(super) fn of_refresh(refreshed: &Refreshed) -> Self {
        let summary = refreshed.summary;
        let failures = refreshed.attempts.iter().filter_map(Attempt::error);
        let mut exits = failures.map(|it| it.code.exit()).collect::<Vec<_>>();
        exits.dedup();
        match (exits.as_slice(), summary.success + summary.skipped) {
            ([], _) if refreshed.left + refreshed.left_out > 0 => Self::Partly,
            ([], _) => Self::Done,
            (all, _) if all.contains(&Self::Person) => Self::Person,
            ([same], 0) => *same,
            (_, 0) => Self::Failed,
            _ => Self::Partly,
        }
    }
}

impl Exit {
    /// What delivering all of a sink came to, in the same way.
    pub(super) fn of_sink(ran: &SinkRun) -> Self {
        let mut exits = ran.failures.iter().map(|it| it.error.code.exit()).collect::<Vec<_>>();
        exits.dedup();
        match (exits.as_slice(), ran.delivered + ran.unchanged) {
            ([], _) => Self::Done,
            ([same], 0) => *same,
            (_, 0) => Self::Failed,
            _ => Self::Partly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attempt::{Course, Spent, Trigger};
    use crate::model::code::{self, Code};
    use crate::model::failure::{Case, Failure};
    use crate::model::id::AttemptId;
    use crate::operator::Reply;

    fn attempt(course: Course) -> Attempt {
        Attempt {
            id: AttemptId::generate(),
            connection: "jibit".parse().unwrap(),
            trigger: Trigger::Manual,
            course,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            duration_ms: Some(1),
            spent: Spent::default(),
            generation: 1,
        }
    }

    fn exit(courses: Vec<Course>) -> Exit {
        let attempts = courses.into_iter().map(attempt).collect();
        let Reply::Refreshed(refreshed) = Reply::refreshed(attempts, Vec::new()) else {
            panic!("it is what a refresh came to")
        };
        Exit::of_refresh(&refreshed)
    }

    fn failed(case: Case, code: impl Into<Code>) -> Course {
        Course::Failed(Failure::new(case, code, "why"))
    }

    #[test]
    fn a_refresh_exits_by_the_codes_of_its_failures() {
        let unclear = code::Refresh::OutcomeUnknown;
        assert_eq!(exit(vec![failed(Case::InDoubt, unclear)]), Exit::Failed);
        assert_eq!(exit(vec![failed(Case::GrantExpired, code::Refresh::GrantLost)]), Exit::Person);
        assert_eq!(exit(vec![failed(Case::Unavailable, code::Egress::ClientFailed)]), Exit::Failed);
        assert_eq!(exit(vec![failed(Case::Misconfigured, code::Secret::EnvMissing)]), Exit::Config);
        let doubt = failed(Case::InDoubt, unclear);
        assert_eq!(exit(vec![Course::Success(None), doubt]), Exit::Partly);
        assert_eq!(exit(vec![Course::Success(None), Course::Skipped(String::new())]), Exit::Done);
    }

    #[test]
    fn of_several_failures_the_one_that_needs_a_person_counts() {
        let person = || failed(Case::GrantExpired, code::Provider::GrantExpired);
        let config = || failed(Case::Misconfigured, code::Secret::EnvMissing);
        assert_eq!(exit(vec![Course::Success(None), person()]), Exit::Person);
        assert_eq!(exit(vec![config(), person()]), Exit::Person);
        assert_eq!(exit(vec![config(), config()]), Exit::Config);
        let down = failed(Case::Unavailable, code::Provider::Unavailable);
        assert_eq!(exit(vec![config(), down]), Exit::Failed);
        assert_eq!(exit(vec![config(), Course::Success(None)]), Exit::Partly);
    }
}
