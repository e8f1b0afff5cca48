//! Which generation of each grant is the current one. Strict: a refresh token that comes back is theft, and ends its
//! grant. Pure.

use crate::crowd::token::Claim;

/// No grant comes to this generation.
const ENDED: u32 = u32::MAX;

/// The current generation of each grant, by its number.
#[derive(Default)]
pub(super) struct Grants(Vec<u32>);

/// What becomes of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is good: this is the next generation.
    Renewed(Claim),
    /// It was used before: its grant has ended now.
    Reused,
    /// Its grant has ended before.
    Ended,
}

impl Grants {
    /// Takes a refresh token of `claim`. A grant that nobody has heard of begins with its first one.
    pub(super) fn present(&mut self, claim: Claim) -> Verdict {
        let current = self.current(claim.grant);
        match *current {
            ENDED => Verdict::Ended,
            it if it == claim.generation => {
                *current += 1;
                Verdict::Renewed(claim.next())
            }
            _ => {
                *current = ENDED;
                Verdict::Reused
            }
        }
    }

    fn current(&mut self, grant: u32) -> &mut u32 {
        let place = grant as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        &mut self.0[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refresh_token_is_good_once() {
        let (mut grants, first) = (Grants::default(), Claim::first(3, 60));
        assert_eq!(grants.present(first), Verdict::Renewed(first.next()));
        assert_eq!(grants.present(first.next()), Verdict::Renewed(first.next().next()));
        assert_eq!(grants.present(first), Verdict::Reused);
        assert_eq!(grants.present(first.next().next()), Verdict::Ended);
    }

    #[test]
    fn grants_have_nothing_to_do_with_each_other() {
        let mut grants = Grants::default();
        for grant in [9, 0, 4] {
            let claim = Claim::first(grant, 60);
            assert_eq!(grants.present(claim), Verdict::Renewed(claim.next()), "{grant}");
        }
        assert_eq!(grants.present(Claim::first(9, 60)), Verdict::Reused);
        assert!(matches!(grants.present(Claim::first(4, 60).next()), Verdict::Renewed(_)));
    }
}
