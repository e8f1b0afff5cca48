//! One channel at work: hears what happened, looks how things are, says what is to be said, and sends it. What it has
//! heard and what it says of that are written in one step, so that a restart loses nothing and says nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::delivery::alerts::{Alert, Look, Rules};
use crate::delivery::channels::looking::{self, Sight};
use crate::delivery::channels::notice::{Notice, PersonFacts};
use crate::delivery::channels::{Parts, email, sending, summary};
use crate::manifest::channel::{Channel, How};
use crate::model::alert::{AlertKind, Cause, Subject};
use crate::model::event::{Event, EventKind};
use crate::storage::{Listener, Noted, StorageError};

/// Events in one go.
const BATCH: u32 = 256;

/// How often it looks when nothing wakes it: what ends without an event, as a removal does, is noticed so.
const LOOKS_EVERY: Duration = Duration::from_secs(30);

/// In an outage, events come by the thousand; one look serves all of this time.
const QUIET: Duration = Duration::from_millis(500);

/// What it listens to.
const HEARD: [EventKind; 7] = [
    EventKind::Failed,
    EventKind::Critical,
    EventKind::Ending,
    EventKind::Expired,
    EventKind::Reconnect,
    EventKind::Misconfigured,
    EventKind::Recovered,
];

/// A channel at work.
pub(crate) struct Worker {
    parts: Parts,
    channel: Arc<Channel>,
    listener: Listener,
    rules: Rules,
    alerts: BTreeMap<Subject, Alert>,
    /// When the last summary was made.
    summed_up: Option<Timestamp>,
}

/// Where the time of the last summary is kept, beside the alerts.
const SUMMARY: &str = "summary";

impl Worker {
    /// Continues where it left off.
    pub(crate) async fn new(parts: Parts, channel: Arc<Channel>) -> Result<Self, StorageError> {
        let outlet = channel.outlet();
        let listener = parts.storage.listen(&outlet, &HEARD).await?;
        let kept = parts.storage.alerts(&outlet).await?;
        let summed_up = kept.iter().find(|(subject, _)| subject == SUMMARY);
        let summed_up = summed_up.and_then(|(_, at)| at.parse().ok());
        // What a newer version has written is found again by the next look.
        let alerts = kept.into_iter().filter_map(|(subject, state)| {
            Some((subject.parse().ok()?, serde_json::from_str(&state).ok()?))
        });
        let rules = Rules { on: channel.on.clone(), after: channel.after };
        Ok(Self { alerts: alerts.collect(), parts, channel, listener, rules, summed_up })
    }

    /// Works until it is stopped, and looks whenever manifest and plugins were `read_anew`.
    pub(crate) async fn run(
        mut self,
        stop: CancellationToken,
        mut read_anew: watch::Receiver<u64>,
    ) {
        let lifecycle = self.parts.lifecycle.clone();
        loop {
            let turn = tokio::select! {
                turn = self.turn() => turn,
                () = stop.cancelled() => return,
                () = lifecycle.wait_for_soft_stop() => return,
            };
            if let Err(error) = &turn {
                let (code, name) = (error.code(), &self.channel.name);
                warn!(error.code = code.text(), "the channel {name} cannot work: {error}");
            }
            let usual = self.parts.clock.now() + LOOKS_EVERY;
            let next = turn.ok().flatten().map_or(usual, |it| it.min(usual));
            let wake = async {
                tokio::select! {
                    () = self.listener.woken() => tokio::time::sleep(QUIET).await,
                    () = self.parts.clock.sleep_until(next) => {}
                    Ok(()) = read_anew.changed() => {}
                }
            };
            tokio::select! {
                () = wake => {}
                () = stop.cancelled() => return,
                () = lifecycle.wait_for_soft_stop() => return,
            }
        }
    }

    /// Hears, looks and sends; when to do so again at the latest, if that is known.
    pub(super) async fn turn(&mut self) -> Result<Option<Timestamp>, StorageError> {
        self.hear().await?;
        self.look().await?;
        sending::send_due(&self.parts, &self.channel).await?;
        let message = self.parts.storage.next_message(&self.channel.outlet()).await?;
        let pending = self.alerts.values().filter_map(|it| it.told_at(&self.rules)).min();
        Ok([message, pending, self.next_summary()].into_iter().flatten().min())
    }

    /// Reads what has happened since it heard last.
    async fn hear(&mut self) -> Result<(), StorageError> {
        loop {
            let waiting = self.listener.waiting(BATCH).await?;
            let Some(last) = waiting.last().map(|it| it.id) else { return Ok(()) };
            let (mut changed, mut messages) = (BTreeMap::new(), Vec::new());
            for it in &waiting {
                messages.extend(self.to_person(&it.event).await?);
                let Some((subject, kind)) = subject_of(&it.event) else { continue };
                let mut alert = self.alerts.get(&subject).cloned().unwrap_or_default();
                alert.happened(kind, it.event.at);
                self.alerts.insert(subject.clone(), alert.clone());
                changed.insert(subject, alert);
            }
            self.note(Some(last), changed, messages).await?;
        }
    }

    /// Looks how things are, and says what is to be said of it.
    async fn look(&mut self) -> Result<(), StorageError> {
        let now = self.parts.clock.now();
        let sight = looking::look(&self.parts, now).await?;
        let (mut changed, mut messages) = (BTreeMap::new(), Vec::new());
        let known = self.alerts.keys().chain(sight.keys()).cloned();
        for subject in known.collect::<BTreeSet<_>>() {
            let before = self.alerts.get(&subject).cloned().unwrap_or_default();
            let mut alert = before.clone();
            messages.extend(self.say(&subject, &mut alert, &sight, now).await?);
            if alert != before {
                changed.insert(subject, alert);
            }
        }
        if !changed.is_empty() || !messages.is_empty() {
            self.note(None, changed.clone(), messages).await?;
        }
        self.alerts.extend(changed);
        self.alerts.retain(|_, it| !it.is_over());
        self.sum_up(&sight, now).await
    }

    /// Says how things are, if it is time. What was missed while nobody was there is said once.
    async fn sum_up(&mut self, sight: &Sight, now: Timestamp) -> Result<(), StorageError> {
        let Some(next) = self.next_summary() else { return Ok(()) };
        let is_first = self.summed_up.is_none();
        if !is_first && now < next {
            return Ok(());
        }
        let mut messages = Vec::new();
        if !is_first {
            messages.push(json(&summary::notice(&self.parts, sight, now).await?));
        }
        let noted = Noted {
            outlet: self.channel.outlet(),
            alerts: vec![(SUMMARY.to_owned(), Some(now.to_string()))],
            messages,
            at: now,
            ..Noted::default()
        };
        self.parts.storage.note(noted).await?;
        self.summed_up = Some(now);
        Ok(())
    }

    /// When the next summary is due, if there is one.
    fn next_summary(&self) -> Option<Timestamp> {
        let at = self.channel.summary_at?;
        let last = self.summed_up.unwrap_or_else(|| self.parts.clock.now());
        Some(summary::next_after(last, at, &self.channel.timezone))
    }

    async fn say(
        &self,
        subject: &Subject,
        alert: &mut Alert,
        sight: &Sight,
        now: Timestamp,
    ) -> Result<Option<Notice>, StorageError> {
        let seen = sight.get(subject);
        let kind = seen.map(|it| it.kind(subject.cause));
        let Some(telling) = alert.looked(Look { kind, now }, &self.rules) else { return Ok(None) };
        let facts = looking::facts(&self.parts, subject, telling, seen, now).await?;
        Ok(Some(Notice::Alert(facts)))
    }

    /// What the person of a connection is told of an event.
    async fn to_person(&self, event: &Event) -> Result<Option<Notice>, StorageError> {
        let How::Email(email) = &self.channel.how else { return Ok(None) };
        if event.kind != EventKind::Reconnect || !email.notify_person {
            return Ok(None);
        }
        let address = email::address_of(&self.parts.storage, &event.connection).await?;
        let facts = PersonFacts { connection: event.connection.clone(), at: event.at };
        Ok(address.map(|_| Notice::Person(facts)))
    }

    async fn note(
        &self,
        seen: Option<i64>,
        alerts: BTreeMap<Subject, Alert>,
        messages: Vec<Notice>,
    ) -> Result<(), StorageError> {
        let text = |it: &Alert| (!it.is_over()).then(|| json(it));
        let noted = Noted {
            outlet: self.channel.outlet(),
            seen,
            alerts: alerts.iter().map(|(subject, it)| (subject.to_string(), text(it))).collect(),
            messages: messages.iter().map(json).collect(),
            at: self.parts.clock.now(),
        };
        self.parts.storage.note(noted).await
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Whose trouble an event is, and how bad.
fn subject_of(event: &Event) -> Option<(Subject, AlertKind)> {
    let (cause, kind) = match event.kind {
        EventKind::Failed => (Cause::Failing, AlertKind::Failed),
        EventKind::Critical | EventKind::Ending => (Cause::Failing, AlertKind::Critical),
        EventKind::Expired => (Cause::Failing, AlertKind::Expired),
        EventKind::Reconnect => (Cause::Reconnect, AlertKind::Reconnect),
        EventKind::Misconfigured => (Cause::Misconfigured, AlertKind::Misconfigured),
        EventKind::Refreshed | EventKind::Recovered => return None,
    };
    Some((Subject { cause, provider: event.connection.provider().to_owned() }, kind))
}
