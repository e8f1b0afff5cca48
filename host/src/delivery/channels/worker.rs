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
use crate::delivery::retrying::LONGEST_TOLD;
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
    /// When it was at work last.
    looked_at: Option<Timestamp>,
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
        let alerts = alerts.collect();
        Ok(Self { alerts, parts, channel, listener, rules, summed_up, looked_at: None })
    }

    /// Works until it is stopped, and looks whenever manifest and plugins were `read_anew`. What is on its way at a stop
    /// is sent and noted before it ends, or it would be sent once more.
    pub(crate) async fn run(
        mut self,
        stop: CancellationToken,
        mut read_anew: watch::Receiver<u64>,
    ) {
        while !stop.is_cancelled() {
            let turn = self.turn(&stop).await;
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
                () = stop.cancelled() => {}
            }
        }
    }

    /// Hears, looks and sends; when to do so again at the latest, if that is known.
    async fn turn(&mut self, stop: &CancellationToken) -> Result<Option<Timestamp>, StorageError> {
        self.keep_time().await?;
        self.hear().await?;
        self.look().await?;
        sending::send_due(&self.parts, &self.channel, stop).await?;
        let message = self.parts.storage.next_message(&self.channel.outlet()).await?;
        let pending = self.alerts.values().filter_map(|it| it.told_at(&self.rules)).min();
        Ok([message, pending, self.next_summary()].into_iter().flatten().min())
    }

    /// At the start, and when the clock was set back: what a clock that was ahead has put off is not waited for.
    async fn keep_time(&mut self) -> Result<(), StorageError> {
        let now = self.parts.clock.now();
        if self.looked_at.is_none_or(|it| now < it) {
            self.parts.storage.recall(&self.channel.outlet(), now, LONGEST_TOLD).await?;
        }
        self.looked_at = Some(now);
        Ok(())
    }

    /// Reads what has happened since it heard last.
    async fn hear(&mut self) -> Result<(), StorageError> {
        loop {
            let waiting = self.listener.waiting(BATCH).await?;
            let Some(last) = waiting.last().map(|it| it.id) else { return Ok(()) };
            let (mut changed, mut persons) = (BTreeMap::new(), Vec::new());
            for it in &waiting {
                persons.extend(self.to_person(&it.event).await?);
                let Some((subject, kind)) = subject_of(&it.event) else { continue };
                let mut alert = self.alerts.get(&subject).cloned().unwrap_or_default();
                alert.happened(kind, it.event.at);
                self.alerts.insert(subject.clone(), alert.clone());
                changed.insert(subject, alert);
            }
            let apart = persons.iter().map(json).collect();
            self.note(Noted { seen: Some(last), apart, ..self.noted(&changed) }).await?;
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
            let messages = messages.iter().map(json).collect();
            self.note(Noted { messages, ..self.noted(&changed) }).await?;
        }
        self.alerts.extend(changed);
        self.alerts.retain(|_, it| !it.is_over());
        self.sum_up(&sight, now).await
    }

    /// Says how things are, if it is time. What was missed while nobody was there is said once.
    async fn sum_up(&mut self, sight: &Sight, now: Timestamp) -> Result<(), StorageError> {
        let Some(next) = self.next_summary() else { return Ok(()) };
        // A last one that is still to come was made by a clock that was ahead, and counts for nothing.
        let is_first = self.summed_up.is_none_or(|it| it > now);
        if !is_first && now < next {
            return Ok(());
        }
        let mut messages = Vec::new();
        if !is_first {
            messages.push(json(&summary::notice(&self.parts, sight, now).await?));
        }
        let alerts = vec![(SUMMARY.to_owned(), Some(now.to_string()))];
        self.note(Noted { alerts, messages, ..self.noted(&BTreeMap::new()) }).await?;
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

    /// Alerts as they are now, and nothing else.
    fn noted(&self, alerts: &BTreeMap<Subject, Alert>) -> Noted {
        let text = |it: &Alert| (!it.is_over()).then(|| json(it));
        let alerts = alerts.iter().map(|(subject, it)| (subject.to_string(), text(it)));
        let (outlet, at) = (self.channel.outlet(), self.parts.clock.now());
        Noted { outlet, alerts: alerts.collect(), at, ..Noted::default() }
    }

    async fn note(&self, noted: Noted) -> Result<(), StorageError> {
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
