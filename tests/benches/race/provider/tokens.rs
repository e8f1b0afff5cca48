//! Families of tokens, as a strict authorization server keeps them: a refresh token is good for one use, and whoever
//! presents a used one loses the family. Knows nothing of HTTP.

use e2e::chance::Chance;

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// Another one takes its place, and it is good no more.
    Strict,

    /// It stays.
    Never,
}

impl Rotation {
    /// As the manifest has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Never => "none",
        }
    }
}

/// The first refresh token of a family, which racers begin with.
pub(crate) fn first(family: usize) -> String {
    refresh_token(family, family as u128)
}

/// What is said to a refresh token.
pub(super) enum Verdict {
    Granted { access_token: String, refresh_token: String },
    Used,
    Unknown,
}

/// All families, by their numbers.
pub(super) struct Families {
    rotation: Rotation,
    chance: Chance,
    /// What tells the good refresh token of a family from its others; nothing once a used one came.
    good: Vec<Option<u128>>,
}

impl Families {
    pub(super) fn new(rotation: Rotation, count: usize) -> Self {
        let good = (0..count).map(|it| Some(it as u128)).collect();
        Self { rotation, chance: Chance::new(), good }
    }

    pub(super) fn judge(&mut self, presented: &str) -> Verdict {
        let Some((family, number)) = read(presented) else { return Verdict::Unknown };
        let Some(good) = self.good.get(family).copied() else { return Verdict::Unknown };
        if good != Some(number) {
            self.good[family] = None;
            return Verdict::Used;
        }
        let next = match self.rotation {
            Rotation::Strict => self.number(),
            Rotation::Never => number,
        };
        self.good[family] = Some(next);
        let access_token = self.access_token(family);
        Verdict::Granted { access_token, refresh_token: refresh_token(family, next) }
    }

    /// The good refresh token of each, one a line; an empty line where there is none any more.
    pub(super) fn current(&self) -> String {
        let line = |(family, good): (usize, &Option<u128>)| {
            let token = good.map(|it| refresh_token(family, it)).unwrap_or_default();
            token + "\n"
        };
        self.good.iter().enumerate().map(line).collect()
    }

    /// As long as those of many vendors.
    fn access_token(&mut self, family: usize) -> String {
        let [a, b, c] = [self.number(), self.number(), self.number()];
        format!("at-{family:06}-{a:032x}{b:032x}{c:032x}")
    }

    fn number(&mut self) -> u128 {
        let mut half = || u128::from(self.chance.below(u64::MAX));
        half() << 64 | half()
    }
}

fn refresh_token(family: usize, number: u128) -> String {
    format!("rt-{family:06}-{number:032x}")
}

/// The family of a refresh token, and what tells it from others of it.
fn read(token: &str) -> Option<(usize, u128)> {
    let (family, number) = token.strip_prefix("rt-")?.split_once('-')?;
    Some((family.parse().ok()?, u128::from_str_radix(number, 16).ok()?))
}
