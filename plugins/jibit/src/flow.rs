//! What Jibit asks for and where it puts the pair. A key pair buys an access token of one day and
//! a refresh token of two; a refresh buys a new pair and wants to see the old one.

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Kind, Logins, Request, Rotation, Tokens,
    access_token, refresh_token, refresh_token_at, secret, send, unexpected,
};

use crate::product::{PRODUCTS, chosen};
use crate::refusal::{Call, refusal};

const ACCESS: &str = "/accessToken";
const REFRESH: &str = "/refreshToken";

/// What a first token costs.
const KEYS: &[&str] = &["api_key", "secret_key"];

/// Clients agree on 48 hours; the answer does not say.
const REFRESH_LIFETIME: u64 = 172_800;

pub(crate) fn describe() -> Descriptor {
    let base_url = Field::required("base_url", "Base URL", "Where the API is.");
    let product = Field::optional("product", "Product", "`ide`, `ppg`, `trf` or `cobank`.");
    let described = Descriptor::new("jibit", env!("CARGO_PKG_VERSION"), "Jibit")
        .about("Identity, payment and banking services of Iran. Each product has its own keys.")
        .setting(base_url.or("https://napi.jibit.ir"))
        .setting(product.or("ide"))
        .secret(Field::required("api_key", "API key", "The API key of this product."))
        .secret(Field::required("secret_key", "Secret key", "The secret key of this product."))
        .logins(Logins::UNATTENDED)
        .rotation(Rotation::Unknown)
        .reads(Kind::Code, &["/code", "/errors/*/code"])
        .lifetime(86_400)
        .schedule("0 */12 * * *");
    PRODUCTS
        .iter()
        .flat_map(|it| [(it.generate, KEYS), (it.refresh, it.refreshed_with())])
        .fold(described, |described, (path, carries)| {
            described.access(&format!("POST {{base_url}}{path}"), carries)
        })
}

pub(crate) fn login(context: &Context) -> Flow<Tokens> {
    let product = chosen(&context.settings)?;
    let request = Request::post(address(product.generate))
        .json([("apiKey", secret("api_key")), ("secretKey", secret("secret_key"))]);
    let now = context.now;
    send(request, move |answer| pair(Call::Generate, answer, now))
}

pub(crate) fn refresh(context: &Context) -> Flow<Tokens> {
    let product = chosen(&context.settings)?;
    let mut members = vec![("refreshToken", refresh_token())];
    if product.wants_both {
        members.insert(0, ("accessToken", access_token()));
    }
    let request = Request::post(address(product.refresh)).json(members);
    let now = context.now;
    send(request, move |answer| pair(Call::Refresh, answer, now))
}

fn address(path: &str) -> String {
    format!("{{base_url}}{path}")
}

/// The pair, when the answer is a success that holds one. An error code in a success counts as
/// the error it names.
fn pair(call: Call, answer: &dyn Answer, now: u64) -> Result<Tokens, Failure> {
    if !answer.is_success() || (answer.is_json() && !answer.has_secret(ACCESS)) {
        return Err(refusal(call, answer));
    }
    if !answer.has_secret(ACCESS) {
        return Err(unexpected(answer, "Jibit tokens"));
    }
    let mut tokens = Tokens::bearer(ACCESS);
    tokens.refresh_token = refresh_token_at(answer, REFRESH)?;
    tokens.refresh_expires_at = tokens.refresh_token.is_some().then_some(now + REFRESH_LIFETIME);
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::testing::{Canned, context, context_with_tokens, ending, play_tokens, undeclared};

    const PAIR: &str = include_str!("../fixtures/pair.json");
    const BAD: &str = include_str!("../fixtures/bad_credentials.json");
    const BAD_FLAT: &str = include_str!("../fixtures/bad_credentials_flat.json");

    fn ide() -> Context {
        context_with_tokens::<crate::Plugin>(&[])
    }

    fn of(product: &str) -> Context {
        context_with_tokens::<crate::Plugin>(&[("product", product)])
    }

    fn code(code: &str) -> String {
        format!(r#"{{"fingerprint":"0","errors":[{{"code":"{code}","message":"m"}}]}}"#)
    }

    fn login_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(login(&ide()), &[Canned::new(status, body)]).result).0
    }

    fn refresh_ends(status: u16, body: &str) -> &'static str {
        ending(&play_tokens::<crate::Plugin>(refresh(&ide()), &[Canned::new(status, body)]).result)
            .0
    }

    #[test]
    fn a_login_sends_the_keys_by_name_and_takes_the_pair() {
        let context = context::<crate::Plugin>(&[]);
        let played = play_tokens::<crate::Plugin>(login(&context), &[Canned::new(200, PAIR)]);
        let sent = Request::post("{base_url}/ide/v1/tokens/generate")
            .json([("apiKey", secret("api_key")), ("secretKey", secret("secret_key"))]);
        assert_eq!(played.requests, [sent]);
        let tokens = played.result.unwrap();
        assert_eq!(tokens.access_token, "/accessToken".into());
        assert_eq!(tokens.refresh_token, Some("/refreshToken".into()));
        assert_eq!(tokens.refresh_expires_at, Some(context.now + 172_800));
    }

    #[test]
    fn a_refresh_sends_what_the_product_wants() {
        let sent = |product| play_tokens::<crate::Plugin>(refresh(&of(product)), &[]).requests;
        let only = Request::post("{base_url}/ppg/v3/tokens/refresh")
            .json([("refreshToken", refresh_token())]);
        assert_eq!(sent("ppg"), [only]);
        for (product, path) in [("ide", "/ide/v1"), ("trf", "/trf/v2"), ("cobank", "/cobank/v1")] {
            let both = Request::post(format!("{{base_url}}{path}/tokens/refresh"))
                .json([("accessToken", access_token()), ("refreshToken", refresh_token())]);
            assert_eq!(sent(product), [both]);
        }
    }

    #[test]
    fn a_product_that_does_not_exist_is_refused_before_anything_is_sent() {
        let played = play_tokens::<crate::Plugin>(login(&of("pulse")), &[]);
        let text = "the setting `product` must be one of ide, ppg, trf, cobank";
        assert_eq!(ending(&played.result), ("misconfigured", text));
        assert!(played.requests.is_empty());
    }

    #[test]
    fn a_refresh_token_may_be_missing_but_not_empty() {
        let only = play_tokens::<crate::Plugin>(
            refresh(&ide()),
            &[Canned::new(200, r#"{"accessToken":"a"}"#)],
        );
        let tokens = only.result.unwrap();
        assert_eq!((tokens.refresh_token, tokens.refresh_expires_at), (None, None));
        let empty = r#"{"accessToken":"a","refreshToken":""}"#;
        assert_eq!(refresh_ends(200, empty), "unexpected");
    }

    #[test]
    fn both_envelopes_are_read() {
        for body in [BAD, BAD_FLAT] {
            assert_eq!(login_ends(401, body), "invalid-credentials");
            assert_eq!(login_ends(400, body), "invalid-credentials");
            assert_eq!(refresh_ends(401, body), "grant-expired");
        }
    }

    #[test]
    fn the_code_decides_before_the_status() {
        let not_trusted = code("ip.not_trusted");
        assert_eq!(refresh_ends(403, &not_trusted), "misconfigured");
        assert_eq!(login_ends(401, &code("client.not_active")), "misconfigured");
        assert_eq!(login_ends(400, &code("apiKey.is_required")), "misconfigured");
        assert_eq!(refresh_ends(500, &code("token.verification_failed")), "grant-expired");
        assert_eq!(login_ends(400, &code("too_many_requests")), "rate-limited");
    }

    #[test]
    fn a_fault_of_jibit_is_waited_out_at_login_and_doubted_at_refresh() {
        let fault = code("server.error");
        assert_eq!(
            (login_ends(500, &fault), refresh_ends(500, &fault)),
            ("unavailable", "in-doubt")
        );
        assert_eq!((login_ends(502, "<p>"), refresh_ends(502, "<p>")), ("unavailable", "in-doubt"));
        assert_eq!(
            ending(&play_tokens::<crate::Plugin>(refresh(&ide()), &[]).result).0,
            "in-doubt"
        );
    }

    #[test]
    fn a_refused_refresh_without_a_known_code_leads_to_a_login() {
        for status in [400, 401, 403] {
            assert_eq!(refresh_ends(status, "{}"), "grant-expired", "{status}");
        }
        assert_eq!(refresh_ends(404, "<html>"), "unexpected");
    }

    #[test]
    fn a_limit_is_obeyed_for_as_long_as_it_says() {
        let slow = Canned::new(429, &code("too_many_requests")).header("retry-after", "7");
        let result = play_tokens::<crate::Plugin>(refresh(&ide()), &[slow]).result;
        assert!(matches!(result, Err(Failure::RateLimited(Some(7)))));
    }

    #[test]
    fn a_success_without_a_pair_is_not_understood() {
        assert_eq!(login_ends(200, "{}"), "unexpected");
        assert_eq!(refresh_ends(200, "welcome to the proxy"), "unexpected");
    }

    #[test]
    fn every_request_of_every_product_is_declared_exactly() {
        let described = describe();
        assert_eq!(described.access.len(), 8);
        assert!(described.access.iter().all(|it| !it.request.contains('*')));
        for product in &PRODUCTS {
            let context = of(product.name);
            for flow in [login(&context), refresh(&context)] {
                assert_eq!(
                    undeclared(&described, &play_tokens::<crate::Plugin>(flow, &[]).requests),
                    None
                );
            }
        }
    }
}
