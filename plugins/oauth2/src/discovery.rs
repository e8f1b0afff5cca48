//! Discovery: `OpenID` Connect's place of the document, then RFC 8414's with the issuer's path, then
//! without. The document must name the issuer of the settings: one that names another belongs to
//! another provider, and a client that believes it sends a code to the wrong server.

use sdk::{Answer, Context, Failure, Flow, Request, origin, send_then, trouble};

use crate::endpoint::{ALL, Known};

/// What goes on with the endpoints.
pub(crate) type Then<T> = Box<dyn FnOnce(Known) -> Flow<T>>;

/// Longer than any endpoint that a person would write into a manifest.
const LONGEST: usize = 512;

/// Reads the document of the issuer in the settings.
pub(crate) fn discover<T: 'static>(context: &Context, then: Then<T>) -> Flow<T> {
    let issuer = context.settings.required("issuer")?.to_owned();
    let places = places(&issuer);
    ask(issuer, places.into_iter(), then)
}

/// Where the document may be, the likeliest first.
fn places(issuer: &str) -> Vec<String> {
    let origin = origin(issuer);
    let path = issuer.strip_prefix(origin).unwrap_or_default().trim_end_matches('/');
    let base = issuer.trim_end_matches('/');
    let mut places = vec![
        format!("{base}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}/.well-known/oauth-authorization-server"),
    ];
    places.dedup();
    places
}

fn ask<T: 'static>(
    issuer: String,
    mut places: std::vec::IntoIter<String>,
    then: Then<T>,
) -> Flow<T> {
    let Some(place) = places.next() else {
        return Err(Failure::misconfigured(format!(
            "the issuer {issuer} has no discovery document; check `issuer`, or set `token_url`"
        )));
    };
    send_then(Request::get(place), move |answer| {
        if let Some(failure) = trouble(answer, "the issuer") {
            return Err(failure);
        }
        if answer.status() != 200 || answer.text("/issuer").is_none() {
            return ask(issuer, places, then);
        }
        then(read(answer, issuer)?)
    })
}

fn read(answer: &dyn Answer, issuer: String) -> Result<Known, Failure> {
    if answer.text("/issuer").as_deref() != Some(issuer.as_str()) {
        let named = answer.text("/issuer").filter(|it| is_address(it));
        let named = named.unwrap_or_else(|| "something that is not a URL".to_owned());
        return Err(Failure::misconfigured(format!(
            "the discovery document of {issuer} names another issuer: {named}; if that is the \
             right provider, set `issuer` to exactly this value"
        )));
    }
    let member = |it: &str| answer.text(&format!("/{it}")).filter(|url| is_address(url));
    let found = ALL.iter().filter_map(|it| Some((it.member(), member(it.member())?))).collect();
    Ok(Known { issuer: Some(issuer), found, remembered: false })
}

/// Whether a text of the document may stand in a request, a failure and a manifest. Braces would be
/// settings to the sdk.
fn is_address(text: &str) -> bool {
    let starts = text.starts_with("https://") || text.starts_with("http://");
    let strange = |byte: u8| !byte.is_ascii_graphic() || b"{}\"\\<>`".contains(&byte);
    starts && text.len() <= LONGEST && !text.bytes().any(strange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::Step;
    use sdk::testing::{Canned, Played, context, play};

    const DOCUMENT: &str = include_str!("../fixtures/openid-configuration.json");

    fn with(issuer: &str) -> Context {
        context::<crate::Plugin>(&[("client_id", "c"), ("issuer", issuer)])
    }

    fn played(issuer: &str, answers: &[Canned]) -> Played<Known> {
        let context = with(issuer);
        let flow = discover(&context, Box::new(|known| Ok(Step::Done(known))));
        play::<crate::Plugin, _>(&context, flow, answers)
    }

    fn urls(played: &Played<Known>) -> Vec<&str> {
        played.requests.iter().map(|it| it.url.as_str()).collect()
    }

    #[test]
    fn the_document_is_looked_for_at_three_places_and_no_more() {
        let gone = [Canned::new(404, "<p>"), Canned::new(200, "<p>"), Canned::new(403, "{}")];
        let result = played("https://id.example/realms/a/", &gone);
        let expected = [
            "https://id.example/realms/a/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server/realms/a",
            "https://id.example/.well-known/oauth-authorization-server",
        ];
        assert_eq!(urls(&result), expected);
        assert_eq!(result.case(), "misconfigured");
        assert!(result.text().contains("check `issuer`, or set `token_url`"), "{}", result.text());
    }

    #[test]
    fn an_issuer_without_a_path_has_two_places() {
        let result = played("https://id.example", &[Canned::new(404, ""), Canned::new(404, "")]);
        assert_eq!(result.requests.len(), 2);
    }

    #[test]
    fn the_second_place_is_as_good_as_the_first() {
        let answers = [Canned::new(404, ""), Canned::new(200, DOCUMENT)];
        let known = played("https://id.example", &answers).result.unwrap();
        assert!(known.found.contains(&("token_endpoint", "https://id.example/token".to_owned())));
        assert_eq!(known.found.len(), 6);
    }

    #[test]
    fn a_document_of_another_issuer_is_refused() {
        for issuer in ["https://id.example/", "https://evil.example"] {
            let result = played(issuer, &[Canned::new(200, DOCUMENT)]);
            assert_eq!(result.case(), "misconfigured", "{issuer}");
            assert!(result.text().contains("another issuer: https://id.example;"), "{issuer}");
        }
    }

    #[test]
    fn an_endpoint_that_is_no_plain_address_is_not_there() {
        for url in
            ["javascript:0", "https://id.example/{client_id}", "https://id.example/a b", "/t"]
        {
            let body = format!(r#"{{"issuer":"https://id.example","token_endpoint":"{url}"}}"#);
            let known = played("https://id.example", &[Canned::new(200, &body)]).result.unwrap();
            assert_eq!(known.found, [], "{url}");
        }
    }

    #[test]
    fn an_outage_is_no_missing_document() {
        let ends = |status| played("https://id.example", &[Canned::new(status, "")]).case();
        assert_eq!((ends(503), ends(429)), ("unavailable", "rate-limited"));
    }
}
