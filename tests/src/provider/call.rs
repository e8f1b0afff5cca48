//! One request as a provider sees it, whatever the format of its body. Judges nothing.

use axum::{
    Form,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Multipart, Query, Request},
    http::{HeaderMap, Method, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// More than any login needs.
const BODY_LIMIT: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Empty,
    Form,
    Json,
    Multipart,
    Other,
    /// It says what it is and is not that.
    Broken,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<Field>,
    pub(crate) content_type: Option<String>,
    pub(crate) accept: Option<String>,
    pub(crate) format: Format,
    pub(crate) fields: Vec<Field>,
    /// The whole body when it is a JSON object, for those who look below its members.
    pub(crate) document: Value,
    pub(crate) bearer: Option<String>,
    pub(crate) basic: Option<(String, String)>,
    /// The key behind `Authorization: Token`, which is the scheme of one framework.
    pub(crate) scheme_token: Option<String>,
}

/// A member of the body. The value is absent when it is not text, as in `{"apiKey": 5}`.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl Call {
    /// Absent when the body is too long, or when the client left before it was complete.
    pub(crate) async fn read(request: Request) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_LIMIT).await.ok()?;
        let document = serde_json::from_slice(&body).ok().filter(Value::is_object);
        let (format, fields) = read_body(&parts, body).await;
        Some(Self {
            path: parts.uri.path().to_owned(),
            query: read_query(&parts),
            content_type: text(&parts.headers, header::CONTENT_TYPE.as_str()),
            accept: text(&parts.headers, header::ACCEPT.as_str()),
            document: document.unwrap_or_default(),
            scheme_token: authorization(&parts.headers, "token"),
            bearer: authorization(&parts.headers, "bearer"),
            basic: authorization(&parts.headers, "basic").and_then(|text| read_basic(&text)),
            method: parts.method,
            format,
            fields,
        })
    }

    /// The text of a field, if it is there and not empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    /// The same of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// RFC 6749, 3.2: a parameter must not be there twice.
    pub(crate) fn repeats_a_field(&self) -> bool {
        repeats(&self.fields)
    }

    /// The same of the query.
    pub(crate) fn repeats_a_parameter(&self) -> bool {
        repeats(&self.query)
    }
}

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|field| field.name == name)?;
    field.value.as_deref().filter(|value| !value.is_empty())
}

fn repeats(fields: &[Field]) -> bool {
    let before = |index: usize| &fields[..index];
    fields
        .iter()
        .enumerate()
        .any(|(index, field)| before(index).iter().any(|other| other.name == field.name))
}

fn read_query(parts: &Parts) -> Vec<Field> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
        return Vec::new();
    };
    pairs.into_iter().map(|(name, value)| Field { name, value: Some(value) }).collect()
}

async fn read_body(parts: &Parts, body: Bytes) -> (Format, Vec<Field>) {
    if body.is_empty() {
        return (Format::Empty, Vec::new());
    }
    let kind = text(&parts.headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let (format, fields) = match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => (Format::Json, read_json(&body)),
        "application/x-www-form-urlencoded" => (Format::Form, read_form(body).await),
        "multipart/form-data" => (Format::Multipart, read_multipart(parts, body).await),
        _ => return (Format::Other, Vec::new()),
    };
    fields.map_or((Format::Broken, Vec::new()), |fields| (format, fields))
}

fn read_json(body: &[u8]) -> Option<Vec<Field>> {
    let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let field = |(name, value): (String, Value)| Field {
        name,
        value: value.as_str().map(ToOwned::to_owned),
    };
    Some(members.into_iter().map(field).collect())
}

async fn read_form(body: Bytes) -> Option<Vec<Field>> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .ok()?;
    let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, &()).await.ok()?;
    Some(pairs.into_iter().map(|(name, value)| Field { name, value: Some(value) }).collect())
}

async fn read_multipart(parts: &Parts, body: Bytes) -> Option<Vec<Field>> {
    let request = Request::from_parts(parts.clone(), Body::from(body));
    let mut multipart = Multipart::from_request(request, &()).await.ok()?;
    let mut fields = Vec::new();
    while let Some(part) = multipart.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.push(Field { name, value: part.text().await.ok() });
    }
    Some(fields)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// The credentials of this scheme. RFC 9110 compares schemes without case.
fn authorization(headers: &HeaderMap, scheme: &str) -> Option<String> {
    let value = text(headers, header::AUTHORIZATION.as_str())?;
    let (given, credentials) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim().to_owned())
}

fn read_basic(text: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Undoes `application/x-www-form-urlencoded` of one value; what is no escape stays as it is.
pub(crate) fn form_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| first == b'%');
        let digits = escape.and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes one value as `application/x-www-form-urlencoded` does.
pub(crate) fn form_encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let encode = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        _ if kept(byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_encoding_is_undone_and_broken_escapes_are_kept() {
        assert_eq!(form_decoded("a%3Ab+c%2"), "a:b c%2");
        assert_eq!(form_decoded("100%"), "100%");
        assert_eq!(form_decoded("%zz"), "%zz");
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let text = "a b+c/d?e=f&g%ß";
        assert_eq!(form_decoded(&form_encoded(text)), text);
        assert_eq!(form_encoded("a b/ß"), "a+b%2F%C3%9F");
    }
}
