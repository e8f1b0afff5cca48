//! Decides what happens when a refresh token is presented. Pure: knows generations and times, never a token.
//!
//! The four classes are what real providers do with a refresh token that was already used once. A client that cannot
//! tell them apart either gives up a connection that a retry would have saved, or has one revoked by retrying.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a provider does with a refresh token that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Every refresh token stays valid.
    None,
    /// The previous one is taken for so many seconds after its first use.
    Grace(u32),
    /// The previous one is taken until a token of its successor is used.
    UntilUsed,
    /// A second use is theft.
    Strict,
}

/// What to do with a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good: hand out the next generation.
    Rotate,
    /// It was used before and is still spared: hand out the current generation again.
    Repeat,
    /// It was used before and that is theft: the family is revoked now.
    Revoke,
    /// The family was revoked earlier.
    Refuse,
}

/// Why a family ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A used refresh token came back outside the rule of the class.
    Reuse,
    /// Somebody revoked it at the provider.
    Revoked,
}

/// The generations that descend from one login.
#[derive(Clone, Debug)]
pub struct Family {
    class: Class,
    current: u64,
    previous: Option<Previous>,
    current_used: bool,
    ending: Option<Ending>,
}

#[derive(Clone, Copy, Debug)]
struct Previous {
    generation: u64,
    used_at: Timestamp,
}

impl Family {
    /// A family of one generation, number zero.
    pub fn new(class: Class) -> Self {
        Self { class, current: 0, previous: None, current_used: false, ending: None }
    }

    /// The generation whose refresh token is good.
    pub fn current(&self) -> u64 {
        self.current
    }

    /// The generation that a spared replay may come from.
    pub fn previous(&self) -> Option<u64> {
        self.previous.map(|previous| previous.generation)
    }

    /// Why it ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Takes the refresh token of `generation`, and does what the verdict says.
    pub fn present(&mut self, generation: u64, now: Timestamp) -> Verdict {
        let verdict = self.judge(generation, now);
        match verdict {
            Verdict::Rotate => self.rotate(now),
            Verdict::Revoke => self.ending = Some(Ending::Reuse),
            Verdict::Repeat | Verdict::Refuse => {}
        }
        verdict
    }

    /// Takes the access token of `generation`; false when the family is revoked.
    pub fn touch(&mut self, generation: u64) -> bool {
        self.current_used |= generation == self.current;
        self.ending.is_none()
    }

    /// Ends it from outside. The first ending is the one that stays.
    pub fn revoke(&mut self) {
        self.ending.get_or_insert(Ending::Revoked);
    }

    fn judge(&self, generation: u64, now: Timestamp) -> Verdict {
        if self.ending.is_some() {
            Verdict::Refuse
        } else if generation == self.current || self.class == Class::None {
            Verdict::Rotate
        } else if self.spares(generation, now) {
            Verdict::Repeat
        } else {
            Verdict::Revoke
        }
    }

    fn spares(&self, generation: u64, now: Timestamp) -> bool {
        let Some(previous) = self.previous.filter(|previous| previous.generation == generation)
        else {
            return false;
        };
        match self.class {
            Class::None => true,
            Class::Grace(window) => {
                now.duration_since(previous.used_at) <= SignedDuration::from_secs(window.into())
            }
            Class::UntilUsed => !self.current_used,
            Class::Strict => false,
        }
    }

    fn rotate(&mut self, now: Timestamp) {
        self.previous = Some(Previous { generation: self.current, used_at: now });
        self.current += 1;
        self.current_used = false;
    }
}

impl FromStr for Class {
    type Err = String;

    /// Reads `none`, `grace:30`, `until-used` or `strict`.
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("`{text}` is no class; use none, grace:SECONDS, until-used or strict");
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "until-used" => Ok(Self::UntilUsed),
            None if text == "strict" => Ok(Self::Strict),
            Some(("grace", seconds)) => seconds.parse().map(Self::Grace).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_CLASS: [Class; 4] =
        [Class::None, Class::Grace(30), Class::UntilUsed, Class::Strict];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn rotated(class: Class) -> Family {
        let mut family = Family::new(class);
        assert_eq!(family.present(0, at(0)), Verdict::Rotate);
        family
    }

    #[test]
    fn the_current_token_rotates_in_every_class() {
        for class in EVERY_CLASS {
            let mut family = rotated(class);
            assert_eq!(family.current(), 1);
            assert_eq!(family.present(1, at(1)), Verdict::Rotate);
            assert_eq!((family.current(), family.previous()), (2, Some(1)));
        }
    }

    #[test]
    fn a_revoked_family_refuses_every_token_in_every_class() {
        for class in EVERY_CLASS {
            let mut family = rotated(class);
            family.revoke();
            assert_eq!(family.present(0, at(1)), Verdict::Refuse);
            assert_eq!(family.present(1, at(1)), Verdict::Refuse);
            assert!(!family.touch(1));
        }
    }

    #[test]
    fn class_none_takes_a_token_of_any_age_again() {
        let mut family = rotated(Class::None);
        assert_eq!(family.present(1, at(1)), Verdict::Rotate);
        assert_eq!(family.present(0, at(1_000_000)), Verdict::Rotate);
        assert_eq!(family.current(), 3);
    }

    #[test]
    fn grace_repeats_the_same_successor_inside_the_window() {
        let mut family = rotated(Class::Grace(30));
        assert_eq!(family.present(0, at(10)), Verdict::Repeat);
        assert_eq!(family.present(0, at(30)), Verdict::Repeat);
        assert_eq!(family.current(), 1);
    }

    #[test]
    fn grace_counts_from_the_first_use_and_not_from_the_last() {
        let mut family = rotated(Class::Grace(30));
        assert_eq!(family.present(0, at(29)), Verdict::Repeat);
        assert_eq!(family.present(0, at(31)), Verdict::Revoke);
        assert_eq!(family.ending(), Some(Ending::Reuse));
    }

    #[test]
    fn grace_spares_only_the_previous_token() {
        let mut family = rotated(Class::Grace(30));
        assert_eq!(family.present(1, at(1)), Verdict::Rotate);
        assert_eq!(family.present(0, at(2)), Verdict::Revoke);
    }

    #[test]
    fn grace_holds_even_when_the_successor_was_used() {
        let mut family = rotated(Class::Grace(30));
        assert!(family.touch(1));
        assert_eq!(family.present(0, at(2)), Verdict::Repeat);
    }

    #[test]
    fn until_used_repeats_the_successor_however_late() {
        let mut family = rotated(Class::UntilUsed);
        assert_eq!(family.present(0, at(1_000_000)), Verdict::Repeat);
        assert_eq!(family.current(), 1);
    }

    #[test]
    fn until_used_ends_when_the_new_access_token_is_used() {
        let mut family = rotated(Class::UntilUsed);
        assert!(family.touch(1));
        assert_eq!(family.present(0, at(1)), Verdict::Revoke);
    }

    #[test]
    fn until_used_ends_when_the_new_refresh_token_is_used() {
        let mut family = rotated(Class::UntilUsed);
        assert_eq!(family.present(1, at(1)), Verdict::Rotate);
        assert_eq!(family.present(0, at(2)), Verdict::Revoke);
    }

    #[test]
    fn until_used_is_not_ended_by_the_old_access_token() {
        let mut family = rotated(Class::UntilUsed);
        assert!(family.touch(0));
        assert_eq!(family.present(0, at(1)), Verdict::Repeat);
    }

    #[test]
    fn until_used_spares_the_previous_token_of_each_rotation_anew() {
        let mut family = rotated(Class::UntilUsed);
        assert!(family.touch(1));
        assert_eq!(family.present(1, at(1)), Verdict::Rotate);
        assert_eq!(family.present(1, at(2)), Verdict::Repeat);
    }

    #[test]
    fn strict_revokes_the_family_on_the_second_use() {
        let mut family = rotated(Class::Strict);
        assert_eq!(family.present(0, at(0)), Verdict::Revoke);
        assert_eq!(family.present(1, at(0)), Verdict::Refuse);
        assert_eq!(family.ending(), Some(Ending::Reuse));
    }

    #[test]
    fn a_class_is_read_from_its_name() {
        assert_eq!("grace:2".parse(), Ok(Class::Grace(2)));
        assert_eq!("until-used".parse(), Ok(Class::UntilUsed));
        assert!("grace".parse::<Class>().is_err());
        assert!("grace:soon".parse::<Class>().is_err());
    }
}
