//! Consent on another device, RFC 8628. A poll remembers nothing, so with `issuer` alone each one
//! fetches the discovery document again; `token_url` avoids that.

use sdk::oauth::{device_grant, join, progress};
use sdk::{Context, Device, DeviceGrant, Flow, Progress, kept, send, text};

use crate::Plugin;
use crate::client;
use crate::endpoint::{Endpoint, locate};
use crate::grant::Grant;
use crate::sheet::PROVIDER;
use crate::token::{complete, resources};

impl Device for Plugin {
    fn start(context: &Context, scopes: &[String]) -> Flow<DeviceGrant> {
        Grant::allow_person(context)?;
        let mut fields = Vec::new();
        let scope = join(context.settings.optional("scopes"), scopes);
        if !scope.is_empty() {
            fields.push(("scope", text(scope)));
        }
        fields.extend(context.settings.optional("audience").map(|it| ("audience", text(it))));
        fields.extend(resources(context));
        let context = context.clone();
        locate(&context.clone(), Endpoint::Device, move |known| {
            let url = known.require(&context.settings, Endpoint::Device)?;
            let mut request = client::request(&context, &url, &fields, &context.unique)?;
            // RFC 8628 3.1 wants the id in the body, also beside a header that has it.
            if let sdk::Body::Form(form) = &mut request.body
                && !form.iter().any(|(name, _)| name == "client_id")
            {
                let id = text(context.settings.required("client_id")?);
                form.push(("client_id".to_owned(), id));
            }
            send(request, |answer| device_grant(answer, PROVIDER))
        })
    }

    fn poll(context: &Context) -> Flow<Progress> {
        let grant_type = text("urn:ietf:params:oauth:grant-type:device_code");
        let mut fields = vec![("grant_type", grant_type), ("device_code", kept("device_code"))];
        fields.extend(resources(context));
        let context = context.clone();
        locate(&context.clone(), Endpoint::Token, move |known| {
            let url = known.require(&context.settings, Endpoint::Token)?;
            let request = client::request(&context, &url, &fields, &context.unique)?;
            send(request, move |answer| {
                Ok(match progress(answer, PROVIDER, context.now)? {
                    Progress::Granted(tokens) => {
                        let grant = Grant::AuthorizationCode;
                        Progress::Granted(Box::new(complete(*tokens, &context, grant, &known)))
                    }
                    waiting => waiting,
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Body;
    use sdk::testing::{Canned, Played, context, poll, start};

    const SETTINGS: [(&str, &str); 4] = [
        ("client_id", "c"),
        ("token_url", "https://id.example/token"),
        ("device_url", "https://id.example/device"),
        ("scopes", "a"),
    ];

    fn fresh() -> Context {
        context::<Plugin>(&SETTINGS)
    }

    fn polled(status: u16, body: &str) -> Played<Progress> {
        poll::<Plugin>(&fresh(), &[Canned::new(status, body)])
    }

    #[test]
    fn a_code_is_asked_for_with_the_id_in_the_body() {
        let body = r#"{"device_code":"d","user_code":"AB-CD","verification_uri":"https://id.example/d",
            "expires_in":600,"interval":7}"#;
        let played = start::<Plugin>(&fresh(), &["b".to_owned()], &[Canned::new(200, body)]);
        let fields = vec![("scope".to_owned(), text("a b")), ("client_id".to_owned(), text("c"))];
        assert_eq!(played.requests[0].body, Body::Form(fields));
        let grant = played.result.unwrap();
        assert_eq!((grant.user_code.as_str(), grant.expires_in, grant.interval), ("AB-CD", 600, 7));
    }

    #[test]
    fn a_poll_waits_slows_down_and_ends() {
        let code = |code| polled(400, &format!(r#"{{"error":"{code}"}}"#));
        assert_eq!(code("authorization_pending").result.unwrap(), Progress::Pending);
        assert_eq!(code("slow_down").result.unwrap(), Progress::SlowDown);
        assert_eq!(code("access_denied").case(), "grant-expired");
        assert_eq!(code("expired_token").case(), "grant-expired");
        assert_eq!(polled(503, "").case(), "unavailable");
    }

    #[test]
    fn agreement_is_remembered_as_a_persons() {
        let granted = polled(200, include_str!("../fixtures/tokens.json")).result.unwrap();
        let Progress::Granted(tokens) = granted else { panic!() };
        assert_eq!(tokens.metadata, [Grant::AuthorizationCode.metadata()]);
        assert_eq!(tokens.scopes, ["openid", "profile"]);
    }

    #[test]
    fn a_provider_without_device_codes_says_so() {
        let document =
            r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/token"}"#;
        let context = context::<Plugin>(&[("client_id", "c"), ("issuer", "https://id.example")]);
        let played = start::<Plugin>(&context, &[], &[Canned::new(200, document)]);
        let (case, text) = (played.case(), played.text());
        assert_eq!(case, "misconfigured");
        assert!(text.contains("`device_authorization_endpoint`; set `device_url`"), "{text}");
    }
}
