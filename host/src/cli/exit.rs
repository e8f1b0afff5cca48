//! What replies mean to a script. Which exit an error has is data: `model/code` says it.

pub(super) use crate::model::exit::Exit;

use crate::model::code::Code;
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

    /// What a refresh came to. Failures that only a person can mend count most.
    pub(super) fn of_refresh(refreshed: &Refreshed) -> Self {
        let summary = refreshed.summary;
        let errors = refreshed.attempts.iter().filter_map(|it| it.error.as_ref());
        if errors.clone().any(|it| needs_a_person(&it.code)) {
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

/// A connection that fails so waits for a person, also where the fault is the manifest's.
fn needs_a_person(code: &Code) -> bool {
    matches!(code, Code::Manifest(_) | Code::Secret(_)) || code.exit() == Exit::Person
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_person_has_to_mend_at_the_connection_is_a_failure_like_others() {
        for (text, person) in [
            ("egress.client_failed", false),
            ("egress.dns_failed", false),
            ("storage.busy", false),
            ("vault.wrong_key", false),
            ("egress.host_denied", true),
            ("secret.env_missing", true),
            ("manifest.provider_missing", true),
            ("plugin.not_wasm", true),
            ("provider.grant_expired", true),
            ("something.newer", false),
        ] {
            assert_eq!(needs_a_person(&Code::read(text)), person, "{text}");
        }
    }
}
