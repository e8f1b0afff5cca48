//! What the words of a refusal mean, wherever a provider has them: in a member of its own, in a list, in an
//! answer that calls itself a success. A text counts as a whole, or up to its first comma, colon or full stop:
//! one that merely has such words in it means something else, and a person who is asked to connect again for
//! nothing is harm too.

use crate::answer::Answer;

/// What a provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The refresh token is no good any more.
    Dead,
    /// The client is not who it says.
    Client,
    /// Too many requests.
    Slow,
    /// A fault of its own.
    Down,
}

/// Words that stand alone, in any spelling: `BAD_REFRESH_TOKEN`, `bad-refresh-token`, `Bad refresh token`.
const WORDS: &[(Said, &[&str])] = &[
    (
        Said::Dead,
        &[
            "invalid_grant",
            "refresh_token_already_used",
            // Google, when the person has to prove who it is again.
            "invalid_rapt",
            "reauth related error (invalid_rapt)",
            // Slack and Google's Identity Toolkit.
            "token_expired",
            "token_revoked",
            "account_inactive",
            "user_disabled",
            "user_not_found",
            // Salesforce.
            "inactive_user",
            "expired access/refresh token",
            // Zoho says it of a refresh token too.
            "invalid_code",
            // X.
            "value passed for the token was invalid",
            "token has been expired or revoked",
            "token has been revoked",
        ],
    ),
    (
        Said::Client,
        &[
            "invalid_client",
            // Slack.
            "bad_client_secret",
            "invalid_client_id",
            // HubSpot and Zoho.
            "bad_client_id",
            "invalid_client_secret",
        ],
    ),
    (Said::Slow, &["ratelimited", "rate_limited", "you have made too many requests continuously"]),
    (Said::Down, &["internal_error", "fatal_error", "service_unavailable"]),
];

/// What is said of a refresh token that is no good, alone or several at once.
const STATES: &[&[&str]] = &[
    &["no", "longer", "valid"],
    &["not", "valid"],
    &["not", "found"],
    &["not", "active"],
    &["does", "not", "exist"],
    &["already", "used"],
    &["bad"],
    &["expired"],
    &["inactive"],
    &["incorrect"],
    &["invalid"],
    &["revoked"],
    &["unknown"],
];

/// Words that change nothing in such a sentence.
const FILLING: &[&str] = &[
    "a",
    "authorization",
    "been",
    "given",
    "grant",
    "has",
    "is",
    "missing",
    "or",
    "provided",
    "supplied",
    "the",
    "this",
    "was",
    "you",
    "your",
];

/// Numbers of Microsoft's, which has `invalid_grant` for most of what can go wrong.
const NUMBERS: &[(Said, &[u64])] = &[
    (Said::Slow, &[50_196, 90_055]),
    (Said::Down, &[90_024, 90_033]),
    (
        Said::Dead,
        &[
            50_057, 50_076, 50_078, 50_079, 50_132, 50_133, 50_173, 54_005, 65_001, 70_008, 70_043,
            700_081, 700_082, 700_084,
        ],
    ),
];

/// Where words may be.
pub(super) const TEXTS_AT: [&str; 8] = [
    "/error",
    "/error_description",
    "/message",
    "/msg",
    "/reason",
    "/detail",
    "/error/message",
    "/error/reason",
];

/// Where a word may be that no sentence is.
pub(super) const CODES_AT: [&str; 9] = [
    "/code",
    "/status",
    "/error_code",
    "/errorCode",
    "/error_subtype",
    "/suberror",
    "/error/code",
    "/error/type",
    "/error/status",
];

/// Lists of errors: below `errors`, or the whole answer.
const LISTS_AT: [&str; 2] = ["/errors", ""];

/// Members of an error in a list; it may be a text itself.
const MEMBERS: [&str; 8] =
    ["", "/error", "/code", "/errorCode", "/errorType", "/message", "/detail", "/reason"];

/// The places in lists, as a descriptor declares them.
pub(super) const LISTED_AT: [&str; 12] = [
    "/errors/*",
    "/errors/*/error",
    "/errors/*/code",
    "/errors/*/errorCode",
    "/errors/*/errorType",
    "/errors/*/message",
    "/errors/*/detail",
    "/errors/*/reason",
    "/errors/*/field",
    "/*/error",
    "/*/errorCode",
    "/*/message",
];

/// Where Microsoft's numbers are.
pub(super) const NUMBERS_AT: &str = "/error_codes/*";

/// So many errors of a list are looked at.
const MOST: usize = 4;

/// What the answer says, if it is in words that are known; the most patient of several.
pub(super) fn said(answer: &dyn Answer) -> Option<Said> {
    let numbers = (0..MOST).filter_map(|at| answer.number(&format!("/error_codes/{at}")));
    let by_number = numbers.filter_map(of_number);
    // Outside 2xx and 4xx only a code of its own is more than a gateway's guess.
    let is_fault = answer.status() >= 500;
    let texts = texts(answer).into_iter().filter(|text| !is_fault || !text.contains(' '));
    let by_text = texts.filter_map(|text| of_text(&text));
    let all: Vec<Said> = by_number.chain(by_text).chain(field(answer)).collect();
    [Said::Slow, Said::Down, Said::Client, Said::Dead].into_iter().find(|it| all.contains(it))
}

fn texts(answer: &dyn Answer) -> Vec<String> {
    let alone = TEXTS_AT.iter().chain(&CODES_AT).map(|it| (*it).to_owned());
    let listed = LISTS_AT.iter().flat_map(|list| {
        (0..MOST).flat_map(move |at| MEMBERS.map(|member| format!("{list}/{at}{member}")))
    });
    alone.chain(listed).filter_map(|place| answer.text(&place)).collect()
}

/// Strava's way: which field is wrong, and how.
fn field(answer: &dyn Answer) -> Option<Said> {
    let text = |at: usize, member: &str| answer.text(&format!("/errors/{at}/{member}"));
    let names = |at: &usize| {
        let (field, code) = (text(*at, "field"), text(*at, "code"));
        field.as_deref() == Some("refresh_token") && code.as_deref() == Some("invalid")
    };
    (0..MOST).any(|at| names(&at)).then_some(Said::Dead)
}

fn of_number(number: u64) -> Option<Said> {
    NUMBERS.iter().find(|(_, numbers)| numbers.contains(&number)).map(|(said, _)| *said)
}

fn of_text(text: &str) -> Option<Said> {
    let clause = text.split([':', ',', ';', '.', '!']).next().unwrap_or_default();
    [text, clause].into_iter().find_map(|text| {
        let is_it = |words: &&str| folded(words) == folded(text);
        let known = WORDS.iter().find(|(_, all)| all.iter().any(is_it));
        known.map(|(said, _)| *said).or_else(|| is_dead_token(text).then_some(Said::Dead))
    })
}

/// Letters and digits alone, in lower case.
fn folded(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// Whether the text says of a refresh token that it is no good, and says nothing else.
fn is_dead_token(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|it: char| !it.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|it| !it.is_empty() && !FILLING.contains(it)).collect();
    let Some(at) = words.windows(2).position(|it| it == ["refresh", "token"]) else { return false };
    let (before, after) =
        (words.get(..at).unwrap_or_default(), words.get(at + 2..).unwrap_or_default());
    !(before.is_empty() && after.is_empty()) && are_states(before) && are_states(after)
}

fn are_states(mut words: &[&str]) -> bool {
    while !words.is_empty() {
        let state = STATES.iter().find_map(|it| words.strip_prefix(*it));
        let Some(rest) = state else { return false };
        words = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Canned;

    fn check(status: u16, body: &str) -> Option<Said> {
        said(&Canned::new(status, body))
    }

    #[test]
    fn a_dead_refresh_token_has_many_words_in_many_places() {
        for body in [
            r#"{"ok":false,"error":"invalid_refresh_token"}"#,
            r#"{"ok":false,"error":"token_revoked"}"#,
            r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}"#,
            r#"{"message":"Invalid refresh token"}"#,
            r#"{"status":400,"error":"Bad Request","message":"Invalid refresh token"}"#,
            r#"{"message":"The refresh token you provided has expired."}"#,
            r#"{"message":"invalid_grant"}"#,
            r#"{"message":"Invalid grant: refresh token is invalid"}"#,
            r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: [sealed]"}]}"#,
            r#"{"errors":[{"message":"x"},{"code":"INVALID_GRANT"}]}"#,
            r#"{"errors":["Refresh token has been revoked"]}"#,
            r#"{"errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}"#,
            r#"[{"error":"invalid_grant"}]"#,
            r#"{"error":{"code":400,"message":"TOKEN_EXPIRED","status":"INVALID_ARGUMENT"}}"#,
            r#"{"code":400,"error_code":"refresh_token_not_found","msg":"Invalid Refresh Token: Not Found"}"#,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
            r#"{"error":"invalid_request","error_description":"Value passed for the token was invalid."}"#,
            r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#,
            r#"{"error":"x","error_subtype":"invalid_rapt"}"#,
            r#"{"error":"invalid_code"}"#,
            r#"{"error":"interaction_required","error_codes":[700082]}"#,
            r#"{"error":"invalid_grant: Token has been expired or revoked."}"#,
            r#"{"error_description":"Unknown or invalid refresh token."}"#,
            r#"{"error_description":"The refresh token is no longer valid"}"#,
        ] {
            assert_eq!(check(400, body), Some(Said::Dead), "{body}");
        }
    }

    #[test]
    fn words_that_only_have_such_words_in_them_say_nothing() {
        for body in [
            r#"{"message":"If the refresh token expired, log in again"}"#,
            r#"{"message":"See https://docs.example/invalid_grant for help"}"#,
            r#"{"message":"This is not an invalid_grant error"}"#,
            r#"{"error":"invalid_grant_type"}"#,
            r#"{"error":"unsupported_grant_type","error_description":"invalid_grant is not a grant type"}"#,
            r#"{"message":"The refresh token expires in 30 days"}"#,
            r#"{"message":"The refresh token is not expired"}"#,
            r#"{"message":"refresh token"}"#,
            r#"{"message":"missing refresh token"}"#,
            r#"{"message":"Invalid refresh token count"}"#,
            r#"{"message":"Invalid token"}"#,
            r#"{"message":"Access Denied"}"#,
            r#"{"data":{"note":"invalid_grant"}}"#,
            r#"{"status":"error"}"#,
            r#"{"error_codes":[9002313]}"#,
            "invalid_grant",
            "<p>invalid_grant</p>",
        ] {
            assert_eq!(check(400, body), None, "{body}");
        }
    }

    #[test]
    fn a_fault_is_believed_in_a_code_alone() {
        assert_eq!(check(500, r#"{"error":"invalid_grant"}"#), Some(Said::Dead));
        assert_eq!(check(500, r#"{"message":"Invalid refresh token"}"#), None);
    }

    #[test]
    fn whoever_counts_requests_or_has_trouble_is_waited_for_before_anything_else() {
        for (body, expected) in [
            (r#"{"error":"invalid_grant","error_codes":[50196]}"#, Said::Slow),
            (r#"{"error":"invalid_grant","error_codes":[90033]}"#, Said::Down),
            (
                r#"{"error":"Access Denied","error_description":"You have made too many requests continuously. Please try again after some time."}"#,
                Said::Slow,
            ),
            (r#"{"ok":false,"error":"ratelimited"}"#, Said::Slow),
            (r#"{"ok":false,"error":"fatal_error"}"#, Said::Down),
            (r#"{"ok":false,"error":"bad_client_secret"}"#, Said::Client),
            (r#"{"errors":[{"errorType":"invalid_client"}]}"#, Said::Client),
        ] {
            assert_eq!(check(200, body), Some(expected), "{body}");
        }
    }
}
