//! The file that connections are exported to, as [`import_file`] reads it: an object on each line, or a table. What a
//! table cannot say so that it is read back the same is refused. Pure.
//!
//! [`import_file`]: crate::operator::import_file

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::operator::command::Plain;
use crate::operator::import_file::{Row, RowToken, column, survives_a_table};

/// A row as an object has it: without what only an import knows.
#[derive(Serialize)]
struct Object<'r> {
    name: &'r str,
    #[serde(flatten)]
    token: Option<&'r RowToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'r Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<&'r BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<&'r BTreeMap<String, Plain>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_at: Option<Timestamp>,
}

/// The row as a line of JSON.
pub fn json_line(row: &Row) -> Result<Zeroizing<Vec<u8>>, String> {
    let object = Object {
        name: &row.name,
        token: row.token.as_ref(),
        labels: row.labels.as_ref(),
        settings: Some(&row.settings).filter(|it| !it.is_empty()),
        secrets: Some(&row.secrets).filter(|it| !it.is_empty()),
        active_at: row.active_at,
    };
    let line = serde_json::to_vec(&object).map_err(|_| unfit(row, "something"))?;
    let mut line = Zeroizing::new(line);
    line.push(b'\n');
    Ok(line)
}

/// Columns that every table has.
const COLUMNS: [&str; 9] = [
    "name",
    "access_token",
    "refresh_token",
    "token_type",
    "expires_at",
    "refresh_expires_at",
    "scopes",
    "labels",
    "active_at",
];

/// The columns of a table, which its heading needs before the first row.
#[derive(Debug, Default)]
pub struct Table(BTreeSet<String>);

impl Table {
    /// Makes room for everything that `row` has.
    pub fn widen(&mut self, row: &Row) {
        self.0.extend(groups(row).map(|(name, _)| name));
    }

    /// The heading.
    pub fn heading(&self) -> Vec<&str> {
        COLUMNS.into_iter().chain(self.0.iter().map(String::as_str)).collect()
    }

    /// The fields of `row` under that heading.
    pub fn record(&self, row: &Row) -> Result<Vec<Zeroizing<String>>, String> {
        let mut fields = common(row);
        for column in &self.0 {
            let text = groups(row).find(|(name, _)| name == column).map(|(_, text)| text);
            fields.push(Zeroizing::new(text.unwrap_or_default().to_owned()));
        }
        if let Some((new, _)) = groups(row).find(|(name, _)| !self.0.contains(name)) {
            return Err(format!("{} has got {new} meanwhile; export again", row.name));
        }
        let is_list = |index: usize| ["scopes", "labels"].contains(&self.heading()[index]);
        let lost = fields.iter().enumerate().find(|(index, it)| {
            !it.is_empty() && (!survives_a_table(it) || (it.starts_with("[\"") && !is_list(*index)))
        });
        match lost {
            Some((index, _)) => Err(unfit(row, self.heading()[index])),
            None => Ok(fields),
        }
    }
}

fn unfit(row: &Row, column: &str) -> String {
    format!(
        "{column} of {} cannot be written into a table so that it is read back the same; use --format jsonl",
        row.name
    )
}

fn common(row: &Row) -> Vec<Zeroizing<String>> {
    let token = row.token.as_ref();
    let secret = |it: Option<&Plain>| it.map(|it| it.0.expose_secret().to_owned());
    let time = |it: Option<Timestamp>| it.map(|it| it.to_string());
    let fields = [
        Some(row.name.clone()),
        secret(token.and_then(|it| it.access_token.as_ref())),
        secret(token.and_then(|it| it.refresh_token.as_ref())),
        token.and_then(|it| it.token_type.clone()),
        time(token.and_then(|it| it.expires_at)),
        time(token.and_then(|it| it.refresh_expires_at)),
        token.map(|it| words(&it.scopes)),
        row.labels.as_ref().map(|it| words(it)),
        time(row.active_at),
    ];
    fields.into_iter().map(|it| Zeroizing::new(it.unwrap_or_default())).collect()
}

/// Words with spaces between them, or as a list where one of them has what separates words.
fn words(words: &[String]) -> String {
    let plain =
        |it: &String| !it.is_empty() && !it.contains([' ', ',', ';', '|', '\t', '\n', '\r']);
    if words.iter().all(plain) {
        return words.join(" ");
    }
    serde_json::to_string(words).unwrap_or_default()
}

/// Fields with names of their own, by column.
fn groups(row: &Row) -> impl Iterator<Item = (String, &str)> {
    let settings = row.settings.iter().map(|(name, it)| (column("setting", name), it.as_str()));
    let secrets = row.secrets.iter();
    let secrets = secrets.map(|(name, it)| (column("secret", name), it.0.expose_secret()));
    let token = row.token.iter();
    let extra = token.clone().flat_map(|it| it.extra.iter());
    let extra = extra.map(|(name, it)| (column("extra", name), it.0.expose_secret()));
    let metadata = token.flat_map(|it| it.metadata.iter());
    let metadata = metadata.map(|(name, it)| (column("metadata", name), it.as_str()));
    settings.chain(secrets).chain(extra).chain(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::import_file::{Rules, read};

    fn full() -> Row {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let secret = |name: &str, text: &str| (name.to_owned(), Plain::from(text.to_owned()));
        Row {
            name: "ann@example.com".to_owned(),
            settings: [pair("region", "e u, \"quoted\"")].into(),
            labels: Some(vec!["a".to_owned(), "b;c".to_owned()]),
            secrets: [secret("pin", " 12\n34 "), secret("key", "=cmd|x")].into(),
            token: Some(RowToken {
                access_token: Some("a.b-c".to_owned().into()),
                refresh_token: Some("r".to_owned().into()),
                token_type: Some("Token".to_owned()),
                expires_at: Some(Timestamp::from_second(1_893_456_000).unwrap()),
                refresh_expires_at: Some(Timestamp::from_second(1_893_456_001).unwrap()),
                scopes: vec!["x,y".to_owned(), "z".to_owned()],
                extra: [secret("id_token", "e30.e30.x")].into(),
                metadata: [pair("account", "42")].into(),
            }),
            active_at: Some(Timestamp::from_second(1_800_000_000).unwrap()),
            ..Row::default()
        }
    }

    /// Everything of a row; its line is the file's.
    fn told(row: &Row) -> String {
        serde_json::to_string(&Row { line: 0, ..row.clone() }).unwrap()
    }

    fn read_back(file: &[u8], name: &str) -> Vec<String> {
        let mut rows = Vec::new();
        let reading = read(file, name, &Rules::default(), |row| rows.push(told(&row)));
        assert!(reading.faults.is_empty() && reading.trouble.is_empty(), "{reading:?}");
        rows
    }

    fn csv(rows: &[Row]) -> Result<Vec<u8>, String> {
        let mut table = Table::default();
        for row in rows {
            table.widen(row);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(table.heading()).unwrap();
        for row in rows {
            writer.write_record(table.record(row)?.iter().map(|it| it.as_bytes())).unwrap();
        }
        Ok(writer.into_inner().unwrap())
    }

    #[test]
    fn what_is_exported_is_read_back_the_same() {
        let alone = RowToken { refresh_token: Some("r".to_owned().into()), ..RowToken::default() };
        let bare = Row { name: "bob".to_owned(), ..Row::default() };
        let rows =
            [full(), Row { name: "cid".to_owned(), token: Some(alone), ..Row::default() }, bare];
        let wanted = rows.iter().map(told).collect::<Vec<_>>();
        let lines = rows.iter().flat_map(|it| json_line(it).unwrap().to_vec()).collect::<Vec<_>>();
        assert_eq!(read_back(&lines, "a.jsonl"), wanted);
        assert_eq!(read_back(&csv(&rows).unwrap(), "a.csv"), wanted);
    }

    #[test]
    fn what_a_table_cannot_say_is_named() {
        for text in ["NULL", "[\"a\"]", " "] {
            let secrets = [("pin".to_owned(), Plain::from(text.to_owned()))].into();
            let row = Row { name: "ann".to_owned(), secrets, ..Row::default() };
            let error = csv(std::slice::from_ref(&row)).unwrap_err();
            assert!(
                error.starts_with("secret.pin of ann cannot be written into a table"),
                "{error}"
            );
            assert_eq!(read_back(&json_line(&row).unwrap(), "a.jsonl"), [told(&row)]);
        }
    }
}
