//! The orders that somebody may choose: each has every row once and in its place, whatever the filters are and however
//! long its pages.

use std::time::Duration;

use jiff::Timestamp;

use super::{Rows, every_mix, now};
use crate::model::clock;
use crate::model::connection::Connection;
use crate::model::state::{State, state_of};
use crate::storage::{EndsIn, Order, Urgency};

const CHOSEN: [Order; 3] = [Order::Name, Order::Expiry, Order::Next];

fn ends(it: &Connection) -> Option<Timestamp> {
    it.token.as_ref().and_then(|it| it.expires_at)
}

/// What a row is sorted by.
fn rank(order: Order, it: &Connection) -> (i64, String) {
    let time = |at: Option<Timestamp>| at.map_or(i64::MAX, Timestamp::as_millisecond);
    let at = match order {
        Order::Expiry => time(ends(it)),
        Order::Next => time(it.due.map(|it| it.at)),
        Order::Name | Order::Urgency => 0,
    };
    (at, it.id.full().to_owned())
}

/// Fails unless `wanted` finds those that fit, in each of the orders, so many at a time.
async fn check(rows: &Rows, wanted: &Urgency, limit: u32, fits: impl Fn(&Connection) -> bool) {
    for order in CHOSEN {
        let mut expected = rows.all.iter().filter(|it| fits(it)).collect::<Vec<_>>();
        expected.sort_by_key(|it| rank(order, it));
        let expected = expected.into_iter().map(|it| it.id.full().to_owned()).collect::<Vec<_>>();
        let found = rows.urgent(Urgency { order, ..wanted.clone() }, limit).await;
        assert!(found == expected, "{order} {wanted:?} by {limit}: {found:?} and not {expected:?}");
    }
}

#[tokio::test]
async fn each_order_has_every_row_once_and_in_its_place() {
    let rows = every_mix().await;
    for limit in [7, 50, 1_000] {
        check(&rows, &Urgency::default(), limit, |_| true).await;
    }
}

#[tokio::test]
async fn those_in_a_state_stand_in_every_order() {
    let rows = every_mix().await;
    for state in State::ALL {
        let wanted = Urgency { state: Some(*state), ..Urgency::default() };
        for limit in [3, 100] {
            check(&rows, &wanted, limit, |it| state_of(it, now()) == *state).await;
        }
    }
}

#[tokio::test]
async fn filters_hold_in_every_order_and_together() {
    let rows = every_mix().await;
    let (provider, label) = (Some("x".to_owned()), Some("gold".to_owned()));
    let of = |it: &Connection| it.id.provider() == "x";
    let gold = |it: &Connection| it.labels == ["gold"];
    let wanted = Urgency { provider: provider.clone(), ..Urgency::default() };
    check(&rows, &wanted, 20, of).await;
    let wanted = Urgency { label: label.clone(), ..Urgency::default() };
    check(&rows, &wanted, 20, gold).await;
    let wanted = Urgency { search: Some("C01".to_owned()), ..Urgency::default() };
    check(&rows, &wanted, 20, |it| it.id.name().contains("c01")).await;
    for state in [State::Late, State::Fresh, State::Paused] {
        let (provider, label, state) = (provider.clone(), label.clone(), Some(state));
        let wanted = Urgency { provider, state, label, ..Urgency::default() };
        let fits = |it: &Connection| of(it) && gold(it) && Some(state_of(it, now())) == state;
        check(&rows, &wanted, 2, fits).await;
    }
}

#[tokio::test]
async fn what_ends_at_some_time_stands_in_every_order() {
    let rows = every_mix().await;
    let day = clock::after(now(), Duration::from_hours(24));
    let past = |it: &Connection| ends(it).is_some_and(|it| it <= now());
    let within = |it: &Connection| ends(it).is_some_and(|it| it > now() && it <= day);
    let unknown = |it: &Connection| it.token.is_some() && ends(it).is_none();
    let wanted = |ends| Urgency { ends: Some(ends), ..Urgency::default() };
    check(&rows, &wanted(EndsIn::Past), 20, past).await;
    check(&rows, &wanted(EndsIn::Within(now(), day)), 20, within).await;
    check(&rows, &wanted(EndsIn::Unknown), 20, unknown).await;
    let expired = Urgency { state: Some(State::Expired), ..wanted(EndsIn::Past) };
    let fits = |it: &Connection| past(it) && state_of(it, now()) == State::Expired;
    check(&rows, &expired, 5, fits).await;
}
