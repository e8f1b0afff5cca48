//! What is taken for a token by mistake: words for nothing, masks, and tokens that are still wrapped in something.
//! Whoever stores one of them serves it, and finds out from the provider.

/// Why `text` is no token, as the end of a sentence; `None` if nothing speaks against it.
pub fn mistaken(text: &str) -> Option<&'static str> {
    let lower = text.trim().to_ascii_lowercase();
    if NOTHING.contains(&lower.as_str()) {
        return Some("is a word that programs write for nothing; leave it empty");
    }
    if lower.len() >= 3 && lower.chars().all(|it| "*x•.".contains(it)) || lower.contains("redacted")
    {
        return Some("is masked; export it in clear");
    }
    if lower.starts_with("bearer ") {
        return Some("begins with Bearer; leave that word out");
    }
    if is_serialised(text) {
        return Some("is serialised by PHP; write the string alone");
    }
    if text.starts_with(['{', '[']) {
        return Some("is JSON; write the token alone");
    }
    if looks_sealed_by_laravel(text) {
        return Some("is encrypted by Laravel; import it with --laravel-key, or decrypt it first");
    }
    lower
        .starts_with("vault:v")
        .then_some("is encrypted by Vault's transit engine; decrypt it first")
}

/// How programs write that there is nothing.
const NOTHING: &[&str] = &[
    "null",
    "\\n",
    "(null)",
    "<null>",
    "[null]",
    "none",
    "nil",
    "undefined",
    "nan",
    "n/a",
    "#n/a",
    "true",
    "false",
];

/// Whether a text begins as whatever Laravel has encrypted: with `{"iv":` in base64. A JWE has dots.
pub fn looks_sealed_by_laravel(text: &str) -> bool {
    text.starts_with("eyJpdiI6") && !text.contains('.')
}

/// `s:5:"`, `a:1:{`, `O:8:"`.
fn is_serialised(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let (kind, length, rest) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    let counts =
        length.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    counts && matches!(kind, Some("s" | "a" | "O" | "C")) && rest.starts_with(['"', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_nothing_a_mask_and_a_wrapped_token_are_no_tokens() {
        for (text, why) in [
            ("NULL", "a word"),
            ("\\N", "a word"),
            ("None", "a word"),
            ("undefined", "a word"),
            ("********", "masked"),
            ("xxxx", "masked"),
            ("[REDACTED]", "masked"),
            ("Bearer abc", "begins with Bearer"),
            ("s:3:\"abc\";", "PHP"),
            ("a:1:{i:0;s:1:\"a\";}", "PHP"),
            ("{\"access_token\":\"abc\"}", "JSON"),
            ("[\"abc\"]", "JSON"),
            ("eyJpdiI6ImFiYyIsInZhbHVl", "Laravel"),
            ("vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQ", "Vault"),
        ] {
            assert!(
                mistaken(text).is_some_and(|it| it.contains(why)),
                "{text}: {:?}",
                mistaken(text)
            );
        }
    }

    #[test]
    fn a_token_is_none_of_that_whatever_it_looks_like() {
        for text in [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            // A JWE whose header begins with the initialisation vector of its key.
            "eyJpdiI6ImFiYyIsInRhZyI6IngifQ.a.b.c.d",
            "ya29.a0AfH6SMBx",
            "nullable-token",
            "x",
            "s:abc",
            "1|laravel_sanctum",
            "gho_16C7e42F292c6912E7",
        ] {
            assert_eq!(mistaken(text), None, "{text}");
        }
    }
}
