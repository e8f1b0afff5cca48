//! `keepfresh explain CODE`: what an error code means, what helps, and who has to act. Needs neither a
//! manifest nor a daemon.

use crate::cli::arguments::Explain;
use crate::cli::exit::Exit;
use crate::cli::render::{self, codes};
use crate::model::code::{self, Code};
use crate::model::nearest::nearest;

/// Prints one entry, or all of them.
pub(super) fn run(wanted: &Explain, json: bool) -> Exit {
    let Some(text) = &wanted.code else {
        if wanted.markdown {
            codes::markdown();
        } else {
            codes::list(json);
        }
        return Exit::Done;
    };
    match Code::read(text).entry() {
        Some(entry) => {
            codes::explained(&entry, json);
            Exit::Done
        }
        None => render::fail(code::Command::Usage, &unknown(text), json),
    }
}

fn unknown(text: &str) -> String {
    let help = "list them all with: keepfresh explain";
    match meant(text) {
        Some(near) => format!("there is no error code `{text}`; did you mean {near}? {help}"),
        None => format!("there is no error code `{text}`; {help}"),
    }
}

/// A slip of the pen, or a part of a code.
fn meant(text: &str) -> Option<&'static str> {
    let known = || Code::all().filter_map(|it| it.entry()).map(|it| it.text);
    let holds = |it: &&str| !text.is_empty() && it.contains(text);
    nearest(text, known()).or_else(|| known().find(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_and_a_part_are_both_understood() {
        assert_eq!(meant("egress.tls_faild"), Some("egress.tls_failed"));
        assert_eq!(meant("tls_failed"), Some("egress.tls_failed"));
        assert_eq!(meant("wrong_key"), Some("vault.wrong_key"));
        assert_eq!(meant("no such thing"), None);
        assert_eq!(meant(""), None);
    }
}
