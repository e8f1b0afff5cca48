//! What is seen of answers, spelling by spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::model::descriptor::Read;
use crate::sandbox::secrets::labels::Labels;

const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln";

fn seen(document: &Value, declared: &[(&str, Kind)]) -> Value {
    let mut known = Known::default();
    known.learn("hunter22 & co", Labels::default(), true);
    let read = |(place, kind): &(&str, Kind)| Read { place: (*place).to_owned(), kind: *kind };
    let reads = Reads::new(&declared.iter().map(read).collect::<Vec<_>>(), &[]).unwrap();
    view(document, &reads, &reads.top(), &mut known)
}

#[test]
fn nothing_is_seen_but_the_shape() {
    let document = json!({
        "a": "abc", "n": 123_456, "yes": true, "none": null, "empty": "", "list": [1, "x", {}],
        "token": { "value": "abc" },
    });
    let shape = json!({
        "a": "[sealed]", "n": "[sealed number]", "yes": true, "none": null, "empty": "",
        "list": ["[sealed number]", "[sealed]", {}], "token": { "value": "[sealed]" },
    });
    assert_eq!(seen(&document, &[]), shape);
}

#[test]
fn what_is_declared_is_seen_if_it_is_what_was_declared() {
    let declared = [
        ("/error", Kind::Code),
        ("/expires_in", Kind::Number),
        ("/at", Kind::Date),
        ("/message", Kind::Text),
        ("/id", Kind::Fact),
        ("/url", Kind::Address),
    ];
    let good = json!({
        "error": "invalid_grant", "expires_in": 3600, "at": "2026-11-26T00:00:00Z",
        "message": "Wrong password, try again", "id": "31c41c16-0000-4000-8000-000000000000",
        "url": "https://id.example/token",
    });
    assert_eq!(seen(&good, &declared), good);
    for (name, value) in [
        ("error", json!("ya29.a0AfB_byC1d2E3f4")),
        ("error", json!("two words")),
        ("expires_in", json!("soon")),
        ("at", json!("deadbeef20261126")),
        ("id", json!(JWT)),
        ("id", json!("x".repeat(2049))),
        ("url", json!("https://u:p@id.example/")),
        ("url", json!("https://id.example/4f1d9a7e21b04f1d/x")),
    ] {
        assert_eq!(
            seen(&json!({ name: value }), &declared),
            json!({ name: "[sealed]" }),
            "{value}"
        );
    }
}

#[test]
fn an_address_loses_its_query_and_its_fragment() {
    let declared = [("/url", Kind::Address)];
    let document = json!({ "url": "https://id.example/cb?token=abc#access_token=def" });
    assert_eq!(seen(&document, &declared), json!({ "url": "https://id.example/cb" }));
}

#[test]
fn a_sentence_loses_what_follows_the_name_of_a_secret() {
    for (text, shown) in [
        ("bad token: abc, sorry", "bad token: [sealed], sorry"),
        ("<e><token>abc</token><code>7</code></e>", "<e><token>[sealed]</token><code>7</code></e>"),
        ("access_token=abc&x=1", "access_token=[sealed]&x=1"),
        ("the password is wrong", "the password is wrong"),
        ("unknown key ya29.a0AfB_byC1d2E3f4!", "unknown key [sealed]"),
    ] {
        let view = seen(&json!({ "m": text }), &[("/m", Kind::Text)]);
        assert_eq!(view, json!({ "m": shown }), "{text}");
    }
}

#[test]
fn an_echoed_secret_is_sealed_in_every_spelling() {
    let form: String = url::form_urlencoded::byte_serialize(b"hunter22 & co").collect();
    let hex = crate::model::token::hex(b"hunter22 & co");
    for text in [
        "bad hunter22 & co".to_owned(),
        "BAD HUNTER22 & CO".to_owned(),
        form.clone(),
        form.replace('+', "%20"),
        form.to_ascii_lowercase(),
        "hunter22 &amp; co".to_owned(),
        "hunter22 &#38; co".to_owned(),
        "hunter22 \\u0026 co".to_owned(),
        STANDARD.encode("hunter22 & co"),
        STANDARD.encode("a:hunter22 & co"),
        hex,
    ] {
        for kind in [Kind::Text, Kind::Fact] {
            let view = seen(&json!({ "m": text }), &[("/m", kind)]);
            assert_eq!(view, json!({ "m": "[sealed]" }), "{text}");
        }
    }
}

#[test]
fn a_name_that_is_more_than_a_name_is_sealed() {
    let document = json!({ "errors": { "hunter22 & co is wrong": true, JWT: 1 } });
    assert_eq!(
        seen(&document, &[])["errors"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["[sealed]"]
    );
    let ids = json!({ "orgs": { "31c41c16-0000-4000-8000-000000000000": { "name": "A" } } });
    assert_ne!(seen(&ids, &[]), ids);
    assert_eq!(seen(&ids, &[("/orgs/**", Kind::Fact)]), ids);
}

#[test]
fn facts_do_not_reach_what_is_called_like_a_secret() {
    let document =
        json!({ "user": { "name": "Ann", "token": "abc", "tokens": ["d"], "key": { "id": "x" } } });
    let shown = json!({ "user": {
        "name": "Ann", "token": "[sealed]", "tokens": ["[sealed]"], "key": { "id": "[sealed]" },
    } });
    assert_eq!(seen(&document, &[("/user/**", Kind::Fact)]), shown);
}
