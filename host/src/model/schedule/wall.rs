//! What the clocks on the walls of a time zone show, and when. Clocks are put back and put forward: one local
//! time is then shown twice, another never. Knows no cron.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneTransition};
use jiff::{SignedDuration, Timestamp};

/// The smallest step in time.
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

/// Which of the two moments is meant that show the same local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Showing {
    First,
    Last,
}

/// When `local` is shown. What is skipped counts as shown at the jump. The later a local time, the later its
/// moment: that holds for each of the two showings by itself.
pub(super) fn moment(zone: &TimeZone, local: DateTime, showing: Showing) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, after } => match showing {
            Showing::First => before,
            Showing::Last => after,
        },
        AmbiguousOffset::Gap { before, after } => {
            // By the clock as it is afterwards, this was before the jump.
            let earlier = after.to_timestamp(local).ok()?;
            let jump = zone.following(earlier).find(|it| changes(zone, it, before, after));
            return jump.map(|it| it.timestamp());
        }
    };
    offset.to_timestamp(local).ok()
}

/// The latest local time whose [`moment`] has come by `time`. Where clocks were put back, that is not what
/// they show: the last showing of an hour finds its first one over, and the first one has its last to come.
pub(super) fn passed(zone: &TimeZone, time: Timestamp, showing: Showing) -> DateTime {
    let local = zone.to_datetime(time);
    let AmbiguousOffset::Fold { before, after } = zone.to_ambiguous_timestamp(local).offset()
    else {
        return local;
    };
    let is_first = zone.to_offset(time) == before;
    let border = match showing {
        Showing::First if !is_first => end_of_first(zone, time, before, after),
        Showing::Last if is_first => begin_of_last(zone, time, before, after),
        Showing::First | Showing::Last => return local,
    };
    border.and_then(|it| it.checked_sub(INSTANT).ok()).unwrap_or(local)
}

/// Where the clocks stood when they were put back, last before `time` or at it.
fn end_of_first(
    zone: &TimeZone,
    time: Timestamp,
    before: Offset,
    after: Offset,
) -> Option<DateTime> {
    let later = time.checked_add(INSTANT).ok()?;
    let mut jumps = zone.preceding(later).filter(|it| changes(zone, it, before, after));
    jumps.next().map(|it| before.to_datetime(it.timestamp()))
}

/// Where the clocks stand when they will have been put back, next after `time`.
fn begin_of_last(
    zone: &TimeZone,
    time: Timestamp,
    before: Offset,
    after: Offset,
) -> Option<DateTime> {
    let mut jumps = zone.following(time).filter(|it| changes(zone, it, before, after));
    jumps.next().map(|it| after.to_datetime(it.timestamp()))
}

/// Whether this is the jump from one to the other. A time zone also has changes of name alone.
fn changes(zone: &TimeZone, jump: &TimeZoneTransition<'_>, before: Offset, after: Offset) -> bool {
    let just_before = jump.timestamp().checked_sub(INSTANT);
    jump.offset() == after && just_before.is_ok_and(|it| zone.to_offset(it) == before)
}
