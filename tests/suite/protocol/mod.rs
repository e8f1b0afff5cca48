//! The rules of one refresh, asked of the library: the intent before the request, the answer before
//! the plugin, the generation before the caller.

/// I1 to I3: what is durable before what happens.
mod durable;

/// Answers that arrive while nothing can be written.
mod kept;

/// Attempts of more than one request.
mod requests;

/// A disk that is full.
mod disk;

/// I4 and I9: how many callers come to one request.
mod callers;

/// I5 and I6: what becomes of credentials.
mod credentials;

/// What is in doubt, and until when.
mod doubt;

/// Which connection a request goes on.
mod connections;

/// Pauses, and what crosses them.
mod pausing;

use std::path::PathBuf;
use std::time::Duration;

use e2e::artifacts;
use e2e::database::Database;
use e2e::home::Home;
use e2e::provider::control::Control;
use e2e::provider::family::Class;
use e2e::provider::{FakeProvider, Kind, rotor};
use keepfresh::app::{App, Purpose};
use keepfresh::egress::Gate;
use keepfresh::manifest;
use keepfresh::model::attempt::{Attempt, Trigger};
use keepfresh::model::clock::Clock;
use keepfresh::model::failure::Failure;
use keepfresh::model::id::ConnectionId;
use keepfresh::refresher::{Ask, ManualToken, Served};
use keepfresh::sandbox::Compiler;
use keepfresh::storage::Loaded;
use secrecy::ExposeSecret as _;
use tokio::runtime::Runtime;

/// Seconds that an access token lives.
const LIFETIME: u64 = 3_600;

/// One connection of a rotating provider, an app in this process, and time that is moved by hand.
struct Bench {
    home: Home,
    database: PathBuf,
    provider: FakeProvider,
    clock: Clock,
    /// Taken when it crashes.
    running: Option<(Runtime, App)>,
}

impl Bench {
    /// A connection that holds the first token of its family. `rotation` is how the manifest puts the
    /// class.
    fn new(class: Class, rotation: &str) -> Self {
        Self::with(class, rotation, "rotor", "keepfresh.db")
    }

    /// The same with another guest as its plugin, and another name for the database.
    fn with(class: Class, rotation: &str, guest: &str, database: &str) -> Self {
        let settings = rotor::Settings { class, ..rotor::Settings::default() };
        let provider = FakeProvider::start(Kind::Rotor(settings)).unwrap();
        let home = Home::new(&format!(
            r#"
            [storage]
            url = "sqlite:{database}"
            [providers.rotor]
            plugin = "{guest}"
            settings = {{ base_url = "{}" }}
            rotation = {rotation}
            timeout = "2s"
            egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
            "#,
            provider.base_url(),
        ));
        let clock = Clock::manual(provider.control().now());
        let home = home.with_guest(guest);
        let database = home.path(database);
        let mut bench = Self { home, database, provider, clock, running: None };
        bench.restart();
        bench.seed();
        bench
    }

    fn strict() -> Self {
        Self::new(Class::Strict, "\"strict\"")
    }

    /// Ends the app as a kill does, if one runs, and opens another.
    fn restart(&mut self) {
        if let Some((runtime, app)) = self.running.take() {
            // Tasks are dropped where they stand, and conclude nothing.
            runtime.shutdown_timeout(Duration::from_secs(5));
            drop(app);
        }
        let runtime = Runtime::new().unwrap();
        let manifest = manifest::load(&self.home.path("keepfresh.toml")).unwrap();
        let (clock, gate) = (self.clock.clone(), Gate::system());
        let compiler = Compiler::at(artifacts::keepfresh());
        let open = App::open(manifest, Purpose::Command, clock, gate, compiler);
        let app = runtime.block_on(open).unwrap();
        self.running = Some((runtime, app));
    }

    fn seed(&self) {
        let pair = self.control().issue_family("first");
        let text = serde_json::json!({
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_in": LIFETIME,
        });
        let token = ManualToken::parse(&text.to_string().into(), self.clock.now()).unwrap();
        self.wait(self.app().refresher.enrolling.set_token(&id(), token)).unwrap();
    }

    fn app(&self) -> &App {
        &self.running.as_ref().unwrap().1
    }

    fn runtime(&self) -> &Runtime {
        &self.running.as_ref().unwrap().0
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime().block_on(future)
    }

    fn control(&self) -> &Control {
        self.provider.control()
    }

    fn database(&self) -> Database {
        Database::at(&self.database)
    }

    /// Moves the time, here and at the provider.
    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.control().advance(i64::try_from(seconds).unwrap());
    }

    fn refresh(&self, trigger: Trigger) -> Result<Attempt, Failure> {
        self.wait(self.app().refresher.attempts.refresh(&id(), Ask::new(trigger)))
    }

    /// A refresh that gives a new generation.
    fn succeed(&self, trigger: Trigger) -> Attempt {
        let attempt = self.refresh(trigger).unwrap();
        assert_eq!(attempt.error(), None);
        attempt
    }

    /// A refresh that is recorded as failed, and its code.
    fn fail(&self, trigger: Trigger) -> String {
        self.refresh(trigger).unwrap().error().unwrap().code.to_string()
    }

    /// Names of the files beside the database that hold an answer.
    fn files_beside(&self) -> Vec<PathBuf> {
        let folder = self.database.parent().unwrap();
        let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        files.filter(|it| it.to_string_lossy().contains("-answer-")).collect()
    }

    /// Begins a refresh that the provider acts on and never answers, and ends the app in the middle.
    fn crash_in_flight(&mut self) {
        let acted = |it: &Self| it.control().journal().iter().filter(|it| it.acted).count();
        let before = acted(self);
        self.control().script(e2e::provider::script::Fate::ActThenHang);
        let refresher = self.app().refresher.clone();
        let task =
            async move { refresher.attempts.refresh(&id(), Ask::new(Trigger::Forced)).await };
        let _flying = self.runtime().spawn(task);
        e2e::daemon::wait_until("the provider has acted", || acted(self) > before);
        self.restart();
    }

    fn loaded(&self) -> Loaded {
        self.wait(self.app().storage.load(&id())).unwrap().unwrap()
    }

    /// The token that a caller gets.
    fn token(&self) -> Result<Served, Failure> {
        self.wait(self.app().refresher.serving.token(&id(), Duration::ZERO))
    }

    /// Which generation a caller gets, and the token itself.
    fn served(&self) -> (u64, String) {
        let served = self.token().unwrap();
        (served.generation, served.token.expose_secret().to_owned())
    }
}

fn id() -> ConnectionId {
    "rotor".parse().unwrap()
}
