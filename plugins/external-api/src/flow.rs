//! What the plugin needs, and where its two flows begin. A login is a search for the way in that starts
//! with what is remembered; a refresh uses a refresh token where the server gave one, and is the same
//! search where it did not. Knows no address and no format.

use sdk::{Context, Descriptor, Failure, Field, Flow, Kind, Logins, Rotation, Settings, Tokens};

use crate::format::Format;
use crate::renewal;
use crate::search::Search;
use crate::{complaint, expiry};

/// What a login may carry, and a refresh at the same place.
const ALL: [&str; 5] = ["email", "username", "password", "client_secret", "refresh-token"];

pub(crate) fn describe() -> Descriptor {
    let about = "Any API with a login by e-mail, user name or client. Finds out where the login is, \
                 what it takes, and where the answer has the token.";
    secrets(settings(Descriptor::new("external-api", env!("CARGO_PKG_VERSION"), "External API")))
        .about(about)
        .logins(Logins::UNATTENDED)
        .rotation(Rotation::Unknown)
        .access("POST {login_url}", &ALL)
        .access("POST {login_url.origin}/*", &ALL)
        .access("POST {refresh_url}", &["client_secret", "refresh-token"])
        .reads(Kind::Code, &["**/token_type", "**/tokenType", "/code"])
        .reads_facts("**", &["scope"])
        .reads(Kind::Number, &expiry::SPANS)
        .reads(Kind::Date, &expiry::MOMENTS)
        .reads(Kind::Text, &["", "/error_description", "/title", "/msg", "/hint"])
        .reads(Kind::Text, &complaint::MEMBERS)
        .requests(16)
        .schedule("*/10 * * * *")
}

fn settings(descriptor: Descriptor) -> Descriptor {
    let login = "The login's whole address, or only the server's: then the usual paths are tried.";
    let format =
        "`json-email`, `json-username`, `form` or `client-credentials`; else it is found out.";
    let pointer = "Where the answer has the token, such as `/data/token`; else it is found out.";
    let kind = "How callers present the token, such as `Bearer` or `Token`.";
    let refresh = "Where a refresh token is traded; else what fits the login.";
    let lifetime = "Seconds that a token lives at most.";
    descriptor
        .setting(Field::required("login_url", "Login address", login))
        .setting(Field::optional("format", "Format of the login", format))
        .setting(Field::optional("token_pointer", "Place of the token", pointer))
        .setting(Field::optional("token_type", "Type of the token", kind))
        .setting(Field::optional("refresh_url", "Refresh address", refresh))
        .setting(Field::optional("lifetime", "Lifetime", lifetime))
        .setting(Field::optional("scopes", "Scopes", "For OAuth; commas or spaces between."))
        .setting(Field::optional("client_id", "Client id", "For OAuth."))
}

fn secrets(descriptor: Descriptor) -> Descriptor {
    descriptor
        .secret(Field::optional("email", "E-mail", "Serves as the user name too."))
        .secret(Field::optional("username", "User name", ""))
        .secret(Field::optional("password", "Password", ""))
        .secret(Field::optional("client_secret", "Client secret", "For OAuth."))
}

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    check(&context.settings)?;
    Search::new(context)?.go()
}

/// Without a refresh token there is nothing to refresh with, and a login finds its way back by memory.
pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    check(&context.settings)?;
    match &context.current {
        Some(current) if current.has_refresh_token => renewal::start(context),
        _ => Search::new(context)?.go(),
    }
}

/// Settings that would only be noticed when the answer is there are looked at before anything is sent.
fn check(settings: &Settings) -> Result<(), Failure> {
    let wrong = |text: &str| Err(Failure::Misconfigured(text.to_owned()));
    let login = settings.required("login_url")?;
    if !login.starts_with("http://") && !login.starts_with("https://") {
        return wrong("the setting `login_url` must begin with https:// or http://");
    }
    if settings.optional("token_pointer").is_some_and(|pointer| !pointer.starts_with('/')) {
        return wrong("the setting `token_pointer` must look like /data/token");
    }
    if settings.optional("lifetime").is_some_and(|text| !text.parse().is_ok_and(|it: u32| it > 0)) {
        return wrong("the setting `lifetime` must be a number of seconds");
    }
    match settings.optional("format") {
        Some(name) if Format::named(name).is_none() => {
            let names = Format::ALL.map(Format::name).join(", ");
            wrong(&format!("the setting `format` must be one of {names}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{context, ending, play_tokens};

    fn refused(settings: &[(&str, &str)]) -> String {
        let played = play_tokens::<crate::Plugin>(login(&context::<crate::Plugin>(settings)), &[]);
        assert!(played.requests.is_empty());
        let (case, text) = ending(&played.result);
        assert_eq!(case, "misconfigured");
        text.to_owned()
    }

    #[test]
    fn a_setting_that_cannot_work_is_refused_before_anything_is_sent() {
        for (name, value, text) in [
            ("format", "xml", "must be one of json-email, json-username, form, client-credentials"),
            ("token_pointer", "data.token", "must look like /data/token"),
            ("lifetime", "1h", "must be a number of seconds"),
            ("lifetime", "0", "must be a number of seconds"),
        ] {
            let said = refused(&[("login_url", "https://a.example/login"), (name, value)]);
            assert_eq!(said, format!("the setting `{name}` {text}"));
        }
        let said = refused(&[("login_url", "a.example/login")]);
        assert_eq!(said, "the setting `login_url` must begin with https:// or http://");
        assert_eq!(refused(&[]), "the setting `login_url` is missing");
    }

    #[test]
    fn only_what_is_needed_is_declared() {
        let described = describe();
        assert!(described.secrets.iter().all(|field| !field.required));
        assert_eq!(described.access.len(), 3);
        assert_eq!(described.extra, [("requests".to_owned(), "16".to_owned())]);
    }
}
