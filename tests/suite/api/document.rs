//! The document that describes the API: kept in the repository, and true.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Served;

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/openapi.json")
}

/// `KEEPFRESH_WRITE=1` writes it anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says so")]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let made = serde_json::to_string_pretty(&keepfresh::api::document()).unwrap() + "\n";
    if std::env::var_os("KEEPFRESH_WRITE").is_some() {
        fs::write(kept(), &made).unwrap();
    }
    let there = fs::read_to_string(kept()).unwrap_or_default();
    assert!(there == made, "docs/openapi.json is old; write it with KEEPFRESH_WRITE=1");
    let served = Served::eskiz();
    let got = served.address().get("/openapi.json").is(200).json();
    assert_eq!(got, serde_json::from_str::<Value>(&made).unwrap());
}

#[test]
fn every_route_says_who_it_is_for_and_what_its_errors_look_like() {
    let document = serde_json::to_value(keepfresh::api::document()).unwrap();
    assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 18, "{}", paths.len());
    for (path, methods) in paths {
        for (method, route) in methods.as_object().unwrap() {
            let responses = route["responses"].as_object().unwrap();
            let is_open = path == "/healthz" || path == "/readyz";
            assert!(is_open || responses.contains_key("4XX"), "{method} {path}");
            let summary = route["summary"].as_str().unwrap_or_default();
            assert!(summary.len() > 8, "{method} {path}: {summary}");
            assert!(!route["tags"].as_array().unwrap().is_empty());
        }
    }
}
