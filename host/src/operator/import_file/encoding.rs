//! Bytes to text: UTF-8 and UTF-16 with and without a byte order mark. What is no text is named.

use zeroize::Zeroizing;

/// The text of a file. Bytes that are no UTF-8 become [`REPLACEMENT`], so that only who needs them complains.
pub(super) fn text(file: &[u8]) -> Result<Zeroizing<String>, String> {
    if let Some(kind) = foreign(file) {
        return Err(kind.to_owned());
    }
    match file {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(utf8(rest)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // A heading begins with a letter or a bracket, which has one zero in UTF-16.
        [first, 0, ..] if *first != 0 => utf16(file, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(file, u16::from_be_bytes),
        _ if file.contains(&0) => Err("it is not a text file".to_owned()),
        _ => Ok(utf8(file)),
    }
}

/// What stands where bytes are no text.
pub(super) const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Files that are often taken for a table.
fn foreign(file: &[u8]) -> Option<&'static str> {
    const WORKBOOK: &str = "it is a workbook or an archive; save the table as CSV in UTF-8";
    const PACKED: &str = "it is compressed; unpack it first";
    match file {
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => Some(WORKBOOK),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(PACKED),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("it is UTF-32; save it as UTF-8"),
        _ => None,
    }
}

fn utf8(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Zeroizing<String>, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("it is UTF-16 and ends within a character, so it was cut off".to_owned());
    }
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() / 2 * 3));
    let units = pairs.iter().map(|it| unit(*it));
    text.extend(char::decode_utf16(units).map(|it| it.unwrap_or(REPLACEMENT)));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        text(bytes).map_or_else(|fault| fault, |text| (*text).clone())
    }

    #[test]
    fn text_is_read_in_whatever_unicode_it_is_written() {
        let units = |unit: fn(u16) -> [u8; 2]| "name,é🔑".encode_utf16().flat_map(unit).collect();
        let [little, big]: [Vec<u8>; 2] = [units(u16::to_le_bytes), units(u16::to_be_bytes)];
        for bytes in [
            "name,é🔑".as_bytes().to_vec(),
            [b"\xef\xbb\xbf", "name,é🔑".as_bytes()].concat(),
            [b"\xff\xfe".as_slice(), &little].concat(),
            [b"\xfe\xff".as_slice(), &big].concat(),
            little,
            big,
        ] {
            assert_eq!(read(&bytes), "name,é🔑", "{bytes:?}");
        }
        assert_eq!(read(b"Ren\xe9"), "Ren\u{fffd}");
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, named) in [
            (b"PK\x03\x04...".as_slice(), "workbook"),
            (b"\xd0\xcf\x11\xe0...", "workbook"),
            (b"\x1f\x8b\x08", "compressed"),
            (b"\xff\xfe\0\0n\0\0\0", "UTF-32"),
            (b"\xff\xfen\0a", "cut off"),
            (b"name,\0x", "not a text file"),
        ] {
            assert!(read(bytes).contains(named), "{bytes:?}: {}", read(bytes));
        }
    }
}
