//! A request as a plugin describes it, with handles in it, on its way to one with plaintext in it. What
//! it would come to is judged before anything is copied: how long it could be, what it carries, and
//! whether that may go there.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::egress::{self, EgressError, LONGEST_BODY, LONGEST_HEADERS, LONGEST_URL};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::sandbox::answers::document;
use crate::sandbox::bindings::imports::http::{self, Field};
use crate::sandbox::calling::state::CallState;
use crate::sandbox::secrets::labels::Labels;

/// The deepest place of a JSON body that a name may point to, in steps.
const LONGEST_POINTER: usize = 32;

/// How a value is written where it is placed.
#[derive(Clone, Copy)]
enum Written {
    Form,
    Json,
    AsItIs,
}

impl Written {
    /// How long a text becomes.
    fn length(self, text: &str) -> usize {
        match self {
            Self::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).map(str::len).sum(),
            Self::Json => Value::from(text).to_string().len(),
            Self::AsItIs => text.len(),
        }
    }

    /// How long any text of this many bytes can become: `%2F`, `\u0000`.
    fn longest(self, bytes: usize) -> usize {
        bytes.saturating_mul(match self {
            Self::Form => 3,
            Self::Json => 6,
            Self::AsItIs => 1,
        })
    }
}

impl CallState {
    /// Names of all secrets that are in a request.
    pub(in crate::sandbox) fn carried(
        &self,
        request: &http::Request,
    ) -> wasmtime::Result<BTreeSet<String>> {
        let mut labels = Labels::default();
        for field in fields(request) {
            if let http::Value::Secret(handle) = &field.value {
                labels = labels.and(self.table.get(handle)?.labels());
            }
        }
        Ok(self.rules.names.of(labels))
    }

    /// Refuses a request that its secrets could make too long. A refusal only reveals lengths,
    /// and never whether a secret has letters in it that an encoding makes longer.
    pub(in crate::sandbox) fn judge_length(
        &self,
        request: &http::Request,
    ) -> wasmtime::Result<Result<(), EgressError>> {
        let (body, in_body) = match &request.body {
            http::Body::Empty => (&[][..], Written::AsItIs),
            http::Body::Json(all) => (all.as_slice(), Written::Json),
            http::Body::Form(all) => (all.as_slice(), Written::Form),
            http::Body::Multipart(all) => (all.as_slice(), Written::AsItIs),
        };
        let (query, headers) = (&request.query, &request.headers);
        for (what, code, fields, written, most) in [
            ("a body", code::Egress::BodyTooLarge, body, in_body, LONGEST_BODY),
            ("a URL", code::Egress::UrlInvalid, query, Written::Form, LONGEST_URL),
            ("headers", code::Egress::HeaderDenied, headers, Written::AsItIs, LONGEST_HEADERS),
        ] {
            let worst = self.worst(fields, written)?;
            if let Some(worst) = worst.filter(|it| *it > most) {
                let message = format!(
                    "{} could send {what} of up to {} KiB, depending on its secrets; the limit is {} KiB",
                    self.plugin,
                    worst.div_ceil(1024),
                    most / 1024,
                );
                return Ok(Err(EgressError::denied(code, message)));
            }
        }
        Ok(Ok(()))
    }

    /// How long the fields can become; none when no secret is in them: they are as long as they are.
    fn worst(&self, fields: &[Field], written: Written) -> wasmtime::Result<Option<usize>> {
        let (mut all, mut has_secret) = (0_usize, false);
        for field in fields {
            let length = match &field.value {
                http::Value::Text(text) => written.length(text),
                http::Value::Json(text) => text.len(),
                http::Value::Secret(handle) => {
                    has_secret = true;
                    written.longest(self.table.get(handle)?.bound())
                }
            };
            all = all.saturating_add(length).saturating_add(written.length(&field.name));
        }
        Ok(has_secret.then_some(all))
    }

    /// The request with the plaintext in its places.
    pub(in crate::sandbox) fn place(
        &mut self,
        method: egress::Method,
        request: &http::Request,
        carries: BTreeSet<String>,
    ) -> wasmtime::Result<Result<egress::Request, EgressError>> {
        self.check_headers(&request.headers)?;
        let body = match &request.body {
            http::Body::Empty => egress::Body::Empty,
            http::Body::Form(fields) => egress::Body::Form(self.texts(fields)?),
            http::Body::Multipart(fields) => egress::Body::Multipart(self.texts(fields)?),
            http::Body::Json(fields) => match self.json(fields)? {
                Ok(json) => egress::Body::Json(json),
                Err(message) => {
                    return Ok(Err(EgressError::denied(code::Egress::JsonInvalid, message)));
                }
            },
        };
        let (query, headers) = (self.texts(&request.query)?, self.texts(&request.headers)?);
        let url = request.url.clone();
        let repeatable = false;
        Ok(Ok(egress::Request { method, url, query, headers, body, carries, repeatable }))
    }

    /// A secret that no header can hold ends the call: only the operator can do something about it, and
    /// a plugin that was told could ask which letters are in a secret.
    fn check_headers(&mut self, headers: &[Field]) -> wasmtime::Result<()> {
        for header in headers {
            let http::Value::Secret(handle) = &header.value else { continue };
            let handle = self.table.get(handle)?;
            if handle.text().bytes().all(|it| matches!(it, b' '..=b'~' | b'\t')) {
                continue;
            }
            let names = self.rules.names.of(handle.labels()).into_iter().collect::<Vec<_>>();
            let message = format!(
                "the secret `{}` cannot be sent in a header: it contains a line break, a control character or a non-ASCII character; correct the secret",
                names.join("`, `")
            );
            let failure = Failure::new(Case::Misconfigured, code::Plugin::SecretUnfit, message);
            return Err(self.end_with(failure));
        }
        Ok(())
    }

    fn texts(&self, fields: &[Field]) -> wasmtime::Result<Vec<(String, SecretString)>> {
        let text = |field: &Field| {
            let text = match &field.value {
                http::Value::Text(text) | http::Value::Json(text) => text.as_str(),
                http::Value::Secret(handle) => self.table.get(handle)?.text(),
            };
            Ok((field.name.clone(), SecretString::from(text)))
        };
        fields.iter().map(text).collect()
    }

    /// A JSON object of the fields; a name that starts with `/` is a pointer to a nested member.
    fn json(&self, fields: &[Field]) -> wasmtime::Result<Result<SecretString, String>> {
        let mut document = Value::Object(Map::new());
        for field in fields {
            let value = match &field.value {
                http::Value::Text(text) => Value::from(text.as_str()),
                http::Value::Secret(handle) => Value::from(self.table.get(handle)?.text()),
                http::Value::Json(text) => match document::parse(text.as_bytes()) {
                    Some((value, _)) => value,
                    None => {
                        return Ok(Err(format!(
                            "the value of the member {} is not JSON",
                            shown(&field.name)
                        )));
                    }
                },
            };
            if let Err(why) = put(&mut document, &field.name, value) {
                return Ok(Err(format!("the member {} points {why}", shown(&field.name))));
            }
        }
        let text = Zeroizing::new(document.to_string());
        Ok(Ok(SecretString::from(text.as_str())))
    }
}

fn fields(request: &http::Request) -> impl Iterator<Item = &Field> {
    let body = match &request.body {
        http::Body::Empty => &[][..],
        http::Body::Json(all) | http::Body::Form(all) | http::Body::Multipart(all) => all,
    };
    request.query.iter().chain(&request.headers).chain(body)
}

/// Sets `name`, or the member that it points to, making the objects on the way.
fn put(document: &mut Value, name: &str, value: Value) -> Result<(), &'static str> {
    const NO_OBJECT: &str = "into something that is not an object";
    let mut place = document;
    if let Some(pointer) = name.strip_prefix('/') {
        if pointer.split('/').count() > LONGEST_POINTER {
            return Err("more than 32 steps deep");
        }
        for step in pointer.split('/') {
            let Value::Object(members) = place else { return Err(NO_OBJECT) };
            let step = step.replace("~1", "/").replace("~0", "~");
            place = members.entry(step).or_insert_with(|| Value::Object(Map::new()));
        }
        *place = value;
        return Ok(());
    }
    let Value::Object(members) = place else { return Err(NO_OBJECT) };
    members.insert(name.to_owned(), value);
    Ok(())
}

/// A name may be anything; a message shows its beginning.
fn shown(name: &str) -> String {
    let start = name.chars().take(64).flat_map(char::escape_default).collect::<String>();
    if name.chars().nth(64).is_some() { format!("`{start}...`") } else { format!("`{start}`") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_makes_the_objects_on_its_way() {
        let mut document = json!({});
        assert_eq!(put(&mut document, "grant", "x".into()), Ok(()));
        assert_eq!(put(&mut document, "/auth/user", "ann".into()), Ok(()));
        assert_eq!(put(&mut document, "/auth/a~1b", 1.into()), Ok(()));
        assert_eq!(document, json!({"grant": "x", "auth": {"user": "ann", "a/b": 1}}));
        assert!(put(&mut document, "/grant/x", 1.into()).is_err());
    }

    #[test]
    fn a_pointer_of_twenty_thousand_steps_is_refused() {
        let deep = "/a".repeat(20_000);
        assert_eq!(put(&mut json!({}), &deep, 1.into()), Err("more than 32 steps deep"));
        assert_eq!(put(&mut json!({}), &"/a".repeat(LONGEST_POINTER), 1.into()), Ok(()));
    }
}
