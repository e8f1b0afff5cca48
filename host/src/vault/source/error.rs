//! Why a secret could not be read: the source and the remedy, never the value.

use std::path::PathBuf;

use crate::lifecycle::owner;
use crate::model::code::{self, Code};
use crate::vault::source::child;

/// Why a source gave no secret.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The variable is not there.
    #[error("the environment variable {name} is not set; set it where keepfresh is started")]
    EnvMissing {
        /// Its name.
        name: String,
    },
    /// The file is not there.
    #[error("the secret file {} does not exist; create it, or correct its path", path.display())]
    FileMissing {
        /// Its path.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error(
        "the secret file {} cannot be read: {cause}{}",
        path.display(), owner::remedy(path).unwrap_or_default()
    )]
    FileUnreadable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Others may read the file, or change it.
    #[error(
        "the key file {} has mode {mode:04o}, so others may read or change it; run `chmod 600 {}`",
        path.display(), path.display()
    )]
    FileMode {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// systemd passed no such credential.
    #[error(
        "the credential {name} was not passed; add `LoadCredentialEncrypted={name}` to the unit, \
         or start keepfresh through systemd"
    )]
    CredentialMissing {
        /// Its name.
        name: String,
    },
    /// The command did not start, or reported failure. Its output is not shown: it may be secret.
    #[error(
        "the secret command {program} {reason}; run it as keepfresh's user with only {} in the environment to see why",
        child::PASSED
    )]
    ExecFailed {
        /// The first word of the argv.
        program: String,
        /// How it ended, and what it complained of.
        reason: String,
    },
    /// The command took too long.
    #[error("the secret command {program} did not end within {seconds} s and was killed")]
    ExecTimeout {
        /// The first word of the argv.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// The source is there and holds nothing.
    #[error("{origin} is empty; put the secret there")]
    Empty {
        /// The source.
        origin: String,
    },
    /// The source holds bytes that are no text.
    #[error("{origin} does not hold UTF-8 text; store the secret as text")]
    NotText {
        /// The source.
        origin: String,
    },
    /// The source holds more than a secret.
    #[error("{origin} holds more than 64 KiB, so it is not a secret; correct the source")]
    TooLarge {
        /// The source.
        origin: String,
    },
    /// The text names no source. It is not quoted: it may be the secret itself.
    #[error(
        "a secret is named by its source, never written out: use env:NAME, file:PATH, \
         credential:NAME or exec:[\"program\",\"argument\"]"
    )]
    Form,
}

impl SourceError {
    /// Whether it may be there in a moment: a file that is being replaced, a folder that is not mounted
    /// yet, a service that is down. What is there and wrong waits for a person, and a variable is what it
    /// was when the process began.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::FileMissing { .. }
            | Self::FileUnreadable { .. }
            | Self::CredentialMissing { .. }
            | Self::ExecFailed { .. }
            | Self::ExecTimeout { .. }
            | Self::Empty { .. } => true,
            Self::EnvMissing { .. }
            | Self::FileMode { .. }
            | Self::NotText { .. }
            | Self::TooLarge { .. }
            | Self::Form => false,
        }
    }

    /// `area.cause`, the same in CLI, API, log and attempts.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::EnvMissing { .. } => code::Secret::EnvMissing,
            Self::FileMissing { .. } => code::Secret::FileMissing,
            Self::FileUnreadable { .. } => code::Secret::FileUnreadable,
            Self::FileMode { .. } => code::Secret::FileMode,
            Self::CredentialMissing { .. } => code::Secret::CredentialMissing,
            Self::ExecFailed { .. } => code::Secret::ExecFailed,
            Self::ExecTimeout { .. } => code::Secret::ExecTimeout,
            Self::Empty { .. } => code::Secret::Empty,
            Self::NotText { .. } => code::Secret::NotText,
            Self::TooLarge { .. } => code::Secret::TooLarge,
            Self::Form => code::Secret::SourceForm,
        };
        code.into()
    }
}
