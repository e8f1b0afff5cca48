//! Reads the command line of `fake-provider`. Flags that set one value each do not need a parser generator.

mod flags;

mod gateways;

mod consent;

mod logins;

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
pub const USAGE: &str = "\
fake-provider eskiz [--email E] [--password P] [--lifetime S] [--role R] [--revoke-old-on-refresh] [--refresh-expired]
fake-provider jibit [--api-key K] [--secret-key K] [--class C] [--lifetime S] [--refresh-lifetime S] [--flat-ide]
                    [--bad-refresh-status N]
fake-provider rotor [--class C] [--prefix T] [--lifetime S] [--refresh-lifetime S] [--key K]
                    [--client-id I --client-secret S] [--always-send-refresh]
fake-provider finnotech [--client-id I] [--client-secret S] [--nid N] [--scopes A,B] [--class C] [--lifetime S]
                    [--refresh-lifetime S] [--lifetime-as-text] [--date-as-number] [--bad-token-status N]
fake-provider playmobile [--login L] [--password P] [--unauthorized empty|html|json] [--locked] [--empty-code N]
                    [--code-as-text]
fake-provider oauth [--client-id I] [--client-secret S] [--public-key FILE | --client-auth basic-or-post|basic|post|
                    public|secret-or-pkce] [--grants A,B] [--redirect-uris A,B] [--scopes A,B]
                    [--pkce required|optional|plain] [--discovery both|openid|oauth|off] [--class C]
                    [--refreshing always|with-scope|never] [--always-send-refresh] [--resource R | --audience A]
                    [--jwt] [--deny] [--prefix T] [--lifetime S] [--refresh-lifetime S] [--code-lifetime S]
                    [--device-lifetime S] [--device-interval S]
fake-provider google [--client-id I] [--client-secret S] [--redirect-uris A,B] [--scopes A,B] [--grant-scopes A,B]
                    [--account E] [--testing] [--failure revoked|rapt|deleted-client] [--most-refresh-tokens N]
                    [--deny] [--lifetime S]
fake-provider propelauth [--client-id I] [--client-secret S] [--public] [--api-key K] [--redirect-uris A,B] [--class C]
                    [--lifetime S] [--refresh-lifetime S] [--active-org] [--deny]
fake-provider login [--path P] [--slash 301|308 | --no-slash] [--format json-email|json-username|form-email|
                    form-username|client-credentials] [--token-at access_token|access|token|auth_token|jwt|
                    data.token|header|key|text] [--expiry jwt|expires_in|expires_in-text|expires_at|none]
                    [--refresh none|simplejwt|rotating-simplejwt|oauth] [--class C]
                    [--errors drf401|drf400|laravel|oauth|fastapi] [--scheme bearer|token] [--most-wrong N]
                    [--lock 403|429] [--email E] [--username U] [--password P] [--client-id I] [--client-secret S]
                    [--lifetime S] [--refresh-lifetime S]
every kind:         [--listen ADDRESS:PORT] [--journal ENTRIES]
classes:            none, grace:SECONDS, until-used, strict";

const KINDS: &str =
    "eskiz, jibit, rotor, finnotech, playmobile, oauth, google, propelauth or login";

/// Reads the arguments after the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let kind = arguments.next().ok_or(format!("which provider? {KINDS}"))?;
    let mut flags = Flags::read(arguments)?;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options {
        listen: flags.value("listen", listen)?,
        journal: flags.optional("journal")?,
        kind: match kind.as_str() {
            "eskiz" => Kind::Eskiz(flags.eskiz()?),
            "jibit" => Kind::Jibit(flags.jibit()?),
            "rotor" => Kind::Rotor(flags.rotor()?),
            "finnotech" => Kind::Finnotech(flags.finnotech()?),
            "playmobile" => Kind::PlayMobile(flags.playmobile()?),
            "oauth" => Kind::OAuth(flags.oauth()?),
            "google" => Kind::Google(flags.google()?),
            "propelauth" => Kind::PropelAuth(flags.propelauth()?),
            "login" => Kind::Login(flags.login()?),
            other => return Err(format!("`{other}` is no provider; use {KINDS}")),
        },
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
        for kind in KINDS.replace(" or ", ", ").split(", ") {
            assert!(parsed(kind).is_ok(), "{kind}");
        }
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
