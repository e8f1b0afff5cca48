//! The thread that ticks the epochs by which guests are looked at, and the places of calls, by which it knows whether
//! there is a guest. While there is none it sleeps: a daemon at rest wakes nobody.
//!
//! It is a thread of the operating system: a guest that spins can hold up every task of the asynchronous runtime, its
//! timers included, but not this.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Engine, EngineWeak};

/// How often a running guest is looked at: as long as the others may have to wait for it.
pub(in crate::sandbox) const TICK: Duration = Duration::from_millis(2);

/// Ticks without a guest after which it rests: calls come one after the other.
const TICKS_BEFORE_REST: u32 = 10;

/// After so long it looks whether the engine is still there.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// The places of calls that run at once. A clone means the same ones.
#[derive(Clone)]
pub(in crate::sandbox) struct Slots(Arc<Room>);

struct Room {
    all: usize,
    free: Arc<Semaphore>,
    /// Whether the ticker has to be told of a guest.
    rests: AtomicBool,
    ticker: OnceLock<Thread>,
}

impl Slots {
    pub(super) fn new(all: usize) -> Self {
        let free = Arc::new(Semaphore::new(all));
        let (rests, ticker) = (AtomicBool::new(false), OnceLock::new());
        Self(Arc::new(Room { all, free, rests, ticker }))
    }

    /// Waits for a place; it is free again when what comes is dropped. `None` when there are no calls any more.
    pub(in crate::sandbox) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let slot = Arc::clone(&self.0.free).acquire_owned().await.ok()?;
        // With the other fence: the ticker sees that this place is taken, or we see that it rests.
        fence(Ordering::SeqCst);
        if self.0.rests.load(Ordering::Acquire)
            && let Some(ticker) = self.0.ticker.get()
        {
            ticker.unpark();
        }
        Some(slot)
    }

    fn are_free(&self) -> bool {
        self.0.free.available_permits() == self.0.all
    }

    /// Sleeps until a place is taken, or for so long.
    fn rest(&self) {
        self.0.rests.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        if self.are_free() {
            thread::park_timeout(LONGEST_REST);
        }
        self.0.rests.store(false, Ordering::Relaxed);
    }
}

/// Starts the thread; it ends with the engine.
pub(super) fn start(engine: &Engine, slots: &Slots) -> std::io::Result<()> {
    let (engine, slots) = (engine.weak(), slots.clone());
    let tick = move || {
        let _ = slots.0.ticker.set(thread::current());
        run(&engine, &slots);
    };
    thread::Builder::new().name("epoch ticker".to_owned()).spawn(tick).map(drop)
}

fn run(engine: &EngineWeak, slots: &Slots) {
    let mut without_guest = 0;
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        without_guest = if slots.are_free() { without_guest + 1 } else { 0 };
        if without_guest < TICKS_BEFORE_REST {
            thread::sleep(TICK);
        } else {
            slots.rest();
            without_guest = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use futures_util::FutureExt as _;

    use super::*;

    fn take(slots: &Slots) -> OwnedSemaphorePermit {
        slots.take().now_or_never().unwrap().unwrap()
    }

    fn until(what: &str, mut is: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{what}");
            thread::yield_now();
        }
    }

    /// Each call comes at another moment of the ticker's going to rest, and waits until that has ended. Beside a call that
    /// was missed it goes on for ten seconds.
    #[test]
    fn it_rests_without_a_guest_and_no_guest_is_missed() {
        let slots = Slots::new(4);
        let (own, rests) = (slots.clone(), Arc::new(AtomicUsize::new(0)));
        let ended = Arc::clone(&rests);
        let ticker = thread::spawn(move || {
            let _ = own.0.ticker.set(thread::current());
            while Arc::strong_count(&ended) > 1 {
                own.rest();
                ended.fetch_add(1, Ordering::SeqCst);
            }
        });
        for round in 0..5_000 {
            for _ in 0..round % 97 {
                std::hint::spin_loop();
            }
            let before = rests.load(Ordering::SeqCst);
            let _held = take(&slots);
            until("a rest ends beside a guest", || rests.load(Ordering::SeqCst) > before);
        }
        drop(rests);
        slots.0.ticker.get().unwrap().unpark();
        ticker.join().unwrap();
    }

    #[test]
    fn the_thread_rests_and_goes_on_with_the_next_guest() {
        let (engine, slots) = (Engine::default(), Slots::new(1));
        start(&engine, &slots).unwrap();
        let rests = || slots.0.rests.load(Ordering::Relaxed);
        for _ in 0..3 {
            until("it rests", rests);
            let held = take(&slots);
            until("it ticks", || !rests());
            drop(held);
        }
    }
}
