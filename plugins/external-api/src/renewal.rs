//! Trading a refresh token: where, and in which words, from what the login was like. A server that has
//! no such place, or refuses the token, is logged in to again; that is the host's decision to carry out,
//! and `grant-expired` asks for it.

use std::collections::VecDeque;

use sdk::{
    Answer, Context, Failure, Flow, Refusal, Refusals, Request, Source, Step, Tokens,
    refresh_token, send_then, text,
};

use crate::address::{Address, Redirect};
use crate::complaint::{Complaint, complaint};
use crate::extract;
use crate::format::{Client, Credentials, Format, Shape, grant};
use crate::memory::{self, Memory};

const NO_REFRESH: Refusals =
    Refusals::of("the server", "a refresh")
        .rows(&[
            Refusal::grant_expired("the server no longer accepts this refresh token").at_any_4xx()
        ]);

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
            200..300 if !answer.is_page() => return self.finish(answer, way),
            301 | 307 | 308 => self.follow(answer, way),
            200..400 | 404 | 405 | 410 | 415 | 501 => {}
            400 | 422 if self.wants_another_body(answer, way) => {}
            _ => return Err(NO_REFRESH.failure(answer)),
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
                "the answer to the refresh has no token; correct `refresh_url`, or remove it";
            return Err(Failure::unexpected(text));
        };
        let (mut tokens, from) = extract::tokens(answer, settings, token, *now);
        let facts =
            memory::renewed(remembered.clone(), &way.address.full(settings)?, &way.body.spoken());
        let (access, refresh) = (&tokens.access_token, tokens.refresh_token.as_ref());
        tokens.metadata = memory::read(facts, access, refresh, from);
        Ok(Step::Done(tokens))
    }
}

fn no_way(context: &Context) -> Failure {
    let text = match context.settings.optional("refresh_url") {
        Some(_) => "there is no refresh endpoint at `refresh_url`; correct it, or remove it",
        None => "no refresh endpoint was found on the server; set `refresh_url` if it has one",
    };
    Failure::grant_expired(text)
}
