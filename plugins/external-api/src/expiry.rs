//! When a token stops working, from everything that says so: the earliest counts. Knows nothing of where
//! the answer came from.

use sdk::{Answer, Settings, Source, times};

use crate::extract::around;

/// Members that say how long from now.
pub(crate) const SPANS: [&str; 4] =
    ["**/expires_in", "**/expiresIn", "**/access_expires_in", "**/ttl"];

/// Members that say when.
pub(crate) const MOMENTS: [&str; 7] = [
    "**/expires_at",
    "**/expiresAt",
    "**/access_expiration",
    "**/expires_at_seconds",
    "**/expires",
    "**/expiry",
    "**/exp",
];

/// The earliest moment that anything names, and what named it, in words. What is past already is a
/// mistake of reading or of clocks, and does not count.
pub(crate) fn earliest(
    answer: &dyn Answer,
    settings: &Settings,
    token: &Source,
    now: u64,
) -> (Option<u64>, &'static str) {
    let lifetime = settings.optional("lifetime").and_then(|text| text.parse::<u64>().ok());
    let said = |names: &[&str], read: fn(&dyn Answer, &str, u64) -> Option<u64>| {
        places(token, names).find_map(|place| read(answer, &place, now))
    };
    let known = [
        (said(&SPANS, |answer, place, now| answer.after(place, now)), "how long the answer says"),
        (said(&MOMENTS, |answer, place, now| answer.until(place, now)), "when the answer says"),
        (answer.claims(token).as_deref().and_then(exp), "the token itself, a JWT"),
        (lifetime.map(|it| now.saturating_add(it)), "the setting `lifetime`"),
    ];
    let ahead = known.into_iter().filter_map(|(at, from)| Some((at.filter(|at| *at > now)?, from)));
    match ahead.min_by_key(|(at, _)| *at) {
        Some((at, from)) => (Some(at), from),
        None => (None, "nothing: the server does not say"),
    }
}

/// Where members that are declared at any depth stand around a token.
fn places(token: &Source, names: &[&str]) -> impl Iterator<Item = String> {
    let beside = |base| names.iter().map(move |it| it.replacen("**", base, 1));
    around(token).into_iter().flat_map(beside)
}

/// The `exp` of registered claims, which the host writes without spaces.
fn exp(claims: &str) -> Option<u64> {
    let (_, rest) = claims.split_once("\"exp\":")?;
    times::time(rest.split([',', '}']).next()?).value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context};

    const NOW: u64 = 1_700_000_000;

    /// {"exp":1700000300}
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAzMDB9.c2ln";

    fn read(token: &str, members: &str, lifetime: &str) -> (Option<u64>, &'static str) {
        let login = [("login_url", "https://a.example"), ("lifetime", lifetime)];
        let body = format!(r#"{{"data":{{"token":"{token}"{members}}}}}"#);
        let settings = context::<crate::Plugin>(&login).settings;
        earliest(&Canned::new(200, &body), &settings, &"/data/token".into(), NOW)
    }

    fn after(members: &str) -> Option<u64> {
        read("t", &format!(",{members}"), "").0.map(|at| at - NOW)
    }

    #[test]
    fn a_span_is_seconds_or_milliseconds_as_a_number_or_a_string() {
        for (members, seconds) in [
            (r#""expires_in":3600"#, Some(3600)),
            (r#""expires_in":"3600""#, Some(3600)),
            (r#""expires_in":3600.0"#, Some(3600)),
            (r#""expiresIn":86400000"#, Some(86_400)),
            (r#""expires_in":31536000"#, Some(31_536_000)),
            (r#""expires_in":31535999"#, Some(31_535_999)),
            (r#""expires_in":31622400"#, Some(31_622_400)),
            (r#""expires_in":2592000000"#, Some(2_592_000)),
            (r#""expires_in":0"#, None),
            (r#""expires_in":-1"#, None),
            (r#""expiresIn":"1h""#, Some(3600)),
            (r#""expires_in":3600000"#, Some(3600)),
            (r#""expires_in":1700000060"#, Some(60)),
            (r#""expires_in":9223372036854775"#, None),
            (r#""expires_in":null"#, None),
        ] {
            assert_eq!(after(members), seconds, "{members}");
        }
    }

    #[test]
    fn a_moment_is_an_epoch_or_a_date() {
        for (members, seconds) in [
            (r#""expires_at":1700000060"#, Some(60)),
            (r#""expiresAt":1700000060000"#, Some(60)),
            (r#""expires_at":"1700000060""#, Some(60)),
            (r#""access_expiration":"2023-11-14T22:14:20.123456Z""#, Some(60)),
            (r#""expires":"2023-11-15T01:44:20+03:30""#, Some(60)),
            (r#""expires_at":1600000000"#, None),
            (r#""expires_at":3600"#, Some(3600)),
            (r#""expires_at":"2023-11-14 22:14:20""#, Some(60)),
            (r#""expires_at":"20231114221420""#, Some(60)),
            (r#""expires_at":"Tue, 14 Nov 2023 22:14:20 GMT""#, Some(60)),
            (r#""expires_at":"9999-12-31 23:59:59""#, None),
            (r#""expires_at":253402300799"#, None),
            (r#""expires_at":"soon""#, None),
        ] {
            assert_eq!(after(members), seconds, "{members}");
        }
    }

    #[test]
    fn the_earliest_counts_and_says_where_it_is_from() {
        let from = |token, members, lifetime| {
            let (at, from) = read(token, members, lifetime);
            (at.map(|at| at - NOW), from)
        };
        let span = r#","expires_in":3600"#;
        assert_eq!(from(JWT, span, ""), (Some(300), "the token itself, a JWT"));
        assert_eq!(from(JWT, span, "60"), (Some(60), "the setting `lifetime`"));
        assert_eq!(from("t", span, "7200"), (Some(3600), "how long the answer says"));
        let moment = r#","expires_in":3600,"expires_at":1700000060"#;
        assert_eq!(from("t", moment, ""), (Some(60), "when the answer says"));
        assert_eq!(from("t", "", ""), (None, "nothing: the server does not say"));
    }

    #[test]
    fn the_end_of_a_jwt_is_a_number_or_a_string_in_seconds_or_milliseconds() {
        for (claims, end) in [
            (r#"{"exp":1700000300}"#, Some(1_700_000_300)),
            (r#"{"iat":1,"exp":"1700000300","jti":"x"}"#, Some(1_700_000_300)),
            (r#"{"exp":1700000300000,"iat":1}"#, Some(1_700_000_300)),
            (r#"{"exp":1700000300.5}"#, Some(1_700_000_300)),
            (r#"{"exp":253402300799}"#, None),
            (r#"{"exp":3600}"#, None),
            (r#"{"exp":null}"#, None),
            ("{}", None),
        ] {
            assert_eq!(exp(claims), end, "{claims}");
        }
    }

    #[test]
    fn an_expiry_may_stand_outside_of_the_wrapper() {
        let body = r#"{"data":{"token":"t"},"expires_in":60}"#;
        let settings = context::<crate::Plugin>(&[("login_url", "https://a.example")]).settings;
        let read = earliest(&Canned::new(200, body), &settings, &"/data/token".into(), NOW);
        assert_eq!(read.0, Some(NOW + 60));
    }
}
