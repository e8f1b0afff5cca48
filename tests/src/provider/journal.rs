//! What a provider saw, in order and without a secret in it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::provider::{
    call::{Call, Field},
    fingerprint::fingerprint,
};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from one, and goes on when older entries are dropped.
    pub sequence: u64,
    /// Microseconds since the fake started, by a clock that nobody moves.
    pub at_us: u64,
    /// As sent.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// As sent.
    pub content_type: Option<String>,
    /// The names of the parameters of the query.
    pub query: Vec<String>,
    /// The names of the members of the body.
    pub fields: Vec<String>,
    /// Which secrets were presented: the name of the field or parameter, `bearer`, `basic` or `scheme_token`, and the
    /// fingerprint.
    pub presented: BTreeMap<String, String>,
    /// Whether the provider did what was asked, a refusal included. False where a script kept it from acting.
    pub acted: bool,
    /// The answer's status; absent when there was none.
    pub status: Option<u16>,
    /// Whether all of the answer was handed to the kernel while the client was still there.
    pub delivered: bool,
}

/// Names of fields that hold secrets.
const SECRETS: [&str; 17] = [
    "password",
    "apiKey",
    "secretKey",
    "accessToken",
    "refreshToken",
    "access_token",
    "refresh_token",
    "client_secret",
    "assertion",
    "key",
    "code",
    "code_verifier",
    "device_code",
    "client_assertion",
    "token",
    "refresh",
    "access",
];

/// Enough for every test, and a bound for what runs longer.
const LIMIT: usize = 65_536;

pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    limit: usize,
    seen: u64,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { entries: VecDeque::new(), limit: LIMIT, seen: 0 }
    }

    /// Keeps the latest so many entries; zero turns the journal off, and the counting goes on.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit;
        self.drop_oldest();
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// Notes a request and gives its number.
    pub(crate) fn note(&mut self, call: &Call, at: Duration) -> u64 {
        self.seen += 1;
        if self.limit > 0 {
            self.entries.push_back(entry(self.seen, call, at));
            self.drop_oldest();
        }
        self.seen
    }

    pub(crate) fn acted(&mut self, sequence: u64) {
        if let Some(entry) = self.find(sequence) {
            entry.acted = true;
        }
    }

    pub(crate) fn answered(&mut self, sequence: u64, status: u16) {
        if let Some(entry) = self.find(sequence) {
            entry.status = Some(status);
        }
    }

    pub(crate) fn delivered(&mut self, sequence: u64) {
        if let Some(entry) = self.find(sequence) {
            entry.delivered = true;
        }
    }

    fn find(&mut self, sequence: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.entries.get_mut(index)
    }

    fn drop_oldest(&mut self) {
        while self.entries.len() > self.limit {
            self.entries.pop_front();
        }
    }
}

fn entry(sequence: u64, call: &Call, at: Duration) -> Entry {
    Entry {
        sequence,
        at_us: u64::try_from(at.as_micros()).unwrap_or(u64::MAX),
        method: call.method.to_string(),
        path: call.path.clone(),
        content_type: call.content_type.clone(),
        query: names(&call.query),
        fields: names(&call.fields),
        presented: presented(call),
        acted: false,
        status: None,
        delivered: false,
    }
}

fn names(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| field.name.clone()).collect()
}

fn presented(call: &Call) -> BTreeMap<String, String> {
    let of_field = |field: &Field| {
        let secret = SECRETS.contains(&field.name.as_str());
        let value = field.value.as_deref().filter(|_| secret)?;
        Some((field.name.clone(), fingerprint(value)))
    };
    let everything = call.query.iter().chain(&call.fields);
    let mut found: BTreeMap<_, _> = everything.filter_map(of_field).collect();
    if let Some(token) = &call.bearer {
        found.insert("bearer".to_owned(), fingerprint(token));
    }
    if let Some(token) = &call.scheme_token {
        found.insert("scheme_token".to_owned(), fingerprint(token));
    }
    if let Some((_, password)) = &call.basic {
        found.insert("basic".to_owned(), fingerprint(password));
    }
    found
}
