//! The alarm for heads that do not come. Hyper sets one for each head and takes it back when that is there, as nearly
//! all are at once. So one alarm of the runtime stands for all heads of a connection; it is moved on when it goes off
//! for one that has come.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

type Alarm = Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>;

/// The timer of one connection, which waits for one thing at a time.
#[derive(Default)]
pub(super) struct HeadTimer(Alarm);

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Waiting { deadline: deadline.into(), alarm: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

struct Waiting {
    deadline: tokio::time::Instant,
    alarm: Alarm,
}

impl Sleep for Waiting {}

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(self.deadline)));
        while alarm.as_mut().poll(context).is_ready() {
            if alarm.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            // It was set for a head that has come.
            alarm.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn each_head_has_its_time_though_one_alarm_stands_for_all() {
        let (timer, begun) = (HeadTimer::default(), tokio::time::Instant::now());
        let (limit, soon) = (Duration::from_millis(60), Duration::from_millis(50));
        for _ in 0..2 {
            assert!(timer.sleep(limit).now_or_never().is_none());
            tokio::time::sleep(soon).await;
        }
        // The alarm has gone off meanwhile, for the first of them.
        let last = timer.sleep(limit);
        last.await;
        assert!(begun.elapsed() >= 2 * soon + limit, "{:?}", begun.elapsed());
    }
}
