//! Eight connections of one rotating provider, refreshed over and over by a program that is killed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use e2e::chance::Chance;
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::family::Class;
use e2e::provider::ledger::Audit;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::{Value, json};

/// Connections: as many as the usual concurrency, so that all are in flight together.
const SIZE: usize = 8;

/// The fake thinks for less than this before and after it acts.
const THINKING_MS: u64 = 5;

/// A home with a provider of one class and connections that hold a token of it.
pub(super) struct Fleet {
    pub(super) home: Home,
    pub(super) provider: FakeProvider,
    pub(super) members: Vec<Member>,
}

/// A connection, and the family that its token is of.
pub(super) struct Member {
    pub(super) id: String,
    seeds: u32,
    /// The last attempt before it got the token it began with.
    before: String,
}

impl Fleet {
    /// `rotation` is how the manifest puts the class.
    pub(super) fn of(class: Class, rotation: &str) -> Self {
        let settings = rotor::Settings { class, ..rotor::Settings::default() };
        let provider = FakeProvider::start(Kind::Rotor(settings)).unwrap();
        let names = (0..SIZE).map(|it| format!("{{ name = \"c{it}\" }}"));
        let home = Home::new(&format!(
            r#"
            [providers.rotor]
            settings = {{ base_url = "{}" }}
            rotation = {rotation}
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            connections = [{}]
            "#,
            provider.base_url(),
            names.collect::<Vec<_>>().join(", "),
        ));
        let home = home.with_guest("rotor");
        let member = |it| Member { id: format!("rotor/c{it}"), seeds: 0, before: String::new() };
        let mut fleet = Self { home, provider, members: (0..SIZE).map(member).collect() };
        (0..SIZE).for_each(|it| fleet.seed(it));
        fleet
    }

    /// Gives a connection the token of a new family, as a person does after a log-in.
    pub(super) fn seed(&mut self, index: usize) {
        let member = &mut self.members[index];
        member.seeds += 1;
        let pair = self.provider.control().issue_family(&member.family());
        let token = json!({
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_in": pair.expires_in,
        });
        let set = self.home.run_with_input(&["token", "set", &member.id], &token.to_string());
        let _ = set.exits(0);
        let last = self.database().texts("select coalesce(max(id), '') from attempts", &[]);
        self.members[index].before = last.concat();
    }

    pub(super) fn database(&self) -> Database {
        Database::at(&self.home.path("keepfresh.db"))
    }

    /// A forced refresh of all, running.
    pub(super) fn start(&self) -> Child {
        let mut command = self.home.command(&["refresh", "--all", "--force"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// How long a forced refresh of all takes: the longest of some.
    pub(super) fn measure(&self) -> Duration {
        let run = |_| {
            let begun = Instant::now();
            assert!(self.start().wait().unwrap().success(), "nobody kills this one");
            begun.elapsed()
        };
        (0..4).map(run).max().unwrap()
    }

    /// Starts a forced refresh of all and kills it at a random moment of `whole`. False when it was
    /// done before.
    pub(super) fn kill_once(&self, whole: Duration, chance: &mut Chance) -> bool {
        self.think(chance);
        let moment = chance.shorter_than(whole);
        let mut child = self.start();
        thread::sleep(moment);
        let alive = child.try_wait().unwrap().is_none();
        // SIGKILL; it fails only for a process that has ended.
        let _ = child.kill();
        child.wait().unwrap();
        alive
    }

    fn think(&self, chance: &mut Chance) {
        let control = self.provider.control();
        control.clear_script();
        let mut pause = || chance.below(THINKING_MS);
        let thinking = Scenario::default().on("/token").always();
        control.script(thinking.delay_before(pause()).delay_after(pause()));
    }

    /// A forced refresh of all that nobody kills: what each connection came to. Each is named, so that
    /// what is in doubt is sent as well.
    pub(super) fn settle(&self) -> Vec<Value> {
        let ids = self.members.iter().map(|it| it.id.as_str());
        let order = ["refresh", "--force", "--json"].into_iter().chain(ids).collect::<Vec<_>>();
        let run = self.home.run(&order);
        let attempts = run.json()["attempts"].as_array().cloned().unwrap_or_default();
        assert_eq!(attempts.len(), SIZE, "{run:?}");
        attempts
    }

    /// The codes of what went wrong with a connection since it was seeded.
    pub(super) fn troubles(&self, member: &Member) -> Vec<String> {
        self.database().texts(
            "select error_code from attempts
             where connection = ? and id > ? and error_code is not null",
            &[&member.id, &member.before],
        )
    }
}

impl Member {
    fn family(&self) -> String {
        format!("{}#{}", self.id, self.seeds)
    }

    /// What the provider has on it.
    pub(super) fn audit(&self, provider: &FakeProvider) -> Audit {
        provider.control().family(&self.family()).unwrap()
    }
}

impl Fleet {
    /// The generation that the provider finds in an access token that works there.
    pub(super) fn generation_of(&self, token: &str) -> Option<u64> {
        let mut line = TcpStream::connect(self.provider.address()).unwrap();
        let request = format!(
            "GET /resource HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        line.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n")?;
        serde_json::from_str::<Value>(body).ok()?["generation"].as_u64()
    }
}
