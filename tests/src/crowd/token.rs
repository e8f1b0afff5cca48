//! What a token says about itself: its grant, its generation, and how long access tokens of that grant live. A mark at
//! its end tells it from one that somebody has made up. Pure.

/// One generation of a grant, as its tokens say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The number of the grant, from zero.
    pub grant: u32,
    /// How often it was renewed.
    pub generation: u32,
    /// Seconds that its access tokens live.
    pub life: u32,
}

impl Claim {
    /// The first one of a grant.
    pub fn first(grant: u32, life: u32) -> Self {
        Self { grant, generation: 0, life }
    }

    /// The token for requests.
    pub fn access_token(self) -> String {
        self.written("at", 1)
    }

    /// The token for the next generation.
    pub fn refresh_token(self) -> String {
        self.written("rt", 2)
    }

    /// The generation that a refresh token is of; none if somebody has made it up.
    pub(super) fn read(refresh_token: &str) -> Option<Self> {
        let mut parts = refresh_token.strip_prefix("rt_")?.split('_');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let claim = Self { grant: number()?, generation: number()?, life: number()? };
        (claim.refresh_token() == refresh_token).then_some(claim)
    }

    pub(super) fn next(self) -> Self {
        Self { generation: self.generation + 1, ..self }
    }

    /// As long as tokens usually are, because Keepfresh looks for each of them in what it reads.
    fn written(self, purpose: &str, salt: u64) -> String {
        let Self { grant, generation, life } = self;
        let which = (u64::from(grant) << 32) | u64::from(generation);
        let mark = mixed(which ^ mixed((u64::from(life) << 8) | salt));
        format!("{purpose}_{grant}_{generation}_{life}_{mark:016x}{:016x}", mixed(mark))
    }
}

/// A share of one that belongs to a number: spread evenly over many numbers, and the same in every run.
pub fn share(number: u64) -> f64 {
    let half = u32::try_from(mixed(number) >> 32).unwrap_or(u32::MAX);
    f64::from(half) / (f64::from(u32::MAX) + 1.0)
}

/// `SplitMix64`: short, and even enough for marks, delays and lives.
pub(super) fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: Claim = Claim { grant: 7, generation: 12, life: 3_600 };

    #[test]
    fn a_refresh_token_reads_back_as_what_it_was_made_of() {
        for claim in [CLAIM, Claim::first(0, 0), Claim::first(u32::MAX, u32::MAX), CLAIM.next()] {
            assert_eq!(Claim::read(&claim.refresh_token()), Some(claim));
        }
    }

    #[test]
    fn no_other_text_is_taken_for_one() {
        let token = CLAIM.refresh_token();
        for other in [
            CLAIM.access_token(),
            token.replace("_12_", "_13_"),
            token.replace("_3600_", "_3601_"),
            format!("{token}0"),
            "rt_7_12_3600".to_owned(),
            String::new(),
        ] {
            assert_eq!(Claim::read(&other), None, "{other}");
        }
    }

    #[test]
    fn shares_are_spread_evenly() {
        let mut tenths = [0; 10];
        for number in 0..10_000 {
            let share = share(number);
            assert!((0.0..1.0).contains(&share), "{share}");
            let tenth = (1..10).take_while(|it| share >= f64::from(*it) / 10.0).count();
            tenths[tenth] += 1;
        }
        assert!(tenths.iter().all(|it| (900..1_100).contains(it)), "{tenths:?}");
    }
}
