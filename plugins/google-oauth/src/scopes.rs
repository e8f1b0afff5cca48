//! What was wanted and what the person ticked. Google lets a person leave out single scopes and says
//! so only in the answer; it also answers with other names than it was asked for.

use sdk::oauth::words;

/// Scopes wanted that are not among the granted ones.
pub(crate) fn missing(wanted: &str, granted: &[String]) -> Vec<String> {
    let is_granted = |scope: &String| granted.iter().any(|it| full(it) == full(scope));
    words(wanted).into_iter().filter(|scope| !is_granted(scope)).collect()
}

/// `email` and `profile` come back under their long names.
fn full(scope: &str) -> &str {
    match scope {
        "email" => "https://www.googleapis.com/auth/userinfo.email",
        "profile" => "https://www.googleapis.com/auth/userinfo.profile",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_was_not_ticked_is_missing() {
        let granted = words("openid https://www.googleapis.com/auth/business.manage");
        let wanted = "https://www.googleapis.com/auth/business.manage \
                      https://www.googleapis.com/auth/calendar";
        assert_eq!(missing(wanted, &granted), ["https://www.googleapis.com/auth/calendar"]);
    }

    #[test]
    fn short_and_long_names_are_one() {
        let granted = words(
            "https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile",
        );
        assert!(missing("email profile", &granted).is_empty());
    }
}
