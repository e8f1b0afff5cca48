//! Keeps every family and its audit. Knows claims and times, never the text of a token.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::{
    family::{Class, Ending, Family, Verdict},
    mint::Claim,
};

/// What happened to one family, for a test to judge a client by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The name it was issued under.
    pub name: String,
    /// The generation whose refresh token is good.
    pub generation: u64,
    /// How often a refresh token was exchanged for a new generation.
    pub rotations: u64,
    /// How often a used refresh token was spared and got the current generation again.
    pub repeats: u64,
    /// Rotations whose own answer never left, those still under way included.
    pub undelivered: u64,
    /// Whether any answer with the current generation left.
    pub current_delivered: bool,
    /// Whether a replay outside the rule revoked it.
    pub revoked_by_reuse: bool,
    /// Whether it is revoked, for whatever reason.
    pub revoked: bool,
}

/// A generation that was handed out in an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handed {
    pub(crate) family: usize,
    pub(crate) generation: u64,
    /// False for a first generation and for a repeat.
    pub(crate) rotated: bool,
    pub(crate) issued_at: Timestamp,
}

/// Why a refresh token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Expired,
    Reused,
    Revoked,
}

pub(crate) struct Ledger {
    class: Class,
    records: Vec<Record>,
    latest: HashMap<String, usize>,
}

struct Record {
    name: String,
    realm: &'static str,
    family: Family,
    issued_at: Timestamp,
    rotations: u64,
    repeats: u64,
    delivered_rotations: u64,
    current_delivered: bool,
}

impl Ledger {
    pub(crate) fn new(class: Class) -> Self {
        Self { class, records: Vec::new(), latest: HashMap::new() }
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Starts a family. A realm is where its tokens are good: a product of Jibit, say.
    pub(crate) fn open(&mut self, name: String, realm: &'static str, now: Timestamp) -> Handed {
        let family = self.records.len();
        self.latest.insert(name.clone(), family);
        self.records.push(Record::new(name, realm, Family::new(self.class), now));
        Handed { family, generation: 0, rotated: false, issued_at: now }
    }

    /// The number of families so far, which makes a name for the next one.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn realm(&self, claim: Claim) -> &'static str {
        self.records.get(claim.family).map_or("", |record| record.realm)
    }

    /// Takes a refresh token whose signature was checked.
    pub(crate) fn present(&mut self, claim: Claim, now: Timestamp) -> Result<Handed, Refusal> {
        let record = self.records.get_mut(claim.family).ok_or(Refusal::Revoked)?;
        if claim.expired(now) {
            return Err(Refusal::Expired);
        }
        match record.family.present(claim.generation, now) {
            Verdict::Rotate => Ok(record.rotated(claim.family, now)),
            Verdict::Repeat => Ok(record.repeated(claim.family)),
            Verdict::Revoke => Err(Refusal::Reused),
            Verdict::Refuse => Err(Refusal::Revoked),
        }
    }

    /// Takes an access token whose signature was checked, and counts it as a use of its generation.
    pub(crate) fn touch(&mut self, claim: Claim, now: Timestamp) -> bool {
        !claim.expired(now)
            && self
                .records
                .get_mut(claim.family)
                .is_some_and(|record| record.family.touch(claim.generation))
    }

    /// Notes that the answer with this generation left.
    pub(crate) fn delivered(&mut self, handed: Handed) {
        if let Some(record) = self.records.get_mut(handed.family) {
            record.delivered_rotations += u64::from(handed.rotated);
            record.current_delivered |= record.family.current() == handed.generation;
        }
    }

    /// Revokes one family.
    pub(crate) fn revoke(&mut self, family: usize) {
        if let Some(record) = self.records.get_mut(family) {
            record.family.revoke();
        }
    }

    pub(crate) fn is_revoked(&self, family: usize) -> bool {
        self.records.get(family).is_none_or(|record| record.family.ending().is_some())
    }

    /// Whether a refresh token is one that rotates.
    pub(crate) fn is_current(&self, claim: Claim) -> bool {
        let current = |record: &Record| {
            self.class == Class::None || record.family.current() == claim.generation
        };
        !self.is_revoked(claim.family) && self.records.get(claim.family).is_some_and(current)
    }

    pub(crate) fn revoke_everything(&mut self) {
        for record in &mut self.records {
            record.family.revoke();
        }
    }

    pub(crate) fn audits(&self) -> Vec<Audit> {
        self.records.iter().map(Record::audit).collect()
    }

    /// The latest family of this name.
    pub(crate) fn audit(&self, name: &str) -> Option<Audit> {
        self.latest.get(name).map(|&family| self.records[family].audit())
    }
}

impl Record {
    fn new(name: String, realm: &'static str, family: Family, issued_at: Timestamp) -> Self {
        Self {
            name,
            realm,
            family,
            issued_at,
            rotations: 0,
            repeats: 0,
            delivered_rotations: 0,
            current_delivered: false,
        }
    }

    fn rotated(&mut self, family: usize, now: Timestamp) -> Handed {
        self.rotations += 1;
        self.current_delivered = false;
        self.issued_at = now;
        Handed { family, generation: self.family.current(), rotated: true, issued_at: now }
    }

    /// The issue time is the one of the rotation, so that the tokens come out the same.
    fn repeated(&mut self, family: usize) -> Handed {
        self.repeats += 1;
        Handed {
            family,
            generation: self.family.current(),
            rotated: false,
            issued_at: self.issued_at,
        }
    }

    fn audit(&self) -> Audit {
        Audit {
            name: self.name.clone(),
            generation: self.family.current(),
            rotations: self.rotations,
            repeats: self.repeats,
            undelivered: self.rotations - self.delivered_rotations,
            current_delivered: self.current_delivered,
            revoked_by_reuse: self.family.ending() == Some(Ending::Reuse),
            revoked: self.family.ending().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn claim(generation: u64) -> Claim {
        Claim { family: 0, generation, expires: 100 }
    }

    #[test]
    fn a_rotation_is_undelivered_until_its_answer_left() {
        let mut ledger = Ledger::new(Class::Strict);
        ledger.open("a".to_owned(), "", NOW);
        let handed = ledger.present(claim(0), NOW).expect("the first token is good");
        assert_eq!(ledger.audit("a").map(|audit| audit.undelivered), Some(1));
        ledger.delivered(handed);
        let audit = ledger.audit("a").expect("the family exists");
        assert_eq!((audit.rotations, audit.undelivered, audit.current_delivered), (1, 0, true));
    }

    #[test]
    fn a_repeat_delivers_the_generation_but_not_the_lost_answer() {
        let mut ledger = Ledger::new(Class::UntilUsed);
        ledger.open("a".to_owned(), "", NOW);
        ledger.present(claim(0), NOW).expect("the first token is good");
        let again = ledger.present(claim(0), NOW).expect("the first token is spared");
        ledger.delivered(again);
        let audit = ledger.audit("a").expect("the family exists");
        assert_eq!((audit.repeats, audit.undelivered, audit.current_delivered), (1, 1, true));
    }

    #[test]
    fn an_expired_refresh_token_is_refused_and_revokes_nothing() {
        let mut ledger = Ledger::new(Class::Strict);
        ledger.open("a".to_owned(), "", NOW);
        let late = Timestamp::from_second(100).expect("a small number of seconds");
        assert_eq!(ledger.present(claim(0), late).err(), Some(Refusal::Expired));
        assert_eq!(ledger.audit("a").map(|audit| audit.revoked), Some(false));
    }
}
