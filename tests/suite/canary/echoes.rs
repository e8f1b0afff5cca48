//! Providers that repeat in their errors what they were sent: the password, the key, the token.

use e2e::home::Home;
use e2e::provider::answer::Answer;
use e2e::provider::script::Scenario;
use e2e::provider::{FakeProvider, Kind, eskiz, rotor};
use serde_json::json;

use crate::canary::Canaries;

pub(super) const STATUSES: [u16; 7] = [200, 400, 401, 403, 422, 429, 500];

#[test]
fn a_password_that_the_provider_repeats_is_not_stored_logged_or_shown() {
    let mut canaries = Canaries::new();
    let settings = eskiz::Settings {
        email: canaries.hatch("email"),
        password: canaries.hatch("password"),
        ..eskiz::Settings::default()
    };
    let secrets = [settings.email.clone(), settings.password.clone()];
    let fake = FakeProvider::start(Kind::Eskiz(settings)).unwrap();
    let home = eskiz_home(&fake, &secrets);
    for answer in STATUSES.iter().flat_map(|it| echoes(*it, &secrets)) {
        fake.control().script(Scenario::from(answer));
        fails_silently(&canaries, &home);
    }
    assert_eq!(fake.control().pending_script(), 0, "each was given");
    canaries.not_in_files(&home);
}

#[test]
fn a_token_that_the_provider_repeats_is_not_stored_logged_or_shown() {
    let mut canaries = Canaries::new();
    let prefix = canaries.hatch_plain("rotor");
    let settings = rotor::Settings { prefix, ..rotor::Settings::default() };
    let fake = FakeProvider::start(Kind::Rotor(settings)).unwrap();
    let home = rotor_home(&fake);
    for status in STATUSES {
        let pair = fake.control().issue_family("rotor");
        let secrets = [canaries.keep(&pair.access_token), canaries.keep(&pair.refresh_token)];
        let tokens = json!({ "access_token": secrets[0], "refresh_token": secrets[1] }).to_string();
        for answer in echoes(status, &secrets) {
            home.run_with_input(&["token", "set", "rotor"], &tokens).exits(0);
            fake.control().script(Scenario::from(answer));
            fails_silently(&canaries, &home);
        }
    }
    assert_eq!(fake.control().pending_script(), 0, "each was given");
    canaries.not_in_files(&home);
}

/// Everything a provider could repeat, as JSON in several places, as a page and as plain text.
pub(super) fn echoes(status: u16, secrets: &[String; 2]) -> [Answer; 3] {
    let [first, second] = secrets;
    let body = json!({
        "message": format!("{first} and {second} do not match"),
        "error": second,
        "error_description": format!("refused: {second}"),
        "code": second,
        "errors": [{ "code": first, "message": second }],
        first: { second: first },
    });
    let page = format!("<html><title>{first}</title>\n<p>{second} was refused</html>");
    let text = format!("bad credentials: {first}:{second}");
    [
        Answer::json(status, &body),
        Answer::new(status, "text/html", page),
        Answer::new(status, "text/plain", text),
    ]
}

/// One forced refresh fails, and neither it nor any look at it afterwards says a secret.
fn fails_silently(canaries: &Canaries, home: &Home) {
    let refresh = ["refresh", "--force", "--json"];
    let run = home.run(&refresh);
    assert_eq!(run.json()["summary"]["failed"], 1, "{run:#?}");
    canaries.not_said_by(&run, &refresh);
    for look in [&["status"][..], &["log", "--limit", "1", "--json"]] {
        canaries.not_said_by(&home.run(look), look);
    }
}

fn eskiz_home(fake: &FakeProvider, [email, password]: &[String; 2]) -> Home {
    let home = Home::new(&format!(
        r#"
        [providers.eskiz]
        settings = {{ base_url = "{}" }}
        secrets = {{ email = {{ env = "EMAIL" }}, password = {{ env = "PASSWORD" }} }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        fake.base_url()
    ));
    let home = home.with_env("EMAIL", email).with_env("PASSWORD", password);
    home.with_plugin("eskiz").with_env("KEEPFRESH_LOG", "trace")
}

fn rotor_home(fake: &FakeProvider) -> Home {
    let home = Home::new(&format!(
        r#"
        [providers.rotor]
        settings = {{ base_url = "{}" }}
        egress = {{ networks = ["127.0.0.0/8"], plaintext = true }}
        "#,
        fake.base_url()
    ));
    home.with_guest("rotor").with_env("KEEPFRESH_LOG", "trace")
}
