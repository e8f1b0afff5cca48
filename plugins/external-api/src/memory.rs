//! What was found out, as facts that `connection show` prints and that come back with every later call.
//! A fact that cannot be read, or that belongs to another `login_url`, is as good as none.

use sdk::{Context, Failure, Settings, Source};

use crate::address::Address;
use crate::format::{Client, Credentials, Format, Shape};
use crate::renewal::Renewal;

const LOGIN_URL: &str = "login_url";
const ENDPOINT: &str = "endpoint";
const FORMAT: &str = "format";
const USER: &str = "user_field";
const PASSWORD: &str = "password_field";
const DEVICE: &str = "device_field";
const CLIENT: &str = "client_sent";
const TOKEN_AT: &str = "token_at";
const REFRESH_TOKEN_AT: &str = "refresh_token_at";
const EXPIRY_FROM: &str = "expiry_from";
const REFRESH_ENDPOINT: &str = "refresh_endpoint";
const REFRESH_FORMAT: &str = "refresh_format";

/// Words for what is no pointer.
const BODY: &str = "the whole body";
const HEADER: &str = "header ";

/// What an earlier login found out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) address: Option<Address>,
    pub(crate) shape: Option<Shape>,
    pub(crate) token_at: Option<Source>,
    pub(crate) refresh_token_at: Option<String>,
    pub(crate) renewal: Option<Renewal>,
}

impl Memory {
    pub(crate) fn of(context: &Context) -> Self {
        let settings = &context.settings;
        let read = |name| context.remembered(name);
        if read(LOGIN_URL) != settings.optional(LOGIN_URL) {
            return Self::default();
        }
        let address = |name| Address::of(read(name)?, settings);
        let renewal = || Renewal::remembered(address(REFRESH_ENDPOINT)?, read(REFRESH_FORMAT)?);
        Self {
            address: address(ENDPOINT),
            shape: shape(context),
            token_at: read(TOKEN_AT).and_then(source),
            refresh_token_at: read(REFRESH_TOKEN_AT).map(str::to_owned),
            renewal: renewal(),
        }
    }
}

fn shape(context: &Context) -> Option<Shape> {
    let format = Format::named(context.remembered(FORMAT)?)?;
    let mut shape = Credentials::of(context).shape(format);
    for (name, member) in [(USER, &mut shape.user), (PASSWORD, &mut shape.password)] {
        if let Some(found) = context.remembered(name) {
            found.clone_into(member);
        }
    }
    if context.remembered(CLIENT).is_some() {
        shape.client = Client::Body;
    }
    shape.device = context.remembered(DEVICE).is_some();
    Some(shape)
}

/// Facts of a login. Of its shape only what is unusual is worth a line.
pub(crate) fn found(
    settings: &Settings,
    address: &Address,
    shape: &Shape,
) -> Result<Vec<(String, String)>, Failure> {
    let mut facts = Facts(Vec::new());
    facts.set(LOGIN_URL, settings.required(LOGIN_URL)?);
    facts.set(ENDPOINT, &address.full(settings)?);
    facts.set(FORMAT, shape.format.name());
    let usual = if shape.format == Format::JsonEmail { "email" } else { "username" };
    if shape.user != usual {
        facts.set(USER, &shape.user);
    }
    if shape.password != "password" {
        facts.set(PASSWORD, &shape.password);
    }
    if shape.client == Client::Body {
        facts.set(CLIENT, "in the body");
    }
    if shape.device {
        facts.set(DEVICE, "device_name");
    }
    Ok(facts.0)
}

/// Facts of an answer, in place of those of an earlier one.
pub(crate) fn read(
    facts: Vec<(String, String)>,
    token: &Source,
    refresh: Option<&Source>,
    from: &str,
) -> Vec<(String, String)> {
    let mut facts = Facts(facts);
    facts.set(TOKEN_AT, &spoken(token));
    if let Some(Source::At(pointer)) = refresh {
        facts.set(REFRESH_TOKEN_AT, pointer);
    }
    facts.set(EXPIRY_FROM, from);
    facts.0
}

/// Facts of a refresh that worked.
pub(crate) fn renewed(
    facts: Vec<(String, String)>,
    endpoint: &str,
    format: &str,
) -> Vec<(String, String)> {
    let mut facts = Facts(facts);
    facts.set(REFRESH_ENDPOINT, endpoint);
    facts.set(REFRESH_FORMAT, format);
    facts.0
}

/// What is remembered of the refresh, for a login to carry on.
pub(crate) fn of_refresh(context: &Context) -> Vec<(String, String)> {
    if Memory::of(context).renewal.is_none() {
        return Vec::new();
    }
    let kept = |(name, _): &&(String, String)| name == REFRESH_ENDPOINT || name == REFRESH_FORMAT;
    context.remembered.iter().filter(kept).cloned().collect()
}

struct Facts(Vec<(String, String)>);

impl Facts {
    fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }
}

fn spoken(source: &Source) -> String {
    match source {
        Source::At(pointer) if pointer.is_empty() => BODY.to_owned(),
        Source::At(pointer) => pointer.clone(),
        Source::Header(name) => format!("{HEADER}{name}"),
        Source::Given(_) => String::new(),
    }
}

fn source(spoken: &str) -> Option<Source> {
    if spoken == BODY {
        return Some("".into());
    }
    let header = spoken.strip_prefix(HEADER).map(|name| Source::Header(name.to_owned()));
    header.or_else(|| spoken.starts_with('/').then(|| spoken.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::context;

    const LOGIN: &str = "https://a.example/api/login";

    fn remembering(facts: Vec<(String, String)>) -> Context {
        let settings = [("login_url", LOGIN), ("client_id", "app")];
        Context { remembered: facts, ..context::<crate::Plugin>(&settings) }
    }

    fn unusual() -> Shape {
        let (user, password) = ("login".to_owned(), "pwd".to_owned());
        Shape { format: Format::Form, user, password, client: Client::Body, device: true }
    }

    #[test]
    fn what_was_found_comes_back_as_it_was() {
        let empty = remembering(Vec::new());
        let address = Address::Path("/api/login/".to_owned());
        for token in ["/data/token".into(), "".into(), Source::Header("X-Auth-Token".to_owned())] {
            let facts = found(&empty.settings, &address, &unusual()).unwrap();
            let facts = read(facts, &token, Some(&"/data/refresh".into()), "x");
            let facts = renewed(facts, "https://a.example/r", "json refresh");
            let memory = Memory::of(&remembering(facts));
            assert_eq!(memory.address.as_ref(), Some(&address));
            assert_eq!(memory.shape, Some(unusual()));
            assert_eq!(memory.token_at, Some(token));
            assert_eq!(memory.refresh_token_at.as_deref(), Some("/data/refresh"));
            assert!(memory.renewal.is_some());
        }
    }

    #[test]
    fn another_login_url_makes_memory_worthless() {
        let empty = remembering(Vec::new());
        let mut facts = found(&empty.settings, &Address::Login, &unusual()).unwrap();
        assert!(Memory::of(&remembering(facts.clone())).address.is_some());
        facts[0].1 = "https://a.example/other".to_owned();
        assert_eq!(Memory::of(&remembering(facts)), Memory::default());
    }

    #[test]
    fn an_address_on_another_server_is_not_remembered() {
        let facts = [("login_url", LOGIN), ("endpoint", "https://evil.example/login")];
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(Memory::of(&remembering(facts.into())).address, None);
    }

    #[test]
    fn a_usual_shape_takes_three_lines() {
        let context = remembering(Vec::new());
        let shape = Credentials::of(&context).shape(Format::JsonEmail);
        let facts = found(&context.settings, &Address::Login, &shape).unwrap();
        let lines = [("login_url", LOGIN), ("endpoint", LOGIN), ("format", "json-email")];
        assert_eq!(facts, lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
