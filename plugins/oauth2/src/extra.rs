//! Form fields that a provider wants with a refresh beyond what RFC 6749 has: Azure AD B2C its `scope`.

use sdk::{Failure, Settings, Value, text};

/// Fields that the request has anyway, or that have a setting of their own.
const RESERVED: [&str; 8] = [
    "grant_type",
    "refresh_token",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code",
    "resource",
];

/// The fields of `refresh_params`. A word without `=` goes on with the value before it, as scopes do.
pub(crate) fn refresh_fields(settings: &Settings) -> Result<Vec<(String, Value)>, Failure> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in settings.words("refresh_params") {
        match (named(&word), pairs.last_mut()) {
            (Some((name, value)), _) => pairs.push((name.to_owned(), value.to_owned())),
            (None, Some((_, before))) => before.extend([" ", word.as_str()]),
            (None, None) => {
                return Err(Failure::misconfigured(
                    "the setting `refresh_params` must be `name=value` pairs, separated by spaces",
                ));
            }
        }
    }
    if let Some((name, _)) = pairs.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
        return Err(Failure::misconfigured(format!(
            "the setting `refresh_params` must not set `{name}`, which is set elsewhere; remove it"
        )));
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Name and value, where the word begins with a name: a scope may be an address with `=` in it.
fn named(word: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it))
    };
    word.split_once('=').filter(|(name, _)| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{context, ending};

    fn fields(value: &str) -> Result<Vec<(String, Value)>, Failure> {
        refresh_fields(&context::<crate::Plugin>(&[("refresh_params", value)]).settings)
    }

    #[test]
    fn pairs_are_fields_and_a_word_alone_goes_on_with_the_one_before() {
        let field = |name: &str, value: &str| (name.to_owned(), text(value));
        for (written, expected) in [
            ("", vec![]),
            ("scope=openid", vec![field("scope", "openid")]),
            (
                "scope=https://b.example/read?x=1 offline_access  tenant=t empty=",
                vec![
                    field("scope", "https://b.example/read?x=1 offline_access"),
                    field("tenant", "t"),
                    field("empty", ""),
                ],
            ),
            ("scope=a https://b.example/?x=1", vec![field("scope", "a https://b.example/?x=1")]),
        ] {
            assert_eq!(fields(written).unwrap(), expected, "{written}");
        }
    }

    #[test]
    fn what_the_request_has_anyway_is_refused() {
        for (written, told) in [
            ("grant_type=password", "must not set `grant_type`"),
            ("scope=a refresh_token=x", "must not set `refresh_token`"),
            ("openid", "`name=value` pairs"),
            ("=x", "`name=value` pairs"),
        ] {
            let result = fields(written);
            let (case, text) = ending(&result);
            assert_eq!(case, "misconfigured", "{written}");
            assert!(text.contains(told), "{text}");
        }
    }
}
