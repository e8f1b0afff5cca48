//! How a command ended, as scripts see it.

use std::process::ExitCode;

use crate::model::state::State;
use crate::operator::reply::Refreshed;
use crate::operator::view::ConnectionView;

/// Exit codes; stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0.
    Done,
    /// 1.
    Failed,
    /// 2: clap's own code too.
    Usage,
    /// 3: partly failed, or something is late.
    Partly,
    /// 4: a person is needed.
    Person,
    /// 5.
    NoDaemon,
    /// 75: another process has the database; try again later.
    Busy,
    /// 78: a service manager need not try again.
    Config,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Person => 4,
            Exit::NoDaemon => 5,
            Exit::Busy => 75,
            Exit::Config => 78,
        })
    }
}

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
            (0, _) if refreshed.left > 0 => Self::Partly,
            (0, _) => Self::Done,
            (_, 0) => Self::Failed,
            _ => Self::Partly,
        }
    }

    /// What an error code means.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "daemon.unreachable" | "daemon.foreign_user" => Self::NoDaemon,
            "instance.locked" => Self::Busy,
            "plugin.digest_needed" => Self::Usage,
            _ if code.starts_with("vault.")
                || code.starts_with("manifest.")
                || code.starts_with("secret.") =>
            {
                Self::Config
            }
            "storage.schema_newer" | "storage.unavailable" | "storage.damaged" => Self::Config,
            _ if needs_a_person(code) => Self::Person,
            _ => Self::Failed,
        }
    }
}

fn needs_a_person(code: &str) -> bool {
    const PROVIDER: &[&str] = &[
        "provider.invalid_credentials",
        "provider.grant_expired",
        "provider.token_rejected",
        "provider.misconfigured",
        "refresh.needs_person",
        "plugin.missing",
        "plugin.import_denied",
        "plugin.permissions_widened",
    ];
    let by_operator = ["manifest.", "secret.", "egress."].iter().any(|it| code.starts_with(it));
    // Of these, some are outages like any other.
    let outage = [
        "egress.dns_failed",
        "egress.connect_failed",
        "egress.connect_timeout",
        "egress.tls_failed",
    ];
    PROVIDER.contains(&code) || (by_operator && !outage.contains(&code))
}
