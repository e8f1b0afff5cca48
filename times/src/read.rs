//! What a reading finds: a value with what was not literal about it, that there is no end, or neither.

use core::fmt;

use crate::note::{Note, Notes};

/// 2000-01-01: an earlier end of a token is a zero in disguise.
pub const FIRST: u64 = 946_684_800;

/// 2200-01-01: a later one is a way to say "never".
pub const LAST: u64 = 7_258_118_400;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Seconds since 1970 of a time, seconds of a length; and what was done to get there.
    Is(u64, Notes),
    /// No end is said, in one of the ways to say so.
    Open(Open),
    /// It is nothing that is known here.
    Unreadable,
}

/// How it was said that there is no end, or not said at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Nothing, `null`, `none`.
    Nothing,
    /// Zero, less than zero, a date before [`FIRST`].
    Zero,
    /// `never`, `infinity`, `unlimited`.
    Never,
    /// Further away than anything that is meant.
    Far,
}

impl Read {
    /// The value, if there is one.
    pub fn value(self) -> Option<u64> {
        match self {
            Self::Is(value, _) => Some(value),
            Self::Open(_) | Self::Unreadable => None,
        }
    }

    /// What was not literal; nothing when there is no value.
    pub fn notes(self) -> Notes {
        match self {
            Self::Is(_, notes) => notes,
            Self::Open(_) | Self::Unreadable => Notes::default(),
        }
    }

    /// The same with one more note.
    pub(crate) fn and(self, note: Note) -> Self {
        match self {
            Self::Is(value, notes) => Self::Is(value, notes.and(note)),
            other => other,
        }
    }

    /// A point in time that was read without doubt of its unit.
    pub(crate) fn at(seconds: i64, notes: Notes) -> Self {
        match u64::try_from(seconds) {
            Ok(LAST..) => Self::Open(Open::Far),
            Ok(seconds @ FIRST..) => Self::Is(seconds, notes),
            Ok(_) | Err(_) => Self::Open(Open::Zero),
        }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Nothing => "it is empty",
            Self::Zero => "it is zero, or before the year 2000",
            Self::Never => "it says that there is no end",
            Self::Far => "it is further away than any token lives",
        })
    }
}
