//! Who is raced, in which order, and what Keepfresh wants to be beside those whom people write by hand.

use std::fmt;

use crate::provider::tokens::Rotation;
use Who::{Aiohttp, Keepfresh, Node};

/// What is raced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A service in Node.
    Node,

    /// A service in Python with aiohttp.
    Aiohttp,

    /// This program, with what a refresh token becomes and how many refreshes run at once.
    Keepfresh(Rotation, u16),
}

/// With whom, and how the provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entrant {
    pub(crate) who: Who,
    pub(crate) tls: bool,
}

/// All, each transport by itself.
pub(crate) const ALL: [Entrant; 11] = [
    plain(Node),
    plain(Aiohttp),
    plain(Keepfresh(Rotation::Strict, 16)),
    plain(Keepfresh(Rotation::Strict, 256)),
    plain(Keepfresh(Rotation::Never, 16)),
    plain(Keepfresh(Rotation::Never, 256)),
    over_tls(Node),
    over_tls(Aiohttp),
    over_tls(Keepfresh(Rotation::Strict, 16)),
    over_tls(Keepfresh(Rotation::Strict, 256)),
    over_tls(Keepfresh(Rotation::Never, 256)),
];

const fn plain(who: Who) -> Entrant {
    Entrant { who, tls: false }
}

const fn over_tls(who: Who) -> Entrant {
    Entrant { who, tls: true }
}

/// Milliseconds of the processor for a refresh.
pub(crate) const PROCESSOR: f64 = 0.2;

/// Kilobytes that are written for a refresh.
pub(crate) const WRITTEN: f64 = 20.0;

impl Entrant {
    /// What happens to a refresh token at the provider. Those who write by hand are ready for everything.
    pub(crate) fn rotation(self) -> Rotation {
        match self.who {
            Keepfresh(rotation, _) => rotation,
            Node | Aiohttp => Rotation::Strict,
        }
    }

    /// How many times as fast as one in Node and as one in Python it has to be at least.
    pub(crate) fn goals(self) -> Option<[f64; 2]> {
        match self.who {
            Keepfresh(Rotation::Strict, 16) => Some([1.5, 1.5]),
            Keepfresh(Rotation::Strict, 256) => Some([5.0, 3.0]),
            _ => None,
        }
    }

    /// Somebody else over the same transport.
    pub(crate) fn beside(self, who: Who) -> Self {
        Self { who, ..self }
    }
}

impl fmt::Display for Entrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.who {
            Node => "node".to_owned(),
            Aiohttp => "aiohttp".to_owned(),
            Keepfresh(rotation, at_once) => format!("keepfresh {} {at_once}", rotation.as_str()),
        };
        f.pad(&if self.tls { format!("tls {name}") } else { name })
    }
}
