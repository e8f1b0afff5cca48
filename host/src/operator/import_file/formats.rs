//! How a file is written: its rows as fields with their names, whatever they mean.

use serde_json::{Map, Value};

/// A field: its name, and what stands there.
pub(super) type Field = (String, String);

/// Takes a row with its number, or why it has no fields.
pub(super) type Each<'a> = &'a mut dyn FnMut(u64, Result<Vec<Field>, String>);

/// One row after the other, each by its line; the first has the names of the fields.
pub(super) fn read_csv(file: &[u8], each: Each<'_>) {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let heading = match reader.headers() {
        Ok(heading) => heading.clone(),
        Err(_) => return each(1, Err("the header is not text".to_owned())),
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

fn own((name, text): (&str, &str)) -> Field {
    (name.to_owned(), text.to_owned())
}

fn csv_trouble(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => "it cannot be read".to_owned(),
    }
}

/// A list is opened and its objects read one after the other; without a list they follow each other.
pub(super) fn read_json(file: &[u8], each: Each<'_>) {
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

fn flat(row: Value) -> Result<Vec<Field>, String> {
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

fn inside(what: &str, members: Map<String, Value>) -> Result<Vec<Field>, String> {
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
            words.map(|it| it.join(" ")).ok_or_else(|| format!("{name} must be a list of strings"))
        }
        Value::Object(_) => {
            Err(format!("{name} must not be an object; only settings and secrets may be one"))
        }
    }
}
