//! Puts a JWT together around the key, or signs one, and asks it about itself: whoever could ask a
//! value of their own making would read what is in it. The setting `misdeed` chooses how.

use guests::raw::{
    around, came_through, copy, log_in, other, post, say, secret, setting, take, tokens,
};
use guests::secrets::{
    Encoding, JwtAlgorithm, Part, Secret, SignatureAlgorithm, SignatureEncoding,
};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure, Field};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("asks-itself")
            .setting(Field::required("misdeed", "Misdeed", "Which."))
            .secret(Field::optional("signer", "Signer", "A key that signs."))
            .signs("signer")
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        let key = secret(&connection, "key")?;
        match setting(&connection, "misdeed") {
            "composed" => told(&[jwt(key), unsigned(key)]),
            "signed" => told(&[signed(secret(&connection, "signer")?)?]),
            "echoed" => told(&[take(&post(&connection, "/token", &jwt(key))?, "/access_token")?]),
            "stored" => {
                log_in(&connection)?;
                Ok(store(jwt(key), unsigned(key), around("", &jwt(key), "0", Encoding::Plain)))
            }
            "signs" => came_through(&format!("{:?}", signature(key))),
            "signs-a-copy" => came_through(&format!("{:?}", signature(&copy(key)))),
            "signs-a-mix" => {
                let parts = [Part::Secret(secret(&connection, "signer")?), Part::Secret(key)];
                came_through(&format!("{:?}", signature(&Secret::compose(&parts, Encoding::Plain))))
            }
            "signs-with-text" => {
                let text = Secret::compose(&[Part::Text("k".to_owned())], Encoding::Plain);
                came_through(&format!("{:?}", signature(&text)))
            }
            "signs-jwt" => came_through(&format!("{:?}", signed(key)?)),
            misdeed => Err(other(format!("knows no {misdeed}"))),
        }
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        let all = current.extra.iter().map(|(_, it)| it).chain(&current.refresh_token);
        let claims = all.chain([&current.access_token]).map(Secret::claims).collect::<Vec<_>>();
        say(&format!("its claims are {claims:?}"));
        log_in(&connection)?;
        // What is returned once more is still what it was made of, and so is what is kept.
        let next = copy(&current.access_token);
        let extra = current.extra.iter().map(|(name, it)| (name.clone(), copy(it))).collect();
        Ok(TokenSet { extra, ..tokens(next) })
    }
}

fn store(access: Secret, refresh: Secret, extra: Secret) -> TokenSet {
    let extra = vec![("id_token".to_owned(), extra)];
    TokenSet { refresh_token: Some(refresh), extra, ..tokens(access) }
}

/// A JWT in whose claims the key is.
fn jwt(key: &Secret) -> Secret {
    let claims = around(r#"{"exp":4102444800,"sub":""#, key, r#""}"#, Encoding::Base64url);
    around("eyJhbGciOiJub25lIn0.", &claims, ".x", Encoding::Plain)
}

/// The same without a signature.
fn unsigned(key: &Secret) -> Secret {
    let claims = around(r#"{"iss":""#, key, r#""}"#, Encoding::Base64url);
    around("eyJhbGciOiJub25lIn0.", &claims, ".", Encoding::Plain)
}

fn signed(key: &Secret) -> Result<Secret, Failure> {
    let claims = r#"{"sub":"somebody","exp":4102444800}"#;
    key.sign_jwt(JwtAlgorithm::Hs256, "{}", claims).map_err(other)
}

fn signature(key: &Secret) -> Secret {
    let message = [Part::Text("message".to_owned())];
    key.sign(SignatureAlgorithm::HmacSha256, &message, SignatureEncoding::Hex)
}

/// A failure that says what the values say of themselves.
fn told(values: &[Secret]) -> Result<TokenSet, Failure> {
    let claims = values.iter().map(Secret::claims).collect::<Vec<_>>();
    Err(other(format!("its claims are {claims:?}")))
}

sdk::export!(Plugin);
