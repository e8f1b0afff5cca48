//! The search for the way in: which addresses and which formats are left, and what each answer took off
//! the list. All state is here, in plain sight; a step is one request and what its answer teaches.

use std::collections::VecDeque;

use sdk::{Answer, Context, Failure, Flow, Source, Step, Tokens, send_then};

use crate::address::{Address, candidates};
use crate::complaint::Members;
use crate::extract;
use crate::format::{Client, Credentials, Format, Shape, missing};
use crate::memory::{self, Memory};
use crate::reading::{Meaning, Sent};

/// As many as the descriptor asks the host for.
const MOST_REQUESTS: u32 = 16;

/// Requests with credentials to addresses that only a guess calls logins.
const MOST_GUESSES: u32 = 8;

/// What is left to try, and what is known.
pub(crate) struct Search {
    context: Context,
    credentials: Credentials,
    /// Whether a login has worked before.
    worked: bool,
    /// Where the token was the last time.
    token_at: Option<Source>,
    /// Addresses left.
    ahead: VecDeque<Visit>,
    here: Visit,
    requests: u32,
    guesses: u32,
}

/// One address, and the shapes left to try there.
struct Visit {
    address: Address,
    shapes: VecDeque<Shape>,
    tried: Vec<Shape>,
    /// Whether something says that a login is here: memory, a redirect, a complaint.
    proven: bool,
    /// Whether a redirect led here.
    moved: bool,
}

impl Search {
    /// First what worked the last time, then the configured address, then the usual paths.
    pub(crate) fn new(context: &Context) -> Result<Self, Failure> {
        let credentials = Credentials::of(context);
        let settings = &context.settings;
        let pinned = settings.optional("format").and_then(Format::named);
        let memory = Memory::of(context);
        let visit = |address: Address| {
            let shapes = credentials.shapes(&address.path(settings), pinned).into();
            Visit { address, shapes, tried: Vec::new(), proven: false, moved: false }
        };
        let fits = |shape: &Shape| {
            credentials.allow(shape.format) && pinned.is_none_or(|format| format == shape.format)
        };
        let shape = memory.shape.filter(fits);
        let remembered = memory.address.clone().map(|address| visit(address).remembered(shape));
        let is_new = |address: &Address| memory.address.as_ref() != Some(address);
        let rest = candidates(settings).into_iter().filter(is_new).map(visit);
        let mut ahead: VecDeque<_> = remembered.into_iter().chain(rest).collect();
        match ahead.pop_front() {
            Some(here) if !here.shapes.is_empty() => {
                let (context, token_at) = (context.clone(), memory.token_at);
                let (worked, requests, guesses) = (memory.address.is_some(), 0, 0);
                Ok(Self { context, credentials, worked, token_at, ahead, here, requests, guesses })
            }
            _ => Err(missing(pinned)),
        }
    }

    /// Tries the next shape here, or goes on to the next address.
    pub(crate) fn go(mut self) -> Flow<Tokens> {
        let Some(shape) = self.here.shapes.pop_front() else { return self.leave() };
        let is_guess = !self.here.proven;
        if self.requests == MOST_REQUESTS || (is_guess && self.guesses == MOST_GUESSES) {
            return Err(self.given_up());
        }
        self.requests += 1;
        self.guesses += u32::from(is_guess);
        self.here.tried.push(shape.clone());
        let request = self.credentials.login(self.here.address.template(), &shape);
        send_then(request, move |answer| self.learn(answer, shape))
    }

    fn leave(mut self) -> Flow<Tokens> {
        if self.here.proven {
            return Err(self.nothing_fits());
        }
        match self.ahead.pop_front() {
            Some(next) => {
                self.here = next;
                self.go()
            }
            None if self.worked => Err(gone()),
            None => Err(nothing_found()),
        }
    }

    /// Takes off the list what an answer rules out.
    fn learn(mut self, answer: &dyn Answer, shape: Shape) -> Flow<Tokens> {
        let (settings, token_at) = (&self.context.settings, self.token_at.as_ref());
        let sent = Sent { settings, address: &self.here.address, shape: &shape, token_at };
        match sent.read(answer) {
            Meaning::Token(token) => return self.finish(answer, &shape, token),
            Meaning::Stop(failure) => return Err(failure),
            Meaning::NotHere => self.here.rule_out(),
            Meaning::Moved(address) => self.here.move_to(address, shape),
            Meaning::OtherEncoding => {
                self.here.keep(|left| left.format.is_json() != shape.format.is_json());
            }
            Meaning::OtherGrant => {
                self.here.keep(|left| !left.format.is_json() && left.format != shape.format);
            }
            Meaning::Members(members) => self.here.add(shape.with(members)),
            Meaning::ClientInBody => {
                self.here.shapes.clear();
                self.here.add(Some(Shape { client: Client::Body, ..shape }));
            }
            Meaning::Unclear => {}
        }
        self.go()
    }

    fn finish(self, answer: &dyn Answer, shape: &Shape, token: Source) -> Flow<Tokens> {
        let Context { settings, now, .. } = &self.context;
        let (mut tokens, from) = extract::tokens(answer, settings, token, *now);
        let mut facts = memory::found(settings, &self.here.address, shape)?;
        facts.extend(memory::of_refresh(&self.context));
        let (access, refresh) = (&tokens.access_token, tokens.refresh_token.as_ref());
        tokens.metadata = memory::read(facts, access, refresh, from);
        Ok(Step::Done(tokens))
    }

    fn nothing_fits(&self) -> Failure {
        let mut names: Vec<_> = self.here.tried.iter().map(|it| it.format.name()).collect();
        names.dedup();
        Failure::misconfigured(format!(
            "{} is a login, but accepts none of the formats tried ({}); give the secrets that it \
             requires, or set `format`",
            self.place(),
            names.join(", ")
        ))
    }

    fn given_up(&self) -> Failure {
        Failure::misconfigured(format!(
            "no login was found after {} requests; set `login_url` to the full URL of the login, \
             and set `format`",
            self.requests
        ))
    }

    fn place(&self) -> String {
        self.here.address.full(&self.context.settings).unwrap_or_default()
    }
}

/// What has worked is missed for a while during maintenance, and behind a captive portal: nobody has to
/// correct anything yet.
fn gone() -> Failure {
    Failure::unexpected(
        "the login that worked before is gone, and there is none at the common paths of its \
         server; if it moved, set `login_url` to its new address",
    )
}

fn nothing_found() -> Failure {
    Failure::misconfigured(
        "no login was found, neither at `login_url` nor at the common paths of its server; set \
         `login_url` to the full URL of the login",
    )
}

impl Visit {
    /// The same with what worked the last time in front.
    fn remembered(mut self, shape: Option<Shape>) -> Self {
        self.proven = true;
        if let Some(shape) = shape {
            self.shapes.retain(|it| *it != shape);
            self.shapes.push_front(shape);
        }
        self
    }

    fn rule_out(&mut self) {
        self.shapes.clear();
        self.proven = false;
    }

    /// Follows one redirect and no second one, which would go round in a circle.
    fn move_to(&mut self, address: Address, shape: Shape) {
        if self.moved {
            return self.rule_out();
        }
        self.address = address;
        self.tried.clear();
        self.shapes.push_front(shape);
        (self.moved, self.proven) = (true, true);
    }

    fn keep(&mut self, fits: impl FnMut(&Shape) -> bool) {
        self.proven = true;
        self.shapes.retain(fits);
    }

    /// Tries a shape next, unless it was tried.
    fn add(&mut self, shape: Option<Shape>) {
        self.proven = true;
        let is_new = |shape: &Shape| !self.tried.contains(shape);
        if let Some(shape) = shape.filter(is_new) {
            self.shapes.push_front(shape);
        }
    }
}

impl Shape {
    /// The same with the names that the server wants; a client has none.
    fn with(&self, members: Members) -> Option<Self> {
        (self.format != Format::ClientCredentials).then(|| Self {
            user: members.user.unwrap_or_else(|| self.user.clone()),
            password: members.password.unwrap_or_else(|| self.password.clone()),
            device: members.device || self.device,
            ..self.clone()
        })
    }
}
