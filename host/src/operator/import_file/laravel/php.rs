//! Strings as PHP serialises them, which is how Laravel encrypts unless it is told not to.

/// The text of a serialised string or number, or a text that is not serialised; `None` for nothing.
pub(super) fn string(text: &str) -> Result<Option<String>, &'static str> {
    if text == "N;" {
        return Ok(None);
    }
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("s"), Some(length), Some(rest)) if is_count(length) => {
            let inner = rest.strip_prefix('"').and_then(|it| it.strip_suffix("\";"));
            let whole = inner.filter(|it| it.len().to_string() == length);
            whole.map(|it| Some(it.to_owned())).ok_or(DAMAGED)
        }
        (Some("i" | "d"), Some(number), None) if number.ends_with(';') => {
            Ok(Some(number.trim_end_matches(';').to_owned()))
        }
        (Some("a" | "O"), Some(length), Some(_)) if is_count(length) => Err(NO_STRING),
        _ => Ok(Some(text.to_owned())),
    }
}

const DAMAGED: &str = "was opened and holds a string of PHP that is damaged";
const NO_STRING: &str = "was opened and holds a list or an object of PHP; export the string alone";

fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_taken_out_of_what_php_puts_around_it() {
        let text = |it: &str| Ok(Some(it.to_owned()));
        for (serialised, read) in [
            ("s:5:\"hello\";", text("hello")),
            ("s:2:\"é\";", text("é")),
            ("s:3:\"a\"b\";", text("a\"b")),
            ("s:0:\"\";", text("")),
            ("i:1893456000;", text("1893456000")),
            ("N;", Ok(None)),
            ("plain", text("plain")),
            ("1|plain:with:colons", text("1|plain:with:colons")),
            ("s:4:\"hello\";", Err(DAMAGED)),
            ("s:5:\"hell", Err(DAMAGED)),
            ("a:1:{i:0;s:1:\"a\";}", Err(NO_STRING)),
        ] {
            assert_eq!(string(serialised), read, "{serialised}");
        }
    }
}
