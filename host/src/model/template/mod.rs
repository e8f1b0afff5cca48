//! Texts with places for values, as the operator writes them for sinks. What cannot be evaluated is an error that
//! names the place in the template, and never a value. Pure: reads no file and knows no time.

/// How templates are evaluated, and what they may print.
mod engine;

/// What they are given.
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use minijinja::{Error, ErrorKind};
use secrecy::SecretString;

pub use engine::{Form, Refusal};
pub use values::Values;

/// A template that compiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    form: Form,
}

/// One value with its type, for a database.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// Text, and whatever has no type of its own here, as JSON.
    Text(SecretString),
    /// A moment.
    Time(Timestamp),
}

/// Why a template is not one, or has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not compile.
    #[error("line {0}: {1}")]
    Syntax(usize, String),
    /// It needs a value that is not there.
    #[error("it needs a value that is not there: {0}")]
    NotThere(String),
    /// It prints what would be taken for something else where it is printed.
    #[error("line {0} prints {1}")]
    Refused(usize, Refusal),
    /// It does not come to an end.
    #[error("it takes too many steps")]
    Endless,
    /// It does something with a value that cannot be done with it.
    #[error("line {0} cannot be evaluated: {1}")]
    Failed(usize, &'static str),
}

impl Template {
    /// The template `text`, which makes something of this form.
    pub fn parse(text: &str, form: Form) -> Result<Self, TemplateError> {
        engine::compile(text)?;
        Ok(Self { text: text.to_owned(), form })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it makes.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The values that it names: `token`, `profile.first_name`.
    pub fn names(&self) -> BTreeSet<String> {
        engine::names(&self.text)
    }

    /// Whether it names this value, or a part of it.
    pub fn mentions(&self, name: &str) -> bool {
        self.names().iter().any(|it| it.split('.').next() == Some(name))
    }

    /// What it comes to.
    pub fn render(&self, values: &Values) -> Result<SecretString, TemplateError> {
        let rendered = engine::of(self.form).render_str(&self.text, values.value());
        rendered.map(SecretString::from).map_err(|it| self.error(&it, values))
    }

    /// The value of its one expression with its type; the text of any other template.
    pub fn cell(&self, values: &Values) -> Result<Cell, TemplateError> {
        let Some(expression) = engine::only_expression(&self.text) else {
            return self.render(values).map(Cell::Text);
        };
        let engine = engine::of(self.form);
        let value = engine.compile_expression(expression).and_then(|it| it.eval(values.value()));
        let value = value.map_err(|it| self.error(&it, values))?;
        values::cell(&value).ok_or_else(|| self.not_there(values))
    }

    /// Nothing of the engine's own text is kept: it may have a value in it.
    fn error(&self, error: &Error, values: &Values) -> TemplateError {
        let line = error.line().unwrap_or(1).max(1);
        if let Some(refusal) = engine::refusal(error) {
            return TemplateError::Refused(line, refusal);
        }
        match error.kind() {
            ErrorKind::UndefinedError => self.not_there(values),
            ErrorKind::OutOfFuel => TemplateError::Endless,
            kind => TemplateError::Failed(line, engine::what(kind)),
        }
    }

    fn not_there(&self, values: &Values) -> TemplateError {
        let names = self.names().into_iter().filter(|it| !values.has(it));
        let names = names.map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        TemplateError::NotThere(if names.is_empty() {
            "an item of a list".to_owned()
        } else {
            names
        })
    }
}
