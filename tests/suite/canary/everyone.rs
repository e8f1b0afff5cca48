//! Each plugin lives through a login, tokens that a person sets, refreshes, and answers
//! that repeat all they were sent, in a daemon at its loudest; then every command looks at it.

use base64::Engine as _;
use e2e::collector::Collector;
use e2e::daemon::wait_until;
use e2e::provider::Kind;
use e2e::provider::script::Scenario;
use e2e::stage::Stage;
use serde_json::Value;

use crate::canary::echoes::{STATUSES, echoes};
use crate::canary::{Canaries, MARK};
use crate::providers::subject::{First, Make, Subject};

/// Every command that prints, but `token get`. Those that end with `show` are given a connection.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["log", "--limit", "500"],
    &["stats"],
    &["connection", "list"],
    &["connection", "show"],
    &["plugin", "list"],
    &["schedule", "list"],
    &["doctor"],
    &["check"],
    &["refresh", "--dry-run"],
    &["refresh", "--failed", "--sync"],
];

struct Life {
    canaries: Canaries,
    subject: Subject,
    stage: Stage,
    collector: Collector,
}

fn lives_silently(make: Make) {
    let mut life = Life::begin(make);
    let daemon = life.stage.home.serve();
    life.log_in();
    life.refresh();
    life.hear_echoes();
    life.run_everything();
    let seen = life.canaries.not_in_files(&life.stage.home);
    for file in ["keepfresh.db", "keepfresh.db-wal", "serve.log"] {
        assert!(seen.iter().any(|it| it == file), "{file} is looked at: {seen:?}");
    }
    assert!(daemon.log().contains("TRACE") || daemon.log().contains("DEBUG"));
    assert!(daemon.stop().success());
    life.run_everything();
    life.canaries.not_in_files(&life.stage.home);
    life.check_traces();
    life.end();
}

impl Life {
    fn begin(make: Make) -> Self {
        let mut canaries = Canaries::new();
        let mut subject = make(&mut |name| canaries.hatch(name));
        if let Kind::OAuth(settings) = &mut subject.kind {
            settings.prefix = canaries.hatch_plain("token");
        }
        let mut stage = subject.stage("probe = \"10s\"");
        stage.home.set_env("KEEPFRESH_LOG", "trace");
        let collector = Collector::start();
        let endpoint = format!("http://{}", collector.address);
        stage.home.set_env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        stage.home.set_env("OTEL_BSP_SCHEDULE_DELAY", "50");
        let mut life = Self { canaries, subject, stage, collector };
        if life.subject.first != First::LogsIn {
            life.set_tokens();
        }
        life
    }

    /// What a collector was sent: requests are in it, and neither a secret nor a query.
    fn check_traces(&self) {
        let spans = self.collector.spans();
        assert!(spans.iter().any(|it| it.attributes.contains_key("url.template")), "{spans:?}");
        for (_, body) in self.collector.requests() {
            self.canaries.not_in("a trace", &body);
        }
        let said = spans.iter().flat_map(|it| it.attributes.values().chain([&it.name]));
        assert!(said.into_iter().all(|it| !it.contains(['?', '&'])), "{spans:?}");
    }

    /// As a person does: for people before the daemon begins, which would ask for them at once.
    fn set_tokens(&mut self) {
        if self.subject.connection != self.subject.name {
            let add = ["connection", "add", self.subject.connection];
            self.canaries.not_said_by(&self.stage.home.run(&add).exits(0), &add);
        }
        let pair = self.subject.set_token(&self.stage);
        let known = [pair.access_token, pair.refresh_token];
        known.iter().filter(|it| !it.is_empty()).for_each(|it| drop(self.canaries.keep(it)));
    }

    /// From a login where there is one, and then from a person too, unless there are no tokens.
    fn log_in(&mut self) {
        if self.subject.first != First::LogsIn {
            return;
        }
        wait_until("it has logged in", || self.stage.state() == "fresh");
        self.learn();
        if self.subject.plugin != "playmobile" {
            self.set_tokens();
        }
    }

    fn refresh(&mut self) {
        for _ in 0..2 {
            let refresh = ["refresh", "--force", "--sync", "--json"];
            let run = self.stage.home.run(&refresh).exits(0);
            self.canaries.not_said_by(&run, &refresh);
            self.learn();
        }
    }

    /// Tokens that the provider made are secrets too; `token get` is how they come out.
    fn learn(&mut self) {
        let token = self.stage.token();
        assert!(token.len() > 20, "{}: {token}", self.subject.name);
        if let Some(inner) = refresh_token_inside(&token) {
            self.canaries.keep(&inner);
        }
        self.canaries.keep(&token);
    }

    /// The provider repeats a secret and a token, in every status.
    fn hear_echoes(&mut self) {
        let secret = self.subject.secrets.last().map(|(_, it)| it.clone()).unwrap();
        for status in STATUSES {
            let token = self.stage.token();
            for answer in echoes(status, &[secret.clone(), token]) {
                self.stage.control().script(Scenario::from(answer));
                let refresh = ["refresh", "--force", "--sync", "--json"];
                self.canaries.not_said_by(&self.stage.home.run(&refresh), &refresh);
            }
            self.canaries.not_said_by(&self.stage.home.run(&["status"]), &["status"]);
            self.learn();
        }
    }

    fn run_everything(&self) {
        for command in COMMANDS {
            for json in [&[][..], &["--json"]] {
                let shown = (command.last() == Some(&"show")).then_some(self.subject.connection);
                let arguments = [command, shown.as_slice(), json].concat();
                self.canaries.not_said_by(&self.stage.home.run(&arguments), &arguments);
            }
        }
    }

    /// Where there is a revocation it is sent; everywhere the tokens are forgotten.
    fn end(&self) {
        for verb in [&["disconnect"][..], &["token", "clear"]] {
            let arguments = [verb, &[self.subject.connection]].concat();
            self.canaries.not_said_by(&self.stage.home.run(&arguments), &arguments);
        }
        self.canaries.not_in_files(&self.stage.home);
    }
}

/// Finnotech writes the refresh token into the access token, for everybody to read.
fn refresh_token_inside(token: &str) -> Option<String> {
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?);
    let claims: Value = serde_json::from_slice(&claims.ok()?).ok()?;
    claims["refreshToken"].as_str().map(str::to_owned)
}

macro_rules! lives {
    ($($subject:ident $first:ident $life:ident,)+) => {$(
        #[test]
        fn $subject() {
            lives_silently(crate::providers::subject::$subject);
        }
    )+};
}

/// No secret of these is in a file, a log, or an output.
mod no_secret_shows_of {
    use super::lives_silently;
    use crate::providers::subject::each_subject;

    each_subject!(lives);
}

#[test]
fn the_marks_of_a_subject_are_looked_for() {
    let mut canaries = Canaries::new();
    let subject = crate::providers::subject::jibit(&mut |name| canaries.hatch(name));
    assert!(subject.secrets.iter().all(|(_, it)| it.starts_with(MARK)));
    assert_eq!(canaries.all.len(), 3);
}
