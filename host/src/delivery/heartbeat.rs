//! A sign of life, sent while the daemon works: its scheduler looks, and its database takes what is written. A
//! service that waits for it notices when it does not come, whatever the reason.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::delivery::channels::Parts;
use crate::delivery::posting::{CHANNEL, Post};
use crate::egress::{Body, Method};
use crate::manifest::channel::Heartbeat;

/// How long the scheduler may take to look once.
const LOOKS_WITHIN: Duration = Duration::from_mins(1);

pub(super) async fn run(parts: Parts, heartbeat: Heartbeat, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let now = parts.clock.now();
        let beat = async {
            if let Some(why) = ill(&parts).await {
                return Err(why);
            }
            let (whose, section, to) = ("the heartbeat", "[heartbeat]", &heartbeat.to);
            let post = Post { whose, section, to, codes: &CHANNEL };
            let sent = post.send(&parts.gate, Method::Get, Vec::new(), Body::Empty, now).await;
            sent.map_err(|it| format!("{} ({})", it.message, it.code))
        };
        let sent = tokio::select! {
            sent = beat => sent,
            () = stop.cancelled() => return,
            () = parts.lifecycle.wait_for_soft_stop() => return,
        };
        match &sent {
            Err(why) if !failing => warn!("the heartbeat was not sent: {why}"),
            Ok(()) if failing => info!("the heartbeat is sent again"),
            _ => {}
        }
        failing = sent.is_err();
        tokio::select! {
            () = parts.clock.sleep_until(now + heartbeat.every) => {}
            () = stop.cancelled() => return,
            () = parts.lifecycle.wait_for_soft_stop() => return,
        }
    }
}

/// Why nothing is refreshed, if nothing is.
async fn ill(parts: &Parts) -> Option<String> {
    if !parts.scheduler.looks_within(LOOKS_WITHIN).await {
        return Some("the scheduler does not look at connections".to_owned());
    }
    // A write like any other: a full or read-only disk takes none.
    let written = parts.storage.note_alive(parts.clock.now()).await;
    written.err().map(|it| format!("the database takes nothing: {it}"))
}
