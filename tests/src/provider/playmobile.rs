//! `PlayMobile`: a name and a password with every call, and one call that sends messages. There is no token at all.
//!
//! Success is a sentence and an error is JSON. The codes in it look like statuses of HTTP and are none.

use axum::http::Method;
use jiff::Timestamp;
use jiff::fmt::strtime;
use serde_json::{Value, json};

use crate::provider::{
    answer::Answer,
    call::{Call, Format},
    credentials::Credentials,
    options::flags::Flags,
    service::{Fake, Pair, Reply, Service},
};

/// What a wrong name or password gets beside its 401. Nobody knows the vendor's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// No body.
    Empty,
    /// A page.
    Html,
    /// `{"error-code", "error-description"}`.
    Json,
}

/// How this `PlayMobile` behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the one account.
    pub login: String,
    /// Of the one account.
    pub password: String,
    /// The body beside a 401.
    pub unauthorized: Unauthorized,
    /// Whether the account is locked, which is a 400 with code 102.
    pub locked: bool,
    /// The code for a list without messages.
    pub empty_code: u16,
    /// Whether codes are texts.
    pub code_as_text: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login: "demo-login".to_owned(),
            password: "demo-password".to_owned(),
            unauthorized: Unauthorized::Empty,
            locked: false,
            empty_code: 103,
            code_as_text: false,
        }
    }
}

impl Fake for Settings {
    const USAGE: &str = "[--login L] [--password P] [--unauthorized empty|html|json] [--locked] [--empty-code N] \
        [--code-as-text]";

    fn read(flags: &mut Flags) -> Result<Self, String> {
        let base = Self::default();
        let bodies = [
            ("empty", Unauthorized::Empty),
            ("html", Unauthorized::Html),
            ("json", Unauthorized::Json),
        ];
        Ok(Self {
            login: flags.value("login", base.login)?,
            password: flags.value("password", base.password)?,
            unauthorized: flags.choice("unauthorized", base.unauthorized, &bodies)?,
            locked: flags.switch("locked")?,
            empty_code: flags.value("empty-code", base.empty_code)?,
            code_as_text: flags.switch("code-as-text")?,
        })
    }

    fn service(self, _: &str) -> Box<dyn Service> {
        Box::new(PlayMobile::new(self))
    }
}

pub(crate) struct PlayMobile {
    pub(crate) credentials: Credentials,
    pub(crate) locked: bool,
    /// How many messages went out.
    pub(crate) sent: u64,
    settings: Settings,
}

/// Code and description.
type Refused = (u16, &'static str);

impl Service for PlayMobile {
    fn act(&mut self, call: &Call, _: Timestamp) -> Reply {
        let known = call.basic.as_ref().is_some_and(|(login, password)| {
            self.credentials.admit(&[("login", login), ("password", password)])
        });
        let answer = match (&call.method, call.path.as_str()) {
            _ if !known => self.unauthorized(),
            (&Method::POST, "/broker-api/send") => self.send(call),
            (_, "/broker-api/send") => Answer::new(405, "text/html", ""),
            _ => Answer::nginx_not_found(),
        };
        answer.into()
    }

    fn issue(&mut self, _: &str, _: Timestamp) -> Pair {
        Pair::default()
    }

    fn credentials(&mut self) -> &mut Credentials {
        &mut self.credentials
    }

    fn sent_messages(&self) -> u64 {
        self.sent
    }

    fn lock(&mut self, locked: bool) {
        self.locked = locked;
    }
}

impl PlayMobile {
    pub(crate) fn new(settings: Settings) -> Self {
        let names = [("login", settings.login.as_str()), ("password", &settings.password)];
        let credentials = Credentials::new(names);
        Self { credentials, locked: settings.locked, sent: 0, settings }
    }

    fn send(&mut self, call: &Call) -> Answer {
        match self.accept(call) {
            Ok(messages) => {
                self.sent += messages;
                Answer::new(200, "text/plain;charset=UTF-8", "Request is received")
            }
            Err(refused) => Answer::json(400, &self.error(refused)),
        }
    }

    /// How many messages there are, if all of them can be sent.
    fn accept(&self, call: &Call) -> Result<u64, Refused> {
        let messages = call.document["messages"].as_array();
        let messages = messages.filter(|_| call.format == Format::Json);
        let messages = messages.ok_or((101, "Syntax error"))?;
        if self.locked {
            return Err((102, "Account lock"));
        }
        check_priority(&call.document["priority"])?;
        check_timing(&call.document["timing"])?;
        if messages.is_empty() {
            return Err((self.settings.empty_code, "Empty channel"));
        }
        messages.iter().try_for_each(check_message)?;
        Ok(messages.len() as u64)
    }

    fn error(&self, (code, description): Refused) -> Value {
        let code = if self.settings.code_as_text { json!(code.to_string()) } else { json!(code) };
        json!({"error-code": code, "error-description": description})
    }

    fn unauthorized(&self) -> Answer {
        let answer = match self.settings.unauthorized {
            Unauthorized::Empty => Answer::new(401, "text/plain", ""),
            Unauthorized::Html => {
                let page = "<html><head><title>401 Unauthorized</title></head></html>\n";
                Answer::new(401, "text/html", page)
            }
            Unauthorized::Json => Answer::json(401, &self.error((100, "Unauthorized"))),
        };
        answer.header("www-authenticate", "Basic realm=\"broker\"")
    }
}

fn check_priority(priority: &Value) -> Result<(), Refused> {
    let known = ["", "low", "normal", "high", "realtime"];
    let good = priority.is_null() || priority.as_str().is_some_and(|it| known.contains(&it));
    if good { Ok(()) } else { Err((104, "Invalid priority")) }
}

fn check_timing(timing: &Value) -> Result<(), Refused> {
    let is_time = |name: &str| {
        let text = timing[name].as_str();
        let parsed = text.map(|it| strtime::parse("%Y-%m-%d %H:%M", it));
        timing[name].is_null() || parsed.is_some_and(|it| it.is_ok())
    };
    if !is_time("start-datetime") {
        return Err((302, "Invalid start-datetime"));
    }
    if !is_time("end-datetime") {
        return Err((303, "Invalid end-datetime"));
    }
    let evenly = &timing["send-evenly"];
    let good = evenly.is_null() || [json!(0), json!(1)].contains(evenly);
    if good { Ok(()) } else { Err((306, "Invalid send-evenly")) }
}

fn check_message(message: &Value) -> Result<(), Refused> {
    let text = |value: &Value| value.as_str().is_some_and(|it| !it.is_empty());
    if !message["recipient"].as_str().is_some_and(is_recipient) {
        return Err((202, "Empty recipient"));
    }
    if !text(&message["message-id"]) && !message["message-id"].is_number() {
        return Err((205, "Empty message-id"));
    }
    let sms = &message["sms"];
    if !text(&sms["originator"]) {
        return Err((401, "Empty originator"));
    }
    if !sms["content"].is_object() {
        return Err((404, "Empty content"));
    }
    if text(&sms["content"]["text"]) { Ok(()) } else { Err((406, "Invalid content")) }
}

/// A number of Uzbekistan, without a plus.
fn is_recipient(text: &str) -> bool {
    text.len() == 12 && text.starts_with("998") && text.bytes().all(|it| it.is_ascii_digit())
}
