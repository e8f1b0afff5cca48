//! The page that a person is sent to. Nobody looks at it: whoever asks correctly is sent back at once.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::provider::{
    answer::Answer,
    authorization::{
        Authorization,
        codes::{Challenge, Code},
        rules::{Pkce, Rules},
        tokens::Grant,
    },
    call::{Call, form_encoded},
};

/// What was asked, and is fine.
pub(crate) struct Request {
    pub(crate) grant: Grant,
    redirect_uri: String,
    state: Option<String>,
    challenge: Option<Challenge>,
    form_post: bool,
}

impl Authorization {
    /// Reads the request. What is wrong with the client or the redirect is told to the person, because the redirect
    /// cannot be trusted; everything else is told to the client (RFC 6749, 4.1.2.1).
    pub(crate) fn ask(&self, call: &Call) -> Result<Request, Answer> {
        let client = call.parameter("client_id").unwrap_or_default();
        if call.repeats_a_parameter() {
            return Err(page(400, "invalid_request"));
        }
        if !self.credentials.admit(&[("client_id", client)]) {
            return Err(page(401, "invalid_client"));
        }
        let redirect_uri = call.parameter("redirect_uri").unwrap_or_default();
        if !self.rules.knows_redirect(redirect_uri) {
            return Err(page(400, "redirect_uri_mismatch"));
        }
        let form_post = call.parameter("response_mode") == Some("form_post");
        let back = |(error, description): Wrong<'_>| {
            let parameters = [("error", error), ("error_description", description)];
            self.send_back(redirect_uri, call.parameter("state"), &parameters, form_post)
        };
        let (grant, challenge) = self.read(call).map_err(back)?;
        if let Some((error, description)) = &self.behaviour.refusal {
            return Err(back((error.as_str(), description.as_str())));
        }
        Ok(Request {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            state: call.parameter("state").map(ToOwned::to_owned),
            challenge,
            form_post,
        })
    }

    /// The redirect with a code for what was asked.
    pub(crate) fn consent(&mut self, request: Request, now: Timestamp) -> Answer {
        let Request { grant, redirect_uri, state, challenge, form_post } = request;
        let grant = self.behaviour.limit(grant);
        let text = format!("{}{}", self.rules.code_prefix, self.mint.unique());
        let code = [("code", text.as_str())];
        let answer = self.send_back(&redirect_uri, state.as_deref(), &code, form_post);
        self.codes.insert(text, Code { grant, redirect_uri, challenge }, now);
        answer
    }

    fn read(&self, call: &Call) -> Result<(Grant, Option<Challenge>), Wrong<'static>> {
        let rules = &self.rules;
        match call.parameter("response_mode") {
            None | Some("query") if self.behaviour.form_post_only => {
                return Err(("invalid_request", "response_mode must be form_post"));
            }
            None | Some("query" | "form_post") => {}
            Some(_) => return Err(("unsupported_response_mode", "this mode is not known")),
        }
        match call.parameter("response_type") {
            Some("code") => {}
            Some(_) => return Err(("unsupported_response_type", "only code is known")),
            None => return Err(("invalid_request", "response_type is missing")),
        }
        if rules.state_required && call.parameter("state").is_none() {
            return Err(("invalid_request", "state is missing"));
        }
        if rules.scope_required && call.parameter("scope").is_none() {
            return Err(("invalid_request", "scope is missing"));
        }
        let challenge = read_challenge(rules, call)?;
        let scope = self
            .read_scope(call.parameter("scope"))
            .map_err(|_| ("invalid_scope", "a scope is unknown"))?;
        let target = |name: &str| call.parameter(name).map(ToOwned::to_owned);
        let audience = self
            .read_target(target, true)
            .map_err(|_| ("invalid_target", "the target is missing or unknown"))?;
        if self.denying {
            return Err(("access_denied", "the person said no"));
        }
        let nonce = call.parameter("nonce").map(ToOwned::to_owned);
        let offline = rules.refreshes(&scope);
        Ok((Grant { scope, audience, offline, nonce, ..self.whole_grant() }, challenge))
    }

    fn send_back(
        &self,
        uri: &str,
        state: Option<&str>,
        parameters: &[(&str, &str)],
        form_post: bool,
    ) -> Answer {
        let issuer = self.rules.names_issuer.then_some(self.rules.issuer.as_str());
        let optional = [("state", state), ("iss", issuer)];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let all = parameters.iter().copied().chain(optional);
        if form_post {
            return form(uri, all);
        }
        let pairs: Vec<_> =
            all.map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
        let mark = if uri.contains('?') { '&' } else { '?' };
        Answer::redirect(&format!("{uri}{mark}{}", pairs.join("&")))
    }
}

/// OAuth 2.0 Form Post Response Mode: a page whose form sends itself.
fn form<'a>(uri: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Answer {
    let fields = pairs.fold(String::new(), |mut all, (name, value)| {
        // Writing to a string does not fail.
        let _ = write!(all, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\"/>");
        all
    });
    let page = format!(
        "<html><body onload=\"document.forms[0].submit()\"><form method=\"post\" action=\"{uri}\">{fields}</form></body></html>"
    );
    Answer::new(200, "text/html; charset=utf-8", page)
}

/// An error code and a description.
type Wrong<'a> = (&'a str, &'a str);

fn read_challenge(rules: &Rules, call: &Call) -> Result<Option<Challenge>, Wrong<'static>> {
    let Some(text) = call.parameter("code_challenge") else {
        let needed = rules.pkce == Pkce::Required || rules.is_public();
        let missing = ("invalid_request", "code_challenge is missing");
        return if needed { Err(missing) } else { Ok(None) };
    };
    if rules.pkce == Pkce::Refused {
        return Err(("invalid_request", "code_challenge is not a parameter of this server"));
    }
    if !Challenge::is_well_formed(text) {
        return Err(("invalid_request", "code_challenge is malformed"));
    }
    match call.parameter("code_challenge_method").unwrap_or("plain") {
        "S256" => Ok(Some(Challenge::S256(text.to_owned()))),
        "plain" if rules.pkce == Pkce::OptionalOrPlain => {
            Ok(Some(Challenge::Plain(text.to_owned())))
        }
        _ => Err(("invalid_request", "code_challenge_method must be S256")),
    }
}

/// What a person sees when there is no way back.
fn page(status: u16, code: &str) -> Answer {
    let text = format!(
        "<!doctype html>\n<title>Error</title>\n<h1>Access blocked</h1>\n<p>Error {status}: {code}</p>\n"
    );
    Answer::new(status, "text/html; charset=utf-8", text)
}
