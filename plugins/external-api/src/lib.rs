//! Any API with a login. A login is a search for the way in that starts with what is remembered; a
//! refresh uses a refresh token where the server gave one, and is the same search where it did not. This
//! file says what the plugin needs, and knows no address and no format.

#![forbid(unsafe_code)]

/// Where requests go.
mod address;

/// How a login is written.
mod format;

/// The search for the way in.
mod search;

/// What an answer means for it.
mod reading;

/// What a server complains about.
mod complaint;

/// Where an answer has its tokens.
mod extract;

/// When they end.
mod expiry;

/// What was found out.
mod memory;

/// Trading a refresh token.
mod renewal;

/// Whole flows.
#[cfg(test)]
mod tests;

use sdk::{
    Context, Descriptor, Failure, Field, Flow, Kind, Logins, Provider, Rotation, Settings, Tokens,
};

use crate::format::Format;
use crate::search::Search;

struct Plugin;

sdk::export!(Plugin);

/// What a login may carry, and a refresh at the same place.
const ALL: [&str; 5] = ["email", "username", "password", "client_secret", "refresh-token"];

impl Provider for Plugin {
    fn describe() -> Descriptor {
        let about = "Any API with a login by e-mail, user name or client. Detects the login \
                     endpoint, its format, and where the answer has the token.";
        secrets(settings(Descriptor::new(
            "external-api",
            env!("CARGO_PKG_VERSION"),
            "External API",
        )))
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

    fn login(context: &Context) -> Flow<Tokens> {
        check(&context.settings)?;
        Search::new(context)?.go()
    }

    /// Without a refresh token there is nothing to refresh with, and a login finds its way back by memory.
    fn refresh(context: &Context) -> Flow<Tokens> {
        check(&context.settings)?;
        if context.has_refresh_token() {
            renewal::start(context)
        } else {
            Search::new(context)?.go()
        }
    }
}

fn settings(descriptor: Descriptor) -> Descriptor {
    let login = "URL of the login, or of the server: then common login paths are tried.";
    let format =
        "`json-email`, `json-username`, `form` or `client-credentials`; detected by default.";
    let pointer =
        "JSON pointer to the token in the answer, such as `/data/token`; detected by default.";
    let kind = "Authentication scheme that callers send, such as `Bearer` or `Token`.";
    let refresh = "URL that takes the refresh token; by default, derived from the login.";
    let lifetime = "Maximum lifetime of a token, in seconds.";
    descriptor
        .setting(Field::required("login_url", "Login address", login))
        .setting(Field::optional("format", "Format of the login", format))
        .setting(Field::optional("token_pointer", "Place of the token", pointer))
        .setting(Field::optional("token_type", "Type of the token", kind))
        .setting(Field::optional("refresh_url", "Refresh address", refresh))
        .setting(Field::optional("lifetime", "Lifetime", lifetime))
        .setting(Field::optional("scopes", "Scopes", "For OAuth; separated by commas or spaces."))
        .setting(Field::optional("client_id", "Client id", "For OAuth."))
}

fn secrets(descriptor: Descriptor) -> Descriptor {
    descriptor
        .secret(Field::optional("email", "E-mail", "Also used as the user name."))
        .secret(Field::optional("username", "User name", ""))
        .secret(Field::optional("password", "Password", ""))
        .secret(Field::optional("client_secret", "Client secret", "For OAuth."))
}

/// Settings that would only be noticed when the answer is there are looked at before anything is sent.
fn check(settings: &Settings) -> Result<(), Failure> {
    let wrong = |text| Err(Failure::misconfigured(text));
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
    settings.choice("format", &Format::ALL.map(|it| (it.name(), it))).map(|_| ())
}
