//! The file of an import, read as its arguments say.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::arguments::Reading;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::import_file::{self, Format, LaravelKeys, Remarks, Row, Rules};
use crate::operator::reply::Refusal;
use crate::vault::source::Source;
use crate::vault::source::error::SourceError;

/// What a file holds.
pub(super) struct Read {
    /// Rows that can be read.
    pub(super) rows: Vec<Row>,
    /// Those that cannot.
    pub(super) refused: Vec<Refusal>,
    /// What was not taken literally.
    pub(super) remarks: Remarks,
}

/// Reads the file at `path`, or standard input when it is `-`; every row is called `name`, if there is one.
pub(super) async fn read(
    path: &Path,
    reading: &Reading,
    name: Option<&str>,
) -> Result<Read, Failure> {
    let rules = Rules { laravel: laravel_keys(reading).await?, ..rules(reading, name)? };
    let bytes = open(path)?;
    let mut rows = Vec::new();
    let hint = path.to_string_lossy();
    let read = import_file::read(&bytes, &hint, &rules, |row| rows.push(row));
    if !read.faults.is_empty() {
        let message = format!("{hint} cannot be imported: {}", read.faults.join("; "));
        return Err(Failure::new(Case::Misconfigured, code::Import::BadColumns, message));
    }
    let refused = read.trouble.into_iter();
    let refused =
        refused.map(|it| Refusal { line: it.line, name: String::new(), message: it.message });
    Ok(Read { rows, refused: refused.collect(), remarks: read.remarks })
}

fn rules(reading: &Reading, name: Option<&str>) -> Result<Rules, Failure> {
    let mut rules = Rules {
        format: reading.format.as_deref().and_then(Format::named),
        ignore: reading.ignore.iter().cloned().collect(),
        name: name.map(str::to_owned),
        ..Rules::default()
    };
    for (theirs, ours) in &reading.map {
        if rules.map.insert(theirs.clone(), ours.clone()).is_some() {
            let message = format!("--map {theirs}=... is there twice; leave one out");
            return Err(Failure::new(Case::Misconfigured, code::Command::Usage, message));
        }
    }
    Ok(rules)
}

/// The keys of a Laravel application, from where they are: the command line is for everybody to read.
async fn laravel_keys(reading: &Reading) -> Result<Option<LaravelKeys>, Failure> {
    let failed = |error: &SourceError| {
        let message = format!("--laravel-key: {error}");
        Failure::new(Case::Misconfigured, error.code(), message)
    };
    let mut keys = LaravelKeys::default();
    for text in &reading.laravel_key {
        let source = text.parse::<Source>().map_err(|it| failed(&it))?;
        let key = source.read().await.map_err(|it| failed(&it))?;
        if !keys.add(&key) {
            let message = format!(
                "--laravel-key: {} holds no key of Laravel; it is APP_KEY of the application, such as base64:... of 32 bytes",
                source.label()
            );
            return Err(Failure::new(Case::Misconfigured, code::Import::LaravelKey, message));
        }
    }
    Ok((!reading.laravel_key.is_empty()).then_some(keys))
}

fn open(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map(Zeroizing::new).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Failure::new(Case::Misconfigured, code::Import::Unreadable, message)
    })
}
