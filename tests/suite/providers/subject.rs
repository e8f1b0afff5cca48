//! The plugins as subjects of one experiment: the fake of each, its section of the manifest, its
//! secrets, and how its connection gets a first token. Knows nothing of what is done to them.

use std::fs;

use e2e::home::Home;
use e2e::provider::service::Pair;
use e2e::provider::{
    FakeProvider, Kind, eskiz, finnotech, google, jibit, login, oauth, playmobile, propelauth,
};
use e2e::stage::{Stage, write_secret};
use serde_json::json;

/// Makes up the secret of this name.
pub(crate) type Secrets<'a> = &'a mut dyn FnMut(&str) -> String;

/// A subject with these secrets.
pub(crate) type Make = fn(Secrets<'_>) -> Subject;

/// Calls a macro with every subject. This is the one place where a subject is registered: all tests of
/// all plugins go through this list. Beside the name stands whether it logs in by itself or needs
/// somebody for its first token, and whether its token ends or lasts. `oauth2` is here twice, because a
/// client and a person are renewed in two ways.
macro_rules! each_subject {
    ($then:ident) => {
        $then! {
            eskiz logs_in ends,
            jibit logs_in ends,
            playmobile logs_in lasts,
            finnotech logs_in ends,
            external_api logs_in ends,
            propelauth needs_somebody ends,
            google_oauth needs_somebody ends,
            oauth2_client logs_in ends,
            oauth2_person needs_somebody ends,
        }
    };
}

pub(crate) use each_subject;

macro_rules! all {
    ($($subject:ident $first:ident $life:ident,)+) => {
        /// All of them.
        pub(crate) const ALL: &[Make] = &[$($subject),+];
    };
}

each_subject!(all);

/// How a connection gets its first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// The plugin logs in.
    LogsIn,
    /// Somebody gives it the tokens of a family: `token set`.
    Set,
    /// The same: `connection add --from -`.
    Added,
    /// The same, from a file of many: `connection import`.
    Imported,
}

/// One plugin.
pub(crate) struct Subject {
    /// In the manifest, and in what a failing test says.
    pub(crate) name: &'static str,
    /// Its only connection.
    pub(crate) connection: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) kind: Kind,
    /// `{base}` stands for the address of the fake.
    pub(crate) settings: &'static str,
    pub(crate) secrets: Vec<(&'static str, String)>,
    pub(crate) first: First,
}

/// Secrets that nobody looks for.
pub(crate) fn plain(make: Make) -> Subject {
    make(&mut |name| format!("demo-{name}"))
}

pub(crate) fn eskiz(secret: Secrets<'_>) -> Subject {
    let settings = eskiz::Settings {
        email: secret("email"),
        password: secret("password"),
        ..eskiz::Settings::default()
    };
    let secrets = vec![("email", settings.email.clone()), ("password", settings.password.clone())];
    of("eskiz", Kind::Eskiz(settings), r#"base_url = "{base}""#, secrets)
}

pub(crate) fn jibit(secret: Secrets<'_>) -> Subject {
    let settings = jibit::Settings {
        api_key: secret("api-key"),
        secret_key: secret("secret-key"),
        ..jibit::Settings::default()
    };
    let secrets =
        vec![("api_key", settings.api_key.clone()), ("secret_key", settings.secret_key.clone())];
    of("jibit", Kind::Jibit(settings), r#"base_url = "{base}""#, secrets)
}

pub(crate) fn playmobile(secret: Secrets<'_>) -> Subject {
    let settings = playmobile::Settings {
        login: secret("login"),
        password: secret("password"),
        ..playmobile::Settings::default()
    };
    let secrets =
        vec![("username", settings.login.clone()), ("password", settings.password.clone())];
    of("playmobile", Kind::PlayMobile(settings), r#"base_url = "{base}""#, secrets)
}

pub(crate) fn finnotech(secret: Secrets<'_>) -> Subject {
    let settings =
        finnotech::Settings { client_secret: secret("secret"), ..finnotech::Settings::default() };
    let secrets = vec![("client_secret", settings.client_secret.clone())];
    let lines = r#"base_url = "{base}", client_id = "demo-client", nid = "0012345678", scopes = "oak:ping:get boomrang:token:delete""#;
    of("finnotech", Kind::Finnotech(settings), lines, secrets)
}

pub(crate) fn external_api(secret: Secrets<'_>) -> Subject {
    let settings = login::Settings {
        username: secret("username"),
        password: secret("password"),
        ..login::Settings::default()
    };
    let secrets =
        vec![("username", settings.username.clone()), ("password", settings.password.clone())];
    of("external-api", Kind::Login(settings), r#"login_url = "{base}/api/token/""#, secrets)
}

pub(crate) fn propelauth(secret: Secrets<'_>) -> Subject {
    let settings = propelauth::Settings {
        client_secret: secret("secret"),
        api_key: secret("api-key"),
        ..propelauth::Settings::default()
    };
    let secrets = vec![
        ("client_secret", settings.client_secret.clone()),
        ("api_key", settings.api_key.clone()),
    ];
    let lines = r#"auth_url = "{base}", client_id = "demo-client""#;
    let subject = of("propelauth", Kind::PropelAuth(settings), lines, secrets);
    Subject { first: First::Imported, connection: "propelauth/ann", ..subject }
}

pub(crate) fn google_oauth(secret: Secrets<'_>) -> Subject {
    let settings =
        google::Settings { client_secret: secret("secret"), ..google::Settings::default() };
    let secrets = vec![("client_secret", settings.client_secret.clone())];
    let lines = r#"accounts_url = "{base}", api_url = "{base}", client_id = "demo.apps.googleusercontent.com", scopes = "openid email""#;
    let subject = of("google-oauth", Kind::Google(settings), lines, secrets);
    Subject { first: First::Added, connection: "google-oauth/shop", ..subject }
}

/// A client that logs in for itself, and gets no refresh token.
pub(crate) fn oauth2_client(secret: Secrets<'_>) -> Subject {
    let lines = r#"token_url = "{base}/token", client_id = "demo-client", scopes = "read write""#;
    oauth2("oauth2-client", lines, secret)
}

/// What a person agreed to, at a provider where a refresh token works once.
pub(crate) fn oauth2_person(secret: Secrets<'_>) -> Subject {
    let lines = r#"token_url = "{base}/token", client_id = "demo-client", grant = "authorization_code", scopes = "openid read""#;
    Subject { first: First::Set, ..oauth2("oauth2-person", lines, secret) }
}

fn oauth2(name: &'static str, lines: &'static str, secret: Secrets<'_>) -> Subject {
    let settings =
        oauth::Settings { client_secret: secret("secret"), ..oauth::Settings::default() };
    let secrets = vec![("client_secret", settings.client_secret.clone())];
    Subject { plugin: "oauth2", ..of(name, Kind::OAuth(settings), lines, secrets) }
}

fn of(
    name: &'static str,
    kind: Kind,
    settings: &'static str,
    secrets: Vec<(&'static str, String)>,
) -> Subject {
    let first = First::LogsIn;
    Subject { name, connection: name, plugin: name, kind, settings, secrets, first }
}

impl Subject {
    /// Its fake and a home for it, with `more` lines in its section, before the first token.
    pub(crate) fn stage(&self, more: &str) -> Stage {
        let fake = FakeProvider::start(self.kind.clone()).unwrap();
        let home = Home::new(&self.section(&fake.base_url(), more)).with_plugin(self.plugin);
        self.write_secrets(&home);
        Stage::of(home, fake, self.connection)
    }

    /// The same with a first token.
    pub(crate) fn started(&self, more: &str) -> Stage {
        let stage = self.stage(more);
        self.give_first(&stage);
        stage.control().clear_journal();
        stage
    }

    /// A first token, as this plugin gets it.
    fn give_first(&self, stage: &Stage) {
        let pair = match self.first {
            First::LogsIn => {
                let attempt = stage.refresh(&[]);
                assert_eq!(attempt["outcome"], "success", "{}: {attempt}", self.name);
                return;
            }
            First::Set => {
                self.set_token(stage);
                return;
            }
            First::Added | First::Imported => stage.control().issue_family(self.name),
        };
        let end = stage.control().now().as_second() + i64::from(pair.expires_in);
        let (access, refresh) = (pair.access_token, pair.refresh_token);
        if self.first == First::Added {
            let tokens =
                json!({ "access_token": access, "refresh_token": refresh, "expires_at": end });
            let add = ["connection", "add", self.connection, "--from", "-"];
            stage.home.run_with_input(&add, &tokens.to_string()).exits(0);
        } else {
            let name = self.connection.rsplit('/').next().unwrap();
            let heading = "name,access_token,refresh_token,expires_at";
            let table = format!("{heading}\n{name},{access},{refresh},{end}\n");
            let import = ["connection", "import", self.name, "-", "--format", "csv"];
            stage.home.run_with_input(&import, &table).exits(0);
        }
    }

    /// The tokens of a new family, as a person sets them.
    pub(crate) fn set_token(&self, stage: &Stage) -> Pair {
        let pair = stage.control().issue_family(self.name);
        let tokens = json!({
            "access_token": pair.access_token, "refresh_token": pair.refresh_token,
            "expires_in": pair.expires_in,
        });
        let set = ["token", "set", self.connection];
        stage.home.run_with_input(&set, &tokens.to_string()).exits(0);
        pair
    }

    /// Its section of a manifest, with the line that lets it reach a fake.
    pub(crate) fn section(&self, base: &str, more: &str) -> String {
        let egress = r#"egress = { networks = ["127.0.0.0/8"], plaintext = true }"#;
        self.section_without_egress(base, &format!("{egress}\n{more}"))
    }

    /// The same, from which the provider on this machine cannot be reached.
    pub(crate) fn section_without_egress(&self, base: &str, more: &str) -> String {
        let secret =
            |(name, _): &(&str, String)| format!(r#"{name} = {{ file = "{}" }}"#, self.file(name));
        let secrets = self.secrets.iter().map(secret).collect::<Vec<_>>().join(", ");
        let (name, plugin) = (self.name, self.plugin);
        let settings = self.settings.replace("{base}", base);
        let listed = if name == self.connection { "" } else { "connections = []" };
        format!(
            "[providers.{name}]\nplugin = \"{plugin}\"\nsettings = {{ {settings} }}\n\
             secrets = {{ {secrets} }}\n{listed}\n{more}\n"
        )
    }

    /// Its secrets in files that the section names.
    pub(crate) fn write_secrets(&self, home: &Home) {
        fs::create_dir_all(home.path("secrets")).unwrap();
        for (name, secret) in &self.secrets {
            write_secret(home, &self.file(name), secret);
        }
    }

    fn file(&self, secret: &str) -> String {
        format!("secrets/{}.{secret}", self.name)
    }
}
