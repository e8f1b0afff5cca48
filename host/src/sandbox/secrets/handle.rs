//! What an opaque handle of a plugin stands for, and what it is known to be made of. Knows nothing of
//! what a plugin does with it.

use secrecy::{ExposeSecret as _, SecretString};

use crate::sandbox::secrets::labels::Labels;

/// A secret of one call.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Handle {
    text: SecretString,
    /// How long it could be if other secrets of the same length were in it: what limits are judged by,
    /// so that being refused tells a plugin about lengths and about nothing else.
    bound: usize,
    labels: Labels,
    origin: Origin,
}

/// Who made a value. Only what the provider sent as one whole value may be asked about itself:
/// whoever could ask a value of their own making would read what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Origin {
    /// The provider, in an answer now or earlier, and nobody else's secret is in it.
    Provider,
    /// The operator or the host, or the plugin by composing and signing.
    Made,
}

impl Handle {
    /// A value that is as long as it is.
    pub(in crate::sandbox) fn new(text: SecretString, labels: Labels, origin: Origin) -> Self {
        let bound = text.expose_secret().len();
        Self { text, bound, labels, origin }
    }

    /// A value that a plugin made, and that could have been up to `bound` bytes long.
    pub(in crate::sandbox) fn made(text: SecretString, labels: Labels, bound: usize) -> Self {
        let bound = bound.max(text.expose_secret().len());
        Self { text, bound, labels, origin: Origin::Made }
    }

    pub(in crate::sandbox) fn text(&self) -> &str {
        self.text.expose_secret()
    }

    pub(in crate::sandbox) fn bound(&self) -> usize {
        self.bound
    }

    pub(in crate::sandbox) fn labels(&self) -> Labels {
        self.labels
    }

    /// Whether the provider sent it as it is.
    pub(in crate::sandbox) fn is_whole(&self) -> bool {
        self.origin == Origin::Provider
    }

    /// Bytes of host memory that it holds.
    pub(in crate::sandbox) fn size(&self) -> usize {
        self.text().len() + size_of::<Self>()
    }
}
