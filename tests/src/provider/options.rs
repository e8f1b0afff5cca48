//! Reads the command line of `fake-provider`. Three kinds and a dozen flags do not need a parser generator.

use std::{collections::BTreeMap, net::SocketAddr, str::FromStr};

use crate::provider::{Kind, eskiz, family::Class, jibit, rotor};

/// What the command line asks for.
#[derive(Debug)]
pub struct Options {
    /// Which provider.
    pub kind: Kind,
    /// Where it listens; port 0 is a free one.
    pub listen: SocketAddr,
    /// How many journal entries to keep, when not the default.
    pub journal: Option<usize>,
}

/// How to call it.
pub const USAGE: &str = "\
fake-provider eskiz [--email E] [--password P] [--lifetime S] [--role R] [--revoke-old-on-refresh] [--refresh-expired]
fake-provider jibit [--api-key K] [--secret-key K] [--class C] [--lifetime S] [--refresh-lifetime S] [--flat-ide]
                    [--bad-refresh-status N]
fake-provider rotor [--class C] [--prefix T] [--lifetime S] [--refresh-lifetime S] [--key K]
                    [--client-id I --client-secret S] [--always-send-refresh]
every kind:         [--listen ADDRESS:PORT] [--journal ENTRIES]
classes:            none, grace:SECONDS, until-used, strict";

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let kind = arguments.next().ok_or("which provider? eskiz, jibit or rotor")?;
    let mut flags = Flags::read(arguments)?;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        listen: flags.value("listen", listen)?,
        journal: flags.optional("journal")?,
        kind: match kind.as_str() {
            "eskiz" => Kind::Eskiz(flags.eskiz()?),
            "jibit" => Kind::Jibit(flags.jibit()?),
            "rotor" => Kind::Rotor(flags.rotor()?),
            other => return Err(format!("`{other}` is no provider; use eskiz, jibit or rotor")),
        },
    };
    match flags.0.into_keys().next() {
        Some(name) => Err(format!("{kind} has no flag --{name}")),
        None => Ok(options),
    }
}

/// Flags by name. One without a value, such as a switch, has an empty one.
struct Flags(BTreeMap<String, String>);

impl Flags {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mut flags = BTreeMap::new();
        while let Some(argument) = arguments.next() {
            let flag = argument.strip_prefix("--").ok_or(format!("`{argument}` is no flag"))?;
            let value = arguments.next_if(|next| !next.starts_with("--")).unwrap_or_default();
            if flags.insert(flag.to_owned(), value).is_some() {
                return Err(format!("--{flag} is there twice"));
            }
        }
        Ok(Self(flags))
    }

    fn optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("--{name} cannot be `{text}`"))
    }

    fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        Ok(self.optional(name)?.unwrap_or(default))
    }

    fn switch(&mut self, name: &str) -> Result<bool, String> {
        match self.0.remove(name).as_deref() {
            None => Ok(false),
            Some("") => Ok(true),
            Some(value) => Err(format!("--{name} takes no value, and got `{value}`")),
        }
    }

    fn class(&mut self, default: Class) -> Result<Class, String> {
        self.0.remove("class").map_or(Ok(default), |text| text.parse())
    }

    fn eskiz(&mut self) -> Result<eskiz::Settings, String> {
        let base = eskiz::Settings::default();
        Ok(eskiz::Settings {
            email: self.value("email", base.email)?,
            password: self.value("password", base.password)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            role: self.value("role", base.role)?,
            revoke_old_on_refresh: self.switch("revoke-old-on-refresh")?,
            refresh_expired: self.switch("refresh-expired")?,
        })
    }

    fn jibit(&mut self) -> Result<jibit::Settings, String> {
        let base = jibit::Settings::default();
        Ok(jibit::Settings {
            api_key: self.value("api-key", base.api_key)?,
            secret_key: self.value("secret-key", base.secret_key)?,
            class: self.class(base.class)?,
            access_lifetime: self.value("lifetime", base.access_lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            flat_ide: self.switch("flat-ide")?,
            bad_refresh_status: self.value("bad-refresh-status", base.bad_refresh_status)?,
        })
    }

    fn rotor(&mut self) -> Result<rotor::Settings, String> {
        let base = rotor::Settings::default();
        let client = match (self.optional("client-id")?, self.optional("client-secret")?) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) => None,
            _ => return Err("--client-id and --client-secret go together".to_owned()),
        };
        Ok(rotor::Settings {
            class: self.class(base.class)?,
            prefix: self.value("prefix", base.prefix)?,
            lifetime: self.value("lifetime", base.lifetime)?,
            refresh_lifetime: self.value("refresh-lifetime", base.refresh_lifetime)?,
            key: self.value("key", base.key)?,
            client,
            omit_unrotated: !self.switch("always-send-refresh")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn flags_change_the_defaults_and_nothing_else() {
        let options = parsed("rotor --class grace:2 --listen 127.0.0.1:9003").expect("good flags");
        assert_eq!(options.listen.port(), 9003);
        let Kind::Rotor(settings) = options.kind else { panic!("another kind") };
        assert_eq!((settings.class, settings.lifetime), (Class::Grace(2), 3_600));
    }

    #[test]
    fn a_mistake_is_named() {
        let refused = |line| parsed(line).expect_err("bad flags");
        assert_eq!(refused("eskiz --class strict"), "eskiz has no flag --class");
        assert_eq!(refused("eskiz --lifetime soon"), "--lifetime cannot be `soon`");
        assert_eq!(refused("jibit --flat-ide yes"), "--flat-ide takes no value, and got `yes`");
        assert_eq!(refused("rotor --client-id a"), "--client-id and --client-secret go together");
        assert!(refused("twilio").contains("eskiz, jibit or rotor"));
    }
}
