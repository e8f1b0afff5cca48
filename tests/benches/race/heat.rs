//! One race after the other over the same course: a provider of its own, a racer at its start, and what it has taken by
//! the end.

use std::thread;
use std::time::{Duration, Instant};

use e2e::home::Home;
use e2e::many::peak_memory;

use crate::calls::Strace;
use crate::certificate::Certificate;
use crate::entrants::{Entrant, Who};
use crate::keepfresh::{self, Keepfresh};
use crate::provider::Provider;
use crate::racer::Racer;
use crate::script::Scripts;
use crate::took::Took;

/// How long a racer may take until its first request.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it is at rest before it goes: what a start leaves to be done is done.
const REST: Duration = Duration::from_millis(300);

/// How often the provider is asked whether the race is over.
const PAUSE: Duration = Duration::from_millis(20);

/// What a race has shown.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Refreshes in a second.
    pub(crate) rate: f64,
    /// Milliseconds of a processor for each.
    pub(crate) processor: f64,
    /// Kilobytes that were written for each.
    pub(crate) written: f64,
    /// Mebibytes that the racer held at most.
    pub(crate) memory: f64,
    /// Connections that the provider has accepted.
    pub(crate) accepted: f64,
    /// Milliseconds of a processor that the provider took for each.
    pub(crate) provider: f64,
}

impl Figures {
    /// Of each figure the one in the middle, or between both.
    pub(crate) fn median(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut sorted = all.iter().map(figure).collect::<Vec<_>>();
            sorted.sort_by(f64::total_cmp);
            f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
        };
        Self {
            rate: of(|it| it.rate),
            processor: of(|it| it.processor),
            written: of(|it| it.written),
            memory: of(|it| it.memory),
            accepted: of(|it| it.accepted),
            provider: of(|it| it.provider),
        }
    }
}

/// What is the same for all.
pub(crate) struct Course {
    many: usize,
    length: Duration,
    certificate: Option<Certificate>,
    scripts: Scripts,
    home: Home,
}

impl Course {
    /// One of so many connections, which takes so long.
    pub(crate) fn new(many: usize, length: Duration) -> Self {
        let certificate = Certificate::make();
        if certificate.is_none() {
            println!("nobody is raced over TLS: there is no openssl that makes certificates");
        }
        let (scripts, home) = (Scripts::new(many), keepfresh::template(many));
        Self { many, length, certificate, scripts, home }
    }

    /// Has somebody race; nothing if something for that is not installed.
    pub(crate) fn measure(&self, entrant: Entrant) -> Option<Figures> {
        let (provider, mut racer) = self.at_the_start(entrant, self.length)?;
        let before = Took::so_far(&racer.processes());
        let idle = Took::so_far(&[provider.pid()]);
        racer.go();
        self.wait(&provider, self.length);
        let (took, counts) = (Took::so_far(&racer.processes()) - before, provider.counts());
        let provider_took = Took::so_far(&[provider.pid()]) - idle;
        let memory = peak_memory(racer.process()).unwrap_or_default();
        racer.end(&provider);
        assert!(counts.good > 0 && counts.bad == 0, "{entrant}: {counts:?}");
        let good = counts.good as f64;
        Some(Figures {
            rate: counts.in_time.saturating_sub(1) as f64 / counts.span,
            processor: took.processor * 1e3 / good,
            written: took.written / 1e3 / good,
            memory: memory as f64 / 1024.0,
            accepted: counts.accepted as f64,
            provider: provider_took.processor * 1e3 / good,
        })
    }

    /// Has somebody race for half as long, and counts what it asks of the kernel.
    pub(crate) fn count_calls(&self, entrant: Entrant) -> Option<String> {
        let length = self.length / 2;
        let (provider, mut racer) = self.at_the_start(entrant, length)?;
        let strace = Strace::on(racer.process())?;
        racer.go();
        self.wait(&provider, length);
        let calls = strace.end(provider.counts().good as f64);
        racer.end(&provider);
        Some(calls)
    }

    /// The racer, and the provider that it will ask.
    fn at_the_start(
        &self,
        entrant: Entrant,
        length: Duration,
    ) -> Option<(Provider, Box<dyn Racer>)> {
        let tls = if entrant.tls { Some(self.certificate.as_ref()?) } else { None };
        let provider = Provider::start(entrant.rotation(), self.many, length, tls);
        let racer = match entrant.who {
            Who::Keepfresh(rotation, at_once) => {
                Keepfresh::start(&self.home, (rotation, at_once), &provider, tls)
            }
            who => self.scripts.start(who, &provider, tls)?,
        };
        // What was copied is nobody's to write any more.
        rustix::fs::sync();
        thread::sleep(REST);
        Some((provider, racer))
    }

    /// Until the time is over, or all are refreshed before.
    fn wait(&self, provider: &Provider, length: Duration) {
        let begun = Instant::now();
        loop {
            let counts = provider.counts();
            match counts.since_first {
                Some(since) if since >= length.as_secs_f64() => return,
                Some(_) if counts.good + counts.bad >= self.many as u64 => return,
                Some(_) => {}
                None => assert!(begun.elapsed() < PATIENCE, "nobody asks the provider"),
            }
            thread::sleep(PAUSE);
        }
    }
}
