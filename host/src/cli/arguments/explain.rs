//! `explain`.

use std::ffi::OsStr;

use clap::Args;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};

use crate::model::code::Code;

/// `explain`
#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// The code, as in messages and `--json`: `egress.tls_failed`
    #[arg(value_parser = AnyCode, hide_possible_values = true)]
    pub(in crate::cli) code: Option<String>,
    /// Print them all in the form of docs/errors.md
    #[arg(long, hide = true, conflicts_with = "code")]
    pub(in crate::cli) markdown: bool,
}

/// Takes any text, so that the answer to a wrong one can be a short one, and tells shells the codes.
#[derive(Clone)]
struct AnyCode;

impl TypedValueParser for AnyCode {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let entries = Code::all().filter_map(|it| it.entry());
        Some(Box::new(entries.map(|it| PossibleValue::new(it.text).help(it.meaning))))
    }
}
