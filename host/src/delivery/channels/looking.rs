//! What is wrong now, subject by subject: counted in the database, and in the plugin folder.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::delivery::alerts::Telling;
use crate::delivery::channels::Parts;
use crate::delivery::channels::notice::{AlertFacts, CauseCount};
use crate::model::alert::{AlertKind, Cause, Subject};
use crate::model::clock;
use crate::model::code;
use crate::storage::{Examples, StorageError, Trouble};

/// Connections and causes that a message names.
const NAMED: u32 = 5;

/// What is wrong with one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    affected: u64,
    ending: u64,
    expired: u64,
}

/// All that is wrong now.
pub(super) type Sight = BTreeMap<Subject, Seen>;

impl Seen {
    /// How many connections it is about.
    pub(super) fn affected(&self) -> u64 {
        self.affected
    }

    /// How bad it is.
    pub(super) fn kind(&self, cause: Cause) -> AlertKind {
        match cause {
            Cause::Reconnect => AlertKind::Reconnect,
            Cause::Misconfigured => AlertKind::Misconfigured,
            Cause::Approval => AlertKind::Approval,
            Cause::Failing if self.expired > 0 => AlertKind::Expired,
            Cause::Failing if self.ending > 0 => AlertKind::Critical,
            Cause::Failing => AlertKind::Failed,
        }
    }
}

/// Looks.
pub(super) async fn look(parts: &Parts, now: Timestamp) -> Result<Sight, StorageError> {
    let soon = clock::after(now, parts.manifest().alerts.critical_within);
    let troubles = parts.storage.troubles(now, soon, &parts.held()).await?;
    let mut sight = troubles.into_iter().map(of_trouble).collect::<Sight>();
    sight.extend(waiting_for_approval(parts));
    Ok(sight)
}

fn of_trouble(trouble: Trouble) -> (Subject, Seen) {
    let Trouble { provider, problem, affected, ending, expired } = trouble;
    (Subject { cause: Cause::of(problem), provider }, Seen { affected, ending, expired })
}

fn waiting_for_approval(parts: &Parts) -> Vec<(Subject, Seen)> {
    let shelf = parts.catalogue.shelf();
    let waits = shelf.files.iter().filter(|it| {
        it.refused.as_ref().is_some_and(|it| it.code == code::PluginFile::PermissionsWidened)
    });
    let subject = |file: &str| Subject { cause: Cause::Approval, provider: file.to_owned() };
    waits.map(|it| (subject(&it.file), Seen::default())).collect()
}

/// The facts of what is told of `subject`.
pub(super) async fn facts(
    parts: &Parts,
    subject: &Subject,
    telling: Telling,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Result<AlertFacts, StorageError> {
    let Subject { cause, provider } = subject.clone();
    let Seen { affected, ending, expired } = seen.cloned().unwrap_or_default();
    let examples = match cause {
        Cause::Approval => Examples::default(),
        _ => parts.storage.examples(&provider, cause.problem(), NAMED).await?,
    };
    let Telling { tell, kind, since } = telling;
    let cause_of = |(code, count, message)| CauseCount { code, count, message };
    Ok(AlertFacts {
        tell,
        kind,
        cause,
        provider,
        since,
        at: now,
        affected,
        ending,
        expired,
        connections: examples.names,
        causes: examples.causes.into_iter().map(cause_of).collect(),
    })
}
