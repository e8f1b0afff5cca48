//! What a race needs of whoever takes part. There are two kinds: services that people write by hand, and Keepfresh.

use crate::provider::Provider;

/// One at its start. It is ended when dropped.
pub(crate) trait Racer {
    /// Its process, which has the memory.
    fn process(&self) -> u32;

    /// All processes that work for it.
    fn processes(&self) -> Vec<u32>;

    /// Has it begin.
    fn go(&mut self);

    /// Ends it in peace, and makes sure that it has lost nothing.
    fn end(self: Box<Self>, provider: &Provider);
}
