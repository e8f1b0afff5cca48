//! What is done to a provider, and what is seen of it afterwards: one failing attempt, a caller who
//! asks, and one good attempt. Says nothing of what should be seen.

use e2e::provider::answer::Answer;
use e2e::provider::script::Fate;
use e2e::stage::Stage;

use crate::providers::subject::{First, Subject};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing does.
    Nothing,
    /// The provider ended every token.
    Revoked,
    /// It takes no credentials, and has ended the tokens of those who can log in again.
    WrongCredentials,
    /// 429, and 120 seconds.
    LimitTold,
    /// 429.
    Limit,
    /// 500 in JSON, and nothing was done.
    ServerError,
    /// 502 of a gateway, after it was done.
    BadGateway,
    /// 200 with a page for people, and nothing was done.
    Page,
    /// 200 with half of the answer.
    HalfJson,
    /// No answer, and nothing was done.
    CutBefore,
    /// No answer, and it was done.
    CutAfter,
}

impl Fault {
    fn happens(self, stage: &Stage, subject: &Subject) {
        let control = stage.control();
        match self {
            Self::Nothing => {}
            Self::Revoked => control.revoke_everything(),
            Self::WrongCredentials => {
                control.reject_credentials(true);
                if subject.first == First::LogsIn {
                    control.revoke_everything();
                }
            }
            Self::LimitTold => control.script(Answer::rate_limited(Some("120"))),
            Self::Limit => control.script(Answer::rate_limited(None)),
            Self::ServerError => control.script(Answer::server_error()),
            Self::BadGateway => control.script(Fate::ActThenAnswer(Answer::bad_gateway())),
            Self::Page => control.script(Answer::login_page()),
            Self::HalfJson => control.script(Fate::Truncate),
            Self::CutBefore => control.script(Fate::CutBefore),
            Self::CutAfter => control.script(Fate::CutAfter),
        }
    }
}

/// When the connection is looked at next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Not by itself: a person is needed.
    Never,
    /// In the 120 seconds that the provider asked for.
    AsTold,
    /// Within a minute.
    Soon,
    /// In a quarter of an hour or so.
    Later,
    /// Not before the current token ends.
    AtItsEnd,
    /// As after every success.
    Usual,
}

/// What callers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    None,
    Old,
    New,
}

/// What a person has to do once the provider is well again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: one of the next attempts is good.
    Recovers,
    /// The next attempts wait, and a forced one is good.
    RecoversByForce,
    /// Somebody gives it new tokens.
    Reconnects,
}

/// What one cell of the table came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Of the error; empty after a success.
    pub(crate) code: String,
    pub(crate) state: String,
    pub(crate) next: Next,
    pub(crate) token: Token,
    /// Requests of the attempt, and of the caller after it.
    pub(crate) requests: usize,
    pub(crate) then: Then,
}

/// The attempt of a connection without a token.
pub(crate) fn at_login(subject: &Subject, fault: Fault) -> Seen {
    look(subject, &subject.stage(""), None, fault)
}

/// The attempt of one that has a token, which a person insists on.
pub(crate) fn at_refresh(subject: &Subject, fault: Fault) -> Seen {
    let stage = subject.started("");
    let old = stage.token();
    look(subject, &stage, Some(&old), fault)
}

fn look(subject: &Subject, stage: &Stage, old: Option<&str>, fault: Fault) -> Seen {
    fault.happens(stage, subject);
    let attempt = stage.refresh(if old.is_some() { &["--force"] } else { &[] });
    let status = stage.status();
    if attempt["outcome"] == "success" {
        let generation = u64::from(old.is_some()) + 1;
        assert_eq!(status["generation"], generation, "{}", subject.name);
    }
    let token = served(stage, old);
    let requests = stage.control().journal().len();
    Seen {
        code: attempt["error"]["code"].as_str().unwrap_or_default().to_owned(),
        state: status["state"].as_str().unwrap().to_owned(),
        next: next(stage, &attempt, &status),
        token,
        requests,
        then: then(subject, stage),
    }
}

fn served(stage: &Stage, old: Option<&str>) -> Token {
    let run = stage.home.run(&["token", "get", stage.name()]);
    match run.stdout.trim_end() {
        "" => Token::None,
        it if Some(it) == old => Token::Old,
        _ => Token::New,
    }
}

fn next(stage: &Stage, attempt: &serde_json::Value, status: &serde_json::Value) -> Next {
    let Some(next) = status["next_refresh_at"].as_str() else { return Next::Never };
    if attempt["outcome"] == "success" {
        return Next::Usual;
    }
    if Some(next) == status["expires_at"].as_str() {
        return Next::AtItsEnd;
    }
    let wait = next.parse::<jiff::Timestamp>().unwrap().duration_since(stage.control().now());
    match wait.as_secs() {
        0..=60 => Next::Soon,
        110..=121 => Next::AsTold,
        _ => Next::Later,
    }
}

/// Makes the provider well again, and finds out what it takes.
fn then(subject: &Subject, stage: &Stage) -> Then {
    stage.control().clear_script();
    stage.control().reject_credentials(false);
    let good = |arguments: &[&str]| {
        let outcome = stage.refresh(arguments)["outcome"].clone();
        // What is fresh already is skipped.
        outcome == "success" || (outcome == "skipped" && stage.state() == "fresh")
    };
    // Where an answer was kept, the first try only reads it once more.
    let then = if (0..3).any(|_| good(&[])) {
        Then::Recovers
    } else if good(&["--force"]) {
        Then::RecoversByForce
    } else {
        subject.set_token(stage);
        assert!(good(&["--force"]), "{}: the new tokens are good", subject.name);
        Then::Reconnects
    };
    assert_eq!(stage.state(), "fresh", "{}: {}", subject.name, stage.status());
    then
}
