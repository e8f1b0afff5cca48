//! Jibit, services in Iran: identity, payment, banking. A key pair gives a pair of tokens, and a
//! refresh gives a new pair. Jibit documents codes and not statuses, so the code of a refusal takes
//! precedence over the status.

#![forbid(unsafe_code)]

/// Where each product has its tokens.
mod product;

#[cfg(test)]
mod tests;

use sdk::{
    Answer, Context, Descriptor, Failure, Field, Flow, Kind, Logins, Provider, Refusal, Refusals,
    Request, Rotation, Tokens, access_token, refresh_token, refresh_token_at, secret, send,
};

use crate::product::{PRODUCTS, chosen};

struct Plugin;

sdk::export!(Plugin);

const ACCESS: &str = "/accessToken";
const REFRESH: &str = "/refreshToken";

/// What a first token costs.
const KEYS: &[&str] = &["api_key", "secret_key"];

/// Clients agree on 48 hours; the answer does not say.
const REFRESH_LIFETIME: u64 = 172_800;

/// Products differ in the envelope: a list of errors, or one flat error.
const CODES: &[&str] = &["/errors/0/code", "/code"];

const NOT_ACTIVE: Refusal =
    Refusal::misconfigured("this client is not active at Jibit; ask Jibit to activate it")
        .on(&["client.not_active"]);

const NOT_TRUSTED: Refusal = Refusal::misconfigured(
    "Jibit does not allow this machine's IP address; add it to the client's allowed addresses at \
     Jibit",
)
.on(&["ip.not_trusted"]);

const LIMIT: Refusal = Refusal::rate_limited().on(&["too_many_requests"]);

/// Jibit's own word for a failure of its server.
const FAULT: Refusal =
    Refusal::unavailable("Jibit reports an internal error; try again later").on(&["server.error"]);

const NO_LOGIN: Refusals = Refusals::of("Jibit", "a login")
    .codes_at(CODES)
    .whatever_the_status()
    .rows(&[
    Refusal::invalid_credentials(
        "Jibit refused the key pair; check `api_key` and `secret_key`, which belong to one product",
    )
    .on(&["security.bad_credentials"])
    .at(&[401, 403]),
    Refusal::misconfigured("Jibit received no `api_key`; set it").on(&["apiKey.is_required"]),
    Refusal::misconfigured("Jibit received no `secret_key`; set it").on(&["secretKey.is_required"]),
    Refusal::misconfigured("Jibit could not read the keys; check `api_key` and `secret_key`")
        .on(&["web.invalid_or_missing_body"]),
    Refusal::misconfigured("Jibit has no API at this address; check `base_url` and `product`")
        .at(&[404, 405]),
    NOT_ACTIVE,
    NOT_TRUSTED,
    LIMIT,
    FAULT,
]);

/// A refresh that is refused without a known code leads to a login, which settles it either way.
const NO_REFRESH: Refusals =
    Refusals::of("Jibit", "a refresh").codes_at(CODES).whatever_the_status().rows(&[
        Refusal::grant_expired("Jibit no longer accepts this pair of tokens")
            .on(&[
                "security.bad_credentials",
                "security.auth_required",
                "token.verification_failed",
            ])
            .at(&[400, 401, 403]),
        NOT_ACTIVE,
        NOT_TRUSTED,
        LIMIT,
        FAULT,
    ]);

impl Provider for Plugin {
    fn describe() -> Descriptor {
        let base_url = Field::required("base_url", "Base URL", "URL of the API.");
        let product = Field::optional("product", "Product", "`ide`, `ppg`, `trf` or `cobank`.");
        let described = Descriptor::new("jibit", env!("CARGO_PKG_VERSION"), "Jibit")
            .about("Identity, payment and banking services in Iran. Each product has its own keys.")
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

    fn login(context: &Context) -> Flow<Tokens> {
        let product = chosen(&context.settings)?;
        let request = Request::post(address(product.generate))
            .json([("apiKey", secret("api_key")), ("secretKey", secret("secret_key"))]);
        let now = context.now;
        send(request, move |answer| pair(answer, &NO_LOGIN, now))
    }

    fn refresh(context: &Context) -> Flow<Tokens> {
        let product = chosen(&context.settings)?;
        let mut members = vec![("refreshToken", refresh_token())];
        if product.wants_both {
            members.insert(0, ("accessToken", access_token()));
        }
        let request = Request::post(address(product.refresh)).json(members);
        let now = context.now;
        send(request, move |answer| pair(answer, &NO_REFRESH, now))
    }
}

fn address(path: &str) -> String {
    format!("{{base_url}}{path}")
}

/// The pair, when the answer is a success that holds one. An error code in a success counts as the
/// error it names.
fn pair(answer: &dyn Answer, refusals: &Refusals, now: u64) -> Result<Tokens, Failure> {
    if !answer.is_success() || !answer.has_secret(ACCESS) {
        return Err(refusals.failure(answer));
    }
    let mut tokens = Tokens::bearer(ACCESS);
    tokens.refresh_token = refresh_token_at(answer, REFRESH)?;
    tokens.refresh_expires_at = tokens.refresh_token.is_some().then_some(now + REFRESH_LIFETIME);
    Ok(tokens)
}
