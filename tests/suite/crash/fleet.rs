//! Eight connections of one rotating provider, refreshed over and over by a program that is killed: a
//! command, or the daemon.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use e2e::chance::Chance;
use e2e::daemon::wait_until;
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::family::Class;
use e2e::provider::ledger::Audit;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, rotor};
use serde_json::{Value, json};

/// Connections: as many as the usual concurrency, so that all are in flight together.
const SIZE: usize = 8;

/// A run in so many begins when the tokens have ended.
const AT_THE_END: u64 = 3;

/// About how long a request takes from its arrival until its token is stored.
const ANSWERING: Duration = Duration::from_millis(20);

/// The fake thinks for less than this before and after it acts.
const THINKING_MS: u64 = 5;

/// What refreshes, and is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    /// `keepfresh refresh --all --force`.
    Command,
    /// `keepfresh serve`, to which all are due.
    Daemon,
}

/// A home with a provider of one class and connections that hold a token of it.
pub(super) struct Fleet {
    pub(super) home: Home,
    pub(super) provider: FakeProvider,
    pub(super) members: Vec<Member>,
    driver: Driver,
    /// Answers that were seen captured after a kill.
    pub(super) captured: u32,
    /// Whether tokens have ended since it was last looked after.
    pub(super) ended: bool,
}

/// A connection, and the family that its token is of.
pub(super) struct Member {
    pub(super) id: String,
    seeds: u32,
    /// The last attempt before it got the token it began with.
    before: String,
    /// The attempt whose answer was captured when the program was last killed.
    captured: Option<String>,
}

impl Fleet {
    /// `rotation` is how the manifest puts the class, `guest` the plugin.
    pub(super) fn of(class: Class, rotation: &str, guest: &str, driver: Driver) -> Self {
        let settings = rotor::Settings { class, ..rotor::Settings::default() };
        let provider = FakeProvider::start(Kind::Rotor(settings)).unwrap();
        let names = (0..SIZE).map(|it| format!("{{ name = \"c{it}\" }}"));
        let home = Home::new(&format!(
            r#"
            [providers.rotor]
            plugin = "{guest}"
            settings = {{ base_url = "{}" }}
            rotation = {rotation}
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            connections = [{}]
            "#,
            provider.base_url(),
            names.collect::<Vec<_>>().join(", "),
        ));
        let home = home.with_guest(guest);
        let member = |it| Member {
            id: format!("rotor/c{it}"),
            seeds: 0,
            before: String::new(),
            captured: None,
        };
        let members = (0..SIZE).map(member).collect();
        let mut fleet = Self { home, provider, members, driver, captured: 0, ended: false };
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
        self.members[index].captured = None;
    }

    pub(super) fn database(&self) -> Database {
        Database::at(&self.home.path("keepfresh.db"))
    }

    /// A refresh of all, running.
    pub(super) fn start(&self) -> Child {
        let mut command = match self.driver {
            Driver::Command => self.home.command(&["refresh", "--all", "--force"]),
            Driver::Daemon => {
                self.database().run("update connections set due_at = 1, due_trigger = 'expiry'");
                self.home.command(&["serve"])
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// How long a refresh of all takes: the longest of some.
    pub(super) fn measure(&self) -> Duration {
        let run = |_| {
            let begun = Instant::now();
            let mut child = self.start();
            match self.driver {
                Driver::Command => {
                    assert!(child.wait().unwrap().success(), "nobody kills this one");
                }
                Driver::Daemon => {
                    let due = "select count(*) from connections where due_at < 1000000";
                    wait_until("all are refreshed", || self.database().number(due) == 0);
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
            }
            begun.elapsed()
        };
        (0..4).map(run).max().unwrap()
    }

    /// Lets every access token end, as time does: what is in doubt is tried then.
    pub(super) fn end_tokens(&self) {
        self.database()
            .run("update connections set expires_at = 1, due_at = 1, due_trigger = 'expiry'");
    }

    /// Starts a forced refresh of all and kills it at a random moment of `whole`. False when it was
    /// done before.
    pub(super) fn kill_once(&mut self, whole: Duration, chance: &mut Chance) -> bool {
        self.think(chance);
        if chance.below(AT_THE_END) == 0 {
            self.ended = true;
            self.end_tokens();
        }
        let mut child = self.start();
        match chance.below(4) {
            0 => thread::sleep(chance.shorter_than(whole)),
            _ => self.wait_for_answers(whole, chance),
        }
        let alive = child.try_wait().unwrap().is_none();
        // SIGKILL; it fails only for a process that has ended.
        let _ = child.kill();
        child.wait().unwrap();
        self.look_for_survivors();
        alive
    }

    /// Until some requests have arrived, and a little more: about when their answers are stored.
    fn wait_for_answers(&self, whole: Duration, chance: &mut Chance) {
        let (begun, seen) = (Instant::now(), self.provider.control().seen());
        let enough = seen + 1 + chance.below(SIZE as u64);
        while self.provider.control().seen() < enough && begun.elapsed() < whole * 4 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(chance.shorter_than(ANSWERING));
    }

    /// An answer that was captured is still there after another kill, or has become a token.
    fn look_for_survivors(&mut self) {
        let database = self.database();
        for member in &mut self.members {
            // A refusal may be captured, too: it says that a token sent twice has ended the family.
            let refused = member.audit(&self.provider).revoked;
            let mut captured = database.texts(
                "select attempt from captures where connection = ? and sealed is not null
                 and request like '%/token'",
                &[&member.id],
            );
            captured.retain(|_| !refused);
            if let (Some(attempt), true) = (&member.captured, captured.is_empty()) {
                let recovered = database.texts(
                    "select id from attempts where connection = ? and id > ?
                     and outcome = 'success' and reason like 'recovered the answer%'",
                    &[&member.id, attempt],
                );
                assert!(!recovered.is_empty(), "a captured answer of {} is gone", member.id);
            }
            let before = std::mem::replace(&mut member.captured, captured.into_iter().next());
            self.captured += u32::from(member.captured.is_some() && member.captured != before);
        }
    }

    fn think(&self, chance: &mut Chance) {
        let control = self.provider.control();
        control.clear_script();
        let mut pause = || chance.below(THINKING_MS);
        let thinking = Scenario::default().on("/token").always();
        control.script(thinking.delay_before(pause()).delay_after(pause()));
    }

    /// A refresh of all at the end of their tokens that nobody kills: what each connection came to.
    pub(super) fn settle(&self) -> Vec<Value> {
        self.end_tokens();
        let run = self.home.run(&["refresh", "--all", "--json"]);
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
    /// Whether its answer was there when the program was last killed: then nothing excuses a loss.
    pub(super) fn had_its_answer(&self) -> bool {
        self.captured.is_some()
    }

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
