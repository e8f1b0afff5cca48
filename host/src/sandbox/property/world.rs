//! One play of a sequence: the host's side of the contract, called as a plugin calls it, and everything
//! that the plugin sees of it.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use wasmtime::component::Resource;

use super::operation::{Operation, Piece, TEXTS};
use super::provider::{self, HEADERS, POINTERS};
use crate::egress;
use crate::model::descriptor::{Access, Descriptor, Field, Kind, Read};
use crate::model::token::TokenSet;
use crate::sandbox::answers::answer::Answer;
use crate::sandbox::bindings::imports::http::{self, HostResponse};
use crate::sandbox::bindings::imports::log::{Host as _, Level};
use crate::sandbox::bindings::imports::secrets::{
    Encoding, HostSecret, JwtAlgorithm, Part, SignatureAlgorithm, SignatureEncoding,
};
use crate::sandbox::bindings::imports::types;
use crate::sandbox::calling::rules::Rules;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::DEFAULT_MEMORY;
use crate::sandbox::returns::tokens;
use crate::sandbox::secrets::handle::{Handle, Origin};
use crate::sandbox::secrets::jwt;

/// The host, or one that lacks a guard: whoever plays against that one must notice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Host {
    AsItIs,
    TellsClaimsOfWhatIsMade,
    LooksForNothing,
}

/// A handle, and whether the plugin wrote its guess into it. That is not sent: whether a provider repeats
/// a text of the plugin's own with a secret in it is the limit that SECURITY.md names.
struct Held {
    handle: Resource<Handle>,
    has_guess: bool,
}

/// A plugin in the middle of a sequence.
pub(super) struct World<'w> {
    host: Host,
    guess: &'w str,
    secret: &'w str,
    state: CallState,
    handles: Vec<Held>,
    answers: Vec<Resource<Answer>>,
    seen: Vec<String>,
}

impl<'w> World<'w> {
    /// What the plugin sees of `sequence` while the secret is `secret` and it believes in `guess`.
    pub(super) fn play(
        host: Host,
        secret: &'w str,
        guess: &'w str,
        sequence: &[Operation],
    ) -> Vec<String> {
        let (handles, answers, seen) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = World { host, guess, secret, state: call(), handles, answers, seen };
        world.begin(None, false);
        for operation in sequence {
            // A call that the host ended tells nobody anything: there is no next step.
            match world.step(operation) {
                Ok(seen) => world.seen.push(format!("{operation:?}: {seen}")),
                Err(_) => break,
            }
        }
        world.seen
    }

    /// Begins a call with the key, and with the tokens of the last one.
    fn begin(&mut self, current: Option<&TokenSet>, guessed: bool) {
        self.state = call();
        (self.handles, self.answers) = (Vec::new(), Vec::new());
        let label = self.state.rules.names.label("key");
        let secret = SecretString::from(self.secret);
        let key = match self.host {
            // Nothing of the key is known, so nothing of it is sealed: only its letters are.
            Host::LooksForNothing => {
                self.state.push(Handle::new(secret, label, Origin::Made)).unwrap()
            }
            _ => self.state.lend(&secret, label).unwrap(),
        };
        self.hold(key, false);
        if let Some(current) = current {
            let lent = tokens::lend(&mut self.state, current).unwrap();
            self.seen.push(format!("{:?} {:?}", lent.expires_at, lent.metadata));
            self.hold(lent.access_token, guessed);
            if let Some(token) = lent.refresh_token {
                self.hold(token, guessed);
            }
        }
    }

    fn step(&mut self, operation: &Operation) -> wasmtime::Result<String> {
        match operation {
            Operation::Compose(pieces, encoding) => {
                let (parts, guessed) = (self.parts(pieces), self.guessed(pieces));
                self.compose(parts, encoding_of(*encoding), guessed)?;
            }
            Operation::WrapInJwt(at) => self.wrap_in_jwt(*at)?,
            Operation::Claims(at) => {
                let handle = self.handle(*at);
                if self.host == Host::TellsClaimsOfWhatIsMade {
                    let told = jwt::claims(self.state.table.get(&handle)?.text());
                    return Ok(format!("{told:?}"));
                }
                return Ok(format!("{:?}", self.state.claims(handle)?));
            }
            Operation::Sign(key, pieces, encoding) => {
                let (key, parts) = (self.handle(*key), self.parts(pieces));
                let encoding = match encoding % 3 {
                    0 => SignatureEncoding::Hex,
                    1 => SignatureEncoding::Base64,
                    _ => SignatureEncoding::Base64url,
                };
                let algorithm = SignatureAlgorithm::HmacSha256;
                let made = self.state.sign(key, algorithm, parts, encoding)?;
                self.hold(made, false);
            }
            Operation::SignJwt(key, claims) => return self.sign_jwt(*key, *claims),
            Operation::Send(sent, place, spelling) => return self.send(sent, *place, *spelling),
            Operation::Look(answer, what) => return self.look(*answer, *what),
            Operation::Take(answer, what) => return self.take(*answer, *what),
            Operation::Drop(at) if self.handles.len() > 1 => {
                let held = self.handles.swap_remove(at % self.handles.len());
                HostSecret::drop(&mut self.state, held.handle)?;
            }
            Operation::Drop(_) => {}
            Operation::Log(piece) => {
                let text = self.text(piece).to_owned();
                self.state.log(Level::Info, text)?;
            }
            Operation::Finish(access, refresh) => return self.finish(*access, *refresh),
        }
        Ok(String::new())
    }

    fn handle(&self, at: usize) -> Resource<Handle> {
        Resource::new_borrow(self.held(at).handle.rep())
    }

    fn held(&self, at: usize) -> &Held {
        &self.handles[at % self.handles.len()]
    }

    fn hold(&mut self, handle: Resource<Handle>, has_guess: bool) {
        self.handles.push(Held { handle, has_guess });
    }

    fn guessed(&self, pieces: &[Piece]) -> bool {
        pieces.iter().any(|piece| match piece {
            Piece::Guess => true,
            Piece::Text(_) => false,
            Piece::Handle(at) => self.held(*at).has_guess,
        })
    }

    fn text(&self, piece: &Piece) -> &'w str {
        match piece {
            Piece::Text(which) => TEXTS[usize::from(*which) % TEXTS.len()],
            Piece::Guess | Piece::Handle(_) => self.guess,
        }
    }

    fn parts(&self, pieces: &[Piece]) -> Vec<Part> {
        let part = |piece: &Piece| match piece {
            Piece::Handle(at) => Part::Secret(self.handle(*at)),
            other => Part::Text(self.text(other).to_owned()),
        };
        pieces.iter().map(part).collect()
    }

    fn compose(
        &mut self,
        parts: Vec<Part>,
        encoding: Encoding,
        guessed: bool,
    ) -> wasmtime::Result<()> {
        let made = self.state.compose(parts, encoding)?;
        self.hold(made, guessed);
        Ok(())
    }

    fn wrap_in_jwt(&mut self, at: usize) -> wasmtime::Result<()> {
        let text = |it: &str| Part::Text(it.to_owned());
        let guessed = self.held(at).has_guess;
        let claims = vec![
            text(r#"{"sub":""#),
            Part::Secret(self.handle(at)),
            text(r#"","exp":4102444800}"#),
        ];
        let claims = self.state.compose(claims, Encoding::Base64url)?;
        let parts = vec![text("eyJhbGciOiJub25lIn0."), Part::Secret(claims), text(".x")];
        self.compose(parts, Encoding::Plain, guessed)
    }

    fn sign_jwt(&mut self, key: usize, claims: u8) -> wasmtime::Result<String> {
        let claims = if claims.is_multiple_of(2) { r#"{"exp":4102444800}"# } else { "no object" };
        let (key, header) = (self.handle(key), "{}".to_owned());
        match self.state.sign_jwt(key, JwtAlgorithm::Hs256, header, claims.to_owned())? {
            Ok(made) => self.hold(made, false),
            Err(why) => return Ok(why),
        }
        Ok(String::new())
    }

    fn send(&mut self, sent: &[usize], place: u8, spelling: u8) -> wasmtime::Result<String> {
        if sent.iter().any(|at| self.held(*at).has_guess) {
            return Ok(String::new());
        }
        let field = |at: &usize| http::Field {
            name: "key".to_owned(),
            value: http::Value::Secret(self.handle(*at)),
        };
        let request = http::Request {
            method: http::Method::Post,
            url: "https://a.example/token".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: http::Body::Form(sent.iter().map(field).collect()),
        };
        let carries = self.state.carried(&request)?;
        let seen = format!("{carries:?}");
        if let Err(refused) = self.state.judge_length(&request)? {
            return Ok(format!("{seen} {refused}"));
        }
        let placed = self.state.place(egress::Method::Post, &request, carries)?;
        let Ok(egress::Request { body: egress::Body::Form(fields), .. }) = placed else {
            return Ok(format!("{seen} not placed"));
        };
        let first = fields[0].1.expose_secret();
        let answer = self.state.receive(provider::answer(first, place, spelling))?;
        self.answers.push(answer);
        Ok(seen)
    }

    fn answer(&self, at: usize) -> Option<Resource<Answer>> {
        let answer = self.answers.get(at.checked_rem(self.answers.len())?)?;
        Some(Resource::new_borrow(answer.rep()))
    }

    fn look(&mut self, at: usize, what: u8) -> wasmtime::Result<String> {
        let (pointer, header) = places(what);
        let Some(answer) = self.answer(at) else { return Ok(String::new()) };
        let again = || Resource::new_borrow(answer.rep());
        let shape = self.state.shape(again())?;
        let header = self.state.header(again(), header.to_owned())?;
        let json = self.state.json(again(), pointer.to_owned())?;
        let text = self.state.text(again(), pointer.to_owned())?;
        Ok(format!("{shape:?} {header:?} {json:?} {text:?}"))
    }

    fn take(&mut self, at: usize, what: u8) -> wasmtime::Result<String> {
        let (pointer, header) = places(what);
        let Some(answer) = self.answer(at) else { return Ok(String::new()) };
        let taken = if what.is_multiple_of(2) {
            HostResponse::secret(&mut self.state, answer, pointer.to_owned())?
        } else {
            self.state.secret_header(answer, header.to_owned())?
        };
        let seen = taken.is_some().to_string();
        if let Some(handle) = taken {
            self.hold(handle, false);
        }
        Ok(seen)
    }

    fn finish(&mut self, access: usize, refresh: Option<usize>) -> wasmtime::Result<String> {
        let raw = types::TokenSet {
            access_token: self.handle(access),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            refresh_token: refresh.map(|it| self.handle(it)),
            refresh_expires_at: None,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: vec![("fact".to_owned(), "plain".to_owned())],
        };
        let now = Timestamp::from_second(1_700_000_000)?;
        // What is refused is told to people, and there is no next call with it.
        let taken = tokens::take(&mut self.state, raw, now, None)?;
        let taken = taken.map_err(wasmtime::Error::msg)?;
        let guessed =
            self.held(access).has_guess || refresh.is_some_and(|it| self.held(it).has_guess);
        self.begin(Some(&taken), guessed);
        Ok(String::new())
    }
}

fn places(what: u8) -> (&'static str, &'static str) {
    let what = usize::from(what / 2);
    (POINTERS[what % POINTERS.len()], HEADERS[what % HEADERS.len()])
}

fn encoding_of(number: u8) -> Encoding {
    match number % 4 {
        0 => Encoding::Plain,
        1 => Encoding::Base64,
        2 => Encoding::Base64url,
        _ => Encoding::Form,
    }
}

/// A call of a plugin that declares to read whatever it may.
fn call() -> CallState {
    let read = |(place, kind): (&str, Kind)| Read { place: place.to_owned(), kind };
    let reads = [
        ("/message", Kind::Text),
        ("/id", Kind::Fact),
        ("/n", Kind::Number),
        ("/code", Kind::Code),
        ("/at", Kind::Date),
        ("/url", Kind::Address),
        ("/list/**", Kind::Fact),
        ("/errors/**", Kind::Fact),
        ("", Kind::Text),
        ("header:X-Echo", Kind::Text),
    ];
    let key = Field {
        name: "key".to_owned(),
        title: String::new(),
        help: String::new(),
        required: true,
        default: None,
    };
    let request = "POST https://a.example/token".to_owned();
    let descriptor = Descriptor {
        secrets: vec![key],
        access: vec![Access { request, carries: vec!["key".to_owned()] }],
        reads: reads.map(read).into(),
        signs: vec!["key".to_owned()],
        ..Descriptor::unknown()
    };
    let rules = Arc::new(Rules::new(&descriptor).unwrap());
    CallState::new("x", "x/default", Timestamp::UNIX_EPOCH, DEFAULT_MEMORY, rules)
}

#[test]
fn the_attack_that_read_every_secret_is_one_of_the_sequences() {
    let attack = [Operation::WrapInJwt(0), Operation::Claims(1)];
    let seen = World::play(Host::TellsClaimsOfWhatIsMade, "4f1d9a", "4f1d9a", &attack);
    assert!(seen[1].contains("4f1d9a"), "{seen:?}");
    let seen = World::play(Host::AsItIs, "4f1d9a", "4f1d9a", &attack);
    assert!(seen[1].contains("None"), "{seen:?}");
}
