//! What columns mean, and which mean nothing: all that is wrong with them is said at once. A heading that is not
//! understood is never guessed at.

use std::collections::{BTreeMap, HashMap};

use crate::model::nearest::nearest;
use crate::operator::import_file::Rules;
use crate::operator::import_file::cell::Cell;
use crate::operator::import_file::laravel;

/// The fields of a row by what they mean.
pub(super) type Fields = BTreeMap<String, Cell>;

/// Columns that have a meaning.
const COLUMNS: &[&str] = &[
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

/// What is before the dot of columns with names of their own, and the object that may hold them in JSON.
const GROUPS: [(&str, &str); 4] =
    [("setting", "settings"), ("secret", "secrets"), ("extra", "extra"), ("metadata", "metadata")];

/// Knows the columns of one file.
pub(super) struct Columns<'r> {
    rules: &'r Rules,
    is_table: bool,
    /// What each means; nothing for what is left out.
    meanings: HashMap<String, Option<String>>,
    unknown: Vec<String>,
    twice: Vec<String>,
    others: Vec<String>,
}

impl<'r> Columns<'r> {
    pub(super) fn new(rules: &'r Rules, is_table: bool) -> Self {
        let meanings = HashMap::new();
        let (unknown, twice, others) = (Vec::new(), Vec::new(), Vec::new());
        let mut columns = Self { rules, is_table, meanings, unknown, twice, others };
        columns.others = columns.map_faults();
        columns
    }

    /// The file has not even a heading.
    pub(super) fn lack_heading(&mut self) {
        self.others.push("it is empty; its first line names the columns".to_owned());
    }

    /// Whether rows can be read under this heading.
    pub(super) fn judge_heading(&mut self, heading: &[String]) -> bool {
        let absent = self.rules.map.keys().filter(|it| !heading.contains(it)).collect::<Vec<_>>();
        let absent = absent
            .into_iter()
            .map(|it| format!("--map {}=...: the file has no such column", shell(it)));
        self.others.extend(absent);
        let mut first = HashMap::<String, &str>::new();
        let mut meant = 0;
        for (index, said) in heading.iter().enumerate() {
            let Some(ours) = self.meaning(said, index + 1) else { continue };
            meant += 1;
            match first.get(&ours) {
                Some(first) => self.collide(&ours, first, said),
                None => drop(first.insert(ours, said.as_str())),
            }
        }
        if meant == 0 && heading.iter().any(|it| !is_made_of_words(it)) {
            let count = heading.len();
            self.unknown.clear();
            self.others.push(format!(
                "its first line is no heading: none of its {count} fields names a column; begin with a line such as name,access_token,refresh_token"
            ));
        }
        self.is_good()
    }

    /// The fields of a record by what they mean.
    pub(super) fn fields(&mut self, record: Vec<(String, Cell)>) -> Result<Fields, String> {
        let mut fields = BTreeMap::new();
        for (index, (said, cell)) in record.into_iter().enumerate() {
            let Some(ours) = self.meaning(&said, index + 1) else { continue };
            let cell = self.opened(&said, cell)?;
            match (group_of(&ours), cell) {
                (Some(prefix), Cell::Members(members)) => {
                    for (name, cell) in members {
                        let cell = self.opened(&format!("{said}.{name}"), cell)?;
                        self.put(&mut fields, column(prefix, &name), &said, cell);
                    }
                }
                (Some(_), Cell::Nothing) => {}
                (Some(_), _) => return Err(format!("its {said} is not an object")),
                (None, cell) => self.put(&mut fields, ours, &said, cell),
            }
        }
        Ok(fields.into_iter().map(|(ours, (_, cell))| (ours, cell)).collect())
    }

    /// The cell, or what is in it where Laravel has encrypted that.
    fn opened(&self, said: &str, cell: Cell) -> Result<Cell, String> {
        let Cell::Text(text) = cell else { return Ok(cell) };
        match laravel::open(&text, self.rules.laravel.as_ref()) {
            None => Ok(Cell::Text(text)),
            Some(Ok(opened)) => Ok(opened.map_or(Cell::Nothing, Cell::Text)),
            Some(Err(why)) => Err(format!("its {said} {why}")),
        }
    }

    /// Everything that is wrong with the columns, a sentence each.
    pub(super) fn faults(self) -> Vec<String> {
        let mut faults = self.others;
        if !self.unknown.is_empty() {
            faults.push(unknown_columns(&self.unknown));
        }
        faults.extend(self.twice);
        if !self.unknown.is_empty() {
            faults.push(format!(
                "columns that have a meaning: {}, setting.NAME, secret.NAME, extra.NAME, metadata.NAME",
                COLUMNS.join(", ")
            ));
        }
        faults
    }

    fn is_good(&self) -> bool {
        self.unknown.is_empty() && self.twice.is_empty() && self.others.is_empty()
    }

    fn put(
        &mut self,
        fields: &mut BTreeMap<String, (String, Cell)>,
        ours: String,
        said: &str,
        cell: Cell,
    ) {
        match fields.get(&ours) {
            Some((first, _)) => self.collide(&ours, first, said),
            None => drop(fields.insert(ours, (said.to_owned(), cell))),
        }
    }

    fn collide(&mut self, ours: &str, first: &str, second: &str) {
        let fault = if first == second {
            format!("the column `{first}` is there twice; leave one of them out of the file")
        } else {
            format!(
                "the columns `{first}` and `{second}` both mean `{ours}`; leave one out: --ignore {} or --ignore {}",
                shell(first),
                shell(second)
            )
        };
        if !self.twice.contains(&fault) {
            self.twice.push(fault);
        }
    }

    /// What a column means; nothing if it is left out, or means nothing.
    fn meaning(&mut self, said: &str, position: usize) -> Option<String> {
        // Several columns of a table may have no name.
        let key = if said.is_empty() { format!("#{position}") } else { said.to_owned() };
        if let Some(known) = self.meanings.get(&key) {
            return known.clone();
        }
        let ignored = |name: &str| self.rules.ignore.contains(name);
        let ours = self.rules.map.get(said).map_or(said, String::as_str);
        let meant = is_known(ours, self.is_table);
        let meaning = if ignored(&key) || ignored(&format!("#{position}")) {
            None
        } else if meant {
            Some(ours.to_owned())
        } else {
            // A wrong target of --map is told already.
            if !ignored("*") && !self.rules.map.contains_key(said) {
                self.unknown.push(shown(&key, position));
            }
            None
        };
        self.meanings.insert(key, meaning.clone());
        meaning
    }

    /// What --map says that cannot be.
    fn map_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (said, ours) in &self.rules.map {
            let this = format!("--map {}={}", shell(said), shell(ours));
            if self.rules.ignore.contains(said) {
                faults.push(format!("{this}: the same column is left out by --ignore"));
            } else if !is_known(ours, self.is_table) {
                let near = nearest(ours, COLUMNS.iter().copied());
                let near = near.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
                faults.push(format!("{this}: there is no column `{ours}`{near}"));
            }
        }
        faults.sort_unstable();
        faults
    }
}

/// The column of a value that has a name of its own.
pub fn column(group: &str, name: &str) -> String {
    format!("{group}.{name}")
}

fn is_known(ours: &str, is_table: bool) -> bool {
    let in_group = |it: &str| GROUPS.iter().any(|(prefix, _)| *prefix == it);
    COLUMNS.contains(&ours)
        || ours.split_once('.').is_some_and(|(prefix, name)| in_group(prefix) && !name.is_empty())
        || (!is_table && group_of(ours).is_some())
}

/// What is before the dot of the members of an object of that name.
fn group_of(ours: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, object)| *object == ours).map(|(prefix, _)| *prefix)
}

/// So many columns are named one by one in what helps.
const NAMED: usize = 12;

fn unknown_columns(unknown: &[String]) -> String {
    let quoted = unknown.iter().take(NAMED).map(|it| format!("`{it}`")).collect::<Vec<_>>();
    let more = unknown.len().saturating_sub(NAMED);
    let names = match (quoted.as_slice(), more) {
        ([one], _) => format!("is no column {one}"),
        ([first @ .., last], 0) => format!("are no columns {} and {last}", first.join(", ")),
        _ => format!("are no columns {} and {more} more", quoted.join(", ")),
    };
    let ignore = if unknown.len() > NAMED / 2 {
        "--ignore '*'".to_owned()
    } else {
        let each = unknown.iter().map(|it| format!("--ignore {}", shell(it)));
        each.collect::<Vec<_>>().join(" ")
    };
    let first = &unknown[0];
    let near =
        |it: &String| Some((it.clone(), nearest(&it.to_lowercase(), COLUMNS.iter().copied())?));
    let (said, ours) = unknown.iter().find_map(near).unwrap_or((first.clone(), "COLUMN"));
    format!(
        "there {names}; leave out what is not needed with {ignore}, and say what others mean with --map {}={ours}",
        shell(&said)
    )
}

/// The name of a column as it may be shown: a file without a heading has secrets in its first line.
fn shown(name: &str, position: usize) -> String {
    let long = |it: &str| {
        let has = |kind: fn(char) -> bool| it.chars().any(kind);
        it.len() >= 12 && has(|it| it.is_ascii_digit()) && has(|it| it.is_ascii_alphabetic())
    };
    let may_be_secret = name.len() > 64 || name.split(['_', '-', '.', ' ', ':']).any(long);
    if may_be_secret { format!("#{position}") } else { name.to_owned() }
}

fn is_made_of_words(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|it| it.is_alphabetic() || " _-.".contains(it))
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
