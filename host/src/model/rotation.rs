//! What happens to a refresh token when it is used: the fact that decides how an unknown outcome is
//! resolved.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The provider's rule for presenting the old refresh token once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// It stays valid.
    None,
    /// It stays valid for this number of seconds.
    Grace(u32),
    /// It stays valid until the new pair is first used.
    UntilUsed,
    /// It dies at once; using it again revokes the grant.
    Strict,
    /// Not known.
    Unknown,
}

/// What to do about a request whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Send the same refresh token again, now.
    RetryNow,
    /// Keep serving the access token and send it once at that token's end.
    WaitForEnd,
}

impl fmt::Display for Rotation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("none"),
            Self::Grace(seconds) => write!(out, "grace of {seconds} s"),
            Self::UntilUsed => out.write_str("until-used"),
            Self::Strict => out.write_str("strict"),
            Self::Unknown => out.write_str("unknown"),
        }
    }
}

impl Rotation {
    /// Whether an answer must be durable before anybody reads it.
    pub fn needs_capture(self) -> bool {
        self != Self::None
    }

    /// Whether a refresh token may still be sent again so long after it was sent first.
    pub fn forgives_after(self, age: Duration) -> bool {
        self.remedy(age) == Remedy::RetryNow
    }

    /// How long a used token is still forgiven, `age` after its first use.
    pub fn grace_left(self, age: Duration) -> Option<Duration> {
        let Self::Grace(window) = self else { return None };
        Duration::from_secs(window.into()).checked_sub(age).filter(|it| !it.is_zero())
    }

    /// How to resolve an unknown outcome that is `age` old.
    pub fn remedy(self, age: Duration) -> Remedy {
        match self {
            Self::None | Self::UntilUsed => Remedy::RetryNow,
            Self::Grace(window) if age.as_secs() < u64::from(window) => Remedy::RetryNow,
            // Who does not know must reckon with the worst while there is a token that works.
            Self::Grace(_) | Self::Strict | Self::Unknown => Remedy::WaitForEnd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_window_that_has_passed_is_strict() {
        assert_eq!(Rotation::Grace(30).remedy(Duration::from_secs(29)), Remedy::RetryNow);
        assert_eq!(Rotation::Grace(30).remedy(Duration::from_secs(30)), Remedy::WaitForEnd);
    }

    #[test]
    fn what_is_sent_again_in_time_is_forgiven_by_three_classes() {
        let soon = Duration::from_secs(2);
        for rotation in [Rotation::None, Rotation::UntilUsed, Rotation::Grace(3)] {
            assert!(rotation.forgives_after(soon), "{rotation}");
        }
        for rotation in [Rotation::Strict, Rotation::Unknown, Rotation::Grace(2)] {
            assert!(!rotation.forgives_after(soon), "{rotation}");
        }
    }

    #[test]
    fn only_a_provider_that_never_rotates_does_without_a_capture() {
        assert!(!Rotation::None.needs_capture());
        assert!(Rotation::Unknown.needs_capture());
    }
}
