//! What a plugin says about itself, believed only where it makes sense. It is shown to people who decide
//! by it, so nothing in it may look like something else.

use crate::model::descriptor::{Descriptor, Field, TOKENS};
use crate::model::plain::escaped;
use crate::sandbox::answers::sealing::reads::MOST_READS;
use crate::sandbox::secrets::labels::MOST_SECRETS;

/// The most of anything else that a descriptor lists.
const MOST: usize = 64;

/// The longest name, the longest line of what it asks for, and the longest text for people.
const LONGEST_NAME: usize = 64;
const LONGEST_LINE: usize = 512;
const LONGEST_TEXT: usize = 2048;

/// The descriptor with its texts for people made plain, or what is wrong with it.
pub(in crate::sandbox) fn believe(mut said: Descriptor) -> Result<Descriptor, String> {
    if !is_name(&said.name, b"-") {
        return Err("its name must be lower-case letters, digits and dashes".to_owned());
    }
    let is_version = |it: u8| it.is_ascii_alphanumeric() || b".-+".contains(&it);
    if said.version.is_empty() || said.version.len() > 32 || !said.version.bytes().all(is_version) {
        return Err("its version must look like 1.2.3".to_owned());
    }
    if said.access.is_empty() {
        return Err("it declares no access, so it could not send anything".to_owned());
    }
    check_counts(&said)?;
    check_names(&said)?;
    check_lines(&said)?;
    for field in said.settings.iter_mut().chain(&mut said.secrets) {
        field.title = plain(&field.title);
        field.help = plain(&field.help);
    }
    said.title = plain(&said.title);
    said.about = plain(&said.about);
    Ok(said)
}

fn check_counts(said: &Descriptor) -> Result<(), String> {
    for (what, count, most) in [
        ("settings", said.settings.len(), MOST),
        ("secrets", said.secrets.len(), MOST_SECRETS),
        ("requests", said.access.len(), MOST),
        ("reads", said.reads.len(), MOST_READS),
        ("sealed members", said.sealed.len(), MOST),
        ("extra facts", said.extra.len(), MOST),
    ] {
        if count > most {
            return Err(format!("it declares {count} {what} (limit {most})"));
        }
    }
    Ok(())
}

fn check_names(said: &Descriptor) -> Result<(), String> {
    for Field { name, .. } in said.settings.iter().chain(&said.secrets) {
        if !is_name(name, b"-_") {
            return Err(format!(
                "`{}` is not a valid name for a setting or secret: lower-case letters, digits, `-` and `_`",
                name.escape_debug()
            ));
        }
    }
    let is_secret = |name: &String| said.secrets.iter().any(|it| it.name == *name);
    let is_token = |name: &String| TOKENS.iter().any(|(token, _)| token == name);
    if let Some(Field { name, .. }) = said.secrets.iter().find(|it| is_token(&it.name)) {
        return Err(format!(
            "`{name}` is reserved by the contract, so no secret can have this name"
        ));
    }
    let carried = said.access.iter().flat_map(|it| &it.carries);
    if let Some(name) = carried.clone().find(|it| !is_secret(it) && !is_token(it)) {
        let name = name.escape_debug();
        return Err(format!(
            "a request carries `{name}`, which is neither one of its secrets nor a token"
        ));
    }
    if let Some(name) = said.signs.iter().find(|it| !is_secret(it)) {
        return Err(format!(
            "it signs with `{}`, which is not one of its secrets",
            name.escape_debug()
        ));
    }
    Ok(())
}

/// Lines that people approve: visible ASCII, and short enough to be read.
fn check_lines(said: &Descriptor) -> Result<(), String> {
    let access = said.access.iter().map(|it| &it.request);
    let lines = access.chain(said.reads.iter().map(|it| &it.place)).chain(&said.sealed);
    let defaults = said.settings.iter().filter_map(|it| it.default.as_ref());
    let more = defaults.chain(&said.schedule).chain(&said.documentation);
    for line in lines.chain(more) {
        if line.len() > LONGEST_LINE || line.bytes().any(|it| !matches!(it, b' '..=b'~')) {
            let shown = line.chars().take(64).flat_map(char::escape_default).collect::<String>();
            return Err(format!(
                "`{shown}` is not one line of visible ASCII of {LONGEST_LINE} bytes"
            ));
        }
    }
    Ok(())
}

fn is_name(name: &str, more: &[u8]) -> bool {
    let fits = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || more.contains(&it);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

/// A text for people in which nothing is hidden, and that is not endless.
fn plain(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or(text);
    escaped(cut).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::descriptor::Access;

    fn said() -> Descriptor {
        let field = |name: &str| Field {
            name: name.to_owned(),
            title: "T".to_owned(),
            help: String::new(),
            required: true,
            default: None,
        };
        let request = "POST {base_url}/token".to_owned();
        Descriptor {
            name: "x".to_owned(),
            version: "1.0.0".to_owned(),
            settings: vec![field("base_url")],
            secrets: vec![field("key")],
            access: vec![Access { request, carries: vec!["key".to_owned(), "code".to_owned()] }],
            signs: vec!["key".to_owned()],
            ..Descriptor::unknown()
        }
    }

    fn refusal(change: impl FnOnce(&mut Descriptor)) -> String {
        let mut changed = said();
        change(&mut changed);
        believe(changed).unwrap_err()
    }

    #[test]
    fn what_makes_sense_is_believed() {
        assert_eq!(believe(said()), Ok(said()));
    }

    #[test]
    fn nothing_that_is_approved_can_look_like_something_else() {
        let hidden = "GET https://api.good.example/user\u{1b}[2K\u{202e}";
        let refused = refusal(|it| hidden.clone_into(&mut it.access[0].request));
        assert!(refused.starts_with("`GET https://api.good.example/user\\u{1b}"), "{refused}");
        for odd in ["1.0\n", "1.0\u{202e}", "", &"1".repeat(33)] {
            assert!(refusal(|it| odd.clone_into(&mut it.version)).contains("version"), "{odd:?}");
        }
        for odd in ["ke y", "k\u{200b}ey", "KEY", "", "access-token"] {
            assert!(
                refusal(|it| odd.clone_into(&mut it.secrets[0].name)).contains("name"),
                "{odd:?}"
            );
        }
    }

    #[test]
    fn texts_for_people_are_made_plain() {
        let mut odd = said();
        odd.about = "good\u{202e}\r\n\u{feff}".to_owned();
        assert_eq!(believe(odd).unwrap().about, "good\\u{202e}\\r\\n\\u{feff}");
    }

    #[test]
    fn what_is_carried_or_signed_with_has_a_name() {
        let carried = refusal(|it| it.access[0].carries.push("pin".to_owned()));
        assert_eq!(
            carried,
            "a request carries `pin`, which is neither one of its secrets nor a token"
        );
        let signed = refusal(|it| it.signs.push("access-token".to_owned()));
        assert_eq!(signed, "it signs with `access-token`, which is not one of its secrets");
    }

    #[test]
    fn nothing_is_listed_without_end() {
        let many = refusal(|it| it.access = vec![it.access[0].clone(); MOST + 1]);
        assert_eq!(many, "it declares 65 requests (limit 64)");
    }
}
