//! How many attempts of one provider run at once, and how many begin in a second: what the operator
//! allows, for every trigger alike.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::lifecycle::Lifecycle;
use crate::manifest::provider::Provider;
use crate::manifest::timing::Rate;

/// One lane for each provider, made anew when its limits change.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<String, Arc<Lane>>>);

struct Lane {
    concurrency: u32,
    rate: Option<Rate>,
    slots: Arc<Semaphore>,
    limiter: Option<DefaultDirectRateLimiter>,
}

impl Throttle {
    /// Waits for a slot and for the rate; `None` when keepfresh is told to stop before that. The slot
    /// is free again when the permit is dropped.
    pub(super) async fn enter(
        &self,
        provider: &Provider,
        lifecycle: &Lifecycle,
    ) -> Option<OwnedSemaphorePermit> {
        let lane = self.lane(provider);
        let turn = async {
            let permit = Arc::clone(&lane.slots).acquire_owned().await.ok();
            if let Some(limiter) = &lane.limiter {
                limiter.until_ready().await;
            }
            permit
        };
        tokio::select! {
            biased;
            () = lifecycle.wait_for_soft_stop() => None,
            permit = turn => permit,
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
        let quota = |rate: Rate| {
            let each = rate.per / rate.count.get();
            Quota::with_period(each).map(|it| it.allow_burst(rate.count))
        };
        Self {
            concurrency: provider.concurrency,
            rate: provider.rate,
            slots: Arc::new(Semaphore::new(provider.concurrency as usize)),
            limiter: provider.rate.and_then(quota).map(RateLimiter::direct),
        }
    }
}
