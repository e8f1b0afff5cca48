//! What was done with a text that was not taken literally, as sentences for the person who wonders.

use core::fmt;

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A number was one of milliseconds.
    Milliseconds,
    /// A number was one of microseconds.
    Microseconds,
    /// A number was one of nanoseconds.
    Nanoseconds,
    /// A part of a second was left out.
    Fraction,
    /// There was no time zone.
    NoZone,
    /// There was a date and no time.
    DateAlone,
    /// There was an offset and the name of a zone too.
    ZoneName,
    /// A number was a date.
    Digits,
    /// Months and years have no length of their own.
    Months,
    /// A length stood where a point in time is usual.
    Span,
    /// A point in time stood where a length is usual.
    Time,
}

impl Note {
    const ALL: [Self; 11] = [
        Self::Span,
        Self::Time,
        Self::Milliseconds,
        Self::Microseconds,
        Self::Nanoseconds,
        Self::Fraction,
        Self::NoZone,
        Self::DateAlone,
        Self::ZoneName,
        Self::Digits,
        Self::Months,
    ];
}

impl fmt::Display for Note {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Milliseconds => "taken for milliseconds",
            Self::Microseconds => "taken for microseconds",
            Self::Nanoseconds => "taken for nanoseconds",
            Self::Fraction => "the part of a second was left out",
            Self::NoZone => "without a time zone, so taken for UTC",
            Self::DateAlone => "without a time, so the day's beginning counts",
            Self::ZoneName => "the offset counts and not the name of the zone",
            Self::Digits => "taken for a date in digits",
            Self::Months => "a month counts as 30 days, and a year as 365",
            Self::Span => "taken for a length of time from now",
            Self::Time => "taken for a point in time",
        })
    }
}

/// Everything that was done; mostly nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes(u16);

impl Notes {
    /// These and one more.
    #[must_use]
    pub fn and(self, note: Note) -> Self {
        Self(self.0 | 1 << note as u16)
    }

    /// These and those.
    #[must_use]
    pub fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether this was done.
    pub fn has(self, note: Note) -> bool {
        self.0 & 1 << note as u16 != 0
    }

    /// Whether nothing was.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.into_iter().filter(move |it| self.has(*it))
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, note) in self.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(to, "{between}{note}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_set().entries(self.iter()).finish()
    }
}
