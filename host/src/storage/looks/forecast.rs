//! What is planned ahead: how many connections of each provider are looked at in each of the next hours, by the times
//! that stand there now. What comes of those looks is planned when they are over. Costs one pass over what is due within
//! these hours, in an index alone.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::clock;

/// Hours that are looked ahead.
pub const HOURS_AHEAD: usize = 24;

/// What is planned for one provider. What is under way is no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Whose.
    pub provider: String,
    /// What should have been looked at before now.
    pub overdue: u64,
    /// How many are looked at in each hour from now on.
    pub hours: Vec<u64>,
}

/// Where what is overdue begins, where each hour does, and where the last one ends.
pub(in crate::storage) fn edges(now: Timestamp) -> Vec<Timestamp> {
    let hour = |count: usize| clock::after(now, Duration::from_hours(count as u64));
    std::iter::once(Timestamp::MIN).chain((0..=HOURS_AHEAD).map(hour)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    #[test]
    fn an_hour_begins_where_the_one_before_it_ends_and_the_first_one_now() {
        let edges = edges(at(60));
        assert_eq!(edges.len(), HOURS_AHEAD + 2);
        assert_eq!(edges[..3], [Timestamp::MIN, at(60), at(3_660)]);
        assert_eq!(edges.last(), Some(&at(60 + 24 * 3_600)));
    }
}
