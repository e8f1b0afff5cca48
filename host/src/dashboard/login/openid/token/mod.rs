//! Whether an ID token is one: signed by a key of the issuer with an algorithm of public keys, for this client, for this
//! login, and now. Pure.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::model::code;
use crate::model::failure::{Case, Failure};

/// Clocks of two machines may differ by so much.
const APART: SignedDuration = SignedDuration::from_mins(1);

/// What a token must be.
pub(super) struct Wants<'a> {
    /// Who has made it.
    pub(super) issuer: &'a str,
    /// Whom it is for.
    pub(super) client_id: &'a str,
    /// Which login it is for.
    pub(super) nonce: &'a SecretString,
    /// Since when the person must have logged in, if that matters.
    pub(super) since: Option<Timestamp>,
    /// The time.
    pub(super) now: Timestamp,
}

/// What a token says.
pub(super) type Claims = Map<String, Value>;

/// The claims of a token that is all of that.
pub(super) fn check(
    token: &SecretString,
    keys: &JwkSet,
    wants: &Wants<'_>,
) -> Result<Claims, Failure> {
    let claims = signed(token, keys, wants)?;
    let time = |name: &str| Timestamp::from_second(claims.get(name)?.as_i64()?).ok();
    let ends = time("exp").ok_or_else(|| invalid("it does not say when it ends"))?;
    if wants.now >= ends + APART {
        return Err(invalid("it has ended"));
    }
    if [time("iat"), time("nbf")].into_iter().flatten().any(|it| it > wants.now + APART) {
        return Err(invalid("it is from the future"));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("nonce") != Some(wants.nonce.expose_secret()) {
        return Err(invalid("it is for another login"));
    }
    // Of several that it is for, one may use it.
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|it| it.len() > 1);
    if text("azp").map_or(several, |it| it != wants.client_id) {
        return Err(invalid("it is for another client"));
    }
    if let Some(since) = wants.since
        && time("auth_time").is_none_or(|it| it + APART < since)
    {
        return Err(invalid("the provider did not ask the person again"));
    }
    Ok(claims)
}

/// The claims, if the signature is that of a key of the issuer, and issuer and audience are right.
fn signed(token: &SecretString, keys: &JwkSet, wants: &Wants<'_>) -> Result<Claims, Failure> {
    let token = token.expose_secret();
    // `none` is no algorithm to the library, either.
    let header = decode_header(token).map_err(|_| invalid("it cannot be read"))?;
    let fits = |it: &&Jwk| fits(it, header.alg, header.kid.as_deref());
    let mut found = keys.keys.iter().filter(fits);
    let key = found.next().ok_or_else(|| invalid("no key of the issuer has signed it"))?;
    if header.kid.is_none() && found.next().is_some() {
        return Err(invalid("it does not say which key has signed it"));
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| invalid("a key of the issuer is none"))?;
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[wants.client_id]);
    validation.set_issuer(&[wants.issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // By our own clock, below.
    validation.validate_exp = false;
    let read = decode::<Claims>(token, &key, &validation);
    read.map(|it| it.claims).map_err(|_| invalid("signature, issuer or audience are wrong"))
}

/// Whether a key may have signed with `alg`. A key that is a shared secret never may: its owner could be anybody who
/// has read it.
fn fits(key: &Jwk, alg: Algorithm, kid: Option<&str>) -> bool {
    let kind = matches!(
        (&key.algorithm, alg),
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512,
        ) | (AlgorithmParameters::EllipticCurve(_), Algorithm::ES256 | Algorithm::ES384)
            | (AlgorithmParameters::OctetKeyPair(_), Algorithm::EdDSA)
    );
    let common = &key.common;
    let signs = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature);
    let named = common.key_algorithm.is_none_or(|it| is(it, alg));
    kind && signs && named && kid.is_none_or(|it| common.key_id.as_deref() == Some(it))
}

fn is(named: KeyAlgorithm, alg: Algorithm) -> bool {
    named.to_string() == format!("{alg:?}")
}

fn invalid(why: &str) -> Failure {
    let message = format!("the ID token is not valid: {why}");
    Failure::new(Case::InvalidCredentials, code::Login::TokenInvalid, message)
}

#[cfg(test)]
mod tests;
