//! Where a person's browser is sent. State, nonce and the code challenge are the host's, so settings
//! that would write them are refused.

use sdk::oauth::{join, with_query};
use sdk::{Authorization, AuthorizationRequest, Context, Failure, Flow, Settings, Step, Tokens};

use crate::endpoint::{Endpoint, locate};
use crate::grant::Grant;
use crate::{Plugin, token};

/// Parameters that belong to the host or have a setting of their own.
const RESERVED: [&str; 12] = [
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "client_id",
    "response_type",
    "response_mode",
    "scope",
    "prompt",
    "audience",
    "resource",
];

impl Authorization for Plugin {
    fn authorization_url(context: &Context, request: &AuthorizationRequest) -> Flow<String> {
        Grant::allow_person(context)?;
        let settings = context.settings.clone();
        // Both are for the host, and a typing error in them is seen here.
        token::knows_pkce(&settings)?;
        settings.choice("nonce", &[("required", true), ("none", false)])?;
        let parameters = parameters(&settings, request)?;
        locate(context, Endpoint::Authorize, move |known| {
            let base = settings.fill(&known.require(&settings, Endpoint::Authorize)?)?;
            let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            Ok(Step::Done(with_query(&base, pairs)))
        })
    }

    fn exchange(context: &Context, redirect_uri: &str) -> Flow<Tokens> {
        token::exchange(context, redirect_uri)
    }
}

fn parameters(
    settings: &Settings,
    request: &AuthorizationRequest,
) -> Result<Vec<(String, String)>, Failure> {
    let scope = join(settings.optional("scopes"), &request.scopes);
    let mut all = vec![
        ("response_type", "code".to_owned()),
        ("client_id", settings.required("client_id")?.to_owned()),
        ("redirect_uri", request.redirect_uri.clone()),
    ];
    let given = |name, value: String| (!value.is_empty()).then_some((name, value));
    let audience = settings.optional("audience").unwrap_or_default();
    let prompt = prompt(settings, request.consent && can_help(settings, &scope));
    all.extend(given("scope", scope));
    all.extend(given("response_mode", response_mode(settings)?.to_owned()));
    all.extend(given("prompt", prompt));
    all.extend(given("audience", audience.to_owned()));
    all.extend(settings.words("resource").into_iter().map(|it| ("resource", it)));
    let own = all.into_iter().map(|(name, value)| (name.to_owned(), value));
    Ok(own.chain(further(settings)?).collect())
}

/// How the provider sends the person back; the query is every provider's default.
fn response_mode(settings: &Settings) -> Result<&'static str, Failure> {
    let chosen = settings.choice("response_mode", &[("query", ""), ("form_post", "form_post")])?;
    Ok(chosen.unwrap_or_default())
}

/// Whether asking anew can bring a refresh token. Where nobody asked for one, none is missing; and a
/// provider without `OpenID` Connect knows no `prompt`.
fn can_help(settings: &Settings, scope: &str) -> bool {
    scope.split(' ').any(|it| matches!(it, "openid" | "offline_access"))
        || settings.words("authorize_params").iter().any(|it| it == "access_type=offline")
}

/// `OpenID` Connect's `prompt` is a list, in which `none` stands alone.
fn prompt(settings: &Settings, consent: bool) -> String {
    let wanted = settings.words("prompt");
    if !consent {
        return wanted.join(" ");
    }
    let kept: Vec<_> = wanted.into_iter().filter(|it| it != "none").collect();
    join(Some(&kept.join(" ")), &["consent".to_owned()])
}

fn further(settings: &Settings) -> Result<Vec<(String, String)>, Failure> {
    let pair = |word: String| match word.split_once('=') {
        Some((name, _)) if RESERVED.contains(&name) => Err(Failure::misconfigured(format!(
            "the setting `authorize_params` must not set `{name}`, which is set elsewhere; remove it"
        ))),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::misconfigured(
            "the setting `authorize_params` must be `name=value` pairs, separated by spaces",
        )),
    };
    settings.words("authorize_params").into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::oauth::words;
    use sdk::testing::{Canned, Played, authorization_url, context};

    const DOCUMENT: &str = include_str!("../fixtures/openid-configuration.json");
    const PLAIN: [(&str, &str); 2] =
        [("client_id", "c 1"), ("authorize_url", "https://id.example/authorize")];

    fn played(settings: &[(&str, &str)], consent: bool, answers: &[Canned]) -> Played<String> {
        let context = context::<Plugin>(settings);
        let redirect_uri = "http://127.0.0.1:1/cb".to_owned();
        let request = AuthorizationRequest { redirect_uri, scopes: words("b c"), consent };
        authorization_url::<Plugin>(&context, &request, answers)
    }

    fn plain(more: &[(&str, &str)], consent: bool) -> Played<String> {
        played(&[PLAIN.as_slice(), more].concat(), consent, &[])
    }

    #[test]
    fn the_url_has_what_the_settings_say_and_nothing_of_the_hosts() {
        let start = "https://id.example/authorize?response_type=code&client_id=c%201\
                     &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb";
        assert_eq!(plain(&[], false).result.unwrap(), format!("{start}&scope=b%20c"));
        let more = [
            ("scopes", "a b"),
            ("audience", "api"),
            ("resource", "https://r"),
            ("prompt", "login"),
            ("authorize_params", "access_type=offline hd=b.example"),
        ];
        let rest = "&scope=a%20b%20c&prompt=login&audience=api&resource=https%3A%2F%2Fr\
                    &access_type=offline&hd=b.example";
        assert_eq!(plain(&more, false).result.unwrap(), format!("{start}{rest}"));
    }

    #[test]
    fn consent_is_asked_for_beside_what_else_is() {
        let prompt = |value| {
            let settings = [("prompt", value), ("scopes", "offline_access")];
            let url = plain(&settings, true).result.unwrap();
            url.split("&prompt=").nth(1).unwrap().to_owned()
        };
        assert_eq!(prompt(""), "consent");
        assert_eq!(prompt("select_account"), "select_account%20consent");
        assert_eq!((prompt("none").as_str(), prompt("consent").as_str()), ("consent", "consent"));
    }

    #[test]
    fn nobody_is_asked_anew_for_what_was_never_asked_for() {
        assert_eq!(plain(&[], true).result.unwrap(), plain(&[], false).result.unwrap());
        for more in [("scopes", "openid"), ("authorize_params", "access_type=offline")] {
            assert!(plain(&[more], true).result.unwrap().contains("&prompt=consent"), "{more:?}");
        }
    }

    #[test]
    fn a_typing_error_in_a_setting_of_the_host_is_seen() {
        for (name, value) in [("pkce", "no"), ("nonce", "off")] {
            let result = plain(&[(name, value)], false);
            assert_eq!(result.case(), "misconfigured", "{name}");
            assert!(result.text().contains(name), "{name}");
        }
    }

    #[test]
    fn the_answer_can_be_asked_for_as_a_form() {
        let url = |mode| plain(&[("response_mode", mode)], false).result.unwrap();
        assert!(url("form_post").contains("&response_mode=form_post"));
        assert!(!url("query").contains("response_mode"), "a provider may not know it");
        assert_eq!(plain(&[("response_mode", "fragment")], false).case(), "misconfigured");
    }

    #[test]
    fn parameters_of_the_host_cannot_be_set() {
        for name in ["state", "code_challenge", "nonce", "redirect_uri"] {
            let result = plain(&[("authorize_params", &format!("{name}=x"))], false);
            assert_eq!(result.case(), "misconfigured", "{name}");
            assert!(result.text().contains(name), "{name}");
        }
        assert_eq!(plain(&[("authorize_params", "x")], false).case(), "misconfigured");
    }

    #[test]
    fn a_discovered_page_is_opened_only_where_the_plugin_may_go() {
        let issuer = [("client_id", "c"), ("issuer", "https://id.example")];
        let found = played(&issuer, false, &[Canned::new(200, DOCUMENT)]).result.unwrap();
        assert!(found.starts_with("https://id.example/authorize?response_type=code"), "{found}");
        let far =
            DOCUMENT.replace("https://id.example/authorize", "https://login.example/authorize");
        let refused = played(&issuer, false, &[Canned::new(200, &far)]);
        assert!(refused.text().contains("authorize_url = \"https://login.example/authorize\""));
    }

    #[test]
    fn client_credentials_need_nobody() {
        assert_eq!(plain(&[("grant", "client_credentials")], false).case(), "misconfigured");
    }
}
