//! The reference as a JSON Schema, for editors. A schema knows less than the parser: it cannot tell whether a day
//! exists or a name is used twice, so it refuses nothing that the parser takes.

use serde_json::{Map, Value, json};

use crate::manifest::reference::{Key, Kind, Section, Usual};
use crate::model::alert::AlertKind;

/// The schema of the whole manifest.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "keepfresh.toml",
        "description": "The manifest of Keepfresh. Made by: keepfresh manifest schema",
        "definitions": { "secret": secret() },
    });
    if let (Value::Object(schema), Value::Object(root)) = (&mut schema, table(Section::Root)) {
        schema.extend(root);
    }
    schema
}

fn table(section: Section) -> Value {
    let properties = section.keys().map(|it| (it.name.to_owned(), key(it)));
    let required = section.keys().filter(|it| it.usual == Usual::Required).map(|it| it.name);
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required.collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

/// Editors show the description; other members beside a reference would be ignored in this draft.
fn key(key: &Key) -> Value {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), key.meaning.into());
    if let Usual::Value(usual) = key.usual {
        schema.extend(toml(usual).map(|it| ("default".to_owned(), it)));
    }
    schema.extend(toml(key.example).map(|it| ("examples".to_owned(), json!([it]))));
    match kind(key.kind) {
        Value::Object(kind) if !kind.contains_key("$ref") => schema.extend(kind),
        kind => drop(schema.insert("allOf".to_owned(), json!([kind]))),
    }
    Value::Object(schema)
}

/// A value that is written as in the manifest.
fn toml(text: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {text}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Table(section) => table(section),
        Kind::Tables(section) => json!({ "type": "array", "items": table(section) }),
        Kind::Named(section) => json!({
            "type": "object",
            "propertyNames": self::kind(Kind::Name),
            "additionalProperties": table(section),
        }),
        Kind::Secret => json!({ "$ref": "#/definitions/secret" }),
        Kind::VaultKey => {
            let text = pattern("^(env|file|credential|exec):.+$");
            json!({ "anyOf": [{ "$ref": "#/definitions/secret" }, text] })
        }
        Kind::Secrets => by_name(&json!({ "$ref": "#/definitions/secret" })),
        Kind::Settings => by_name(&json!({ "type": ["string", "integer", "boolean"] })),
        Kind::Count(least, most, _) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Rotation => json!({
            "anyOf": [
                { "enum": ["none", "until-used", "strict", "unknown"] },
                only_one(&json!({ "grace": self::kind(Kind::Time(1, 86_400)) })),
            ],
        }),
        Kind::Hosts => json!({ "type": "array", "items": pattern("^[^/:\\s]+$|^\\[.+\\]$") }),
        Kind::Texts => json!({ "type": "array", "items": pattern(".") }),
        Kind::Urls => json!({ "type": "array", "items": self::kind(Kind::Url) }),
        Kind::Networks => json!({ "type": "array", "items": pattern("^[0-9A-Fa-f.:]+/[0-9]+$") }),
        Kind::Grants => {
            json!({ "type": "array", "items": { "enum": ["reveal", "memory:256MiB"] } })
        }
        Kind::Methods => {
            let methods = crate::egress::Method::ALL.map(crate::egress::Method::as_str);
            json!({ "type": "array", "items": { "enum": methods } })
        }
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Text | Kind::Template => json!({ "type": "string" }),
        Kind::Columns => by_name(&json!({ "type": "string" })),
        Kind::Command => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
        }
        Kind::DatabaseUrl => {
            let url = pattern("^(postgres|postgresql|mysql|mariadb|sqlite):.+$");
            json!({ "anyOf": [{ "$ref": "#/definitions/secret" }, url] })
        }
        Kind::Endpoint => {
            json!({ "anyOf": [{ "$ref": "#/definitions/secret" }, self::kind(Kind::Url)] })
        }
        Kind::ChannelKind => json!({ "enum": ["email", "webhook", "slack"] }),
        Kind::AlertKinds => json!({ "type": "array", "items": { "enum": AlertKind::ALL } }),
        Kind::Mailboxes => json!({ "type": "array", "items": self::kind(Kind::Mailbox) }),
        text => pattern(pattern_of(text)),
    }
}

fn pattern_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Database => "^sqlite:(//)?[^?:]+$",
        Kind::Address => r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$",
        Kind::Url => "^https?://[^@\\s]+$",
        Kind::Name => "^[a-z0-9][a-z0-9._@+:-]*$",
        Kind::ConnectionName => r"^[^/\s]+$",
        Kind::Cron => r"^\s*(@[A-Za-z]+|\S+(\s+\S+){4,5})\s*$",
        Kind::Time(..) => "[0-9]",
        Kind::TimeOfDay => "^[0-2][0-9]:[0-5][0-9]$",
        Kind::Smtp => "^smtps?://.+$",
        Kind::Mailbox => "@",
        Kind::Mode => "^0?[0-7]{3}$",
        Kind::Rate => r"^\s*[0-9]+\s*/\s*[smh]\s*$",
        _ => ".",
    }
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn by_name(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

fn only_one(properties: &Value) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

fn secret() -> Value {
    let mut secret = only_one(&json!({
        "env": pattern("^[A-Za-z0-9_.-]+$"),
        "file": pattern("."),
        "credential": pattern("^[^./][^/]*$"),
        "exec": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
    }));
    secret["description"] = "Where a secret is, never the secret itself.".into();
    secret
}
