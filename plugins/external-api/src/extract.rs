//! Where an answer has its tokens. Only names and places are known here: a token can be found without
//! being read.

use sdk::{Answer, Settings, Shape, Source, Tokens, scheme};

use crate::expiry;

/// Members that hold an access token, the surest first.
const NAMES: [&str; 7] =
    ["access_token", "accessToken", "access", "token", "auth_token", "jwt", "key"];

/// Proof of who somebody is rather than a key to an API: taken when there is nothing else.
const LAST: [&str; 1] = ["id_token"];

/// Objects that servers wrap around their answer.
const WRAPPERS: [&str; 7] =
    ["data", "result", "response", "payload", "tokens", "authorization", "user"];

const HEADERS: [&str; 3] = ["Authorization", "X-Auth-Token", "X-Access-Token"];

const REFRESH: [&str; 3] = ["refresh_token", "refreshToken", "refresh"];

/// A text that is shorter says "OK" and is no token.
const SHORTEST_BODY: u64 = 16;

/// The access token: at the operator's pointer and nowhere else, else where it was the last time, else
/// wherever it usually is.
pub(crate) fn access_token(
    answer: &dyn Answer,
    settings: &Settings,
    remembered: Option<&Source>,
) -> Option<Source> {
    if let Some(pointer) = settings.optional("token_pointer") {
        return answer.has_secret(pointer).then(|| pointer.into());
    }
    let remembered = remembered.filter(|source| is_there(answer, source));
    remembered
        .cloned()
        .or_else(|| in_json(answer, &NAMES))
        .or_else(|| in_headers(answer))
        .or_else(|| whole_body(answer))
        .or_else(|| in_json(answer, &LAST))
}

fn is_there(answer: &dyn Answer, source: &Source) -> bool {
    match source {
        Source::At(pointer) if pointer.is_empty() => whole_body(answer).is_some(),
        Source::At(pointer) => answer.has_secret(pointer),
        Source::Header(name) => answer.has_secret_header(name),
        Source::Given(_) => false,
    }
}

/// At the top first, then in what is wrapped around. A string counts, and so does an object of the
/// same names; an empty string does not.
fn in_json(answer: &dyn Answer, names: &[&str]) -> Option<Source> {
    let is_object = |base: &str| answer.is_object(base);
    let wrappers = WRAPPERS.iter().map(|name| format!("/{name}"));
    let mut bases = [String::new()].into_iter().chain(wrappers).filter(|base| is_object(base));
    bases.find_map(|base| {
        names.iter().find_map(|name| {
            let place = format!("{base}/{name}");
            if answer.has_secret(&place) {
                return Some(place.into());
            }
            if !is_object(&place) {
                return None;
            }
            let inner = names.iter().map(|name| format!("{place}/{name}"));
            inner.into_iter().find(|place| answer.has_secret(place)).map(Source::At)
        })
    })
}

fn in_headers(answer: &dyn Answer) -> Option<Source> {
    let found = HEADERS.iter().find(|name| answer.has_secret_header(name));
    found.map(|name| Source::Header((*name).to_owned()))
}

/// A body that is one word, or one JSON string of one word. A word that calls itself JSON was cut off on
/// its way, unless it is a JWT: some servers send one bare under any name.
fn whole_body(answer: &dyn Answer) -> Option<Source> {
    let is_cut_off = || says_json(answer) && answer.claims(&"".into()).is_none();
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    let is_long = length.is_none_or(|it: u64| it >= SHORTEST_BODY);
    let is_token = match answer.shape() {
        Shape::QuotedWord => true,
        Shape::Word => is_long && !is_cut_off(),
        _ => false,
    };
    (is_token && answer.has_secret("")).then(|| "".into())
}

fn says_json(answer: &dyn Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.contains("json"))
}

/// The refresh token beside an access token. An empty one is none: dj-rest-auth has the real one in a
/// cookie then.
pub(crate) fn refresh_token(answer: &dyn Answer, access: &Source) -> Option<String> {
    around(access).into_iter().find_map(|base| {
        let places = REFRESH
            .iter()
            .flat_map(|name| [format!("{base}/{name}"), format!("{base}/{name}/token")]);
        places.into_iter().find(|place| answer.has_secret(place))
    })
}

/// The objects that a place is in, the innermost first.
pub(crate) fn around(place: &Source) -> Vec<&str> {
    let Source::At(pointer) = place else { return vec![""] };
    let mut rest = pointer.as_str();
    let mut bases = Vec::new();
    while let Some((base, _)) = rest.rsplit_once('/') {
        bases.push(base);
        rest = base;
    }
    bases
}

/// How callers present the token: as the operator says, else as the answer says. A `key`, or an opaque
/// `token` of what looks like Django REST framework, goes by the name of `Token` there.
pub(crate) fn token_type(answer: &dyn Answer, settings: &Settings, access: &Source) -> String {
    if let Some(kind) = settings.optional("token_type") {
        return kind.to_owned();
    }
    let said = around(access).into_iter().find_map(|base| said_type(answer, base));
    said.unwrap_or_else(|| {
        let kind = if is_django_key(answer, access) { "Token" } else { "Bearer" };
        kind.to_owned()
    })
}

fn said_type(answer: &dyn Answer, base: &str) -> Option<String> {
    let said = ["token_type", "tokenType"]
        .iter()
        .find_map(|name| answer.text(&format!("{base}/{name}")))?;
    Some(scheme(Some(&said)).to_owned())
}

/// REST framework answers `{"token"}` or `{"key"}` with 40 hex digits, which nobody can see here. It
/// also says in every answer which methods it allows, and few others do.
fn is_django_key(answer: &dyn Answer, access: &Source) -> bool {
    let at = |pointer: &str| *access == Source::At(pointer.to_owned());
    let is_django = || answer.header("allow").is_some();
    answer.claims(access).is_none() && (at("/key") || (at("/token") && is_django()))
}

/// The token set of an answer in which the access token was found.
pub(crate) fn tokens(
    answer: &dyn Answer,
    settings: &Settings,
    access: Source,
    now: u64,
) -> (Tokens, &'static str) {
    let (expires_at, from) = expiry::earliest(answer, settings, &access, now);
    let mut tokens = Tokens::new(token_type(answer, settings, &access), access);
    tokens.expires_at = expires_at;
    tokens.refresh_token = refresh_token(answer, &tokens.access_token).map(Source::At);
    tokens.scopes = scopes(answer, &tokens.access_token);
    (tokens, from)
}

fn scopes(answer: &dyn Answer, access: &Source) -> Vec<String> {
    let said = around(access).into_iter().find_map(|base| answer.text(&format!("{base}/scope")));
    said.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context};

    /// {"exp":1700000300}
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAzMDB9.c2ln";

    fn settings(more: &[(&str, &str)]) -> Settings {
        let login = [("login_url", "https://a.example/login")];
        context::<crate::Plugin>(&[&login, more].concat()).settings
    }

    fn found(answer: &Canned) -> Option<Source> {
        access_token(answer, &settings(&[]), None)
    }

    fn place(body: &str) -> Option<String> {
        match found(&Canned::new(200, body)) {
            Some(Source::At(pointer)) => Some(pointer),
            _ => None,
        }
    }

    #[test]
    fn a_token_is_found_under_every_usual_name() {
        for (body, pointer) in [
            (r#"{"access_token":"t"}"#, "/access_token"),
            (r#"{"accessToken":"t"}"#, "/accessToken"),
            (r#"{"access":"t","refresh":""}"#, "/access"),
            (r#"{"token":"t"}"#, "/token"),
            (r#"{"auth_token":"t"}"#, "/auth_token"),
            (r#"{"jwt":"t"}"#, "/jwt"),
            (r#"{"key":"t"}"#, "/key"),
            (r#"{"id_token":"t"}"#, "/id_token"),
            (r#"{"token":{"access_token":"t"}}"#, "/token/access_token"),
            (r#"{"access_token":{"access_token":"t"}}"#, "/access_token/access_token"),
            (
                r#"{"tokens":{"access":{"token":"t"},"refresh":{"token":"r"}}}"#,
                "/tokens/access/token",
            ),
            (r#"{"authorization":{"token":"t","type":"bearer"}}"#, "/authorization/token"),
            (r#""1|AbCdEfGhIjKlMnOp""#, ""),
        ] {
            assert_eq!(place(body).as_deref(), Some(pointer), "{body}");
        }
        for wrapper in ["data", "result", "response", "payload", "tokens", "user"] {
            let body = format!(r#"{{"{wrapper}":{{"token":"t"}}}}"#);
            assert_eq!(place(&body), Some(format!("/{wrapper}/token")));
        }
    }

    #[test]
    fn the_surest_name_wins_and_an_identity_comes_last() {
        let all = r#"{"id_token":"i","key":"k","token":"t","access":"a","access_token":"x"}"#;
        assert_eq!(place(all).unwrap(), "/access_token");
        assert_eq!(place(r#"{"id_token":"i","data":{"token":"t"}}"#).unwrap(), "/data/token");
    }

    #[test]
    fn what_is_empty_or_no_string_is_no_token() {
        for body in [
            r#"{"token":"","access":null,"jwt":7,"key":true,"auth_token":[]}"#,
            r#"{"token":{"id":1}}"#,
            "{}",
            "[]",
            "",
            "\"two words\"",
            "\"Unauthorized\"",
            "invalid_credentials",
            "temporarily-unavailable",
            "Welcome to the API",
        ] {
            assert_eq!(place(body), None, "{body}");
        }
        assert_eq!(place(r#"{"access_token":"","token":"t"}"#).unwrap(), "/token");
    }

    #[test]
    fn a_token_may_be_in_a_header_or_be_the_whole_body() {
        for name in ["Authorization", "X-Auth-Token", "X-Access-Token"] {
            let answer = Canned::new(200, r#"{"id":1}"#).header(name, "Bearer t");
            assert_eq!(found(&answer), Some(Source::Header(name.to_owned())));
        }
        assert_eq!(place("1|AbCdEfGhIjKlMnOp").unwrap(), "");
        let short = Canned::new(200, "OK").header("content-length", "2");
        assert_eq!(found(&short), None);
        let page = Canned::new(200, "<html></html>").header("Content-Type", "text/html");
        assert_eq!(found(&page), None);
    }

    #[test]
    fn json_that_was_cut_off_is_no_token_and_a_bare_jwt_is_one_under_any_name() {
        let json = |body: &str| Canned::new(200, body).header("Content-Type", "application/json");
        assert_eq!(found(&json(r#"{"access":"eyJhbGciOiJub25lIn0"#)), None);
        assert_eq!(found(&json("1|AbCdEfGhIjKlMnOp")), None);
        assert_eq!(found(&json(JWT)), Some("".into()));
    }

    #[test]
    fn a_pointer_of_the_operator_counts_alone_and_memory_only_while_it_fits() {
        let answer = Canned::new(200, r#"{"token":"t","deep":{"er":"t"}}"#);
        let read = |pointer| access_token(&answer, &settings(&[("token_pointer", pointer)]), None);
        assert_eq!((read("/deep/er"), read("/other")), (Some("/deep/er".into()), None));
        let remembered = |source: &Source| access_token(&answer, &settings(&[]), Some(source));
        assert_eq!(remembered(&"/deep/er".into()), Some("/deep/er".into()));
        assert_eq!(remembered(&"/gone".into()), Some("/token".into()));
    }

    #[test]
    fn a_refresh_token_is_looked_for_beside_the_access_token() {
        let read =
            |body: &str, access: &str| refresh_token(&Canned::new(200, body), &access.into());
        for (body, access, place) in [
            (r#"{"access":"a","refresh":"r"}"#, "/access", Some("/refresh")),
            (r#"{"access":"a","refresh":""}"#, "/access", None),
            (
                r#"{"data":{"token":"a","refreshToken":"r"}}"#,
                "/data/token",
                Some("/data/refreshToken"),
            ),
            (
                r#"{"data":{"token":"a"},"refresh_token":"r"}"#,
                "/data/token",
                Some("/refresh_token"),
            ),
            (
                r#"{"tokens":{"access":{"token":"a"},"refresh":{"token":"r"}}}"#,
                "/tokens/access/token",
                Some("/tokens/refresh/token"),
            ),
        ] {
            assert_eq!(read(body, access).as_deref(), place, "{body}");
        }
    }

    #[test]
    fn the_type_is_the_operators_then_the_answers_then_a_guess() {
        let kind = |answer: &Canned, pointer: &str, given: &[(&str, &str)]| {
            token_type(answer, &settings(given), &pointer.into())
        };
        let plain = Canned::new(200, r#"{"token":"t","token_type":"bearer"}"#);
        assert_eq!(kind(&plain, "/token", &[]), "Bearer");
        assert_eq!(kind(&plain, "/token", &[("token_type", "JWT")]), "JWT");
        let odd = Canned::new(200, r#"{"token":"t","token_type":"two words"}"#);
        assert_eq!(kind(&odd, "/token", &[]), "Bearer");
        let key = Canned::new(200, r#"{"key":"0123456789abcdef0123456789abcdef01234567"}"#);
        assert_eq!(kind(&key, "/key", &[]), "Token");
    }

    #[test]
    fn an_opaque_token_of_django_is_a_token_and_a_jwt_is_a_bearer() {
        let kind = |body: &str, django: bool| {
            let mut answer = Canned::new(200, body);
            if django {
                answer = answer.header("Allow", "POST, OPTIONS");
            }
            token_type(&answer, &settings(&[]), &"/token".into())
        };
        let opaque = r#"{"token":"0123456789abcdef0123456789abcdef01234567"}"#;
        let jwt = format!(r#"{{"token":"{JWT}"}}"#);
        assert_eq!((kind(opaque, true), kind(opaque, false)), ("Token".into(), "Bearer".into()));
        assert_eq!(kind(&jwt, true), "Bearer");
    }
}
