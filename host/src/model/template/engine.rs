//! One engine for each form of what is made. They differ in what a template may print as it is: a person's name with a
//! line break in it must not become a second line of a file.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, filters};

use crate::model::template::{TemplateError, values};

/// Steps that one template may take. A file for a thousand lines takes less.
const STEPS: u64 = 100_000;

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text of any kind.
    Text,
    /// Lines with names and values, as shells and services read them.
    Env,
    /// JSON.
    Json,
    /// The path of a file.
    Path,
    /// What is given as a value of its own, so that nothing in it can be mistaken.
    Value,
}

/// What is not printed as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A line break or another control character.
    Control,
    /// A character with a meaning in a file of variables.
    Env,
    /// A character with a meaning in JSON.
    Json,
    /// What would lead to another folder.
    Path,
    /// A line break within quotes.
    Quoted,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Control => "a value with a line break or another control character in it; write it with `| tojson`",
            Self::Env => {
                "a value with a character in it that means something in such a file; write it with `| quote`"
            }
            Self::Json => "a value with a character in it that means something in JSON; write it with `| tojson`",
            Self::Path => "a value that would lead to another folder; a path takes names without slashes",
            Self::Quoted => "a value with a line break in it, which cannot be quoted; write it with `| tojson`",
        })
    }
}

impl std::error::Error for Refusal {}

impl Form {
    /// Whether `text` may be printed as it is, and why not.
    fn refuses(self, text: &str) -> Option<Refusal> {
        let has = |is_bad: &dyn Fn(char) -> bool| text.chars().any(is_bad);
        let is_control = |it: char| it.is_control() && it != '\t';
        match self {
            Self::Value => None,
            Self::Path if text.contains('/') || matches!(text, "" | "." | "..") => {
                Some(Refusal::Path)
            }
            _ if has(&is_control) => Some(Refusal::Control),
            Self::Env if has(&|it| !(it.is_alphanumeric() || "_-./+=:,@%".contains(it))) => {
                Some(Refusal::Env)
            }
            Self::Json if has(&|it| matches!(it, '"' | '\\')) => Some(Refusal::Json),
            Self::Text | Self::Env | Self::Json | Self::Path => None,
        }
    }
}

/// The engine of a form.
pub(super) fn of(form: Form) -> &'static Environment<'static> {
    static ALL: LazyLock<[Environment<'static>; 5]> =
        LazyLock::new(|| [Form::Text, Form::Env, Form::Json, Form::Path, Form::Value].map(engine));
    &ALL[form as usize]
}

/// One that finds nothing missing.
fn lenient() -> &'static Environment<'static> {
    static LENIENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut engine = engine(Form::Value);
        engine.set_undefined_behavior(UndefinedBehavior::Chainable);
        engine
    });
    &LENIENT
}

fn engine(form: Form) -> Environment<'static> {
    let mut engine = Environment::new();
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    engine.set_syntax(syntax.expect("the usual delimiters are valid"));
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(STEPS));
    engine.add_filter("quote", quote);
    engine.add_filter("tojson", tojson);
    engine.add_filter("urlencode", urlencode);
    engine.set_formatter(move |out: &mut Output, state: &mut State, value: &Value| {
        print(form, out, state, value)
    });
    engine
}

/// Prints a value. What a filter has made fit for its place is printed as it is, and nothing as nothing.
fn print(form: Form, out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined if state.undefined_behavior() == UndefinedBehavior::Strict => {
            return Err(ErrorKind::UndefinedError.into());
        }
        ValueKind::Undefined => return Ok(()),
        ValueKind::None if form != Form::Path => return Ok(()),
        _ => {}
    }
    let text = values::text(value);
    let is_json = form == Form::Json && values::is_container(value);
    let refusal = if value.is_safe() || is_json { None } else { form.refuses(&text) };
    match refusal {
        Some(refusal) => Err(refused(refusal)),
        None => out.write_str(&text).map_err(Error::from),
    }
}

/// Filters take what is not there for nothing; here it is an error, as where it is printed.
fn there(value: &Value) -> Result<(), Error> {
    if value.is_undefined() { Err(ErrorKind::UndefinedError.into()) } else { Ok(()) }
}

fn tojson(value: &Value, indent: Option<Value>, more: Kwargs) -> Result<Value, Error> {
    there(value)?;
    filters::tojson(value, indent, more)
}

fn urlencode(value: &Value) -> Result<String, Error> {
    there(value)?;
    filters::urlencode(value)
}

/// A word of a shell, and of the files of variables that are read as shells would.
fn quote(value: &Value) -> Result<Value, Error> {
    there(value)?;
    let text = values::text(value);
    if text.chars().any(char::is_control) {
        return Err(refused(Refusal::Quoted));
    }
    Ok(Value::from_safe_string(format!("'{}'", text.replace('\'', r"'\''"))))
}

fn refused(refusal: Refusal) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(refusal)
}

/// Why something was not printed, if that is what the error is.
pub(super) fn refusal(error: &Error) -> Option<Refusal> {
    let mut source = std::error::Error::source(error);
    while let Some(it) = source {
        if let Some(refusal) = it.downcast_ref::<Refusal>() {
            return Some(*refusal);
        }
        source = it.source();
    }
    None
}

/// Finds what is wrong with a template as it stands there, before there are any values.
pub(super) fn compile(text: &str) -> Result<(), TemplateError> {
    let wrong = |error: &Error| {
        // The text of the template is not a secret, and there are no values yet.
        let why = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        TemplateError::Syntax(error.line().unwrap_or(1).max(1), why)
    };
    let template = lenient().template_from_str(text).map_err(|it| wrong(&it))?;
    match template.render(()) {
        Err(error) if is_unknown(error.kind()) => Err(wrong(&error)),
        _ => Ok(()),
    }
}

fn is_unknown(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction)
}

/// The values that a template names, without functions of the engine.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    let Ok(template) = lenient().template_from_str(text) else { return BTreeSet::new() };
    let names = template.undeclared_variables(true).into_iter();
    names.filter(|it| !lenient().globals().any(|(name, _)| name == it)).collect()
}

/// The expression of a template that is nothing else.
pub(super) fn only_expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    let inside = inside.strip_suffix('-').unwrap_or(inside);
    lenient().compile_expression(inside).is_ok().then_some(inside)
}

/// Whether an expression names something that is there.
pub(super) fn is_there(name: &str, values: &Value) -> bool {
    let found = lenient().compile_expression(name).and_then(|it| it.eval(values));
    found.is_ok_and(|it| !it.is_undefined())
}

/// What could not be done, in words of our own.
pub(super) fn what(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnknownFilter => "there is no such filter",
        ErrorKind::UnknownTest => "there is no such test",
        ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => "there is no such function",
        ErrorKind::MissingArgument | ErrorKind::TooManyArguments => {
            "a filter or a function has too few or too many arguments"
        }
        _ => "a value is not of the kind that is needed there",
    }
}
