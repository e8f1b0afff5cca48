//! The one reader of times, lengths of time and numbers that providers send and people import. Host, SDK
//! and plugins read through it, so that `3600.0` is an hour for each of them.
//!
//! - [`time()`] reads a point in time, [`span()`] a length, [`number`] a count.
//! - [`until`] reads a member that says *when* (`expires_at`), [`after`] one that says *how long*
//!   (`expires_in`); each knows that providers put the other one there.
//!
//! # What a point in time is
//!
//! - A number of seconds, milliseconds, microseconds or nanoseconds since 1970. The unit is the one that
//!   leads into the window from [`FIRST`] to [`LAST`]; the four windows do not touch each other. A number
//!   that is too small for any of them (`3600`) is no time.
//! - Digits alone: `20300131`, `203001311200`, `20300131120000`, and that with milliseconds. They lie
//!   between the windows too.
//! - A date with or without a time as in RFC 3339, ISO 8601 and SQL, with `T` or a space, any fraction,
//!   `Z`, `UTC` or an offset, and perhaps the name of a zone behind it.
//! - The three dates of HTTP, RFC 2822, and what `date` and JavaScript print.
//!
//! # What a length is
//!
//! - A number of seconds. It is one of milliseconds when that makes a usual lifetime: whole 5 minutes up
//!   to an hour, whole half hours up to a day, whole days up to [`LONGEST_DAYS`], each up to 5 seconds
//!   short, because some count down from when they began to answer. So 3600000 is an hour. No lifetime
//!   of whole days is lost by that but 125, 250 and 375 days, which nobody grants; whoever did would
//!   be asked too early, and not too late. Microseconds and nanoseconds are told by the same rule.
//! - What is longer than [`TEN_YEARS`] otherwise is milliseconds when it is whole minutes of them.
//! - `PT1H`, `1h`, `1h30m`, `2 days`, `01:00:00`, `1.00:00:00`, `1 day, 0:00:00`.
//!
//! # No end
//!
//! Zero, less than zero, nothing, `never`, a date before the window (the year 1 of Go, `0000-00-00` of SQL) and
//! anything after it (`9999-12-31`) say that nobody said when: [`Read::Open`]. That is not "for ever".
//! Whoever knows better, such as a setting, may still say.
//!
//! What was not taken literally is in the [`Notes`] of a reading. Nothing here knows a clock, a zone
//! of people, or what a reading is for.

#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

mod calendar;
mod digits;
mod end;
mod note;
mod read;
mod span;
mod text;
mod time;
mod written;

pub use crate::calendar::{days, rfc3339};
pub use crate::digits::number;
pub use crate::end::{after, until};
pub use crate::note::{Note, Notes};
pub use crate::read::{FIRST, LAST, Open, Read};
pub use crate::span::{LONGEST_DAYS, TEN_YEARS, span};
pub use crate::time::time;
