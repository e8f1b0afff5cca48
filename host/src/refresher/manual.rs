//! Tokens set and forgotten by hand: for moving in from another system, and for providers that a
//! person has to log in to.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::code;
use crate::model::connection::{Connection, Due, Pause};
use crate::model::ends::Ends;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::{self, TokenSet};
use crate::refresher::plan::Timing;
use crate::refresher::running::{declared_schedule, token_place, token_row};
use crate::refresher::{Refresher, host_fault, vault_fault};
use crate::sandbox::expiry;
use crate::storage::{Loaded, ManualSet, Pausing};
use crate::vault::{Sealed, tokens};

/// A token as a person gives it: alone, or as the JSON that a token endpoint answers with.
pub struct ManualToken {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    token_type: String,
    ends: Ends,
}

/// The members of RFC 6749 5.1 that count here, what some servers add, and the same as points in time.
#[derive(Default, Deserialize)]
struct Raw {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    token_type: Option<String>,
    expires_in: Option<u32>,
    expires_at: Option<Timestamp>,
    #[serde(alias = "refresh_token_expires_in")]
    refresh_expires_in: Option<u32>,
    refresh_expires_at: Option<Timestamp>,
}

impl ManualToken {
    /// Reads what a person gave. Errors name what is wrong and never the text.
    pub fn parse(text: &SecretString, now: Timestamp) -> Result<Self, Failure> {
        let text = text.expose_secret().trim();
        let invalid = |what: &str| {
            let message = format!("what was given is not a token: {what}");
            Failure::new(Case::Misconfigured, code::Token::Invalid, message)
        };
        if text.starts_with('{') {
            let raw: Raw = serde_json::from_str(text).map_err(|it| {
                invalid(&format!(
                    "JSON with access_token is needed (line {} column {})",
                    it.line(),
                    it.column()
                ))
            })?;
            return Self::of(raw, now).map_err(|it| invalid(&it));
        }
        let alone = Raw { access_token: text.into(), ..Raw::default() };
        Self::of(alone, now).map_err(|it| invalid(&it))
    }

    fn of(raw: Raw, now: Timestamp) -> Result<Self, String> {
        let Raw { access_token, refresh_token, token_type, .. } = raw;
        // As in a file of connections: nothing in a member is nothing said.
        let refresh_token = refresh_token.filter(|it| !it.expose_secret().is_empty());
        let token_type = token_type.filter(|it| !it.is_empty());
        token::check(&access_token, refresh_token.as_ref(), token_type.as_deref())?;
        let after = |it: u32| clock::after(now, Duration::from_secs(it.into()));
        Ok(Self {
            access_token,
            refresh_token,
            token_type: token_type.unwrap_or_else(|| token::USUAL_TYPE.to_owned()),
            ends: Ends {
                access: raw.expires_at.or(raw.expires_in.map(after)),
                // Zero is how some say "never".
                refresh: raw
                    .refresh_expires_at
                    .or(raw.refresh_expires_in.filter(|it| *it > 0).map(after)),
            },
        })
    }
}

/// How often a row that changes under a resumption is looked at again.
const LOOKS: u32 = 3;

impl Refresher {
    /// Stores a token by hand as the next generation, and returns its number.
    pub async fn set_token(&self, id: &ConnectionId, token: ManualToken) -> Result<u64, Failure> {
        let now = self.clock.now();
        let declared = self.catalogue.plugin(id.provider()).ok();
        let lifetime = declared.as_ref().and_then(|it| it.descriptor().lifetime);
        let expires_at = expiry(token.ends.access, Some(&token.access_token), now, lifetime);
        let set = TokenSet {
            access_token: token.access_token,
            token_type: token.token_type,
            expires_at,
            refresh_token: token.refresh_token,
            refresh_expires_at: token.ends.refresh,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: Vec::new(),
            made_of: std::collections::BTreeMap::new(),
        };
        let ends = set.ends();
        let loaded = self.load(id).await?;
        let generation = loaded.connection.generation;
        let row = token_row(id);
        let sealed = tokens::seal_tokens(&self.vault, &token_place(&row, generation + 1), &set);
        let sealed = sealed.map_err(|it| vault_fault(&it))?;
        let due = declared.and_then(|plugin| {
            let schedule = declared_schedule(&plugin);
            Timing::new(plugin.provider(), schedule.as_ref(), id).after_success(ends, now)
        });
        self.store(&loaded, Some((set, sealed)), due).await
    }

    /// Pauses `id`, until then or until somebody resumes it; `None` resumes it. An attempt may end just
    /// before a resumption is written, and what it left counts: so the row is looked at again.
    pub async fn set_pause(&self, id: &ConnectionId, pause: Option<Pause>) -> Result<(), Failure> {
        let mut loaded = self.load(id).await?;
        // The end of a pause is no time to wait for once it is over.
        let was_paused = loaded.connection.pause.is_some();
        for _ in 0..LOOKS {
            let due = loaded.connection.due.filter(|_| !was_paused);
            let after = Connection { pause: pause.clone(), due, ..loaded.connection.clone() };
            let due = self.due_as(&loaded, &after);
            let at = self.clock.now();
            let pausing = Pausing { id: id.clone(), pause: pause.clone(), due, at };
            self.storage.set_pause(pausing).await.map_err(|it| host_fault(&it))?;
            let found = std::mem::replace(&mut loaded, self.load(id).await?);
            if is_as_found(&found, &loaded) {
                break;
            }
        }
        Ok(())
    }

    /// Forgets the token of `id`. A connection that can log in by itself does so at the next look.
    pub async fn clear_token(&self, id: &ConnectionId) -> Result<(), Failure> {
        let loaded = self.load(id).await?;
        let plugin = self.catalogue.plugin(id.provider());
        let unattended = plugin.is_ok_and(|it| it.descriptor().unattended);
        let due = Due { at: self.clock.now(), trigger: Trigger::Expiry };
        self.store(&loaded, None, unattended.then_some(due)).await?;
        Ok(())
    }

    async fn store(
        &self,
        loaded: &Loaded,
        token: Option<(TokenSet, Sealed)>,
        due: Option<Due>,
    ) -> Result<u64, Failure> {
        let at = self.clock.now();
        let Connection { id, generation, .. } = &loaded.connection;
        let adopts = self.interrupted(loaded, at)?;
        let set =
            ManualSet { connection: id.clone(), generation: *generation, token, due, adopts, at };
        if self.storage.set_manually(set).await.map_err(|it| host_fault(&it))? {
            return Ok(generation + 1);
        }
        Err(busy(id))
    }

    /// The open attempt that no living process works on, if there is one: a new token settles it.
    fn interrupted(&self, loaded: &Loaded, now: Timestamp) -> Result<Option<AttemptId>, Failure> {
        let flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.contains_key(&loaded.connection.id) {
            return Err(busy(&loaded.connection.id));
        }
        match self.held(loaded, now) {
            Some(held) => Err(held),
            None => Ok(loaded.open.as_ref().map(|it| it.id)),
        }
    }
}

/// Whether nothing happened to a row that what follows depends on.
fn is_as_found(found: &Loaded, now: &Loaded) -> bool {
    let facts = |it: &Loaded| {
        let connection = &it.connection;
        let open = it.open.as_ref().map(|it| it.id);
        (connection.generation, connection.failures, connection.problem, open)
    };
    facts(found) == facts(now)
}

/// Somebody else is at it.
pub(super) fn busy(id: &ConnectionId) -> Failure {
    let message = format!("{id} is being refreshed right now; try again in a moment");
    Failure::new(Case::HostFault, code::Refresh::Held, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ManualToken, Failure> {
        ManualToken::parse(&SecretString::from(text), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_bare_token_and_a_token_answer_are_both_understood() {
        assert_eq!(parse("abc\n").unwrap().access_token.expose_secret(), "abc");
        let token = parse(r#"{"access_token":"a","refresh_token":"r","expires_in":60}"#).unwrap();
        assert_eq!(token.refresh_token.unwrap().expose_secret(), "r");
        assert_eq!(token.ends.access.unwrap().as_second(), 60);
        let both = parse(r#"{"access_token":"a","refresh_token_expires_in":90}"#).unwrap();
        assert_eq!(both.ends.refresh.unwrap().as_second(), 90);
        let empty = parse(r#"{"access_token":"a","refresh_token":"","token_type":""}"#).unwrap();
        assert!(empty.refresh_token.is_none() && empty.token_type == token::USUAL_TYPE);
    }

    #[test]
    fn an_error_does_not_repeat_what_was_given() {
        for text in ["", "CANARY with space", r#"{"refresh_token":"CANARY"}"#] {
            let failure = parse(text).err().unwrap();
            assert!(!failure.message.contains("CANARY"), "{failure}");
        }
    }

    #[test]
    fn what_would_not_stay_on_its_line_is_named_and_refused() {
        for (text, named) in [
            ("CANARY\u{1b}[31m", "access_token"),
            ("CANARY\u{202e}", "access_token"),
            (r#"{"access_token":"CANARY\r\nX-Evil: 1"}"#, "access_token"),
            (r#"{"access_token":""}"#, "access_token"),
            (r#"{"access_token":"a","refresh_token":"CANARY\n"}"#, "refresh_token"),
            (r#"{"access_token":"a","token_type":"CANARY\r\nX-Evil: 1"}"#, "token_type"),
        ] {
            let failure = parse(text).err().unwrap();
            assert_eq!(failure.code.text(), "token.invalid", "{text}");
            assert!(failure.message.contains(named), "{failure}");
            assert!(!failure.message.contains("CANARY"), "{failure}");
        }
    }
}
