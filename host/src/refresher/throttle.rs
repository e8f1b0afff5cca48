//! How many attempts of one provider run at once, and how many begin in a second: what the operator
//! allows, for every trigger alike.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::lifecycle::Lifecycle;
use crate::manifest::provider::Provider;
use crate::manifest::timing::Rate;
use crate::model::id::ConnectionId;
use crate::refresher::pace::{Pace, places};
use crate::refresher::slots::{Rank, Slot, Slots};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// One lane for each provider, made anew when its limits change. A clone means the same ones.
#[derive(Clone, Default)]
pub(super) struct Throttle(Arc<Mutex<HashMap<String, Arc<Lane>>>>);

struct Lane {
    concurrency: u32,
    rate: Option<Rate>,
    slots: Slots,
    /// Where those with a slot wait for the rate, one at a time: else chance would say who is next.
    gate: Slots,
    limiter: Option<DefaultDirectRateLimiter>,
}

impl Throttle {
    /// Waits for a slot and for the rate; `None` when keepfresh is told to stop before that. The slot
    /// is free again when it is dropped.
    pub(super) async fn enter(
        &self,
        provider: &Provider,
        id: &ConnectionId,
        rank: Rank,
        lifecycle: &Lifecycle,
    ) -> Option<Slot> {
        let lane = self.lane(provider);
        tokio::select! {
            biased;
            () = lifecycle.wait_for_soft_stop() => None,
            slot = lane.enter(id, rank) => slot,
        }
    }

    /// A caller has joined what `id` waits for.
    pub(super) fn hurry(&self, id: &ConnectionId) {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get(id.provider()).cloned();
        drop(lanes);
        if let Some(lane) = lane {
            lane.slots.hurry(id);
            lane.gate.hurry(id);
        }
    }

    fn lane(&self, provider: &Provider) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = lanes
            .get(&provider.name)
            .filter(|it| it.concurrency == provider.concurrency && it.rate == provider.rate);
        if let Some(lane) = same {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::new(provider));
        lanes.insert(provider.name.clone(), Arc::clone(&lane));
        lane
    }
}

impl Lane {
    fn new(provider: &Provider) -> Self {
        Self {
            concurrency: provider.concurrency,
            rate: provider.rate,
            slots: Slots::new(places(provider.concurrency)),
            gate: Slots::new(1),
            limiter: provider.rate.and_then(quota).map(RateLimiter::direct),
        }
    }

    async fn enter(&self, id: &ConnectionId, rank: Rank) -> Option<Slot> {
        let slot = self.slots.enter(id, rank).await;
        if let Some(limiter) = &self.limiter {
            let _first = self.gate.enter(id, rank).await;
            limiter.until_ready().await;
        }
        slot
    }
}

fn quota(rate: Rate) -> Option<Quota> {
    let Pace { at_once, each } = Pace::of(rate);
    Quota::with_period(each).map(|it| it.allow_burst(at_once))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use governor::state::{InMemoryState, NotKeyed};

    use super::*;

    /// When so many are let through, asked every millisecond.
    fn let_through(rate: Rate, many: usize) -> Vec<u64> {
        let clock = FakeRelativeClock::default();
        let limiter: RateLimiter<NotKeyed, InMemoryState, _, _> =
            RateLimiter::direct_with_clock(quota(rate).unwrap(), clock.clone());
        let mut times = Vec::new();
        for millisecond in 0.. {
            while times.len() < many && limiter.check().is_ok() {
                times.push(millisecond);
            }
            if times.len() == many {
                break;
            }
            clock.advance(Duration::from_millis(1));
        }
        times
    }

    #[test]
    fn no_stretch_of_time_has_more_than_the_rate_says_and_little_less() {
        for (count, seconds) in [(1, 1), (4, 1), (500, 1), (10, 60), (600, 60)] {
            let rate =
                Rate { count: NonZeroU32::new(count).unwrap(), per: Duration::from_secs(seconds) };
            let many = 3 * count as usize;
            let times = let_through(rate, many);
            for (first, over) in times.iter().zip(&times[count as usize..]) {
                assert!(over - first >= 1_000 * seconds - 1, "{rate:?}: {first} to {over}");
            }
            let whole = times.last().unwrap() - times[0];
            assert!(whole <= 6 * 1_000 * seconds, "{rate:?} took {whole} ms");
        }
    }
}
