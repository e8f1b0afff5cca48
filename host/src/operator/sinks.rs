//! Sinks as people see them, and delivering all of one now.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::delivery::sinks::{self, Ran};
use crate::manifest::sink::{Of, Sink};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::channels::{ChannelError, ChannelState};
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::Outlet;

/// A sink and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SinkView {
    /// Its name.
    pub name: String,
    /// `file`, `command`, `webhook` or `sql`.
    pub kind: String,
    /// Of which connections it delivers what is current: `provider propelauth`.
    pub of: String,
    /// How it is doing.
    pub state: ChannelState,
    /// When something was delivered last.
    pub delivered_at: Option<Timestamp>,
    /// Since when something could not be delivered.
    pub failing_since: Option<Timestamp>,
    /// Why not.
    pub error: Option<ChannelError>,
    /// How many connections, or attempts, wait.
    pub waiting: u64,
    /// When the next of them is tried.
    pub next_at: Option<Timestamp>,
}

/// What came of delivering all of a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkRun {
    /// Which sink.
    pub sink: String,
    /// How many were delivered.
    pub delivered: u64,
    /// How many were as they should be, or have nothing to be delivered yet.
    pub unchanged: u64,
    /// How many could not be delivered.
    pub failed: u64,
    /// Some of those.
    pub failures: Vec<NotDelivered>,
}

/// One that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotDelivered {
    /// Which connection, or attempt.
    pub subject: String,
    /// Why.
    pub error: ChannelError,
}

impl SinkView {
    fn of(sink: &Sink, outlet: Outlet) -> Self {
        Self {
            name: sink.name.clone(),
            kind: sink.kind().to_owned(),
            of: format!("{} {}", sink.of.key(), sink.of.text()),
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

impl SinkRun {
    fn of(sink: &Sink, ran: Ran) -> Self {
        let Ran { delivered, unchanged, failed, failures } = ran;
        let failure = |(subject, code, message)| NotDelivered {
            subject,
            error: ChannelError { code, message },
        };
        let failures = failures.into_iter().map(failure).collect();
        Self { sink: sink.name.clone(), delivered, unchanged, failed, failures }
    }
}

impl Operator {
    /// The sinks of the manifest.
    pub async fn sinks(&self) -> Result<Vec<SinkView>, Failure> {
        let outlets = self.0.storage.outlets().await.map_err(|it| host_fault(&it))?;
        let view = |sink: &Sink| {
            let name = sink.outlet();
            let outlet = outlets.iter().find(|it| it.name == name).cloned();
            SinkView::of(sink, outlet.unwrap_or_default())
        };
        Ok(self.manifest().sinks.iter().map(view).collect())
    }

    pub(super) async fn list_sinks(&self) -> Result<Reply, Failure> {
        self.sinks().await.map(Reply::Sinks)
    }

    pub(super) async fn run_sink(
        &self,
        name: String,
        connection: Option<ConnectionId>,
    ) -> Result<Reply, Failure> {
        let manifest = self.manifest();
        let Some(sink) = manifest.sinks.iter().find(|it| it.name == name) else {
            return Err(unknown(format!("there is no sink {name}; see: keepfresh sink list")));
        };
        if let Some(id) = &connection {
            self.check_delivers(sink, id).await?;
        }
        let ran = sinks::run(&self.0.sinks, &Arc::new(sink.clone()), connection.as_ref()).await;
        let ran = ran.map_err(|it| host_fault(&it))?;
        Ok(Reply::SinkRan(Box::new(SinkRun::of(sink, ran))))
    }

    async fn check_delivers(&self, sink: &Sink, id: &ConnectionId) -> Result<(), Failure> {
        let Some(labels) = self.labels(id).await? else { return Err(self.unknown(id).await) };
        let delivers = match &sink.of {
            Of::Connection(it) => it == id,
            Of::Provider(name) => name == id.provider(),
            Of::Label(label) => labels.contains(label),
        };
        if delivers {
            return Ok(());
        }
        Err(unknown(format!(
            "the sink {} does not deliver {id}; see: keepfresh sink list",
            sink.name
        )))
    }
}

fn unknown(message: String) -> Failure {
    Failure::new(Case::Misconfigured, code::Sink::Unknown, message)
}
