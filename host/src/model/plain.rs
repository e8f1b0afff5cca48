//! Text from outside, made safe to print: control characters, bidirectional controls and invisible
//! characters are escaped. Logs and everything that is printed go through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether nothing in `text` is hidden.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

/// `text` with everything hidden in it written out, as in `\u{202e}`. Line ends too: what comes from
/// elsewhere makes no lines of its own.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// JSON that means the same, without anything hidden but the line ends of its layout: in its texts
/// those are escaped already.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let stays = |it: char| it == '\n' || !is_hidden(it);
    if json.chars().all(stays) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if stays(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

/// Control characters, and what Unicode calls default ignorable: it has no width, or changes how its
/// neighbours stand.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    const HIDDEN: &[char] = &[
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200d}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fe0f}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{e007f}',
    ];

    #[test]
    fn what_is_hidden_is_written_out_and_all_else_is_left_alone() {
        for hidden in HIDDEN {
            let text = format!("a{hidden}b");
            assert!(!is_plain(&text), "{text:?}");
            assert_eq!(escaped(&text), format!("a{}b", hidden.escape_default()));
            assert!(is_plain(&escaped(&text)), "{text:?}");
        }
        for text in ["", "plain", "Ünïcode — ✓ → ‖ …", "کلید", "שלום", "日本語", "🔑", r"C:\u{41}"]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let all = HIDDEN.iter().collect::<String>();
        let value = serde_json::json!({ all.clone(): all });
        let json = serde_json::to_string_pretty(&value).unwrap();
        let shown = escaped_json(&json);
        assert!(shown.lines().all(is_plain), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
