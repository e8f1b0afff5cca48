//! Four providers that differ in size, in what they do with a used refresh token, and in how much they let through; and
//! the lives of their tokens. Pure: the same connections in every run.

use std::time::Duration;

use e2e::crowd::{Behaviour, Claim, Provider, share};

/// A provider of the manifest. The fake behind each is as strict as can be: what it refuses it has not done, so that no
/// rule is broken by one that spares more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// In the manifest.
    pub(crate) name: &'static str,
    /// Of a hundred connections.
    percent: u64,
    /// As the manifest has it.
    rotation: &'static str,
    /// Whether it answers 429 to more than it expects.
    is_limited: bool,
}

/// All of them.
pub(crate) const PARTS: [Part; 4] = [
    Part { name: "large", percent: 60, rotation: "\"strict\"", is_limited: false },
    Part { name: "middle", percent: 25, rotation: "{ grace = \"30s\" }", is_limited: false },
    Part { name: "limited", percent: 10, rotation: "\"until-used\"", is_limited: true },
    Part { name: "small", percent: 5, rotation: "\"none\"", is_limited: false },
];

/// Seconds that tokens live, at least and at most: half an hour, and thirty days.
const LIVES: (f64, f64) = (1_800.0, 2_592_000.0);

/// Refreshes of 1,000 connections in an hour, when each is refreshed at two thirds of its life and lives are spread so:
/// `1500 * (1 / shortest - 1 / longest) / ln(longest / shortest)`, in hours.
const IN_AN_HOUR: u64 = 412;

impl Part {
    /// How many connections it has of so many.
    pub(crate) fn count(&self, many: u64) -> u64 {
        many * self.percent / 100
    }

    /// Requests that are due in a second of real time, rounded up.
    fn demand(&self, many: u64, speed: u32) -> u64 {
        self.count(many) * IN_AN_HOUR * u64::from(speed) / (1_000 * 3_600) + 1
    }

    /// Half as many again as are due, so that what has waited is caught up with. In real seconds: the limit of the
    /// manifest goes by them, whatever the clock does.
    fn rate(&self, many: u64, speed: u32) -> u64 {
        self.demand(many, speed) * 3 / 2 + 1
    }

    /// How the fake answers. Its limit leaves the manifest's some room, because requests do not arrive as evenly as
    /// they are sent.
    pub(crate) fn behaviour(&self, many: u64, speed: u32) -> Behaviour {
        let limit = self.is_limited.then(|| self.rate(many, speed) * 5 / 4 + 1);
        Behaviour { delay_ms: (50, 300), failures: 20, limit, life: None }
    }

    /// Its section of the manifest. At once run three times as many as take their time on average.
    pub(crate) fn section(&self, provider: &Provider, many: u64, speed: u32) -> String {
        let at_once = (self.demand(many, speed) / 2 + 16).min(1_024);
        let rate = format!("rate = \"{}/s\"\n", self.rate(many, speed));
        let rate = if self.is_limited { rate } else { String::new() };
        let Self { name, rotation, .. } = self;
        let base_url = provider.base_url();
        format!(
            "[providers.{name}]\nplugin = \"rotor\"\nconnections = []\nrotation = {rotation}\n\
             concurrency = {at_once}\n{rate}settings = {{ base_url = \"{base_url}\" }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n\n"
        )
    }

    /// The first generation of a grant, with a life of its own, and how long its access token still lives: anything up
    /// to all of that, as when connections were made at all times.
    pub(crate) fn grant(&self, grant: u32) -> (Claim, Duration) {
        let chance = (self.percent << 40) | (u64::from(grant) << 1);
        let (shortest, longest) = LIVES;
        let life = shortest * (longest / shortest).powf(share(chance));
        let life = Duration::from_secs(Duration::from_secs_f64(life).as_secs());
        let claim = Claim::first(grant, u32::try_from(life.as_secs()).unwrap());
        (claim, life.mul_f64(share(chance | 1)))
    }
}
