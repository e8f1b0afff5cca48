//! Who did what. A command that changes something, or hands out a token, is written down once it is done,
//! with who asked for it. What programs repeat all day is counted in memory and written now and then. A log
//! that cannot be written holds up nobody: that is an error in the process's own log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hashbrown::{Equivalent, HashMap};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::error;

use crate::model::audit::{Action, Actor, AuditRecord};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::operator::command::{AuditQuery, Selection};
use crate::operator::reply::ConnectStep;
use crate::operator::{Command, Operator, PAGE, Page, Progress, Reply};
use crate::refresher::host_fault;
use crate::storage::AuditFilter;

/// How long counts stay in memory.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// Kinds of counts in memory; with more, they are written before their time.
const MOST: usize = 10_000;

/// Counts that were not written yet, by hour, actor, action and subject.
#[derive(Default)]
pub struct Tally(Mutex<HashMap<Kind, Count>>);

/// What is counted as one.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    hour: Option<i64>,
    actor: Actor,
    action: Action,
    subject: String,
}

/// The same by reference: most are counted already, and are not copied. It has the fields of [`Kind`] in their order,
/// so that both have one hash.
#[derive(Clone, Copy, Hash)]
struct Like<'a> {
    hour: Option<i64>,
    actor: &'a Actor,
    action: Action,
    subject: &'a str,
}

impl Equivalent<Kind> for Like<'_> {
    fn equivalent(&self, kind: &Kind) -> bool {
        let Kind { hour, actor, action, subject } = kind;
        (self.subject, self.hour, self.action, self.actor) == (subject, *hour, *action, actor)
    }
}

impl Like<'_> {
    fn kind(&self) -> Kind {
        let Self { hour, actor, action, subject } = *self;
        Kind { hour, actor: actor.clone(), action, subject: subject.to_owned() }
    }
}

/// How often, and when last.
struct Count {
    count: u64,
    at: Timestamp,
}

impl Tally {
    /// Counts `count` more, the last of them `at`; how many kinds there are.
    fn add(&self, like: Like<'_>, at: Timestamp, count: u64) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&like) {
            Some(sum) => {
                sum.count += count;
                sum.at = sum.at.max(at);
            }
            None => drop(all.insert(like.kind(), Count { count, at })),
        }
        all.len()
    }

    fn take(&self) -> Vec<AuditRecord> {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let record = |(kind, sum): (Kind, Count)| {
            let (Kind { hour: _, actor, action, subject }, Count { count, at }) = (kind, sum);
            AuditRecord { at, actor, action, subject, detail: None, count }
        };
        all.into_iter().map(record).collect()
    }
}

/// What is written down of a command, if anything.
struct Told {
    action: Action,
    subject: String,
    detail: Option<String>,
}

impl Operator {
    /// Carries out `command` for `actor`. What happens on the way goes to `progress`, which nobody need
    /// read.
    pub async fn run(
        &self,
        actor: &Actor,
        command: Command,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> Result<Reply, Failure> {
        let told = told_of(&command);
        let reply = match command {
            Command::TokenGet { id, min_ttl_s } => self.token(&id, min_ttl_s).await?,
            // Boxed: it holds whatever any other command needs, and callers pass it on.
            command => Box::pin(self.carry_out(command, progress)).await?,
        };
        if let Some(told) = told.or_else(|| told_of_reply(&reply)) {
            self.note(actor, told.action, told.subject, told.detail).await;
        }
        Ok(reply)
    }

    /// Writes down that `actor` did something.
    pub async fn note(
        &self,
        actor: &Actor,
        action: Action,
        subject: String,
        detail: Option<String>,
    ) {
        if action.is_counted() {
            return self.count(actor, action, &subject, self.now());
        }
        let at = self.now();
        let record = AuditRecord { at, actor: actor.clone(), action, subject, detail, count: 1 };
        self.write(vec![record]).await;
    }

    /// Counts that `actor` did something once more.
    pub(super) fn count(&self, actor: &Actor, action: Action, subject: &str, at: Timestamp) {
        let like = Like { hour: action.hour(at), actor, action, subject };
        if self.0.tally.add(like, at, 1) >= MOST {
            let this = self.clone();
            self.0.lifecycle.spawn("audit", async move { this.write_counts().await });
        }
    }

    /// Writes what was counted, and when keys were used: for the end of a process.
    pub async fn write_counts(&self) {
        self.write(self.0.tally.take()).await;
        if let Err(failure) = self.note_uses().await {
            error!(error.code = %failure.code, "the use of API keys could not be stored: {failure}");
        }
    }

    /// Does that now and then, until the soft stop.
    pub async fn keep_writing_counts(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(NOTED_EVERY) => self.write_counts().await,
                () = self.0.lifecycle.wait_for_soft_stop() => return,
            }
        }
    }

    async fn write(&self, records: Vec<AuditRecord>) {
        if records.is_empty() {
            return;
        }
        let kept = records.clone();
        if let Err(failed) = self.0.storage.audit(records).await {
            error!(
                error.code = failed.code().text(),
                "the audit log could not be written: {failed}"
            );
            // Counts wait for the next time; what cannot be counted is in the process's log at least.
            for record in kept {
                if record.action.is_counted() {
                    let AuditRecord { at, actor, action, subject, count, detail: _ } = &record;
                    let like = Like { hour: action.hour(*at), actor, action: *action, subject };
                    self.0.tally.add(like, *at, *count);
                } else {
                    error!(audit.actor = %record.actor, audit.action = %record.action, audit.subject = record.subject, "not in the audit log");
                }
            }
        }
    }

    pub(super) async fn audit_page(&self, query: AuditQuery) -> Result<Reply, Failure> {
        self.write_counts().await;
        let AuditQuery { actor, action, subject, since_s, page } = query;
        let before = page.after.as_deref().map(str::parse).transpose();
        let before = before.map_err(|_| crate::operator::command::bad_cursor())?;
        let (since, limit) =
            (since_s.map(|it| self.ago(it)), page.limit.unwrap_or(PAGE).clamp(1, PAGE));
        let filter = AuditFilter { actor, action, subject, since, before, limit };
        let found = self.0.storage.audit_page(&filter).await.map_err(|it| host_fault(&it))?;
        let next = found.next.map(|it| it.to_string());
        Ok(Reply::Audit(Page { rows: found.entries, unreadable: Vec::new(), next }))
    }
}

fn told(action: Action, subject: &ConnectionId) -> Told {
    Told { action, subject: subject.full().to_owned(), detail: None }
}

fn of_account(action: Action, name: &str, detail: Option<String>) -> Told {
    Told { action, subject: name.to_owned(), detail }
}

fn told_of(command: &Command) -> Option<Told> {
    match command {
        Command::TokenGet { id, .. } => Some(told(Action::TokenRead, id)),
        Command::TokenRejected { id, .. } => Some(told(Action::TokenRejected, id)),
        Command::TokenSet { id, .. } => Some(told(Action::TokenSet, id)),
        Command::TokenClear { id } => Some(told(Action::TokenCleared, id)),
        Command::Refresh { selection, force, dry_run: false, .. } => Some(Told {
            action: Action::Refreshed,
            subject: meant(selection),
            detail: force.then(|| "forced".to_owned()),
        }),
        Command::Disconnect { id, .. } => Some(told(Action::Disconnected, id)),
        Command::Enrol { provider, rows, dry_run: false, .. } => Some(Told {
            action: Action::Enrolled,
            subject: match &rows[..] {
                [row] => format!("{provider}/{}", row.name),
                _ => provider.clone(),
            },
            detail: (rows.len() != 1).then(|| format!("{} connections", rows.len())),
        }),
        Command::Export { selection, .. } => {
            Some(Told { action: Action::Exported, subject: meant(selection), detail: None })
        }
        Command::Remove { id } => Some(told(Action::Removed, id)),
        Command::Pause { id, reason, .. } => {
            Some(Told { detail: reason.clone(), ..told(Action::Paused, id) })
        }
        Command::Resume { id } => Some(told(Action::Resumed, id)),
        Command::Replay { id } => Some(told(Action::Replayed, id)),
        Command::Approved { file, digest } => Some(Told {
            action: Action::Approved,
            subject: file.clone(),
            detail: Some(format!("sha256:{digest}")),
        }),
        Command::AccountAdd { name, role } => {
            Some(of_account(Action::AccountCreated, name, Some(role.to_string())))
        }
        Command::AccountLink { name } => Some(of_account(Action::AccountLinked, name, None)),
        Command::AccountRole { name, role } => {
            Some(of_account(Action::AccountChanged, name, Some(role.to_string())))
        }
        Command::AccountRemove { name } => Some(of_account(Action::AccountRemoved, name, None)),
        Command::ChannelTest { name } => {
            Some(Told { action: Action::ChannelTested, subject: name.clone(), detail: None })
        }
        Command::SinkRun { name, connection } => Some(Told {
            action: Action::SinkRan,
            subject: name.clone(),
            detail: connection.as_ref().map(|it| it.full().to_owned()),
        }),
        Command::Prune { older_than_s, outcome } => Some(Told {
            action: Action::Pruned,
            subject: outcome.map_or("attempts".to_owned(), |it| format!("attempts: {it}")),
            detail: Some(format!("older than {older_than_s} s")),
        }),
        _ => None,
    }
}

/// What only the reply knows.
fn told_of_reply(reply: &Reply) -> Option<Told> {
    match reply {
        Reply::Connect(ConnectStep::Connected { details, .. }) => {
            let subject = details.view.id.clone();
            Some(Told { action: Action::Connected, subject, detail: None })
        }
        Reply::NewKey(new) => {
            let scopes = new.key.grant.scopes.iter().map(ToString::to_string);
            let detail = Some(scopes.collect::<Vec<_>>().join(" "));
            Some(Told { action: Action::KeyCreated, subject: new.key.name.clone(), detail })
        }
        Reply::Revoked(key) => {
            Some(Told { action: Action::KeyRevoked, subject: key.name.clone(), detail: None })
        }
        _ => None,
    }
}

/// Which connections were meant, in a few words.
fn meant(selection: &Selection) -> String {
    let mut words = match &selection.ids[..] {
        [] => selection.provider.clone().into_iter().collect(),
        ids if ids.len() > 5 => vec![format!("{} connections", ids.len())],
        ids => ids.iter().map(|it| it.full().to_owned()).collect(),
    };
    words.extend(selection.label.as_ref().map(|it| format!("label {it}")));
    if selection.failed {
        words.push("failed".to_owned());
    }
    if words.is_empty() { "all".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn read(tally: &Tally, second: i64, subject: &str) -> usize {
        let (action, at) = (Action::TokenRead, at(second));
        tally.add(Like { hour: action.hour(at), actor: &Actor::User(1), action, subject }, at, 1)
    }

    #[test]
    fn what_is_counted_is_summed_by_the_hour() {
        let tally = Tally::default();
        for (second, kinds) in [(10, 1), (5, 1), (3_600, 2)] {
            assert_eq!(read(&tally, second, "x/a"), kinds);
        }
        assert_eq!(read(&tally, 10, "x/b"), 3);
        let mut taken = tally.take();
        taken.sort_by_key(|it| (it.subject.clone(), it.at));
        let plain = taken.iter().map(|it| (&*it.subject, it.at, it.count)).collect::<Vec<_>>();
        assert_eq!(plain, [("x/a", at(10), 2), ("x/a", at(3_600), 1), ("x/b", at(10), 1)]);
        assert!(tally.take().is_empty());
    }

    #[test]
    fn what_is_meant_is_said_in_a_few_words() {
        let ids = |count: usize| (0..count).map(|it| format!("x/c{it}").parse().unwrap()).collect();
        let all = Selection::default();
        for (selection, words) in [
            (all.clone(), "all"),
            (Selection { provider: Some("x".to_owned()), failed: true, ..all.clone() }, "x failed"),
            (Selection { label: Some("gold".to_owned()), ..all.clone() }, "label gold"),
            (Selection { ids: ids(2), ..all.clone() }, "x/c0 x/c1"),
            (Selection { ids: ids(9), ..all }, "9 connections"),
        ] {
            assert_eq!(meant(&selection), words);
        }
    }

    #[test]
    fn looking_is_not_written_down() {
        assert!(told_of(&Command::Doctor).is_none() && told_of(&Command::Schedules).is_none());
        let selection = Selection::default();
        let plan = Command::Refresh { selection, force: true, dry_run: true, wait: true };
        assert!(told_of(&plan).is_none());
    }
}
