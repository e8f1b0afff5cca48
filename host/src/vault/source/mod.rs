//! Where secrets come from: the environment, a file, a systemd credential, a command. This is the
//! only file that reads the environment. A secret's value never meets an error or a log line.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::vault::source::error::SourceError;
use crate::vault::source::file::Care;

/// Why a secret could not be read.
pub mod error;

/// A command that is started.
pub mod child;

mod complaint;
mod exec;
mod file;

/// One place that holds one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Env(String),
    /// A file, such as a Docker or Kubernetes secret.
    File(PathBuf),
    /// A credential that systemd passes in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// A command that prints the secret: the argv, run without a shell.
    Exec(Vec<String>),
}

/// No secret is larger; a source that gives more is the wrong one.
const LARGEST: usize = 64 * 1024;

impl Source {
    /// Reads the secret. A file that others may read or change is warned of, once.
    pub async fn read(&self) -> Result<SecretString, SourceError> {
        self.read_with(Care::Warn).await
    }

    /// Reads the secret as [`Source::read`] does, but refuses a file that others may read or
    /// change.
    pub async fn read_private(&self) -> Result<SecretString, SourceError> {
        self.read_with(Care::Refuse).await
    }

    /// The source as errors name it: of a command only the program, whose arguments may be secret.
    pub fn label(&self) -> String {
        match self {
            Self::Exec(argv) => exec::label(argv.first().map_or("", String::as_str)),
            other => other.to_string(),
        }
    }

    async fn read_with(&self, care: Care) -> Result<SecretString, SourceError> {
        let secret = match self {
            Self::Env(name) => from_env(name)?,
            Self::File(path) => file::read(path, care).await?,
            Self::Credential(name) => {
                from_credential(name, raw_variable("CREDENTIALS_DIRECTORY").map(Into::into)).await?
            }
            Self::Exec(argv) => exec::read(argv, child::environment(variables())).await?,
        };
        if secret.expose_secret().is_empty() {
            return Err(SourceError::Empty { origin: self.label() });
        }
        Ok(secret)
    }
}

/// A plain setting from the environment, such as `KEEPFRESH_LOG`; `None` when unset or not text.
pub fn variable(name: &str) -> Option<String> {
    raw_variable(name)?.into_string().ok()
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn raw_variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Variables whose name `fits`, for a program that is started.
pub fn variables_named(fits: impl Fn(&str) -> bool) -> Vec<(OsString, OsString)> {
    variables().filter(|(name, _)| name.to_str().is_some_and(&fits)).collect()
}

/// All of the environment, for the door of commands to choose from.
fn variables() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os()
}

fn from_env(name: &str) -> Result<SecretString, SourceError> {
    let Some(value) = raw_variable(name) else {
        return Err(SourceError::EnvMissing { name: name.to_owned() });
    };
    let bytes = Zeroizing::new(value.into_encoded_bytes());
    as_secret(&bytes, || format!("env:{name}"))
}

/// The folder is an argument so that tests need not change the environment.
async fn from_credential(name: &str, folder: Option<PathBuf>) -> Result<SecretString, SourceError> {
    let missing = || SourceError::CredentialMissing { name: name.to_owned() };
    let path = folder.ok_or_else(missing)?.join(name);
    file::read(&path, Care::Trust).await.map_err(|error| match error {
        SourceError::FileMissing { .. } => missing(),
        other => other,
    })
}

/// What every source holds, read the same way: what commands and editors put around a secret, one line
/// end behind it and a byte order mark before it, is not part of it.
fn as_secret(bytes: &[u8], origin: impl FnOnce() -> String) -> Result<SecretString, SourceError> {
    if bytes.len() > LARGEST {
        return Err(SourceError::TooLarge { origin: origin() });
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return Err(SourceError::NotText { origin: origin() });
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.strip_suffix('\n').map(|it| it.strip_suffix('\r').unwrap_or(it));
    Ok(SecretString::from(line.unwrap_or(text)))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Credential(name) => write!(f, "credential:{name}"),
            Self::Exec(argv) => write!(f, "exec:{}", serde_json::Value::from(argv.clone())),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("credential", name)) if is_file_name(name) => {
                Ok(Self::Credential(name.to_owned()))
            }
            Some(("exec", argv)) => parse_argv(argv).ok_or(SourceError::Form).map(Self::Exec),
            _ => Err(SourceError::Form),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// A credential is a name in one folder; `../` would lead out of it.
fn is_file_name(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|it| it == name)
}

fn parse_argv(text: &str) -> Option<Vec<String>> {
    let argv: Vec<String> = serde_json::from_str(text).ok()?;
    argv.first().is_some_and(|it| !it.is_empty()).then_some(argv)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn sources_are_written_as_they_are_read() {
        for text in [
            "env:ESKIZ_PASSWORD",
            "file:/run/secrets/a",
            "credential:key",
            r#"exec:["/bin/a","b c"]"#,
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_form_that_is_not_known_is_refused_and_not_quoted() {
        for text in [
            "CANARY",
            "literal:CANARY",
            "env:",
            "file:",
            "credential:../CANARY",
            "credential:a/CANARY",
            "exec:CANARY",
            "exec:[]",
        ] {
            let error = text.parse::<Source>().unwrap_err();
            assert_eq!(error.code().text(), "secret.source_form", "{text}");
            assert!(!error.to_string().contains("CANARY"));
        }
    }

    #[tokio::test]
    async fn a_variable_is_read_and_a_missing_one_is_named() {
        assert!(Source::Env("PATH".to_owned()).read().await.is_ok());
        let error = Source::Env("KEEPFRESH_TEST_UNSET".to_owned()).read().await.unwrap_err();
        assert_eq!(error.code().text(), "secret.env_missing");
        assert!(
            error
                .to_string()
                .starts_with("the environment variable KEEPFRESH_TEST_UNSET is not set")
        );
    }

    #[test]
    fn one_line_end_and_a_byte_order_mark_are_no_part_of_a_secret() {
        for (held, secret) in [
            ("a b", "a b"),
            (" a\n", " a"),
            ("a\r\n", "a"),
            ("a\nb\n", "a\nb"),
            ("a\n\n", "a\n"),
            ("a\r", "a\r"),
            ("\u{feff}a\r\n", "a"),
            ("a\u{feff}", "a\u{feff}"),
            ("\u{feff}\n", ""),
        ] {
            let read = as_secret(held.as_bytes(), || "env:A".to_owned()).unwrap();
            assert_eq!(read.expose_secret(), secret, "{held:?}");
        }
    }

    #[tokio::test]
    async fn a_credential_is_found_in_its_folder() {
        let folder = crate::vault::test_folder();
        fs::write(folder.join("key"), "secret\n").unwrap();
        let secret = from_credential("key", Some(folder.clone())).await.unwrap();
        assert_eq!(secret.expose_secret(), "secret");
        for folder in [Some(folder), None] {
            let error = from_credential("other", folder).await.unwrap_err();
            assert_eq!(error.code().text(), "secret.credential_missing");
        }
    }
}
