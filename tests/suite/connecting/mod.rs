//! `connect` and `disconnect`: a person's consent, from the address to the stored token and back.

/// The way through a browser.
mod browser;

/// A code on another machine.
mod device;

/// How long a person is waited for, and who finishes the login.
mod waiting;

/// The browser that is opened.
mod opening;

/// Whose account it is, and what was granted.
mod accounts;

/// Providers with manners of their own.
mod manners;

/// What a callback must bring.
mod callback;

/// The end of a grant.
mod ending;

use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, google, oauth, propelauth};
use e2e::stage::write_secret;
use e2e::visitor::{Connecting, Page, walk};
use serde_json::Value;

/// The scope of the example: Google Business Profile.
const BUSINESS: &str = "https://www.googleapis.com/auth/business.manage";

/// A provider that people connect to, and a home without connections.
struct Desk {
    home: Home,
    fake: FakeProvider,
    provider: &'static str,
}

impl Desk {
    fn google(settings: google::Settings) -> Self {
        let secret = settings.client_secret.clone();
        let more = format!(
            "settings = {{ client_id = \"{}\", scopes = \"openid {BUSINESS}\", accounts_url = \"{{url}}\", \
             api_url = \"{{url}}\", issuer = \"{{url}}\" }}",
            settings.client_id
        );
        Self::open("google-oauth", Kind::Google(settings), &secret, &more)
    }

    fn oauth(settings: oauth::Settings, more: &str) -> Self {
        let secret = settings.client_secret.clone();
        let all = format!(
            "settings = {{ issuer = \"{{url}}\", client_id = \"{}\", grant = \"authorization_code\"{more} }}",
            settings.client_id
        );
        Self::open("oauth2", Kind::OAuth(settings), &secret, &all)
    }

    fn propelauth(settings: propelauth::Settings) -> Self {
        let secret = settings.client_secret.clone();
        let more = format!(
            "settings = {{ auth_url = \"{{url}}\", client_id = \"{}\" }}",
            settings.client_id
        );
        Self::open("propelauth", Kind::PropelAuth(settings), &secret, &more)
    }

    fn open(provider: &'static str, kind: Kind, secret: &str, more: &str) -> Self {
        let fake = FakeProvider::start(kind).unwrap();
        let more = more.replace("{url}", &fake.base_url());
        let home = Home::new(&format!(
            "[providers.{provider}]\nconnections = []\n{more}\n\
             secrets = {{ client_secret = {{ file = \"client.secret\" }} }}\n\
             egress = {{ networks = [\"127.0.0.0/8\"], plaintext = true }}\n"
        ));
        write_secret(&home, "client.secret", secret);
        Self { home: home.with_plugin(provider), fake, provider }
    }

    /// Begins to connect `name`.
    fn begin(&self, name: &str, more: &[&str]) -> Connecting {
        Connecting::start(&self.home, &[&[self.provider, "--name", name], more].concat())
    }

    /// Connects `name` as a person who agrees to everything.
    fn connect(&self, name: &str) -> (Page, e2e::home::Run) {
        let mut connecting = self.begin(name, &[]);
        let page = walk(&connecting.address());
        (page, connecting.end())
    }

    fn id(&self, name: &str) -> String {
        format!("{}/{name}", self.provider)
    }

    fn show(&self, name: &str) -> Value {
        self.home.run(&["connection", "show", &self.id(name), "--json"]).exits(0).json()
    }

    /// Parameters of an address.
    fn parameter(url: &str, name: &str) -> Option<String> {
        let query = url.split_once('?')?.1;
        let value = query.split('&').find_map(|it| it.strip_prefix(&format!("{name}=")))?;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    }
}
