//! Trading a refresh token: where, and in which words, from what the login was like. A server that has
//! no such place, or refuses the token, is logged in to again; that is the host's decision to carry out,
//! and `grant-expired` asks for it.

use std::collections::VecDeque;

use sdk::{
    Answer, Context, Effect, Failure, Flow, Request, Source, Step, Tokens, refresh_token,
    send_then, text, trouble, unexpected,
};

use crate::address::{Address, Redirect};
use crate::complaint::{Complaint, complaint};
use crate::extract::{self, is_page};
use crate::format::{Client, Credentials, Format, Shape, grant};
use crate::memory::{self, Memory};

/// One way to refresh.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renewal {
    address: Address,
    body: Body,
}

/// What is sent there.
#[derive(Clone, Debug, PartialEq)]
enum Body {
    /// `grant_type=refresh_token`, as the client that logged in.
    Grant,
    /// JSON with the refresh token under this name.
    Json(String),
}

impl Renewal {
    /// What memory says, in the words of [`Body::spoken`].
    pub(crate) fn remembered(address: Address, spoken: &str) -> Option<Self> {
        let name = spoken.strip_prefix("json ").map(|name| Body::Json(name.to_owned()));
        let body = name.or_else(|| (spoken == "oauth").then_some(Body::Grant))?;
        Some(Self { address, body })
    }

    fn request(&self, credentials: &Credentials, client: Client) -> Request {
        let request =
            Request::post(self.address.template()).header("Accept", text("application/json"));
        match &self.body {
            Body::Grant => {
                let token = ("refresh_token".to_owned(), refresh_token());
                credentials.as_client(request, vec![grant("refresh_token"), token], client)
            }
            Body::Json(name) => request.json([(name.clone(), refresh_token())]),
        }
    }
}

impl Body {
    fn spoken(&self) -> String {
        match self {
            Self::Grant => "oauth".to_owned(),
            Self::Json(name) => format!("json {name}"),
        }
    }
}

/// The ways that are left.
struct Attempt {
    context: Context,
    credentials: Credentials,
    client: Client,
    token_at: Option<Source>,
    ahead: VecDeque<Renewal>,
    moved: bool,
}

/// Refreshes with the refresh token of the current token set.
pub(crate) fn start(context: &Context) -> Flow<Tokens> {
    let memory = Memory::of(context);
    let credentials = Credentials::of(context);
    let usual = credentials.shape(Format::Form).client;
    let client = memory.shape.as_ref().map_or(usual, |shape| shape.client);
    let ahead = ways(context, &memory).into();
    let (context, token_at) = (context.clone(), memory.token_at);
    Attempt { context, credentials, client, token_at, ahead, moved: false }.go()
}

/// The operator's address, else what worked before, else what fits the login.
fn ways(context: &Context, memory: &Memory) -> Vec<Renewal> {
    let configured = context.settings.optional("refresh_url").is_some();
    let fits = |renewal: &&Renewal| !configured || renewal.address == Address::Refresh;
    if let Some(known) = memory.renewal.as_ref().filter(fits) {
        return vec![known.clone()];
    }
    let name = member(memory.refresh_token_at.as_deref().unwrap_or_default());
    if configured {
        let [json, grant] = [Body::Json(name.clone()), Body::Grant];
        let bodies = if is_oauth(memory) { [grant, json] } else { [json, grant] };
        return bodies.map(|body| Renewal { address: Address::Refresh, body }).into();
    }
    let Some(login) = &memory.address else { return Vec::new() };
    if is_oauth(memory) {
        return vec![Renewal { address: login.clone(), body: Body::Grant }];
    }
    if name != "refresh" {
        return Vec::new();
    }
    let django =
        django(&login.path(&context.settings)).into_iter().filter_map(|it| Address::at(&it));
    django.map(|address| Renewal { address, body: Body::Json(name.clone()) }).collect()
}

/// A token endpoint takes forms and calls its answer `access_token`.
fn is_oauth(memory: &Memory) -> bool {
    let is_form = |shape: &Shape| !shape.format.is_json();
    memory.shape.as_ref().is_some_and(is_form) && memory.token_at == Some("/access_token".into())
}

/// simplejwt refreshes below its login, dj-rest-auth beside it.
fn django(login: &str) -> [String; 2] {
    let login = login.trim_end_matches('/');
    let parent = login.rsplit_once('/').map_or("", |(parent, _)| parent);
    [format!("{login}/refresh/"), format!("{parent}/token/refresh/")]
}

/// The name under which the server gave the refresh token, and will want it back.
fn member(pointer: &str) -> String {
    match pointer.rsplit('/').next() {
        Some("token") => "refreshToken".to_owned(),
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => "refresh_token".to_owned(),
    }
}

impl Attempt {
    fn go(mut self) -> Flow<Tokens> {
        let Some(way) = self.ahead.pop_front() else { return Err(no_way(&self.context)) };
        let request = way.request(&self.credentials, self.client);
        send_then(request, move |answer| self.learn(answer, &way))
    }

    fn learn(mut self, answer: &dyn Answer, way: &Renewal) -> Flow<Tokens> {
        match answer.status() {
            200..300 if !is_page(answer) => return self.finish(answer, way),
            301 | 307 | 308 => self.follow(answer, way),
            200..400 | 404 | 405 | 410 | 415 | 501 => {}
            400 | 422 if self.wants_another_body(answer, way) => {}
            429 | 500.. => return Err(doubt(answer)),
            400..500 => return Err(refused()),
            _ => return Err(unexpected(answer, "refresh")),
        }
        self.go()
    }

    /// Goes to the slash once.
    fn follow(&mut self, answer: &dyn Answer, way: &Renewal) {
        let location = answer.header("location").unwrap_or_default();
        let redirect = way.address.redirected(&location, &self.context.settings);
        if let (Redirect::Slash(address), false) = (redirect, self.moved) {
            self.moved = true;
            self.ahead.push_front(Renewal { address, body: way.body.clone() });
        }
    }

    /// Whether there is another body for the same address, and the complaint is about the body.
    fn wants_another_body(&self, answer: &dyn Answer, way: &Renewal) -> bool {
        let format = match way.body {
            Body::Grant => Format::Form,
            Body::Json(_) => Format::JsonUsername,
        };
        let has_another = self.ahead.iter().any(|other| other.address == way.address);
        let complaint = complaint(answer, &self.credentials.shape(format));
        has_another && matches!(complaint, Complaint::Encoding | Complaint::Grant)
    }

    fn finish(self, answer: &dyn Answer, way: &Renewal) -> Flow<Tokens> {
        let Context { settings, now, remembered, .. } = &self.context;
        let Some(token) = extract::access_token(answer, settings, self.token_at.as_ref()) else {
            let text =
                "the refresh was answered without a token; check `refresh_url`, or leave it out";
            return Err(Failure::Unexpected(text.to_owned()));
        };
        let (mut tokens, from) = extract::tokens(answer, settings, token, *now);
        let facts =
            memory::renewed(remembered.clone(), &way.address.full(settings)?, &way.body.spoken());
        let (access, refresh) = (&tokens.access_token, tokens.refresh_token.as_ref());
        tokens.metadata = memory::read(facts, access, refresh, from);
        Ok(Step::Done(tokens))
    }
}

fn doubt(answer: &dyn Answer) -> Failure {
    trouble(answer, Effect::MayRotate, "the server's refresh")
        .unwrap_or_else(|| unexpected(answer, "refresh"))
}

fn refused() -> Failure {
    Failure::GrantExpired("the server no longer accepts this refresh token".to_owned())
}

fn no_way(context: &Context) -> Failure {
    let text = match context.settings.optional("refresh_url") {
        Some(_) => "there is no refresh at `refresh_url`; correct it, or leave it out",
        None => "the server has no refresh that is known; `refresh_url` can name one",
    };
    Failure::GrantExpired(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Body as Sent;
    use sdk::testing::{Canned, Played, context_with_tokens, ending, play_tokens, undeclared};

    const LOGIN: &str = "https://a.example/api/login/";
    const PAIR: &str = r#"{"access":"a","refresh":"r"}"#;

    /// A connection that remembers `facts` about its login.
    fn held(facts: &[(&str, &str)], settings: &[(&str, &str)]) -> Context {
        let given = [&[("login_url", LOGIN), ("client_id", "app")], settings].concat();
        let facts = [&[("login_url", LOGIN), ("endpoint", LOGIN)], facts].concat();
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Context { remembered: facts.collect(), ..context_with_tokens::<crate::Plugin>(&given) }
    }

    fn django(settings: &[(&str, &str)]) -> Context {
        let facts = [
            ("format", "json-username"),
            ("token_at", "/access"),
            ("refresh_token_at", "/refresh"),
        ];
        held(&facts, settings)
    }

    fn oauth(settings: &[(&str, &str)]) -> Context {
        let facts = [
            ("format", "form"),
            ("token_at", "/access_token"),
            ("refresh_token_at", "/refresh_token"),
        ];
        held(&facts, settings)
    }

    fn play(context: &Context, answers: &[Canned]) -> Played<Tokens> {
        let played = play_tokens(crate::flow::refresh(context), answers);
        assert_eq!(undeclared(&crate::flow::describe(), &played.requests), None);
        played
    }

    fn urls(played: &Played<Tokens>) -> Vec<&str> {
        played.requests.iter().map(|request| request.url.as_str()).collect()
    }

    fn ends(context: &Context, answers: &[(u16, &str)]) -> (usize, &'static str) {
        let answers: Vec<_> = answers.iter().map(|(status, it)| Canned::new(*status, it)).collect();
        let played = play(context, &answers);
        (played.requests.len(), ending(&played.result).0)
    }

    fn fact<'t>(tokens: &'t Tokens, name: &str) -> Option<&'t str> {
        let found = tokens.metadata.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn django_is_asked_below_its_login_and_then_beside_it() {
        let answers = [Canned::new(404, "<html>"), Canned::new(200, PAIR)];
        let played = play(&django(&[]), &answers);
        let places =
            ["{login_url.origin}/api/login/refresh/", "{login_url.origin}/api/token/refresh/"];
        assert_eq!(urls(&played), places);
        let body = Sent::Json(vec![("refresh".to_owned(), refresh_token())]);
        assert!(played.requests.iter().all(|request| request.body == body));
        let tokens = played.result.unwrap();
        assert_eq!(tokens.refresh_token, Some("/refresh".into()));
        let endpoint = Some("https://a.example/api/token/refresh/");
        assert_eq!(fact(&tokens, "refresh_endpoint"), endpoint);
        assert_eq!(fact(&tokens, "endpoint"), Some(LOGIN));
    }

    #[test]
    fn what_worked_once_is_the_only_place_asked_again() {
        let facts = [
            ("format", "json-username"),
            ("token_at", "/access"),
            ("refresh_token_at", "/refresh"),
            ("refresh_endpoint", "https://a.example/api/token/refresh/"),
            ("refresh_format", "json refresh"),
        ];
        let played = play(&held(&facts, &[]), &[Canned::new(404, "")]);
        assert_eq!(urls(&played), ["{login_url.origin}/api/token/refresh/"]);
        assert_eq!(ending(&played.result).0, "grant-expired");
    }

    #[test]
    fn a_token_endpoint_is_asked_with_a_grant_as_the_client() {
        let body = r#"{"access_token":"a","refresh_token":"r","expires_in":60}"#;
        let played = play(&oauth(&[]), &[Canned::new(200, body)]);
        assert_eq!(urls(&played), ["{login_url}"]);
        let members = [grant("refresh_token"), ("refresh_token".to_owned(), refresh_token())];
        assert_eq!(played.requests[0].body, Sent::Form(members.into()));
        assert!(played.requests[0].headers.iter().any(|(name, _)| name == "Authorization"));
        let tokens = played.result.unwrap();
        assert_eq!(tokens.refresh_token, Some("/refresh_token".into()));
        assert_eq!(fact(&tokens, "refresh_format"), Some("oauth"));
        assert_eq!(fact(&tokens, "expiry_from"), Some("how long the answer says"));
    }

    #[test]
    fn the_address_of_the_operator_comes_before_all_others() {
        let url = [("refresh_url", "https://b.example/renew")];
        let played = play(&django(&url), &[Canned::new(200, PAIR)]);
        assert_eq!(urls(&played), ["{refresh_url}"]);
        assert_eq!(
            played.requests[0].body,
            Sent::Json(vec![("refresh".to_owned(), refresh_token())])
        );
        assert!(matches!(play(&oauth(&url), &[]).requests[0].body, Sent::Form(_)));
    }

    #[test]
    fn another_body_is_tried_when_the_complaint_is_about_the_body() {
        let url = [("refresh_url", "https://b.example/renew")];
        for complaint in [(415, ""), (400, r#"{"message":"grant_type is missing"}"#)] {
            assert_eq!(ends(&django(&url), &[complaint, (200, PAIR)]), (2, "ok"), "{complaint:?}");
        }
        assert_eq!(ends(&django(&url), &[(400, "{}"), (200, PAIR)]), (1, "grant-expired"));
    }

    #[test]
    fn a_refresh_that_is_refused_or_missing_leads_to_a_login() {
        for status in [400, 401, 403, 422] {
            assert_eq!(ends(&django(&[]), &[(status, "{}")]), (1, "grant-expired"), "{status}");
        }
        for status in [404, 405, 501, 302] {
            assert_eq!(ends(&django(&[]), &[(status, ""); 2]), (2, "grant-expired"), "{status}");
        }
        assert_eq!(ends(&django(&[]), &[(200, "<html> x"), (405, "")]), (2, "grant-expired"));
    }

    #[test]
    fn a_server_without_a_known_refresh_is_asked_nothing() {
        let facts = [
            ("format", "json-email"),
            ("token_at", "/accessToken"),
            ("refresh_token_at", "/refreshToken"),
        ];
        let text = "the server has no refresh that is known; `refresh_url` can name one";
        let played = play(&held(&facts, &[]), &[]);
        assert_eq!((played.requests.len(), ending(&played.result)), (0, ("grant-expired", text)));
        let url = [("refresh_url", "https://a.example/api/refresh")];
        let sent = play(&held(&facts, &url), &[]).requests;
        assert_eq!(sent[0].body, Sent::Json(vec![("refreshToken".to_owned(), refresh_token())]));
    }

    #[test]
    fn a_fault_after_a_refresh_was_sent_is_doubt_and_a_limit_is_obeyed() {
        assert_eq!(ends(&django(&[]), &[(503, "")]), (1, "in-doubt"));
        assert_eq!(ends(&django(&[]), &[(429, "")]), (1, "rate-limited"));
        assert_eq!(ends(&django(&[]), &[(200, "{}")]), (1, "unexpected"));
    }

    #[test]
    fn an_empty_refresh_token_keeps_the_old_one() {
        let played = play(&django(&[]), &[Canned::new(200, r#"{"access":"a","refresh":""}"#)]);
        assert_eq!(played.result.unwrap().refresh_token, None);
    }

    #[test]
    fn a_redirect_to_the_slash_is_followed_once() {
        let facts =
            [("refresh_endpoint", "https://a.example/r"), ("refresh_format", "json refresh")];
        let to = |location: &str| Canned::new(308, "").header("location", location);
        let answers = [to("/r/"), Canned::new(200, PAIR)];
        let played = play(&held(&facts, &[]), &answers);
        assert_eq!(urls(&played), ["{login_url.origin}/r", "{login_url.origin}/r/"]);
        assert!(played.result.is_ok());
        let played = play(&held(&facts, &[]), &[to("/r/"), to("/r")]);
        assert_eq!((played.requests.len(), ending(&played.result).0), (2, "grant-expired"));
    }

    #[test]
    fn without_a_refresh_token_the_login_is_found_by_memory() {
        let mut context = django(&[]);
        context.current.as_mut().unwrap().has_refresh_token = false;
        let played = play(&context, &[Canned::new(200, PAIR)]);
        assert_eq!(urls(&played), ["{login_url}"]);
        let tokens = played.result.unwrap();
        assert_eq!(fact(&tokens, "format"), Some("json-username"));
    }
}
