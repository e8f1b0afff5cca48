//! What replies mean to a script. Which exit an error has is data: `model/code` says it.

pub(super) use crate::model::exit::Exit;

use crate::model::attempt::Attempt;
use crate::model::failure::{Case, Failure};
use crate::model::state::State;
use crate::operator::reply::Refreshed;
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

    /// What a failure means. That the provider is done with a grant or with credentials is not in the
    /// code alone: a lost answer ends a grant, too.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        let case = failure.case;
        if case.is_dead_grant() || case == Case::InvalidCredentials {
            return Self::Person;
        }
        failure.code.exit()
    }

    /// What a refresh came to. Failures that only a person can mend count most.
    pub(super) fn of_refresh(refreshed: &Refreshed) -> Self {
        let summary = refreshed.summary;
        let mut failures = refreshed.attempts.iter().filter_map(Attempt::error);
        if failures.any(|it| it.case.needs_a_person()) {
            return Self::Person;
        }
        match (summary.failed, summary.success + summary.skipped) {
            (0, _) if refreshed.left + refreshed.left_out > 0 => Self::Partly,
            (0, _) => Self::Done,
            (_, 0) => Self::Failed,
            _ => Self::Partly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attempt::{Course, Trigger};
    use crate::model::code::{self, Code};
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
    fn a_refresh_exits_by_what_the_failures_lead_to() {
        let unclear = code::Refresh::OutcomeUnknown;
        assert_eq!(exit(vec![failed(Case::InDoubt, unclear)]), Exit::Failed);
        // The same code, of a grant that a lost answer has ended.
        assert_eq!(exit(vec![failed(Case::GrantExpired, unclear)]), Exit::Person);
        assert_eq!(exit(vec![failed(Case::Unavailable, code::Egress::ClientFailed)]), Exit::Failed);
        assert_eq!(exit(vec![failed(Case::Misconfigured, code::Secret::Empty)]), Exit::Person);
        let doubt = failed(Case::InDoubt, unclear);
        assert_eq!(exit(vec![Course::Success(None), doubt]), Exit::Partly);
        assert_eq!(exit(vec![Course::Success(None), Course::Skipped(String::new())]), Exit::Done);
    }

    #[test]
    fn a_dead_grant_needs_a_person_whatever_its_code() {
        let of = |case| Exit::of_failure(&Failure::new(case, code::Refresh::OutcomeUnknown, "why"));
        assert_eq!((of(Case::GrantExpired), of(Case::InDoubt)), (Exit::Person, Exit::Failed));
        let unknown = Failure::new(Case::Misconfigured, code::Connection::Unknown, "why");
        assert_eq!(Exit::of_failure(&unknown), Exit::Failed);
    }
}
