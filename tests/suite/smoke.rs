//! The shortest way through: a manifest, two plugins, two tokens.

use e2e::home::Home;
use e2e::provider::{FakeProvider, Kind, eskiz, jibit};

#[test]
fn two_providers_log_in_and_hand_out_tokens() {
    let eskiz = FakeProvider::start(Kind::Eskiz(eskiz::Settings::default())).unwrap();
    let jibit = FakeProvider::start(Kind::Jibit(jibit::Settings::default())).unwrap();
    let home = Home::new(&format!(
        r#"
        [providers.eskiz]
        settings = {{ base_url = "{}" }}
        secrets = {{ email = {{ env = "ESKIZ_EMAIL" }}, password = {{ env = "ESKIZ_PASSWORD" }} }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}

        [providers.jibit]
        settings = {{ base_url = "{}" }}
        secrets = {{ api_key = {{ env = "JIBIT_API_KEY" }}, secret_key = {{ env = "JIBIT_SECRET_KEY" }} }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        eskiz.base_url(),
        jibit.base_url(),
    ))
    .with_plugin("eskiz")
    .with_plugin("jibit")
    .with_env("ESKIZ_EMAIL", &eskiz::Settings::default().email)
    .with_env("ESKIZ_PASSWORD", &eskiz::Settings::default().password)
    .with_env("JIBIT_API_KEY", &jibit::Settings::default().api_key)
    .with_env("JIBIT_SECRET_KEY", &jibit::Settings::default().secret_key);
    let refreshed = home.run(&["refresh", "--json"]).exits(0).json();
    assert_eq!(refreshed["summary"]["success"], 2);
    let token = home.run(&["token", "get", "eskiz"]).exits(0).stdout;
    assert!(token.starts_with("eyJ"));
}
