//! The statements of a row: names in quotes, and a place for each value, which is only ever bound. Pure.

use crate::delivery::sinks::sql::fitting::Bound;

/// How a database wants to be spoken to.
pub(super) struct Dialect {
    /// What stands around a name.
    pub(super) quote: char,
    /// Whether places for values have numbers.
    pub(super) is_numbered: bool,
    /// What a row that is made of values alone comes from.
    pub(super) nowhere: &'static str,
    /// Begins a transaction.
    pub(super) begin: &'static str,
    /// Begins one that makes a row only where there is none: it fails where another has made it meanwhile.
    pub(super) begin_alone: &'static str,
}

/// The name of a table, with the name of its schema before it if it has one.
pub(super) struct Name(pub(super) Vec<String>);

/// A column, and what it is to hold.
pub(super) struct Field {
    pub(super) name: String,
    /// The type that the text of the value is turned into, for databases that want to be told.
    pub(super) cast: Option<String>,
    pub(super) value: Bound,
}

/// A statement with its values, in the order of their places.
pub(super) struct Statement<'a> {
    pub(super) sql: String,
    pub(super) values: Vec<&'a Bound>,
}

impl Name {
    /// One name, or two with a dot between them, each of them in double quotes or not. Nothing if it is neither.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut chars = text.chars().peekable();
        let mut quoted = false;
        while let Some(it) = chars.next() {
            let part = parts.last_mut()?;
            match it {
                '"' if quoted && chars.peek() == Some(&'"') => part.extend(chars.next()),
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                _ => part.push(it),
            }
        }
        let is_name = |it: &String| !it.is_empty() && !it.contains('\0');
        (!quoted && parts.len() <= 2 && parts.iter().all(is_name)).then_some(Self(parts))
    }

    /// The schema and the table.
    pub(super) fn split(&self) -> (Option<&str>, &str) {
        match self.0.as_slice() {
            [schema, table] => (Some(schema), table),
            all => (None, all.last().map_or("", String::as_str)),
        }
    }

    /// As it stands in a statement.
    pub(super) fn quoted(&self, dialect: &Dialect) -> String {
        self.0.iter().map(|it| dialect.quoted(it)).collect::<Vec<_>>().join(".")
    }
}

impl Dialect {
    /// A name as it stands in a statement, whatever is in it.
    pub(super) fn quoted(&self, name: &str) -> String {
        let quote = self.quote;
        format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
    }

    /// Changes the rows of that key.
    pub(super) fn update<'a>(
        &self,
        table: &Name,
        key: &'a [Field],
        columns: &'a [Field],
    ) -> Statement<'a> {
        let mut values = Vec::new();
        let set = self.equals(columns, ", ", &mut values);
        let which = self.equals(key, " and ", &mut values);
        let table = table.quoted(self);
        Statement { sql: format!("update {table} set {set} where {which}"), values }
    }

    /// Makes a row, unless there is one of that key.
    pub(super) fn insert<'a>(
        &self,
        table: &Name,
        key: &'a [Field],
        columns: &'a [Field],
    ) -> Statement<'a> {
        let mut values = Vec::new();
        let is_other = |it: &&Field| key.iter().all(|other| other.name != it.name);
        let all = key.iter().chain(columns.iter().filter(is_other)).collect::<Vec<_>>();
        let names = all.iter().map(|it| self.quoted(&it.name)).collect::<Vec<_>>().join(", ");
        let row = all.iter().map(|it| self.place(it, &mut values)).collect::<Vec<_>>().join(", ");
        let which = self.equals(key, " and ", &mut values);
        let (table, nowhere) = (table.quoted(self), self.nowhere);
        let sql = format!(
            "insert into {table} ({names}) select {row}{nowhere} where not exists (select 1 from {table} where {which})"
        );
        Statement { sql, values }
    }

    fn equals<'a>(
        &self,
        fields: &'a [Field],
        between: &str,
        values: &mut Vec<&'a Bound>,
    ) -> String {
        let one = |it: &'a Field| format!("{} = {}", self.quoted(&it.name), self.place(it, values));
        fields.iter().map(one).collect::<Vec<_>>().join(between)
    }

    /// The place of the next value.
    fn place<'a>(&self, field: &'a Field, values: &mut Vec<&'a Bound>) -> String {
        values.push(&field.value);
        let place = if self.is_numbered { format!("${}", values.len()) } else { "?".to_owned() };
        match &field.cast {
            Some(kind) => format!("cast({place} as {kind})"),
            None => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERED: Dialect = Dialect {
        quote: '"',
        is_numbered: true,
        nowhere: "",
        begin: "begin",
        begin_alone: "begin",
    };

    fn field(name: &str, cast: Option<&str>) -> Field {
        Field { name: name.to_owned(), cast: cast.map(str::to_owned), value: Bound::Null }
    }

    #[test]
    fn a_name_is_one_or_two_parts() {
        let check = |it: &str| Name::parse(it).map(|it| it.quoted(&NUMBERED));
        for (text, quoted) in [
            ("users", Some("\"users\"")),
            ("app.users", Some("\"app\".\"users\"")),
            ("\"a.b\".\"c\"\"d\"", Some("\"a.b\".\"c\"\"d\"")),
            ("users; drop table x", Some("\"users; drop table x\"")),
            ("a.b.c", None),
            ("a.", None),
            ("", None),
            ("\"a", None),
        ] {
            assert_eq!(check(text).as_deref(), quoted, "{text}");
        }
        let backticks = Dialect { quote: '`', ..NUMBERED };
        assert_eq!(backticks.quoted("a`b\"c"), "`a``b\"c`");
    }

    #[test]
    fn values_have_places_and_are_never_written_out() {
        let (table, key) = (Name::parse("app.users").unwrap(), [field("id", Some("uuid"))]);
        let columns = [field("name", None), field("a\"b", Some("jsonb"))];
        let statement = NUMBERED.update(&table, &key, &columns);
        let expected = "update \"app\".\"users\" set \"name\" = $1, \"a\"\"b\" = cast($2 as jsonb) where \"id\" = cast($3 as uuid)";
        assert_eq!((statement.sql.as_str(), statement.values.len()), (expected, 3));
    }

    #[test]
    fn a_row_is_made_where_there_is_none() {
        let questions = Dialect { is_numbered: false, nowhere: " from dual", ..NUMBERED };
        let (table, key) = (Name::parse("t").unwrap(), [field("a", None), field("b", None)]);
        let columns = [field("c", None), field("b", None)];
        let statement = questions.insert(&table, &key, &columns);
        let expected = "insert into \"t\" (\"a\", \"b\", \"c\") select ?, ?, ? from dual where not exists \
                        (select 1 from \"t\" where \"a\" = ? and \"b\" = ?)";
        assert_eq!((statement.sql.as_str(), statement.values.len()), (expected, 5));
    }
}
