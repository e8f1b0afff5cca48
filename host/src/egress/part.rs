//! The parts of a request that are compared after its host, and how a refusal words each of them. It
//! does not know the plugin and the grants.

use crate::egress::pattern::Pattern;
use crate::egress::request::Method;
use crate::egress::target::Target;
use crate::model::code;

/// One part of a request.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Scheme,
    Port,
    Path,
    Method,
}

/// How much of a refused path a message shows.
const LONGEST_PATH_SHOWN: usize = 200;

impl Part {
    /// From the outside in, so that the message names the first thing that is wrong.
    pub(super) const IN_ORDER: [Self; 4] = [Self::Scheme, Self::Port, Self::Path, Self::Method];

    pub(super) fn code(self) -> code::Egress {
        match self {
            Self::Scheme => code::Egress::SchemeDenied,
            Self::Port => code::Egress::PortDenied,
            Self::Path => code::Egress::PathDenied,
            Self::Method => code::Egress::MethodDenied,
        }
    }

    pub(super) fn fits(self, pattern: &Pattern, method: Method, target: &Target) -> bool {
        match self {
            Self::Scheme => pattern.scheme() == target.url.scheme(),
            Self::Port => pattern.port() == target.port,
            Self::Path => pattern.allows_path(target.url.path()),
            Self::Method => pattern.method() == method,
        }
    }

    /// What the plugin wanted; finishes `PLUGIN may not ...`.
    pub(super) fn asked(self, method: Method, target: &Target) -> String {
        let (host, path) = (&target.host, shown(target.url.path()));
        match self {
            Self::Scheme => format!("use {} with {host}", target.url.scheme()),
            Self::Port => format!("contact {host} on port {}", target.port),
            Self::Path => format!("contact {host} at {path}"),
            Self::Method => format!("use {method} with {host}{path}"),
        }
    }

    /// What a pattern allows here.
    pub(super) fn of(self, pattern: &Pattern) -> String {
        match self {
            Self::Scheme => pattern.scheme().to_owned(),
            Self::Port => pattern.port().to_string(),
            Self::Path => pattern.route(),
            Self::Method => pattern.method().to_string(),
        }
    }
}

fn shown(path: &str) -> &str {
    // A parsed path is ASCII, so any byte is the border of a character.
    path.get(..LONGEST_PATH_SHOWN).unwrap_or(path)
}
