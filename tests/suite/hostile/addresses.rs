//! Names that lead to where no plugin may go. `localhost` is asked of the real resolver; another name
//! needs a name server that lies, so that one runs in this process.

use std::net::IpAddr;

use e2e::artifacts;
use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz};
use keepfresh::app::{App, Purpose};
use keepfresh::egress::{Gate, Lookup};
use keepfresh::manifest;
use keepfresh::model::attempt::{Attempt, Outcome, Trigger};
use keepfresh::model::clock::Clock;
use keepfresh::refresher::Ask;
use keepfresh::sandbox::Compiler;

use crate::hostile::{Stage, stops_in};

#[test]
fn a_name_for_this_machine_is_refused_with_the_line_that_would_allow_it() {
    let stage = Stage::new();
    let section = "[providers.asks-localhost]\nsecrets = { key = { env = \"GUEST_KEY\" } }";
    let home = stage.home(section).with_guest("asks-localhost");
    let ending = stops_in(&home, "asks-localhost");
    let refusal = "localhost resolved to a loopback address; refused; add to [providers.asks-localhost]: egress = { networks = [";
    // The machine may know its own name as 127.0.0.1, as ::1, or as both.
    let known = [r#""127.0.0.0/8"] }"#, r#""::1/128"] }"#];
    let both = [r#""127.0.0.0/8", "::1/128"] }"#, r#""::1/128", "127.0.0.0/8"] }"#];
    assert_eq!(ending.code, "egress.ip_denied");
    let remedy =
        ending.message.strip_prefix(refusal).unwrap_or_else(|| panic!("{}", ending.message));
    assert!(known.contains(&remedy) || both.contains(&remedy), "{remedy}");
}

#[test]
fn a_name_for_the_metadata_service_is_refused() {
    let refused = refused_at(&["169.254.169.254"]);
    assert_eq!(
        refused,
        "provider.example resolved to a link-local address; refused; add to [providers.led-astray]: egress = { networks = [\"169.254.169.254/32\"] }"
    );
}

#[test]
fn a_name_for_this_machine_by_another_name_is_refused() {
    let refused = refused_at(&["127.0.0.1"]);
    assert_eq!(
        refused,
        "provider.example resolved to a loopback address; refused; add to [providers.led-astray]: egress = { networks = [\"127.0.0.0/8\"] }"
    );
}

#[test]
fn one_bad_address_among_good_ones_spoils_the_answer() {
    let refused = refused_at(&["93.184.216.34", "::ffff:169.254.169.254"]);
    assert_eq!(
        refused,
        "provider.example resolved to an IPv4-mapped address; refused; add to [providers.led-astray]: egress = { networks = [\"169.254.169.254/32\"] }"
    );
}

/// What is said of a plugin whose provider's name leads to `found`, after a neighbour has refreshed.
fn refused_at(found: &'static [&'static str]) -> String {
    let fake = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let home = Home::new("").with_plugin("eskiz");
    home.write_manifest(&manifest_of(&home, &fake));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let attempts = runtime.block_on(refreshed(&home, found));
    let [astray, neighbour] = attempts;
    assert_eq!(neighbour.outcome(), Some(Outcome::Success), "{neighbour:?}");
    let error = astray.error().unwrap().clone();
    assert_eq!(error.code.text(), "egress.ip_denied");
    error.message
}

async fn refreshed(home: &Home, found: &'static [&'static str]) -> [Attempt; 2] {
    let addresses = || found.iter().map(|it| it.parse::<IpAddr>().unwrap()).collect::<Vec<_>>();
    let lookup = Lookup::new(move |_| std::future::ready(Ok(addresses())));
    let manifest = manifest::load(&home.path("keepfresh.toml")).unwrap();
    let (gate, compiler) = (Gate::new(lookup), Compiler::at(artifacts::keepfresh()));
    let app = App::open(manifest, Purpose::Command, Clock::system(), gate, compiler).await;
    let app = app.unwrap();
    let ask = Ask::new(Trigger::Forced);
    let (astray, neighbour) = ("led-astray".parse().unwrap(), "eskiz".parse().unwrap());
    let (astray, neighbour) = tokio::join!(
        app.refresher.attempts.refresh(&astray, ask),
        app.refresher.attempts.refresh(&neighbour, ask)
    );
    [astray.unwrap(), neighbour.unwrap()]
}

/// Absolute paths, and secrets in files: this process keeps its own folder and environment.
fn manifest_of(home: &Home, fake: &FakeProvider) -> String {
    let path = |name: &str| home.path(name).display().to_string();
    std::fs::write(home.path("email"), eskiz::Settings::default().email).unwrap();
    std::fs::write(home.path("password"), eskiz::Settings::default().password).unwrap();
    let secrets = format!(
        "secrets = {{ email = {{ file = \"{}\" }}, password = {{ file = \"{}\" }} }}",
        path("email"),
        path("password")
    );
    format!(
        r#"
        [storage]
        url = "sqlite:{database}"

        [vault]
        key = "file:{key}"

        [plugins]
        dir = "{plugins}"

        [providers.led-astray]
        plugin = "eskiz"
        settings = {{ base_url = "https://provider.example" }}
        {secrets}

        [providers.eskiz]
        settings = {{ base_url = "{base_url}" }}
        {secrets}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        database = path("keepfresh.db"),
        key = path("keepfresh.key"),
        plugins = path("plugins"),
        base_url = fake.base_url(),
    )
}
