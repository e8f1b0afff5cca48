//! Scopes that were asked for and scopes that were granted. Pure.

/// Those asked for that are not among the granted ones; none where nobody says what was granted, because then it
/// is what was asked for (RFC 6749 5.1).
pub fn missing(asked: &[String], granted: &[String]) -> Vec<String> {
    let is_missing = |it: &&String| {
        !granted.is_empty() && !is_for_the_login(it) && !granted.iter().any(|one| same(one, it))
    };
    let mut missing = asked.iter().filter(is_missing).cloned().collect::<Vec<_>>();
    missing.dedup();
    missing
}

/// These are wishes for the login itself, and seldom named again: what came of them is seen by the tokens.
fn is_for_the_login(scope: &str) -> bool {
    matches!(scope, "openid" | "offline_access" | "profile" | "email")
}

/// Providers add the address of their API to a scope, or leave it out, and do not keep to its case.
fn same(one: &str, other: &str) -> bool {
    let ends_with = |long: &str, short: &str| {
        let rest = long.len().checked_sub(short.len()).map(|at| long.split_at_checked(at));
        rest.flatten().is_some_and(|(start, end)| {
            end.eq_ignore_ascii_case(short) && (start.is_empty() || start.ends_with('/'))
        })
    };
    ends_with(one, other) || ends_with(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_and_not_granted_is_missing() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (asked, granted, expected) in [
            ("read write", "read", "write"),
            ("read write", "write read admin", ""),
            ("read write", "", ""),
            ("openid offline_access email profile read", "read", ""),
            ("User.Read", "https://graph.example/user.read", ""),
            ("https://graph.example/User.Read", "User.Read", ""),
            ("ead", "read", "ead"),
            ("é", "read", "é"),
            ("a a", "b", "a"),
        ] {
            assert_eq!(missing(&words(asked), &words(granted)), words(expected), "{asked}");
        }
    }
}
