//! `keepfresh manifest`: which keys there are, for people and for editors. Needs neither a manifest nor a daemon.

use serde_json::{Value, json};

use crate::cli::arguments::ManifestVerb;
use crate::cli::exit::Exit;
use crate::cli::render;
use crate::manifest::reference::{self, Key, Section, Usual};

/// Prints the reference, or the schema.
pub(super) fn run(verb: ManifestVerb, json: bool) -> Exit {
    match verb {
        ManifestVerb::Schema => render::out_json(&reference::schema()),
        ManifestVerb::Reference if json => {
            let keys = Section::ALL.iter().flat_map(|it| it.keys());
            render::out_json(&json!({ "keys": keys.map(one).collect::<Vec<_>>() }));
        }
        ManifestVerb::Reference => render::raw(reference::page().as_bytes()),
    }
    Exit::Done
}

fn one(key: &Key) -> Value {
    let (default, otherwise) = match key.usual {
        Usual::Value(value) => (Some(value), None),
        Usual::Words(words) => (None, Some(words)),
        Usual::Required => (None, None),
    };
    json!({
        "table": key.section.heading(),
        "key": key.name,
        "type": key.kind.word(),
        "unit": key.kind.unit(),
        "required": key.usual == Usual::Required,
        "default": default,
        "otherwise": otherwise,
        "meaning": key.meaning,
        "example": key.example,
    })
}
