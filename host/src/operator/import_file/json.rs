//! JSON: a list of objects, objects one after the other, or one on each line. Names keep their order, and one that
//! stands twice is seen.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::operator::import_file::Record;
use crate::operator::import_file::cell::Cell;
use crate::operator::import_file::lines::Lines;

/// Reads a list, or objects one after the other. What comes after a mistake cannot be read.
pub(super) fn read(text: &str, mut each: impl FnMut(u64, Record)) {
    let mut lines = Lines::new(text);
    let mut at = skip(text, 0, &[]);
    let is_list = text[at..].starts_with('[');
    if is_list {
        at = skip(text, at + 1, &[]);
    }
    while at < text.len() && !(is_list && text[at..].starts_with(']')) {
        let line = lines.line_of(at);
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Node>();
        match values.next() {
            Some(Ok(node)) => {
                each(line, node.record());
                at = skip(text, at + values.byte_offset(), &[',']);
            }
            Some(Err(error)) => return each(line, Err(trouble(&error, line))),
            None => return,
        }
    }
    if is_list && at >= text.len() {
        each(lines.line_of(at), Err("the list is not closed, so the file was cut off".to_owned()));
    }
}

/// Reads one object of each line. A line that cannot be read stands in nobody's way.
pub(super) fn read_lines(text: &str, mut each: impl FnMut(u64, Record)) {
    for (index, line) in text.lines().enumerate() {
        let number = index as u64 + 1;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Node>(line) {
            Ok(node) => each(number, node.record()),
            Err(error) => each(number, Err(trouble(&error, number))),
        }
    }
}

/// Where the next value begins.
fn skip(text: &str, from: usize, also: &[char]) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let kept = rest.trim_start_matches(|it: char| it.is_whitespace() || also.contains(&it));
    from + rest.len() - kept.len()
}

/// The message of the parser may quote what stands there.
fn trouble(error: &serde_json::Error, line: u64) -> String {
    let line = line + error.line().saturating_sub(1) as u64;
    if error.is_eof() {
        return "it is not closed, so the file was cut off".to_owned();
    }
    format!("it is not JSON from line {line} on")
}

/// A value with its members as they stand there.
struct Node(Cell);

impl Node {
    fn record(self) -> Record {
        match self.0 {
            Cell::Members(members) => Ok(members),
            _ => Err("it is not a JSON object".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Self)
    }
}

struct NodeVisitor;

/// Numbers above are no longer read exactly: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Cell;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell::Nothing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Cell, E> {
        if value.abs() > EXACT {
            return Ok(Cell::Odd("is too long for a number; write it as a string"));
        }
        Ok(Cell::Text(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Cell, E> {
        Ok(Cell::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Cell, A::Error> {
        let mut words = Some(Vec::new());
        while let Some(Node(item)) = items.next_element()? {
            match item {
                Cell::Text(word) => words.iter_mut().for_each(|it| it.push(word.clone())),
                _ => words = None,
            }
        }
        Ok(words.map_or(Cell::Odd("must be a list of strings"), Cell::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Cell, A::Error> {
        let mut all = Vec::new();
        while let Some((name, Node(value))) = members.next_entry::<String, Node>()? {
            all.push((name, value));
        }
        Ok(Cell::Members(all))
    }
}
