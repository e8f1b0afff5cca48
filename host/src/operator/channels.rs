//! Channels as people see them, and a test of one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::delivery::channels;
use crate::manifest::channel::Channel;
use crate::model::code::{self, Code};
use crate::model::failure::{Case, Failure};
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::Outlet;

/// A channel and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// `email`, `webhook` or `slack`.
    pub kind: String,
    /// What it is told of.
    pub on: Vec<String>,
    /// How it is doing.
    pub state: ChannelState,
    /// When something was delivered last.
    pub delivered_at: Option<Timestamp>,
    /// Since when nothing arrives.
    pub failing_since: Option<Timestamp>,
    /// Why not.
    pub error: Option<ChannelError>,
    /// How many messages wait.
    pub waiting: u64,
    /// When the next of them is tried.
    pub next_at: Option<Timestamp>,
}

/// How a channel is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelState {
    /// Nothing was sent yet.
    New,
    /// What was sent last has arrived.
    Ok,
    /// It has not, and is tried again.
    Failing,
    /// The receiver wants nothing any more.
    Off,
}

/// Why nothing arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelError {
    /// `area.cause`.
    #[schema(value_type = String)]
    pub code: Code,
    /// What happened.
    pub message: String,
}

impl ChannelState {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Off => "off",
        }
    }

    pub(super) fn of(outlet: &Outlet) -> Self {
        match outlet {
            Outlet { disabled_at: Some(_), .. } => Self::Off,
            Outlet { error: Some(_), .. } => Self::Failing,
            Outlet { delivered_at: Some(_), .. } => Self::Ok,
            _ => Self::New,
        }
    }
}

impl ChannelView {
    fn of(channel: &Channel, outlet: Outlet) -> Self {
        Self {
            name: channel.name.clone(),
            kind: channel.kind().to_owned(),
            on: channel.on.iter().map(ToString::to_string).collect(),
            state: ChannelState::of(&outlet),
            delivered_at: outlet.delivered_at,
            failing_since: outlet.failing_since,
            error: outlet.error.map(|(code, message)| ChannelError { code, message }),
            waiting: outlet.waiting,
            next_at: outlet.next_at,
        }
    }

    /// What is wrong with it, if something is.
    pub fn fault(&self) -> Option<String> {
        let ChannelError { code, message } = self.error.as_ref()?;
        Some(format!("{message} ({code})"))
    }
}

impl Operator {
    /// The channels of the manifest.
    pub async fn channels(&self) -> Result<Vec<ChannelView>, Failure> {
        let outlets = self.0.storage.outlets().await.map_err(|it| host_fault(&it))?;
        let view = |channel: &Channel| {
            let name = channel.outlet();
            let outlet = outlets.iter().find(|it| it.name == name).cloned();
            ChannelView::of(channel, outlet.unwrap_or_default())
        };
        Ok(self.manifest().channels.iter().map(view).collect())
    }

    pub(super) async fn list_channels(&self) -> Result<Reply, Failure> {
        self.channels().await.map(Reply::Channels)
    }

    pub(super) async fn test_channel(&self, name: &str) -> Result<Reply, Failure> {
        let manifest = self.manifest();
        let Some(channel) = manifest.channels.iter().find(|it| it.name == name) else {
            let message = format!("there is no channel {name}; see: keepfresh channel list");
            return Err(Failure::new(Case::Misconfigured, code::Channel::Unknown, message));
        };
        let parts = (&self.0.storage, &self.0.gate, &self.0.clock);
        let sent = channels::test(parts.0, parts.1, parts.2, channel).await;
        sent.map_err(|it| Failure::new(Case::Unavailable, it.code, it.message))?;
        Ok(Reply::ChannelTested(name.to_owned()))
    }
}
