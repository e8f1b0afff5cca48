//! One request of an attempt and what came back: where it went, how large and how long that was. Never what was
//! in it: the address is the one that the plugin declared, so no text of the plugin's making is here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request that left, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exchange {
    /// `POST`.
    pub method: String,
    /// As the plugin declares it, settings filled in: without a query, and with `*` for what it leaves open.
    pub address: String,
    /// The status of the answer; null when none came.
    pub status: Option<u16>,
    /// Bytes of the body that was sent.
    pub sent_bytes: u64,
    /// Bytes of the body that came back, compressed as it came.
    pub received_bytes: u64,
    /// From dialling to the last byte, in milliseconds.
    pub took_ms: u64,
}

impl Exchange {
    /// As many of an attempt are kept.
    pub const MOST: usize = 16;

    /// Adds it to those of its attempt. Of too many, the first and the last are kept: the last one says how it ended.
    pub fn add_to(self, all: &mut Vec<Self>) {
        all.truncate(Self::MOST - 1);
        all.push(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_the_first_and_the_last_are_kept() {
        let mut all = Vec::new();
        for took_ms in 0..40 {
            let (method, address) = ("GET".to_owned(), "https://a.example/".to_owned());
            let (status, sent_bytes, received_bytes) = (Some(200), 0, 0);
            Exchange { method, address, status, sent_bytes, received_bytes, took_ms }
                .add_to(&mut all);
        }
        let kept = all.iter().map(|it| it.took_ms).collect::<Vec<_>>();
        assert_eq!(kept, (0..15).chain([39]).collect::<Vec<_>>());
    }
}
