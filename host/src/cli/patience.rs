//! How long a person is waited for: one limit, on a clock that only goes forward. What has begun at the provider
//! is not cut off by it, nor by Ctrl-C or a terminal that closes.

use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::cli::render;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;

/// Waits for a person.
pub(super) struct Patience {
    limit: Duration,
    begun: Instant,
    stops: [Signal; 2],
    hangups: Signal,
}

impl Patience {
    /// Begins now.
    pub(super) fn new(limit: Duration) -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|it| unheard(&it));
        let stops = [listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?];
        Ok(Self { limit, begun: Instant::now(), stops, hangups: listen(SignalKind::hangup())? })
    }

    /// What comes of `work`, which is dropped when the time is over or the person stops it.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        // A limit that no clock reaches is none.
        let end = self.begun.checked_add(self.limit);
        let over = async {
            match end {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = stopped(&mut self.stops) => Err(stopped_by_person()),
            _ = self.hangups.recv() => Err(stopped_by_person()),
            () = over => Err(too_long(self.limit)),
        }
    }

    /// What comes of `work`, which goes on whatever happens: only a person who stops it twice is obeyed, and
    /// told what that means for `id`.
    pub(super) async fn finish<T>(
        &mut self,
        id: &ConnectionId,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = stopped(&mut self.stops) => {
                render::hint("the provider's answer is on its way and will be stored; stop again to leave at once");
            }
        }
        tokio::select! {
            biased;
            done = &mut work => done,
            () = stopped(&mut self.stops) => Err(unfinished(id)),
        }
    }
}

/// Returns once one of them has come.
async fn stopped(signals: &mut [Signal; 2]) {
    let [interrupt, terminate] = signals;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn unheard(error: &std::io::Error) -> Failure {
    let message = format!("signals cannot be listened to: {error}");
    Failure::new(Case::HostFault, code::Internal::Runtime, message)
}

fn too_long(limit: Duration) -> Failure {
    let message = format!(
        "the login was not completed within {} s, and nothing was saved; connect again, or wait longer with --wait",
        limit.as_secs()
    );
    Failure::new(Case::Misconfigured, code::Connect::Expired, message)
}

fn stopped_by_person() -> Failure {
    Failure::new(Case::Misconfigured, code::Connect::Stopped, "stopped; nothing was saved")
}

fn unfinished(id: &ConnectionId) -> Failure {
    let message = format!(
        "stopped while the login was being stored; whether {id} is connected is shown by: keepfresh status {id}"
    );
    Failure::new(Case::Misconfigured, code::Connect::Stopped, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, Failure>) -> Option<String> {
        result.err().map(|it| it.code.to_string())
    }

    #[tokio::test]
    async fn the_limit_ends_the_wait_and_not_what_has_begun() {
        let id = "x".parse().unwrap();
        let mut patience = Patience::new(Duration::ZERO).unwrap();
        let over = patience.wait(std::future::pending::<()>()).await;
        assert_eq!(code(over).as_deref(), Some("connect.expired"));
        let takes_its_time = async {
            tokio::task::yield_now().await;
            Ok(7)
        };
        assert_eq!(patience.finish(&id, takes_its_time).await.unwrap(), 7);
        assert!(patience.wait(async {}).await.is_ok(), "what is there is taken all the same");
        let mut endless = Patience::new(Duration::MAX).unwrap();
        assert!(endless.wait(tokio::task::yield_now()).await.is_ok());
    }
}
