//! Facts about the user, and the end of the session. PropelAuth has organisations under three names,
//! one for each endpoint and mode; here they are always `organizations`, by id. It has no revocation
//! for OAuth clients, only a logout for a backend with an API key.

use sdk::{
    Answer, Context, Encoding, Failure, Flow, Profile, Refusal, Refusals, Request, Revocation,
    bearer, compose, facts, refresh_token, secret, send, text,
};

use crate::Plugin;

/// Facts about a user.
pub(crate) const FACTS: [&str; 11] = [
    "user_id",
    "email",
    "username",
    "first_name",
    "last_name",
    "picture_url",
    "created_at",
    "last_active_at",
    "legacy_user_id",
    "active_org_id",
    "impersonator_user_id",
];

/// What is only yes or no, and can be read without being declared; and what the tenant keeps.
const MORE: [&str; 8] = [
    "email_confirmed",
    "has_password",
    "update_password_required",
    "enabled",
    "locked",
    "mfa_enabled",
    "can_create_orgs",
    "properties",
];

/// Objects of facts: what the tenant keeps of a user, and organisations by their ids.
pub(crate) const FACTS_BELOW: [&str; 5] = [
    "/properties/**",
    "/org_id_to_org_info/**",
    "/org_id_to_org_member_info/**",
    "/org_info/**",
    "/org_member_info/**",
];

const NOT_TOLD: Refusals = Refusals::of("PropelAuth", "userinfo")
    .rows(&[Refusal::token_rejected("PropelAuth refused the access token").at(&[401])]);

const NOT_ENDED: Refusals = Refusals::of("PropelAuth", "a logout").rows(&[
    Refusal::invalid_credentials(
        "PropelAuth refused the backend API key; check `api_key`, which belongs to one tenant and \
         one environment",
    )
    .at(&[401, 403]),
    Refusal::misconfigured("PropelAuth has no backend API at this address; check `auth_url`")
        .at(&[404, 405]),
]);

impl Profile for Plugin {
    fn profile(_: &Context) -> Flow<String> {
        let request =
            Request::get("{auth_url}/propelauth/oauth/userinfo").header("Authorization", bearer());
        send(request, |answer| match answer.status() {
            200 if answer.is_object("") => Ok(account(answer)),
            _ => Err(NOT_TOLD.failure(answer)),
        })
    }
}

impl Revocation for Plugin {
    /// Logs the session out. Without an API key there is no way to, and saying that it is done would
    /// leave a session alive that the operator believes dead.
    fn revoke(context: &Context) -> Flow<()> {
        if !context.has_secret("api_key") {
            return Err(Failure::misconfigured(
                "ending a PropelAuth session requires a backend API key: set the secret \
                 `api_key`, or have the user log out",
            ));
        }
        if !context.has_refresh_token() {
            return Err(Failure::misconfigured(
                "there is no refresh token to log out with; the access token expires within 30 \
                 minutes",
            ));
        }
        let key = compose([text("Bearer "), secret("api_key")], Encoding::Plain);
        let request = Request::post("{auth_url}/api/backend/v1/logout")
            .header("Authorization", key)
            .json([("refresh_token", refresh_token())]);
        send(request, |answer| match answer.status() {
            200..300 => Ok(()),
            _ => Err(NOT_ENDED.failure(answer)),
        })
    }
}

fn account(answer: &dyn Answer) -> String {
    let plain = facts(answer, "", &[FACTS.as_slice(), &MORE].concat());
    // Without its own braces; that of a last member stays.
    let plain = plain.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or_default();
    let name = name(answer).map(|json| format!(r#""name":{json}"#));
    let organizations = format!(r#""organizations":{}"#, organizations(answer));
    let own = (!plain.is_empty()).then(|| plain.to_owned());
    let all: Vec<_> = own.into_iter().chain(name).chain([organizations]).collect();
    format!("{{{}}}", all.join(","))
}

/// First and last name as one JSON string. Both are JSON strings already, so nothing is escaped
/// twice.
fn name(answer: &dyn Answer) -> Option<String> {
    let inner = |pointer| {
        let json = answer.json(pointer)?;
        let inner = json.strip_prefix('"')?.strip_suffix('"')?;
        (!inner.is_empty() && inner != "[sealed]").then(|| inner.to_owned())
    };
    let names = [inner("/first_name"), inner("/last_name")];
    let all = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!all.is_empty()).then(|| format!("\"{all}\""))
}

/// An object of organisations by id: many under either name, or the active one alone.
fn organizations(answer: &dyn Answer) -> String {
    let object = |pointer: &str| answer.json(pointer).filter(|_| answer.is_object(pointer));
    let many = object("/org_id_to_org_info").or_else(|| object("/org_id_to_org_member_info"));
    let active = |name: &str| {
        let id = answer.json(&format!("/{name}/org_id")).filter(|json| json.starts_with('"'))?;
        Some(format!("{{{id}:{}}}", object(&format!("/{name}"))?))
    };
    let one = || active("org_info").or_else(|| active("org_member_info"));
    many.or_else(one).unwrap_or_else(|| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context_with_tokens, profile, revoke};

    fn read(body: &str) -> String {
        profile::<Plugin>(&connected(), &[Canned::new(200, body)]).result.unwrap()
    }

    fn connected() -> Context {
        context_with_tokens::<Plugin>(&[("auth_url", "https://a"), ("client_id", "c")])
    }

    fn revoke_ends(status: u16) -> &'static str {
        revoke::<Plugin>(&connected(), &[Canned::new(status, "{}")]).case()
    }

    #[test]
    fn a_profile_has_every_fact_of_the_user() {
        let facts = read(include_str!("../fixtures/userinfo.json"));
        for fact in [
            r#""user_id":"31c41c16-0000""#,
            r#""email_confirmed":true"#,
            r#""first_name":"Buddy""#,
            r#""name":"Buddy \"B\" Framm""#,
            r#""picture_url":"https://example.com/p.jpg""#,
            r#""properties":{"favoriteSport":"basketball"}"#,
            r#""has_password":true"#,
            r#""enabled":true"#,
            r#""locked":false"#,
            r#""mfa_enabled":false"#,
            r#""legacy_user_id":"1234""#,
            r#""last_active_at":1627600000"#,
            r#""organizations":{"1189c444-0000":{"#,
            r#""user_role":"Owner""#,
        ] {
            assert!(facts.contains(fact), "{fact} in {facts}");
        }
        assert!(!facts.contains("org_id_to_org_info"), "{facts}");
    }

    #[test]
    fn organisations_have_one_name_whatever_the_shape() {
        let info = r#"{"org_id":"o1","org_name":"A"}"#;
        let expected = format!(r#"{{"organizations":{{"o1":{info}}}}}"#);
        for body in [
            format!(r#"{{"org_id_to_org_info":{{"o1":{info}}}}}"#),
            format!(r#"{{"org_id_to_org_member_info":{{"o1":{info}}}}}"#),
            format!(r#"{{"org_member_info":{info}}}"#),
            format!(r#"{{"org_info":{info}}}"#),
        ] {
            assert_eq!(read(&body), expected, "{body}");
        }
        assert_eq!(read(r#"{"org_id_to_org_info":null}"#), r#"{"organizations":{}}"#);
    }

    #[test]
    fn an_object_as_last_fact_keeps_its_brace() {
        let facts = read(r#"{"properties":{"a":{}}}"#);
        assert_eq!(facts, r#"{"properties":{"a":{}},"organizations":{}}"#);
    }

    #[test]
    fn a_profile_tells_a_rejected_token_from_an_outage() {
        let ends = |status| profile::<Plugin>(&connected(), &[Canned::new(status, "no")]).case();
        assert_eq!(
            (ends(401), ends(503), ends(200)),
            ("token-rejected", "unavailable", "unexpected")
        );
    }

    #[test]
    fn a_session_ends_with_the_backends_key() {
        let played = revoke::<Plugin>(&connected(), &[Canned::new(200, "{}")]);
        let key = compose([text("Bearer "), secret("api_key")], Encoding::Plain);
        let sent = Request::post("{auth_url}/api/backend/v1/logout")
            .header("Authorization", key)
            .json([("refresh_token", refresh_token())]);
        assert_eq!(played.requests, [sent]);
        assert!(played.result.is_ok());
    }

    #[test]
    fn a_session_that_cannot_be_ended_is_not_said_to_be() {
        let mut context = connected();
        context.secrets.retain(|name| name != "api_key");
        let played = revoke::<Plugin>(&context, &[]);
        let (case, text) = (played.case(), played.text());
        assert_eq!((case, played.requests.len()), ("misconfigured", 0));
        assert!(text.contains("set the secret `api_key`"), "{text}");
        let mut bare = connected();
        bare.current.as_mut().unwrap().has_refresh_token = false;
        assert_eq!(revoke::<Plugin>(&bare, &[]).case(), "misconfigured");
    }

    #[test]
    fn a_refused_logout_says_whose_fault_it_is() {
        assert_eq!((revoke_ends(401), revoke_ends(404)), ("invalid-credentials", "misconfigured"));
        assert_eq!((revoke_ends(500), revoke_ends(400)), ("unavailable", "unexpected"));
    }
}
