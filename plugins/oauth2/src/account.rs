//! Facts about a token or the person behind it: introspection (RFC 7662) where a client may ask, else
//! `OpenID` Connect's userinfo. A provider that has neither has no facts, and that is no failure.

use sdk::{
    Context, Flow, Profile, Refusal, Refusals, Request, Step, access_token, bearer, facts, send,
    text,
};

use crate::Plugin;
use crate::client::{self, Proof};
use crate::endpoint::{Endpoint, Known, locate};
use crate::grant::Grant;

pub(crate) const TOKEN_FACTS: [&str; 12] = [
    "active",
    "scope",
    "client_id",
    "username",
    "token_type",
    "sub",
    "aud",
    "iss",
    "exp",
    "iat",
    "nbf",
    "jti",
];

pub(crate) const PERSON_FACTS: [&str; 13] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "email",
    "email_verified",
    "picture",
    "profile",
    "locale",
    "zoneinfo",
    "updated_at",
];

const NO_TOKEN_FACTS: Refusals =
    Refusals::of("the provider", "introspection").rows(&[Refusal::misconfigured(
        "the provider does not allow this client to introspect tokens; allow it there, or set \
         `userinfo_url`",
    )
    .at(&[401, 403])]);

const NO_PERSON_FACTS: Refusals = Refusals::of("the provider", "userinfo").rows(&[
    REJECTED.on(&["invalid_token"]).at(&[401]),
    Refusal::misconfigured(
        "the token may not read userinfo; add `openid` to `scopes` and connect again",
    )
    .at(&[403]),
]);

const REJECTED: Refusal =
    Refusal::token_rejected("the provider no longer accepts the access token");

impl Profile for Plugin {
    fn profile(context: &Context) -> Flow<String> {
        let given = |it: Endpoint| context.settings.optional(it.setting()).is_some();
        // A setting for one of them is enough: nothing needs to be discovered then.
        let wanted =
            if given(Endpoint::Userinfo) { Endpoint::Userinfo } else { Endpoint::Introspect };
        let context = context.clone();
        locate(&context.clone(), wanted, move |known| ask(&context, &known))
    }
}

fn ask(context: &Context, known: &Known) -> Flow<String> {
    let find = |it: Endpoint| known.find(&context.settings, it);
    let given = |it: Endpoint| context.settings.optional(it.setting()).is_some();
    // Nobody answers a client that cannot prove who it is, unless the operator knows better.
    let may_introspect = given(Endpoint::Introspect) || Proof::of(context)? != Proof::None;
    // Behind a client's own token is no person; asking would get the token refused for nothing.
    let person = Grant::of(context)? == Grant::AuthorizationCode;
    let may_userinfo = given(Endpoint::Userinfo) || person;
    let introspect_url = if may_introspect { find(Endpoint::Introspect) } else { Ok(None) };
    if let Ok(Some(url)) = &introspect_url {
        return introspect(context, url);
    }
    let userinfo_url = if may_userinfo { find(Endpoint::Userinfo)? } else { None };
    match userinfo_url {
        Some(url) => userinfo(url),
        None => introspect_url.map(|_| Step::Done("{}".to_owned())),
    }
}

fn introspect(context: &Context, url: &str) -> Flow<String> {
    let fields = [("token", access_token()), ("token_type_hint", text("access_token"))];
    let request = client::request(context, url, &fields, &context.unique)?;
    send(request, |answer| match (answer.status(), answer.json("/active").as_deref()) {
        (200, Some("true")) => Ok(facts(answer, "", &TOKEN_FACTS)),
        (200, Some("false")) => Err(REJECTED.failure(answer)),
        _ => Err(NO_TOKEN_FACTS.failure(answer)),
    })
}

fn userinfo(url: String) -> Flow<String> {
    let request = Request::get(url)
        .header("Accept", text("application/json"))
        .header("Authorization", bearer());
    send(request, |answer| match answer.status() {
        200 if answer.is_object("") => Ok(facts(answer, "", &PERSON_FACTS)),
        _ => Err(NO_PERSON_FACTS.failure(answer)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, Played, context_with_tokens, profile};

    const DOCUMENT: &str = include_str!("../fixtures/openid-configuration.json");
    const ISSUER: (&str, &str) = ("issuer", "https://id.example");
    const INTROSPECT: (&str, &str) = ("introspect_url", "https://id.example/introspect");
    const USERINFO: (&str, &str) = ("userinfo_url", "https://id.example/userinfo");

    fn played(settings: &[(&str, &str)], secrets: &[&str], answers: &[Canned]) -> Played<String> {
        let settings = [&[("client_id", "c")], settings].concat();
        let secrets = secrets.iter().map(|it| (*it).to_owned()).collect();
        let context = Context { secrets, ..context_with_tokens::<Plugin>(&settings) };
        profile::<Plugin>(&context, answers)
    }

    fn introspected(status: u16, body: &str) -> Played<String> {
        played(&[INTROSPECT], &["client_secret"], &[Canned::new(status, body)])
    }

    fn asked(status: u16, body: &str) -> Played<String> {
        played(&[USERINFO], &[], &[Canned::new(status, body)])
    }

    #[test]
    fn introspection_says_what_the_token_is() {
        let body = r#"{"active":true,"scope":"a b","client_id":"c","username":"u","sub":"1","exp":9,
            "aud":["x"],"extra":1}"#;
        let expected = r#"{"active":true,"scope":"a b","client_id":"c","username":"u","sub":"1","aud":["x"],"exp":9}"#;
        assert_eq!(introspected(200, body).result.unwrap(), expected);
    }

    #[test]
    fn a_dead_token_is_refreshed_and_a_refused_client_is_not_a_dead_token() {
        assert_eq!(introspected(200, r#"{"active":false}"#).case(), "token-rejected");
        assert_eq!(introspected(401, "{}").case(), "misconfigured");
        assert_eq!(introspected(503, "").case(), "unavailable");
        assert_eq!(introspected(200, "{}").case(), "unexpected");
        assert_eq!(asked(401, "").case(), "token-rejected");
        assert_eq!(asked(403, "").case(), "misconfigured");
        assert_eq!(asked(200, "eyJhbGciOi").case(), "unexpected");
    }

    #[test]
    fn userinfo_says_who_agreed() {
        let body = r#"{"sub":"1","email":"a@b.example","email_verified":true,"groups":["x"]}"#;
        let facts = r#"{"sub":"1","email":"a@b.example","email_verified":true}"#;
        assert_eq!(asked(200, body).result.unwrap(), facts);
    }

    #[test]
    fn discovery_decides_who_is_asked() {
        let second = |more: &[(&str, &str)], secrets: &[&str]| {
            let settings = [&[ISSUER], more].concat();
            let played = played(&settings, secrets, &[Canned::new(200, DOCUMENT)]);
            played.requests.get(1).map(|it| it.url.clone())
        };
        let (introspect, userinfo) = (INTROSPECT.1.to_owned(), USERINFO.1.to_owned());
        assert_eq!(second(&[], &["client_secret"]), Some(introspect));
        assert_eq!(second(&[], &[]), Some(userinfo));
        assert_eq!(second(&[("grant", "client_credentials")], &[]), None);
    }

    #[test]
    fn a_provider_without_facts_is_not_asked() {
        let played = played(&[("token_url", "https://id.example/token")], &["client_secret"], &[]);
        assert_eq!(played.requests, []);
        assert_eq!(played.result.unwrap(), "{}");
    }

    #[test]
    fn facts_elsewhere_want_the_operators_word() {
        let far = DOCUMENT.replace("https://id.example/intro", "https://evil.example/intro");
        let near = far.replace("https://id.example/userinfo", "");
        let ends = |document: &str| {
            let answers = [Canned::new(200, document), Canned::new(200, r#"{"sub":"1"}"#)];
            let settings = [ISSUER, ("grant", "authorization_code")];
            let played = played(&settings, &["client_secret"], &answers);
            played.case()
        };
        assert_eq!((ends(&far), ends(&near)), ("ok", "misconfigured"));
    }
}
