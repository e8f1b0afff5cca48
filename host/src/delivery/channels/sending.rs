//! Sends the messages of a channel that are due, and notes how that ended.

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::delivery::channels::notice::{Notice, TestFacts};
use crate::delivery::channels::{Parts, email, slack, text, webhook, wording};
use crate::delivery::undelivered::Undelivered;
use crate::egress::Gate;
use crate::manifest::channel::{Channel, How};
use crate::model::clock::Clock;
use crate::model::code::{self, Code};
use crate::storage::{Ending, Message, Settled, Storage, StorageError};
use crate::telemetry::metrics;

/// Messages in one go: between two goes, the channel hears what else has happened.
const AT_ONCE: u32 = 16;

/// How long a stop waits for the message that is on its way. What a receiver has and nobody has noted is sent again.
const FINISHES_WITHIN: Duration = Duration::from_secs(20);

/// One message on its way.
pub(super) struct Parcel<'a> {
    pub(super) storage: &'a Storage,
    pub(super) gate: &'a Gate,
    pub(super) clock: &'a Clock,
    pub(super) channel: &'a Channel,
    pub(super) notice: &'a Notice,
    /// What the receiver knows it by: the same at every try.
    pub(super) id: String,
    /// Those who did not take it yet; `None` while nobody did.
    pub(super) rest: Option<&'a [String]>,
}

/// Who has taken it.
pub(super) enum Sent {
    /// All.
    ToAll,
    /// All but these, for this reason.
    ToAllBut(Vec<String>, Undelivered),
}

/// Sends some of the messages that are due, until it is stopped. The first that fails ends it, because the next would
/// most likely wait for the same.
pub(super) async fn send_due(
    parts: &Parts,
    channel: &Channel,
    stop: &CancellationToken,
) -> Result<(), StorageError> {
    let outlet = channel.outlet();
    let due = parts.storage.messages(&outlet, parts.clock.now(), AT_ONCE).await?;
    if due.is_empty() {
        return Ok(());
    }
    let is_disabled = parts.storage.is_disabled(&outlet).await?;
    for message in due {
        if stop.is_cancelled() {
            break;
        }
        let ending = if is_disabled {
            Ending::Dropped
        } else {
            tokio::select! {
                ending = deliver(parts, channel, &message) => ending?,
                () = late(stop) => break,
            }
        };
        tell(channel, &ending);
        let goes_on = matches!(ending, Ending::Delivered | Ending::Dropped);
        let (message, at) = (Some(message.id), parts.clock.now());
        parts.storage.settle(Settled { outlet: outlet.clone(), message, ending, at }).await?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// Returns when a stop was asked for and has waited for long enough.
async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(FINISHES_WITHIN).await;
}

/// How one try ends.
async fn deliver(
    parts: &Parts,
    channel: &Channel,
    message: &Message,
) -> Result<Ending, StorageError> {
    // What another version has written is not guessed at.
    let Ok(notice) = serde_json::from_str::<Notice>(&message.content) else {
        return Ok(Ending::Dropped);
    };
    if let Notice::Person(facts) = &notice
        && !email::still_needed(&parts.storage, &facts.connection).await?
    {
        return Ok(Ending::Dropped);
    }
    let instance = parts.storage.instance_id().await?;
    let parcel = Parcel {
        storage: &parts.storage,
        gate: &parts.gate,
        clock: &parts.clock,
        channel,
        notice: &notice,
        id: format!("msg_{instance}_{}", message.id),
        rest: message.rest.as_deref(),
    };
    let now = parts.clock.now();
    Ok(match parcel.send().await {
        Ok(Sent::ToAll) => Ending::Delivered,
        Ok(Sent::ToAllBut(rest, why)) => partly(rest, why, message, now),
        Err(undelivered) => undelivered.ending(message, now),
    })
}

/// What was taken by some is tried again for the rest alone.
fn partly(rest: Vec<String>, why: Undelivered, message: &Message, now: Timestamp) -> Ending {
    match why.ending(message, now) {
        Ending::Again(next, code, why) => Ending::Partly { rest, next, code, why },
        other => other,
    }
}

impl Parcel<'_> {
    async fn send(&self) -> Result<Sent, Undelivered> {
        match &self.channel.how {
            How::Webhook { to, secret } => webhook::send(self, to, secret.as_ref()).await?,
            How::Slack(to) => slack::send(self, to).await?,
            How::Email(email) => return email::send(self, email).await,
        }
        Ok(Sent::ToAll)
    }

    /// The message in words.
    pub(super) fn text(&self) -> text::Text {
        wording::of(self.channel, self.notice)
    }

    /// Who sends, for messages of errors.
    pub(super) fn whose(&self) -> String {
        format!("the channel `{}`", self.channel.name)
    }
}

/// Sends a test at once, whatever waits. A channel that was turned off by its receiver is on again if it arrives.
pub async fn test(
    storage: &Storage,
    gate: &Gate,
    clock: &Clock,
    channel: &Channel,
) -> Result<(), Undelivered> {
    let at = clock.now();
    let notice = Notice::Test(TestFacts { channel: channel.name.clone(), at });
    let id = format!("msg_test_{}", at.as_millisecond());
    let parcel = Parcel { storage, gate, clock, channel, notice: &notice, id, rest: None };
    // A test that did not reach all has failed.
    let sent = match parcel.send().await {
        Ok(Sent::ToAll) => Ok(()),
        Ok(Sent::ToAllBut(_, error)) | Err(error) => Err(error),
    };
    let ending = match &sent {
        Ok(()) => Ending::Delivered,
        Err(error) => Ending::GivenUp(error.code.clone(), error.message.clone()),
    };
    metrics::alert_delivered(&channel.name, outcome(&ending));
    let settled = Settled { outlet: channel.outlet(), message: None, ending, at };
    if let Err(error) = storage.settle(settled).await {
        warn!(error.code = error.code().text(), "the test could not be noted: {error}");
    }
    sent
}

fn tell(channel: &Channel, ending: &Ending) {
    let name = &channel.name;
    metrics::alert_delivered(name, outcome(ending));
    let failed = |code: &Code, why: &str, then: &str| {
        warn!(
            error.code = code.text(),
            "a message of the channel {name} was not delivered: {why}; {then}"
        );
    };
    match ending {
        Ending::Delivered => info!("a message of the channel {name} was delivered"),
        Ending::Dropped => debug!("a message of the channel {name} is not needed any more"),
        Ending::Again(_, code, why) | Ending::Told(_, code, why) => {
            failed(code, why, "it is tried again");
        }
        Ending::Partly { code, why, .. } => failed(code, why, "it is tried again for the rest"),
        Ending::GivenUp(code, why) => failed(code, why, "it is not tried again"),
        Ending::Disabled(code, why) => {
            let then =
                format!("the channel is off until this succeeds: keepfresh channel test {name}");
            failed(code, why, &then);
        }
    }
}

/// Its word in the figures.
fn outcome(ending: &Ending) -> &'static str {
    match ending {
        Ending::Delivered => "delivered",
        Ending::Dropped => "dropped",
        Ending::Again(..) | Ending::Told(..) | Ending::Partly { .. } => "retried",
        Ending::GivenUp(code, _) if *code == code::Channel::TooOld => "given-up",
        Ending::GivenUp(..) | Ending::Disabled(..) => "failed",
    }
}
