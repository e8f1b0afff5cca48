//! A provider that repeats what it got, in every place and spelling that providers have been seen to use.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::egress::Response;

/// Places of an answer that a plugin can ask for.
pub(super) const POINTERS: [&str; 10] = [
    "",
    "/token",
    "/message",
    "/id",
    "/n",
    "/code",
    "/list/0",
    "/nested/token/value",
    "/at",
    "/url",
];

/// Headers of it.
pub(super) const HEADERS: [&str; 5] =
    ["X-Auth-Token", "Location", "X-Echo", "Content-Type", "Authorization"];

/// The answer to a request that held `sent`.
pub(super) fn answer(sent: &str, place: u8, spelling: u8) -> Response {
    let echo = spelled(sent, spelling);
    let sentence = format!("the key {echo} is wrong, try again");
    let body = match place % 9 {
        0 => json!({ "token": echo, "message": "ok" }).to_string(),
        1 => json!({ "message": sentence, "id": echo }).to_string(),
        2 => json!({ "id": echo, "code": echo, "at": echo, "url": echo }).to_string(),
        3 => json!({ "list": [echo], "nested": { "token": { "value": echo } } }).to_string(),
        4 => json!({ "errors": { echo.as_str(): true }, "message": echo }).to_string(),
        5 => format!(r#"{{"token":{},}}"#, json!(echo)),
        6 => format!("token: {echo} (sent)"),
        7 if sent.bytes().all(|it| it.is_ascii_digit()) => {
            format!(r#"{{"n":{sent},"id":{sent}}}"#)
        }
        7 => json!({ "n": echo, "id": echo }).to_string(),
        _ => json!({ "token": jwt(sent), "message": jwt(sent) }).to_string(),
    };
    let headers = [
        ("X-Auth-Token", echo.clone()),
        ("Location", format!("https://a.example/cb?key={echo}#{echo}")),
        ("X-Echo", sentence),
        ("Content-Type", "application/json".to_owned()),
        ("Authorization", format!("Bearer {echo}")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    Response { status: 400, headers: headers.into(), body: body.into_bytes() }
}

fn spelled(text: &str, spelling: u8) -> String {
    let bytes = |one: fn(u8) -> String| text.bytes().map(one).collect::<String>();
    match spelling % 11 {
        0 => text.to_owned(),
        1 => bytes(|it| format!("%{it:02X}")),
        2 => bytes(|it| format!("%{it:02x}")),
        3 => bytes(|it| format!("&#{it};")),
        4 => bytes(|it| format!("\\u00{it:02x}")),
        5 => bytes(|it| format!("{it:02x}")),
        6 => text.to_ascii_uppercase(),
        7 => STANDARD.encode(text),
        8 => URL_SAFE_NO_PAD.encode(format!("a{text}")),
        9 => STANDARD.encode(format!("ab{text}:c")),
        _ => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    }
}

/// A token of the provider's own, with what it got in a claim.
fn jwt(text: &str) -> String {
    let claims = json!({ "sub": text, "exp": 4_102_444_800_u64 });
    format!("eyJhbGciOiJub25lIn0.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
}
