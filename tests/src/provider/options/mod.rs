//! Reads the command line of `fake-provider`. Flags that set one value each do not need a parser generator.

pub(crate) mod flags;

use std::net::SocketAddr;

use crate::provider::{Kind, options::flags::Flags};

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
pub fn usage() -> String {
    let kinds = Kind::USAGES.iter().map(|(kind, flags)| wrapped(kind, flags)).collect::<String>();
    format!(
        "{kinds}every kind:         [--listen ADDRESS:PORT] [--journal ENTRIES]\n\
         classes:            none, grace:SECONDS, until-used, strict"
    )
}

/// A line that is too long goes on below its flags.
fn wrapped(kind: &str, flags: &str) -> String {
    const WIDTH: usize = 118;
    let mut lines = vec![format!("fake-provider {kind}")];
    for flag in flags.split(" [").map(|it| it.trim_start_matches('[')) {
        match lines.last_mut() {
            Some(line) if line.len() + flag.len() + 2 <= WIDTH => line.extend([" [", flag]),
            _ => lines.push(format!("{:19} [{flag}", "")),
        }
    }
    lines.join("\n") + "\n"
}

fn kinds() -> String {
    Kind::USAGES.iter().map(|(kind, _)| *kind).collect::<Vec<_>>().join(", ")
}

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let kind = arguments.next().ok_or_else(|| format!("which provider? {}", kinds()))?;
    let mut flags = Flags::read(arguments)?;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        listen: flags.value("listen", listen)?,
        journal: flags.optional("journal")?,
        kind: Kind::read(&kind, &mut flags)
            .ok_or_else(|| format!("`{kind}` is no provider; use {}", kinds()))??,
    };
    match flags.leftover() {
        Some(name) => Err(format!("{kind} has no flag --{name}")),
        None => Ok(options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::family::Class;

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
        assert!(refused("twilio").contains("eskiz, jibit, rotor"));
    }

    #[test]
    fn every_kind_starts_without_a_flag() {
        for (kind, _) in Kind::USAGES {
            assert!(parsed(kind).is_ok(), "{kind}");
            assert!(usage().contains(&format!("fake-provider {kind} [--")), "{kind}");
        }
        assert!(usage().lines().all(|line| line.len() <= 118), "{}", usage());
    }

    #[test]
    fn shapes_are_chosen_by_words_and_lists() {
        let line = "login --format form-email --token-at data.token --no-slash --errors laravel";
        let Ok(Options { kind: Kind::Login(login), .. }) = parsed(line) else {
            panic!("bad flags")
        };
        assert_eq!((login.slash, login.path.as_str()), (None, "/api/token/"));
        let line =
            "oauth --grants client_credentials,device_code --audience https://api --scopes a";
        let Ok(Options { kind: Kind::OAuth(oauth), .. }) = parsed(line) else {
            panic!("bad flags")
        };
        assert_eq!((oauth.grants.len(), oauth.scopes), (2, vec!["a".to_owned()]));
        let wrong = parsed("google --failure sometimes").expect_err("a bad flag");
        assert_eq!(wrong, "--failure cannot be `sometimes`; use revoked, rapt, deleted-client");
    }
}
