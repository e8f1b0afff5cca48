//! Files of connections: CSV with a heading, a JSON list, or JSON lines, read row by row. What cannot be
//! read is named with its row, and never with what stands in it. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::token;
use crate::operator::command::Plain;

/// One connection as a file has it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its name within the provider.
    pub name: String,
    /// Settings of its own.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Secrets of its own.
    #[serde(default)]
    pub secrets: BTreeMap<String, Plain>,
    /// A token that it has already.
    pub token: Option<RowToken>,
    /// When a caller last wanted its token.
    pub active_at: Option<Timestamp>,
}

/// A token as a file has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowToken {
    /// What callers present.
    pub access_token: Plain,
    /// What the next refresh presents.
    pub refresh_token: Option<Plain>,
    /// How callers present it; `Bearer` when not given.
    pub token_type: Option<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token stops working.
    pub refresh_expires_at: Option<Timestamp>,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
}

impl RowToken {
    /// Why it is no token, without what stands there.
    pub(super) fn check(&self) -> Result<(), String> {
        let refresh = self.refresh_token.as_ref().map(|it| &it.0);
        token::check(&self.access_token.0, refresh, self.token_type.as_deref())
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a heading.
    Csv,
    /// A list of objects, or one object a line.
    Json,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The line of a CSV file, or the place in a list, from 1.
    pub row: u64,
    /// What is wrong, without what stands there.
    pub message: String,
}

/// Other names for columns: what the file says to what is meant here.
pub type Names = HashMap<String, String>;

/// Columns that have a meaning; beside them `setting.NAME` and `secret.NAME`.
pub const COLUMNS: &[&str] = &[
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

/// Reads every row of a file into `take`, and says which cannot be read.
pub fn read(file: &[u8], format: Format, names: &Names, mut take: impl FnMut(Row)) -> Vec<Trouble> {
    let mut seen = HashMap::new();
    let mut trouble = Vec::new();
    let mut each = |row: u64, fields: Result<Vec<(String, String)>, String>| {
        let parsed = fields.and_then(|it| parse(it, names));
        let unique = parsed.and_then(|parsed| match seen.insert(parsed.name.clone(), row) {
            Some(first) => Err(format!("the name is in row {first} already")),
            None => Ok(parsed),
        });
        match unique {
            Ok(parsed) => take(parsed),
            Err(message) => trouble.push(Trouble { row, message }),
        }
    };
    match format {
        Format::Csv => read_csv(file, &mut each),
        Format::Json => read_json(file, &mut each),
    }
    trouble
}

type Each<'a> = &'a mut dyn FnMut(u64, Result<Vec<(String, String)>, String>);

fn read_csv(file: &[u8], each: Each<'_>) {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let heading = match reader.headers() {
        Ok(heading) => heading.clone(),
        Err(_) => return each(1, Err("the heading is not text".to_owned())),
    };
    for (index, record) in reader.records().enumerate() {
        let counted = index as u64 + 2;
        let fields = match &record {
            Ok(record) => Ok(heading.iter().zip(record).map(own).collect()),
            Err(error) => Err(csv_trouble(error)),
        };
        let line =
            record.as_ref().ok().and_then(|it| it.position()).map_or(counted, csv::Position::line);
        each(line, fields);
    }
}

fn own((name, text): (&str, &str)) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn csv_trouble(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the heading {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => "it cannot be read".to_owned(),
    }
}

/// A list is opened and its objects read one after the other; without a list they follow each other.
fn read_json(file: &[u8], each: Each<'_>) {
    let is_list = file.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'[');
    if is_list {
        return match serde_json::from_slice::<Vec<Value>>(file) {
            Ok(rows) => {
                for (index, row) in rows.into_iter().enumerate() {
                    each(index as u64 + 1, flat(row));
                }
            }
            Err(error) => each(error.line() as u64, Err("it is not JSON from here on".to_owned())),
        };
    }
    let rows = serde_json::Deserializer::from_slice(file).into_iter::<Value>();
    for (index, row) in rows.enumerate() {
        match row {
            Ok(row) => each(index as u64 + 1, flat(row)),
            Err(_) => each(index as u64 + 1, Err("it is not JSON from here on".to_owned())),
        }
    }
}

fn flat(row: Value) -> Result<Vec<(String, String)>, String> {
    let Value::Object(members) = row else { return Err("it is not a JSON object".to_owned()) };
    let mut fields = Vec::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("settings", Value::Object(inner)) => fields.extend(inside("setting", inner)?),
            ("secrets", Value::Object(inner)) => fields.extend(inside("secret", inner)?),
            (_, value) => fields.push((name.clone(), plain(&name, value)?)),
        }
    }
    Ok(fields)
}

fn inside(what: &str, members: Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let field = |(name, value): (String, Value)| {
        let name = format!("{what}.{name}");
        let value = plain(&name, value)?;
        Ok((name, value))
    };
    members.into_iter().map(field).collect()
}

fn plain(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(items) => {
            let words = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
            words
                .map(|it| it.join(" "))
                .ok_or_else(|| format!("{name} is a list of other things than texts"))
        }
        Value::Object(_) => Err(format!("{name} is an object; settings and secrets can be one")),
    }
}

fn parse(fields: Vec<(String, String)>, names: &Names) -> Result<Row, String> {
    let mut row = Row::default();
    let mut token = BTreeMap::new();
    for (said, text) in fields {
        let name = names.get(&said).cloned().unwrap_or(said);
        // Nothing in a cell is nothing said.
        if text.is_empty() {
            continue;
        }
        match name.as_str() {
            "name" => row.name = text,
            "labels" => row.labels = words(&text),
            "active_at" => row.active_at = Some(time(&name, &text)?),
            _ => match name.split_once('.') {
                Some(("setting", key)) => drop(row.settings.insert(key.to_owned(), text)),
                Some(("secret", key)) => drop(row.secrets.insert(key.to_owned(), text.into())),
                _ if COLUMNS.contains(&name.as_str()) => drop(token.insert(name, text)),
                _ => return Err(unknown_column(&name)),
            },
        }
    }
    if row.name.is_empty() {
        return Err("it has no name".to_owned());
    }
    row.token = row_token(token)?;
    Ok(row)
}

fn unknown_column(name: &str) -> String {
    format!(
        "there is no column `{name}`; there are {}, setting.NAME and secret.NAME, or say what it is: --map {name}=...",
        COLUMNS.join(", ")
    )
}

fn row_token(mut fields: BTreeMap<String, String>) -> Result<Option<RowToken>, String> {
    let Some(access_token) = fields.remove("access_token") else {
        return match fields.keys().next() {
            Some(other) => Err(format!("it has {other} and no access_token")),
            None => Ok(None),
        };
    };
    let times = ["expires_at", "refresh_expires_at"]
        .map(|name| fields.get(name).map(|text| time(name, text)).transpose());
    let [expires_at, refresh_expires_at] = times;
    let token = RowToken {
        access_token: access_token.into(),
        refresh_token: fields.remove("refresh_token").map(Plain::from),
        token_type: fields.remove("token_type"),
        expires_at: expires_at?,
        refresh_expires_at: refresh_expires_at?,
        scopes: fields.get("scopes").map(|it| words(it)).unwrap_or_default(),
    };
    token.check().map(|()| Some(token))
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split([' ', ',', ';', '|']).filter(|it| !it.is_empty());
    parts.map(str::to_owned).collect()
}

/// RFC 3339, what Laravel and others write into a database (in UTC), or seconds or milliseconds since
/// 1970.
fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{name} is no time; write 2030-01-31T12:00:00Z");
    if let Ok(number) = text.parse::<i64>() {
        let in_milliseconds = number.unsigned_abs() > 100_000_000_000;
        let read = if in_milliseconds {
            Timestamp::from_millisecond(number)
        } else {
            Timestamp::from_second(number)
        };
        return read.map_err(|_| wrong());
    }
    if let Ok(read) = text.parse() {
        return Ok(read);
    }
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    local.to_zoned(TimeZone::UTC).map(|it| it.timestamp()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn all(file: &str, format: Format) -> (Vec<Row>, Vec<Trouble>) {
        let mut rows = Vec::new();
        let trouble = read(file.as_bytes(), format, &Names::new(), |row| rows.push(row));
        (rows, trouble)
    }

    fn token(row: &Row) -> (&str, Option<&str>, Option<i64>) {
        let token = row.token.as_ref().unwrap();
        (
            token.access_token.0.expose_secret(),
            token.refresh_token.as_ref().map(|it| it.0.expose_secret()),
            token.expires_at.map(Timestamp::as_second),
        )
    }

    #[test]
    fn a_csv_file_has_a_heading_and_rows() {
        let file = "name,access_token,refresh_token,expires_at,labels,setting.scopes\n\
                    ann,a1,r1,2030-01-01 00:00:00,eu gold,x y\nbob,a2,,1893456000,,\n";
        let (rows, trouble) = all(file, Format::Csv);
        assert!(trouble.is_empty(), "{trouble:?}");
        assert_eq!(token(&rows[0]), ("a1", Some("r1"), Some(1_893_456_000)));
        assert_eq!(rows[0].labels, ["eu", "gold"]);
        assert_eq!(rows[0].settings["scopes"], "x y");
        assert_eq!(token(&rows[1]), ("a2", None, Some(1_893_456_000)));
    }

    #[test]
    fn json_is_a_list_or_one_object_a_line() {
        let one = r#"{"name":"ann","access_token":"a","expires_at":1893456000000,"labels":["x"],"secrets":{"password":"p"}}"#;
        let two = r#"{"name":"bob","settings":{"n":1}}"#;
        for file in [format!("[{one},{two}]"), format!("{one}\n{two}\n")] {
            let (rows, trouble) = all(&file, Format::Json);
            assert!(trouble.is_empty(), "{trouble:?}");
            assert_eq!(token(&rows[0]), ("a", None, Some(1_893_456_000)));
            assert_eq!(rows[0].secrets["password"].0.expose_secret(), "p");
            assert_eq!(rows[1].settings["n"], "1");
        }
    }

    #[test]
    fn a_bad_row_is_named_and_the_others_are_read() {
        let file = "name,access_token,expires_at\nann,a,CANARY\n,a,\nbob,a,\nbob,b,\ncid,a\n";
        let (rows, trouble) = all(file, Format::Csv);
        assert_eq!(rows.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["bob"]);
        let said = trouble.iter().map(|it| (it.row, it.message.as_str())).collect::<Vec<_>>();
        assert_eq!(
            said,
            [
                (2, "expires_at is no time; write 2030-01-31T12:00:00Z"),
                (3, "it has no name"),
                (5, "the name is in row 4 already"),
                (6, "it has 2 fields, the heading 3"),
            ]
        );
    }

    #[test]
    fn a_column_of_another_system_is_said_to_mean_one_of_ours() {
        let names = [("id", "name"), ("propel_access_token", "access_token")];
        let names = names.map(|(said, meant)| (said.to_owned(), meant.to_owned())).into();
        let mut rows = Vec::new();
        let file = b"id,propel_access_token\n7,a\n";
        assert!(read(file, Format::Csv, &names, |row| rows.push(row)).is_empty());
        assert_eq!((rows[0].name.as_str(), token(&rows[0]).0), ("7", "a"));
        let (_, trouble) = all("id\n7\n", Format::Csv);
        assert!(trouble[0].message.contains("--map id="), "{trouble:?}");
    }

    #[test]
    fn a_token_that_would_not_stay_on_its_line_is_named_by_its_row() {
        for (member, named) in [
            (r#""access_token":"CANARY\r\nX-Evil: 1""#, "access_token"),
            (r#""access_token":"a","refresh_token":"CANARY b""#, "refresh_token"),
            (r#""access_token":"a","token_type":"CANARY\r\nX-Evil: 1""#, "token_type"),
        ] {
            let file = format!(r#"{{"name":"ann"}} {{"name":"bob",{member}}}"#);
            let (rows, trouble) = all(&file, Format::Json);
            assert_eq!((rows.len(), trouble.len()), (1, 1), "{trouble:?}");
            assert_eq!(trouble[0].row, 2);
            assert!(trouble[0].message.contains(named), "{trouble:?}");
            assert!(!trouble[0].message.contains("CANARY"), "{trouble:?}");
        }
    }

    #[test]
    fn a_refresh_token_alone_is_no_token_set() {
        let (_, trouble) = all(r#"{"name":"ann","refresh_token":"r"}"#, Format::Json);
        assert_eq!(trouble[0].message, "it has refresh_token and no access_token");
    }
}
