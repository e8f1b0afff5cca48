//! What a plugin declares: nothing that looks like something else, no reading of secrets, and in an
//! update nothing more than was approved.

use std::fs;

use e2e::artifacts;
use e2e::home::Home;
use serde_json::Value;

use crate::hostile::{Stage, stops_in};

const WRONGLY: &str = "odd.wasm has an invalid descriptor: ";

/// A plugin that declares what most do, and has a default for its address.
const PLAIN: &str = "\
name odd
version 0.1.0
setting base_url=https://good.example
secret key
secret pin
access POST {base_url}/token with key
access GET {base_url}/me with access-token
reads code /error
sealed value
rotation strict
schedule 0 2 * * *
lifetime 3600";

#[test]
fn what_would_look_like_something_else_is_refused_when_it_is_loaded() {
    let home = Home::new("");
    let (name, version) = (
        "its name must be lower-case letters, digits and dashes",
        "its version must look like 1.2.3",
    );
    let line = |shown: &str| format!("`{shown}` is not one line of visible ASCII of 512 bytes");
    for (old, new, what) in [
        ("name odd", "name odd\\e[2K", name.to_owned()),
        ("name odd", "name o\u{202e}dd", name.to_owned()),
        ("name odd", "name o\u{200b}dd", name.to_owned()),
        ("name odd", "name Odd", name.to_owned()),
        ("name odd", "name ", name.to_owned()),
        ("0.1.0", "0.1.0\\n", version.to_owned()),
        ("0.1.0", "0.1.0\u{202e}", version.to_owned()),
        ("0.1.0", "0.1.0 (trusted)", version.to_owned()),
        ("GET {base_url}/me", "GET {base_url}/me\\e[2K", line(r"GET {base_url}/me\u{1b}[2K")),
        ("GET {base_url}/me", "GET {base_url}/\u{202e}me", line(r"GET {base_url}/\u{202e}me")),
        ("GET {base_url}/me", "GET {base_url}/\u{200b}me", line(r"GET {base_url}/\u{200b}me")),
        ("GET {base_url}/me", "GET {base_url}/m\u{435}", line(r"GET {base_url}/m\u{435}")),
        ("reads code /error", "reads code /err\\nor", line(r"/err\nor")),
        ("sealed value", "sealed val\u{200d}ue", line(r"val\u{200d}ue")),
        ("https://good.example", "https://good.example\u{2066}", line(r"https://good.example\u{2066}")),
        (
            "secret pin",
            "secret p\\e[31min",
            r"`p\u{1b}[31min` is not a valid name for a setting or secret: lower-case letters, digits, `-` and `_`".to_owned(),
        ),
        (
            "with access-token",
            "with access\u{200b}-token",
            r"a request carries `access\u{200b}-token`, which is neither one of its secrets nor a token".to_owned(),
        ),
        (
            "secret pin",
            "secret access-token",
            "`access-token` is reserved by the contract, so no secret can have this name".to_owned(),
        ),
    ] {
        refused(&home, &PLAIN.replace(old, new), &what);
    }
}

#[test]
fn a_plugin_that_is_refused_is_refused_everywhere_and_stops_nobody() {
    let stage = Stage::new();
    let home = stage.home(&section(&stage));
    let what = "it reads `/token/id`, where `token` is named like a secret";
    refused(&home, &PLAIN.replace("reads code /error", "reads fact /token/id"), what);
    let text = format!("{WRONGLY}{what}");
    let checked = home.run(&["check", "--json"]).exits(78).json();
    let (code, message) = (&checked["problems"][0]["code"], &checked["problems"][0]["message"]);
    assert_eq!((code, message), (&"plugin.refused".into(), &text.as_str().into()));
    stops_in(&home, "odd").is("plugin.descriptor_invalid", &text);
}

#[test]
fn a_declaration_to_read_a_secret_is_refused_when_it_is_loaded() {
    let home = Home::new("");
    for (read, what) in [
        ("fact /access_token", "`/access_token`, where `access_token` is named like a secret"),
        ("number /access_token", "`/access_token`, where `access_token` is named like a secret"),
        ("text **/password", "`**/password`, where `password` is named like a secret"),
        ("text /data/Session-ID", "`/data/Session-ID`, where `Session-ID` is named like a secret"),
        ("text /api~0key", "`/api~0key`, where `api~key` is named like a secret"),
        ("fact /token/id", "`/token/id`, where `token` is named like a secret"),
        ("fact /tokens", "`/tokens`, where `tokens` is named like a secret"),
        ("fact /a/value", "`/a/value`, where `value` is named like a secret"),
        ("text header:Set-Cookie", "the header Set-Cookie, which is named like a secret"),
        ("text header:x-api-key", "the header x-api-key, which is named like a secret"),
        (
            "text header:WWW-Authenticate",
            "the header WWW-Authenticate, which is named like a secret",
        ),
        ("text header:X Y", "the header `X Y`, which is not a header name"),
        ("fact header:Location", "the header Location, which can only be read as an address"),
        ("text error", "`error`, which does not begin with `/` or `**/`"),
        ("text /a/**/b", "`/a/**/b`, which has `**` in the middle"),
    ] {
        refused(
            &home,
            &PLAIN.replace("reads code /error", &format!("reads {read}")),
            &format!("it reads {what}"),
        );
    }
    refused(
        &home,
        &format!("{PLAIN}\nsigns access-token"),
        "it signs with `access-token`, which is not one of its secrets",
    );
}

#[test]
fn an_update_that_asks_for_more_waits_with_what_more_it_asks_for() {
    let stage = Stage::new();
    let home = stage.home(&section(&stage));
    put(&home, PLAIN);
    // Looking approves nothing; what is loaded to work is approved.
    let _ = home.run(&["refresh", "--json"]);
    assert_eq!(listed(&home)["refused"], Value::Null);
    for (old, new, asks) in [
        (
            "https://good.example",
            "https://evil.example",
            "the default of base_url to be https://evil.example, not https://good.example",
        ),
        ("sealed value", "", "no longer to seal value"),
        ("sealed value", "sealed value\nreads text /note", "to read text /note"),
        ("reads code /error", "reads fact /error", "to read fact /error"),
        ("reads code /error", "reads code /error\nreads text ", "to read text the whole body"),
        ("with key", "with key,refresh-token", "to send refresh-token with POST {base_url}/token"),
        ("with access-token", "with access-token,key", "to send key with GET {base_url}/me"),
        (
            "reads code /error",
            "access POST https://evil.example/ with key,pin",
            "a new request: POST https://evil.example/ with key, pin",
        ),
        ("sealed value", "sealed value\nsigns key", "to sign with key"),
        ("secret pin", "secret pin\nsecret seed", "a new secret: seed"),
        ("rotation strict", "rotation none", "its rotation to be none, not strict"),
        ("0 2 * * *", "* * * * *", "its schedule to be * * * * *, not 0 2 * * *"),
        ("schedule 0 2 * * *", "", "its schedule to be none, not 0 2 * * *"),
        ("lifetime 3600", "lifetime 60", "its lifetime to be 60 s, not 3600 s"),
    ] {
        put(&home, &PLAIN.replace(old, new).replace("0.1.0", "0.2.0"));
        let refused = listed(&home)["refused"].clone();
        assert_eq!(refused["code"], "plugin.permissions_widened", "{asks}");
        let text = format!("odd.wasm asks for more than was approved ({asks});");
        let message = refused["message"].as_str().unwrap();
        assert!(message.starts_with(&text), "{message}");
    }
    put(&home, &PLAIN.replace("0.1.0", "0.2.0").replace("reads code /error", ""));
    assert_eq!(
        (&listed(&home)["refused"], &listed(&home)["version"]),
        (&Value::Null, &"0.2.0".into())
    );
}

/// `plugin inspect` does not take a plugin that declares this.
fn refused(home: &Home, declared: &str, what: &str) {
    put(home, declared);
    let inspected = home.run(&["plugin", "inspect", "plugins/odd.wasm"]).exits(4);
    let text = format!("{WRONGLY}{what}");
    assert_eq!(inspected.stderr, format!("error[plugin.descriptor_invalid]: {text}\n"));
}

fn section(stage: &Stage) -> String {
    let section = stage.section_of("odd", "", r#", pin = { env = "GUEST_KEY" }"#);
    section.replace("[providers.odd]", "[providers.odd]\n            schedule = \"0 3 * * *\"")
}

fn put(home: &Home, declared: &str) {
    let partial = home.path("plugins/odd.partial");
    fs::write(&partial, artifacts::declaring(declared)).unwrap();
    fs::rename(&partial, home.path("plugins/odd.wasm")).unwrap();
}

fn listed(home: &Home) -> Value {
    crate::hostile::files::listed(home, "odd.wasm")
}
