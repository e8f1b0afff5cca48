//! What passes between the program and its compiler process: a one-time key and the component in, a
//! sealed answer out. Machine code from a pipe is only run if its seal proves that it is complete,
//! and the answer to this request.
//!
//! Knows nothing of processes.

use std::io::{self, Read, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sandbox::machine::limits::MAX_COMPONENT;

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a seal, at the head of an answer.
const SEAL: usize = 32;

/// Seals one answer.
#[derive(Clone, Copy)]
pub(super) struct Key([u8; KEY]);

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The compiled form.
    Code(Vec<u8>),
    /// The compiler's own words.
    Refused(String),
    /// The memory was not enough, and the compiler noticed in time.
    OutOfMemory,
}

impl Key {
    /// A new one, known to nobody.
    pub(super) fn random() -> io::Result<Self> {
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self(key))
    }

    /// What is sent ahead of the component.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn seal(&self, kind: u8, content: &[u8]) -> Hmac<Sha256> {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        let keyed = keyed.expect("HMAC takes a key of any length");
        keyed.chain_update([kind]).chain_update(content)
    }
}

/// Reads the question: a key, then a component, to the end.
pub(super) fn read_question(mut input: impl Read) -> io::Result<(Key, Vec<u8>)> {
    let mut key = [0; KEY];
    input.read_exact(&mut key)?;
    let mut component = Vec::new();
    input.take(MAX_COMPONENT as u64).read_to_end(&mut component)?;
    Ok((Key(key), component))
}

impl Answer {
    /// Writes the seal, the kind, and the content.
    pub(super) fn write(&self, key: &Key, mut output: impl Write) -> io::Result<()> {
        let (kind, content) = match self {
            Self::Code(code) => (b'c', code.as_slice()),
            Self::Refused(why) => (b'r', why.as_bytes()),
            Self::OutOfMemory => (b'm', &[][..]),
        };
        output.write_all(&key.seal(kind, content).finalize().into_bytes())?;
        output.write_all(&[kind])?;
        output.write_all(content)?;
        output.flush()
    }

    /// The answer in `bytes`, if it is whole and was sealed with `key`.
    pub(super) fn read(key: &Key, mut bytes: Vec<u8>) -> Option<Self> {
        let (seal, sealed) = bytes.split_at_checked(SEAL)?;
        let (&kind, content) = sealed.split_first()?;
        key.seal(kind, content).verify_slice(seal).ok()?;
        // In place: there can be a hundred mebibytes of it.
        bytes.drain(..=SEAL);
        match kind {
            b'c' => Some(Self::Code(bytes)),
            b'r' => String::from_utf8(bytes).ok().map(Self::Refused),
            b'm' => Some(Self::OutOfMemory),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: &Answer, key: &Key) -> Vec<u8> {
        let mut bytes = Vec::new();
        answer.write(key, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let key = Key::random().unwrap();
        let refused = Answer::Refused("no".to_owned());
        for answer in [Answer::Code(vec![1, 2, 3]), refused, Answer::OutOfMemory] {
            assert_eq!(Answer::read(&key, written(&answer, &key)), Some(answer));
        }
    }

    #[test]
    fn an_answer_under_another_key_is_none() {
        let (key, other) = (Key::random().unwrap(), Key::random().unwrap());
        let bytes = written(&Answer::Code(vec![1, 2, 3]), &other);
        assert_eq!(Answer::read(&key, bytes), None);
    }

    #[test]
    fn an_answer_that_was_cut_off_or_changed_is_none() {
        let key = Key::random().unwrap();
        let whole = written(&Answer::Code(vec![1, 2, 3]), &key);
        for length in 0..whole.len() {
            assert_eq!(Answer::read(&key, whole[..length].to_vec()), None, "{length} bytes");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert_eq!(Answer::read(&key, changed), None, "byte {place}");
        }
    }

    #[test]
    fn a_question_is_read_to_its_end() {
        let key = Key::random().unwrap();
        let question = [key.as_bytes(), b"component"].concat();
        let (read, component) = read_question(question.as_slice()).unwrap();
        assert_eq!((read.as_bytes(), component.as_slice()), (key.as_bytes(), &b"component"[..]));
        assert!(read_question(&question[..31]).is_err());
    }
}
