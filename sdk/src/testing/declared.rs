//! Whether every request is declared with what it carries, as the host asks. Each player checks what
//! it sent; the functions that are called like an interface play it with an example, and stand in the
//! test that [`export!`](crate::export) brings.

use crate::bindings::exports::keepfresh::provider::provider::{Access, Descriptor};
use crate::flow::{
    Authorization, AuthorizationRequest, Context, Device, Profile, Provider, Revocation,
};
use crate::request::Request;
use crate::settings::Settings;
use crate::testing::{self, Canned, Played};

/// The first request that the descriptor does not declare, or that carries a secret which it does not
/// declare there. Both sides are filled with the settings first, and a pattern of a setting that is
/// not there allows nothing.
pub fn undeclared<'r>(
    descriptor: &Descriptor,
    settings: &Settings,
    requests: &'r [Request],
) -> Option<&'r Request> {
    let filled = |it: &Access| Some((settings.fill(&it.request).ok()?, it.carries.clone()));
    let access: Vec<_> = descriptor.access.iter().filter_map(filled).collect();
    requests.iter().find(|request| {
        let url = settings.fill(&request.url).unwrap_or_else(|_| request.url.clone());
        let (line, carried) = (line(request, &url), request.carried());
        !access.iter().any(|(pattern, carries)| {
            let fits = match pattern.strip_suffix('*') {
                Some(start) => line.starts_with(start),
                None => line == *pattern,
            };
            fits && carried.iter().all(|name| carries.contains(name))
        })
    })
}

/// As `access` has it: `POST {base_url}/token`.
fn line(request: &Request, url: &str) -> String {
    let method = format!("{:?}", request.method).rsplit("::").next().map(str::to_uppercase);
    format!("{} {url}", method.unwrap_or_default())
}

/// Ends the test with the line that is missing.
pub(super) fn check<P: Provider>(settings: &Settings, requests: &[Request]) {
    if let Some(request) = undeclared(&P::describe(), settings, requests) {
        let mut carried = request.carried();
        carried.sort();
        carried.dedup();
        let line = line(request, &request.url);
        panic!("the descriptor lacks: .access({line:?}, &{carried:?})");
    }
}

/// Plays login and refresh.
///
/// # Panics
/// When a request is not declared, or nothing is sent.
pub fn provider<P: Provider>() {
    let (fresh, held) = (example::<P>(false), example::<P>(true));
    each("login or refresh", |answers| {
        let login = testing::login::<P>(&fresh, answers);
        sent(&login) + sent(&testing::refresh::<P>(&held, answers))
    });
}

/// Plays the question about the account.
///
/// # Panics
/// When a request is not declared, or nothing is sent.
pub fn profile<P: Profile>() {
    let context = example::<P>(true);
    each("profile", |answers| sent(&testing::profile::<P>(&context, answers)));
}

/// Plays the end of a grant.
///
/// # Panics
/// When a request is not declared, or nothing is sent.
pub fn revocation<P: Revocation>() {
    let context = example::<P>(true);
    each("revocation", |answers| sent(&testing::revoke::<P>(&context, answers)));
}

/// Plays the address that a browser is sent to, and the trade of the code.
///
/// # Panics
/// When a request is not declared, or nothing is sent.
pub fn authorization<P: Authorization>() {
    let context = example::<P>(false);
    let redirect_uri = "http://127.0.0.1:1/callback".to_owned();
    let request = AuthorizationRequest { redirect_uri, scopes: Vec::new(), consent: false };
    testing::authorization_url::<P>(&context, &request, &[]);
    let redirect_uri = &request.redirect_uri;
    each("exchange", |answers| sent(&testing::exchange::<P>(&context, redirect_uri, answers)));
}

/// Plays the beginning of a device grant, and a poll.
///
/// # Panics
/// When a request is not declared, or nothing is sent.
pub fn device<P: Device>() {
    let context = example::<P>(false);
    each("device", |answers| {
        let start = testing::start::<P>(&context, &[], answers);
        sent(&start) + sent(&testing::poll::<P>(&context, answers))
    });
}

fn sent<T>(played: &Played<T>) -> usize {
    played.requests.len()
}

/// Plays with no answer, and with answers that may lead to further requests.
fn each(what: &str, play: impl Fn(&[Canned]) -> usize) {
    assert!(play(&[]) > 0, "{what} sends no request that could be checked");
    for status in [200, 400, 404, 415] {
        play(&vec![Canned::new(status, "{}"); 16]);
    }
}

/// A connection whose every secret is there, and every setting that an address is made of or that
/// must be there.
fn example<P: Provider>(has_tokens: bool) -> Context {
    let described = P::describe();
    let makes_an_address = |name: &str| {
        let (whole, origin) = (format!("{{{name}}}"), format!("{{{name}.origin}}"));
        described
            .access
            .iter()
            .any(|it| it.request.contains(&whole) || it.request.contains(&origin))
    };
    let wanted = described.settings.iter().filter(|it| it.default.is_none());
    let wanted = wanted.filter(|it| it.required || makes_an_address(&it.name));
    let value = |name: &str| (name.to_owned(), format!("https://example.com/{name}"));
    let given: Vec<_> = wanted.map(|it| value(&it.name)).collect();
    let given: Vec<_> = given.iter().map(|(name, it)| (name.as_str(), it.as_str())).collect();
    if has_tokens {
        testing::context_with_tokens::<P>(&given)
    } else {
        testing::context::<P>(&given)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::bindings::exports::keepfresh::provider::provider::Field;
    use crate::bindings::keepfresh::provider::secrets::Encoding;
    use crate::bindings::keepfresh::provider::types::Failure;
    use crate::flow::{Flow, send};
    use crate::request::{basic, bearer, compose, secret, text};
    use crate::tokens::Tokens;

    fn described() -> Descriptor {
        Descriptor::new("x", "1.0.0", "X")
            .access("GET {base_url}/a/*", &["key"])
            .access("GET {issuer.origin}/*", &[])
            .access("GET {other}/*", &[])
            .setting(Field::required("base_url", "Base URL", "").or("https://x.example"))
            .setting(Field::optional("issuer", "Issuer", "").or("https://a.example/realm"))
    }

    fn is_declared(request: Request) -> bool {
        let settings = Settings::new(&described(), Vec::new());
        undeclared(&described(), &settings, &[request]).is_none()
    }

    #[test]
    fn an_undeclared_request_is_found() {
        assert!(is_declared(Request::get("{base_url}/a/b")));
        assert!(!is_declared(Request::post("{base_url}/a/b")));
        assert!(!is_declared(Request::get("{base_url}/b")));
    }

    #[test]
    fn a_secret_that_goes_where_nobody_declared_it_is_found() {
        let with = |value| is_declared(Request::get("{base_url}/a/b").header("A", value));
        assert!(with(basic(text("u"), secret("key"))));
        assert!(!with(bearer()));
        assert!(!with(compose([secret("key"), secret("pin")], Encoding::Plain)));
    }

    #[test]
    fn an_address_from_an_answer_is_compared_with_the_filled_pattern() {
        assert!(is_declared(Request::get("https://a.example/token")));
        assert!(!is_declared(Request::get("https://b.example/x")));
    }

    /// Declares its login, and not that it carries the key.
    struct Forgetful;

    impl Provider for Forgetful {
        fn describe() -> Descriptor {
            Descriptor::new("x", "1.0.0", "X").access("POST {base_url}/token", &[])
        }

        fn login(_: &Context) -> Flow<Tokens> {
            let request = Request::post("{base_url}/token").json([("key", secret("key"))]);
            send(request, |answer| Err(Failure::of(answer, "X", "a login")))
        }

        fn refresh(_: &Context) -> Flow<Tokens> {
            Err(Failure::grant_expired("never"))
        }
    }

    #[test]
    fn a_plugin_that_forgot_a_declaration_is_told_the_line() {
        let said = catch_unwind(provider::<Forgetful>).unwrap_err();
        let said = said.downcast::<String>().unwrap();
        assert!(said.contains(r#".access("POST {base_url}/token", &["key"])"#), "{said}");
        let context = testing::context::<Forgetful>(&[]);
        let played = catch_unwind(|| testing::login::<Forgetful>(&context, &[]).case());
        assert!(played.is_err(), "every flow that a test plays is looked at");
    }
}
