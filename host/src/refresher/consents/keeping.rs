//! What becomes of the refresh token that is here when a consent brings none. Pure.

use crate::refresher::consents::account::Whose;

/// What is known of both grants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Whether the consent brought one.
    pub(super) brought: bool,
    /// Which one is here.
    pub(super) old: Old,
    pub(super) whose: Whose,
    /// Whether the person can be asked anew for one.
    pub(super) can_ask: bool,
}

/// The refresh token that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// None, or one that is dead.
    None,
    /// One that may still work, for all that the consent allows.
    Covers,
    /// One that may still work, for less than the consent allows.
    Narrower,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// A new one takes its place.
    Theirs,
    /// It stays.
    Ours,
    /// The person is asked for a new one.
    AskAnew,
    /// There is none.
    None,
    /// It is dropped: nobody says that it is this account's.
    Unknown,
}

/// Decides it. A living one of the same account stays, unless a new one that can do more is to be had.
pub(super) fn keep(facts: Facts) -> Keep {
    match facts {
        Facts { brought: true, .. } => Keep::Theirs,
        Facts { old: Old::Covers, whose: Whose::TheSame, .. } => Keep::Ours,
        Facts { can_ask: true, .. } => Keep::AskAnew,
        Facts { old: Old::Narrower, whose: Whose::TheSame, .. } => Keep::Ours,
        Facts { old: Old::Covers | Old::Narrower, whose: Whose::Unknown, .. } => Keep::Unknown,
        _ => Keep::None,
    }
}

impl Keep {
    /// How the new generation came about.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Ours => {
                "connected; the provider gave no refresh token, so the one of before was kept"
            }
            Self::Unknown => {
                "connected; the provider gave no refresh token, and the one of before was not kept, \
                 because nobody says whether it is this account's"
            }
            Self::Theirs | Self::AskAnew | Self::None => "connected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_one_of_the_same_account_stays() {
        let (old, whose) = (Old::Covers, Whose::TheSame);
        let facts = Facts { brought: false, old, whose, can_ask: true };
        for (facts, expected) in [
            (facts, Keep::Ours),
            (Facts { brought: true, ..facts }, Keep::Theirs),
            (Facts { old: Old::Narrower, ..facts }, Keep::AskAnew),
            (Facts { old: Old::Narrower, can_ask: false, ..facts }, Keep::Ours),
            (Facts { old: Old::None, ..facts }, Keep::AskAnew),
            (Facts { old: Old::None, can_ask: false, ..facts }, Keep::None),
            (Facts { whose: Whose::Unknown, ..facts }, Keep::AskAnew),
            (Facts { whose: Whose::Unknown, can_ask: false, ..facts }, Keep::Unknown),
            (Facts { whose: Whose::Another, can_ask: false, ..facts }, Keep::None),
        ] {
            assert_eq!(keep(facts), expected, "{facts:?}");
        }
    }
}
