//! Signs a text as Standard Webhooks has it, so that the receiver knows who sends, and that it is not an old one that
//! somebody sends again.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::delivery::posting::Post;
use crate::delivery::undelivered::Undelivered;
use crate::vault::source::Source;

/// The headers of one try: its id, which is the same at every try, its time, and a signature where there is a secret.
pub(super) async fn headers(
    post: &Post<'_>,
    secret: Option<&Source>,
    id: &str,
    now: Timestamp,
    body: &str,
) -> Result<Vec<(String, SecretString)>, Undelivered> {
    let seconds = now.as_second().to_string();
    let mut headers = vec![header("webhook-id", id), header("webhook-timestamp", &seconds)];
    if let Some(secret) = secret {
        let signed = sign(&secret.read().await?, id, &seconds, body);
        let signed = signed.ok_or_else(|| post.secret_invalid())?;
        headers.push(header("webhook-signature", &signed));
    }
    Ok(headers)
}

/// A header that holds no secret.
fn header(name: &str, value: &str) -> (String, SecretString) {
    (name.to_owned(), value.into())
}

/// A signature for each of the secrets, which stand behind each other while one takes the place of another. `None` if
/// one is no secret.
fn sign(secrets: &SecretString, id: &str, seconds: &str, body: &str) -> Option<String> {
    let keys = secrets.expose_secret().split_whitespace().map(key);
    let signed = keys.map(|key| {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(&key?).ok()?;
        let parts = [id, ".", seconds, ".", body];
        let keyed = parts.iter().fold(keyed, |keyed, part| keyed.chain_update(part.as_bytes()));
        Some(format!("v1,{}", STANDARD.encode(keyed.finalize().into_bytes())))
    });
    let signed = signed.collect::<Option<Vec<_>>>()?;
    (!signed.is_empty()).then(|| signed.join(" "))
}

fn key(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.strip_prefix("whsec_")?.trim_end_matches('=');
    let key = Zeroizing::new(STANDARD_NO_PAD.decode(text).ok()?);
    (24..=64).contains(&key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the specification's reference implementations.
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, seconds) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let signed = sign(&secret, id, seconds, "{\"test\": 2432232314}");
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn two_secrets_sign_while_one_takes_the_place_of_the_other() {
        let one = format!("whsec_{}", STANDARD.encode([1; 32]));
        let other = format!("whsec_{}", STANDARD.encode([2; 24]));
        let both = sign(&format!("{one} {other}\n").into(), "a", "1", "b").unwrap();
        let each = [&one, &other].map(|it| sign(&it.as_str().into(), "a", "1", "b").unwrap());
        assert_eq!(both, each.join(" "));
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        let long = format!("whsec_{}", STANDARD.encode([1; 65]));
        let bare = STANDARD.encode([1; 32]);
        for wrong in ["", "whsec_", "whsec_?", &short, &long, &bare] {
            assert_eq!(sign(&wrong.into(), "a", "1", "b"), None, "{wrong}");
        }
    }
}
