//! Connections in addresses, as the API writes them: `eskiz`, `google~ann`.

use crate::dashboard::refused::Refused;
use crate::model::id::ConnectionId;

/// As it stands in a path, percent-encoded.
pub(super) fn of(id: &ConnectionId) -> String {
    encoded(&id.to_string())
}

/// The same of what a view says, which may be no id at all.
pub(super) fn encoded(short: &str) -> String {
    const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'@');
    let text = short.replacen('/', "~", 1);
    percent_encoding::utf8_percent_encode(&text, PATH).to_string()
}

/// The connection that a path names.
pub(super) fn read(text: &str) -> Result<ConnectionId, Refused> {
    text.replacen('~', "/", 1).parse().map_err(|_| Refused::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_back_from_its_address() {
        for text in ["eskiz", "google/ann", "google/ann@example.com", "x/a~b", "x/ä b"] {
            let Ok(id) = text.parse::<ConnectionId>() else { continue };
            let path =
                percent_encoding::percent_decode_str(&of(&id)).decode_utf8().unwrap().into_owned();
            assert_eq!(read(&path).ok(), Some(id));
        }
    }
}
