//! Sends the key to an address that was declared for something else, by every way around that there is.
//! The setting `misdeed` chooses the way; what was returned as a token goes astray in the next call.

use guests::raw::{around, came_through, copy, log_in, other, post, secret, setting, take, tokens};
use guests::secrets::{Encoding, Part, Secret, SignatureAlgorithm, SignatureEncoding};
use sdk::bindings::exports::keepfresh::provider::provider::Guest;
use sdk::bindings::keepfresh::provider::http::{
    self, Body, Field as Named, Method, Request, Value,
};
use sdk::bindings::keepfresh::provider::types::{Connection, TokenSet};
use sdk::{Descriptor, Failure, Field};

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Descriptor {
        guests::describe("sends-astray")
            .setting(Field::required("other_url", "Other URL", "Where the key must not go."))
            .setting(Field::required("misdeed", "Misdeed", "Which."))
            .secret(Field::required("signer", "Signer", "A key that signs."))
            .signs("signer")
            .access("POST {other_url}/nothing", &[])
            .access("POST {other_url}/access", &["access-token"])
            .access("POST {other_url}/refresh", &["refresh-token"])
            .access("POST {other_url}/extra", &["extra-tokens"])
            .access("POST {other_url}/answer", &["answer"])
            .access("POST {other_url}/signer", &["signer"])
    }

    fn login(connection: Connection) -> Result<TokenSet, Failure> {
        let (key, go) = (secret(&connection, "key")?, |path, it| astray(&connection, path, it));
        match setting(&connection, "misdeed") {
            "plain" => go("/access", key),
            "nothing" => go("/nothing", key),
            "composed" => go("/access", &around("a", key, "b", Encoding::Plain)),
            "encoded" => {
                let form = around("", key, "", Encoding::Form);
                go("/answer", &around("", &form, "", Encoding::Base64))
            }
            "signed" => go("/signer", &signature(secret(&connection, "signer")?, key)),
            "echoed" => go("/answer", &take(&log_in(&connection)?, "/access_token")?),
            "in-the-query" => in_query(&connection, key),
            "in-a-header" => in_header(&connection, key),
            "in-a-form" => in_body(&connection, Body::Form(vec![named(key)])),
            "in-parts" => in_body(&connection, Body::Multipart(vec![named(key)])),
            "returned" => Ok(tokens(copy(key))),
            "echo-returned" => Ok(tokens(take(&log_in(&connection)?, "/access_token")?)),
            "kept" => Ok(TokenSet { refresh_token: Some(copy(key)), ..tokens(text("access")) }),
            "extra" => Ok(with_extra(vec![("a", copy(key))])),
            "extra-twice" => Ok(with_extra(vec![("a", copy(key)), ("a", text("b"))])),
            "extra-namesake" => {
                let extra = vec![("access_token".to_owned(), text("b"))];
                Ok(TokenSet { extra, ..tokens(copy(key)) })
            }
            misdeed => Err(other(format!("knows no {misdeed}"))),
        }
    }

    fn refresh(connection: Connection, current: TokenSet) -> Result<TokenSet, Failure> {
        let refresh_token = current.refresh_token.as_ref();
        match (refresh_token, current.extra.first()) {
            // The one that is kept goes astray in the call after this.
            (Some(_), _) if current.metadata.is_empty() => {
                let metadata = vec![("kept".to_owned(), "once".to_owned())];
                Ok(TokenSet { metadata, ..tokens(text("access")) })
            }
            (Some(kept), _) => astray(&connection, "/refresh", kept),
            (None, Some((name, extra))) if name == "a" => astray(&connection, "/extra", extra),
            _ => astray(&connection, "/access", &current.access_token),
        }
    }
}

fn astray(connection: &Connection, path: &str, secret: &Secret) -> Result<TokenSet, Failure> {
    in_body_at(connection, path, Body::Json(vec![named(secret)]))
}

fn in_body(connection: &Connection, body: Body<'_>) -> Result<TokenSet, Failure> {
    in_body_at(connection, "/answer", body)
}

fn in_body_at(connection: &Connection, path: &str, body: Body) -> Result<TokenSet, Failure> {
    sent(connection, path, Vec::new(), Vec::new(), body)
}

fn in_query(connection: &Connection, key: &Secret) -> Result<TokenSet, Failure> {
    sent(connection, "/answer", vec![named(key)], Vec::new(), Body::Empty)
}

fn in_header(connection: &Connection, key: &Secret) -> Result<TokenSet, Failure> {
    sent(connection, "/answer", Vec::new(), vec![named(key)], Body::Empty)
}

fn sent<'s>(
    connection: &Connection,
    path: &str,
    query: Vec<Named<'s>>,
    headers: Vec<Named<'s>>,
    body: Body<'s>,
) -> Result<TokenSet, Failure> {
    let url = format!("{}{path}", setting(connection, "other_url"));
    let sent = http::send(&Request { method: Method::Post, url, query, headers, body });
    let answer = sent.map_err(|it| other(format!("{it:?}")))?;
    // A request that is answered makes the host forget what it refused before.
    post(connection, "/token", secret(connection, "key")?)?;
    came_through(&format!("{path} answered {}", answer.status()))
}

fn named(secret: &Secret) -> Named<'_> {
    Named { name: "key".to_owned(), value: Value::Secret(secret) }
}

fn with_extra(extra: Vec<(&str, Secret)>) -> TokenSet {
    let extra = extra.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
    TokenSet { extra, ..tokens(text("access")) }
}

fn text(text: &str) -> Secret {
    Secret::compose(&[Part::Text(text.to_owned())], Encoding::Plain)
}

fn signature(signer: &Secret, key: &Secret) -> Secret {
    let message = [Part::Secret(key)];
    signer.sign(SignatureAlgorithm::HmacSha512, &message, SignatureEncoding::Base64)
}

sdk::export!(Plugin);
