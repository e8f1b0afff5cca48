//! What every end-to-end test stands on. Knows providers only by their wire format, and nothing of the host.

pub mod provider;
