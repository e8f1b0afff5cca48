//! Reading the token that Finnotech sends, which is not an RFC 6749 answer: other names, a lifetime in
//! milliseconds, a Jalali date of issue. The JWT itself is never looked into, because its claims carry
//! the refresh token in clear.

use sdk::times::rfc3339;
use sdk::{Answer, Failure, Tokens, listed, refresh_token_at};

use crate::jalali;

/// Where the access token is.
pub(crate) const VALUE: &str = "/result/value";

/// Milliseconds that a lifetime can sensibly be: a minute to ten years.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60_000..=315_360_000_000;

/// Seconds that two clocks may differ before somebody should know.
const CLOCKS_AGREE: u64 = 300;

/// The tokens of an answer that has some.
pub(crate) fn tokens(answer: &dyn Answer, now: u64) -> Result<Tokens, Failure> {
    let mut tokens = Tokens::bearer(VALUE);
    tokens.refresh_token = refresh_token_at(answer, "/result/refreshToken")?;
    tokens.expires_at = lifetime(answer).map(|seconds| now + seconds);
    tokens.scopes = scopes(answer);
    tokens.metadata = issued(answer, now);
    Ok(tokens)
}

/// Seconds from now, not from the date of issue: that is somebody else's clock.
fn lifetime(answer: &dyn Answer) -> Option<u64> {
    let milliseconds = answer.number("/result/lifeTime")?;
    LIFETIMES.contains(&milliseconds).then_some(milliseconds / 1000)
}

fn scopes(answer: &dyn Answer) -> Vec<String> {
    if let Some(joined) = answer.text("/result/scopes") {
        return listed(&joined).map(str::to_owned).collect();
    }
    (0..256).map_while(|index| answer.text(&format!("/result/scopes/{index}"))).collect()
}

/// The date of issue, and a warning when it does not fit this machine's clock.
fn issued(answer: &dyn Answer, now: u64) -> Vec<(String, String)> {
    let written =
        answer.text("/result/creationDate").or_else(|| answer.json("/result/creationDate"));
    let Some(issued) = written.and_then(|text| jalali::timestamp(&text)) else { return Vec::new() };
    let mut facts = vec![("issued_at".to_owned(), rfc3339(issued))];
    if issued.abs_diff(now) > CLOCKS_AGREE {
        let side = if issued < now { "behind" } else { "ahead of" };
        let text = format!(
            "Finnotech's clock is {} {side} this machine's; check which one is right",
            spoken(issued.abs_diff(now))
        );
        facts.push(("clock_warning".to_owned(), text));
    }
    facts
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::Canned;

    /// 1402-08-24 01:43:20 in Tehran is 1 700 000 000.
    const NOW: u64 = 1_700_000_000;

    fn read(members: &str) -> Result<Tokens, Failure> {
        let body = format!(r#"{{"result":{{"value":"v"{members}}},"status":"DONE"}}"#);
        tokens(&Canned::new(200, &body), NOW)
    }

    fn expiry(lifetime: &str) -> Option<u64> {
        read(&format!(r#","lifeTime":{lifetime}"#)).unwrap().expires_at
    }

    fn fact(date: &str, name: &str) -> Option<String> {
        let metadata = read(&format!(r#","creationDate":{date}"#)).unwrap().metadata;
        metadata.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    #[test]
    fn a_lifetime_is_milliseconds_as_a_number_or_a_string() {
        for lifetime in ["864000000", "\"864000000\"", "\" 864000000 \""] {
            assert_eq!(expiry(lifetime), Some(NOW + 864_000), "{lifetime}");
        }
    }

    #[test]
    fn an_absurd_lifetime_is_left_to_the_host() {
        for lifetime in ["0", "-1", "864", "null", "\"soon\"", "9e99", "18446744073709551615", "[]"]
        {
            assert_eq!(expiry(lifetime), None, "{lifetime}");
        }
        assert_eq!(read("").unwrap().expires_at, None);
    }

    #[test]
    fn a_date_of_issue_is_shown_in_utc_from_a_string_or_an_integer() {
        for date in ["\"14020824014320\"", "14020824014320"] {
            assert_eq!(fact(date, "issued_at").unwrap(), "2023-11-14T22:13:20Z");
            assert_eq!(fact(date, "clock_warning"), None);
        }
        assert_eq!(fact("\"yesterday\"", "issued_at"), None);
        assert_eq!(fact("null", "issued_at"), None);
    }

    #[test]
    fn clocks_that_disagree_are_a_warning() {
        let warning = |date: &str| fact(date, "clock_warning").unwrap();
        let text =
            "Finnotech's clock is 60 minutes behind this machine's; check which one is right";
        assert_eq!(warning("14020824004320"), text);
        let text =
            "Finnotech's clock is 24 hours ahead of this machine's; check which one is right";
        assert_eq!(warning("14020825014320"), text);
    }

    #[test]
    fn scopes_are_those_that_were_granted() {
        let scopes = |json: &str| read(&format!(r#","scopes":{json}"#)).unwrap().scopes;
        assert_eq!(scopes(r#"["a:b:get","c:d:post"]"#), ["a:b:get", "c:d:post"]);
        assert_eq!(scopes(r#""a:b:get,c:d:post""#), ["a:b:get", "c:d:post"]);
        assert!(scopes("null").is_empty());
    }

    #[test]
    fn a_refresh_token_is_new_or_the_old_one_is_kept() {
        let refresh = |members: &str| read(members).map(|tokens| tokens.refresh_token);
        assert_eq!(refresh(r#","refreshToken":"r""#).unwrap(), Some("/result/refreshToken".into()));
        assert_eq!(refresh("").unwrap(), None);
        assert_eq!(refresh(r#","refreshToken":"""#).unwrap(), None);
    }
}
