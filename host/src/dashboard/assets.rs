//! Style, script and icons: in the program, under an address that changes with them, so that browsers may keep them.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::dashboard::refused::Refused;
use crate::model::token::hex;

const ALL: &[(&str, &str, &[u8])] = &[
    ("app.css", "text/css; charset=utf-8", include_bytes!("../../templates/assets/app.css")),
    ("app.js", "text/javascript; charset=utf-8", include_bytes!("../../templates/assets/app.js")),
    (
        "htmx.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../templates/assets/htmx/htmx.min.js"),
    ),
    ("calm.svg", "image/svg+xml", include_bytes!("../../templates/assets/calm.svg")),
    ("alarm.svg", "image/svg+xml", include_bytes!("../../templates/assets/alarm.svg")),
];

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (_, _, bytes) in ALL {
        digest.update(bytes);
    }
    hex(&digest.finalize()[..6])
});

/// Changes with what is in them.
pub(super) fn digest() -> &'static str {
    &DIGEST
}

/// One of them.
pub(super) async fn serve(Path((_, name)): Path<(String, String)>) -> Result<Response, Refused> {
    let found = ALL.iter().find(|it| it.0 == name).ok_or(Refused::NotFound)?;
    let kept = "public, max-age=31536000, immutable";
    Ok(([(CONTENT_TYPE, found.1), (CACHE_CONTROL, kept)], found.2).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendored_script_is_the_one_that_was_published() {
        let page = include_str!("../../templates/assets/htmx/README.md");
        let digest = hex(&Sha256::digest(ALL[2].2));
        assert!(page.contains(&digest), "{digest}");
    }

    #[test]
    fn scripts_stay_within_their_budget() {
        let packed = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap().len()
        };
        let scripts =
            ALL.iter().filter(|it| it.1.starts_with("text/javascript")).map(|it| packed(it.2));
        assert!(scripts.sum::<usize>() <= 20 * 1024);
    }
}
