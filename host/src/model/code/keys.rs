//! Secrets, and the vault with its keys.

use crate::model::code::table::codes;

codes! {
    Secret: "A secret could not be read.";

    EnvMissing = "secret.env_missing" {
        meaning: "The environment variable that holds the secret is not set.",
        remedy: "Set it where Keepfresh is started.",
        exit: Config, retryable: false, acts: Operator,
    }
    FileMissing = "secret.file_missing" {
        meaning: "The file that holds the secret does not exist.",
        remedy: "Create it, or correct its path in the manifest; it is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    FileUnreadable = "secret.file_unreadable" {
        meaning: "The file that holds the secret cannot be read.",
        remedy: "Give the user that runs Keepfresh permission to read it.",
        exit: Failed, retryable: true, acts: Operator,
    }
    FileMode = "secret.file_mode" {
        meaning: "Other users may read or change the key file.",
        remedy: "Run `chmod 600` on the file.",
        exit: Config, retryable: false, acts: Operator,
    }
    CredentialMissing = "secret.credential_missing" {
        meaning: "systemd did not pass this credential.",
        remedy: "Add `LoadCredentialEncrypted=NAME` to the unit, or start Keepfresh through systemd.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ExecFailed = "secret.exec_failed" {
        meaning: "The command that prints the secret did not start, or failed.",
        remedy: "Run it as the same user with only PATH, HOME, USER, LANG and XDG_* in the environment to see why; it is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ExecTimeout = "secret.exec_timeout" {
        meaning: "The command that prints the secret timed out and was killed.",
        remedy: "Run it by hand as the same user to see what it waits for.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Empty = "secret.empty" {
        meaning: "The source of the secret is empty.",
        remedy: "Put the secret there; it is tried again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    NotText = "secret.not_text" {
        meaning: "The source of the secret is not UTF-8 text.",
        remedy: "Store the secret as text.",
        exit: Config, retryable: false, acts: Operator,
    }
    TooLarge = "secret.too_large" {
        meaning: "The source of the secret holds more than 64 KiB.",
        remedy: "Correct the source in the manifest.",
        exit: Config, retryable: false, acts: Operator,
    }
    SourceForm = "secret.source_form" {
        meaning: "The value is not a source of a secret.",
        remedy: "Write env:NAME, file:PATH, credential:NAME or exec:[\"program\",\"argument\"].",
        exit: Config, retryable: false, acts: Operator,
    }
}

codes! {
    Vault: "A key or a sealed value cannot be used.";

    WrongKey = "vault.wrong_key" {
        meaning: "The database was sealed with another master key.",
        remedy: "Restore that key, and point `vault.key` to it.",
        exit: Config, retryable: false, acts: Operator,
    }
    AnswerUnopenable = "vault.answer_unopenable" {
        meaning: "The stored answer to an earlier refresh cannot be decrypted: its key is missing, or the row is damaged.",
        remedy: "Restore the key and run `keepfresh plugin replay`, or get a new token with `keepfresh connect` or `keepfresh token set`.",
        exit: Config, retryable: false, acts: Operator,
    }
    UnknownKey = "vault.unknown_key" {
        meaning: "A sealed value refers to a data key that is not in the keyring.",
        remedy: "Restore the keyring table from a backup of the same time as the value.",
        exit: Config, retryable: false, acts: Operator,
    }
    BadContext = "vault.bad_context" {
        meaning: "A sealed value was changed, or moved from another row.",
        remedy: "Restore the row from a backup.",
        exit: Config, retryable: false, acts: Operator,
    }
    Malformed = "vault.malformed" {
        meaning: "A sealed value has a format that this version never writes.",
        remedy: "Restore the row from a backup, or use the version that wrote it.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeysMissing = "vault.keys_missing" {
        meaning: "The database holds sealed values but no data keys.",
        remedy: "Restore the database from a backup, because a new key cannot decrypt them.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyMissing = "vault.key_missing" {
        meaning: "The key of an existing database is missing.",
        remedy: "Restore the key, because a new one cannot decrypt the database.",
        exit: Config, retryable: false, acts: Operator,
    }
    NoKey = "vault.no_key" {
        meaning: "There is no key yet, and no database that was sealed with one.",
        remedy: "Make one with `keepfresh init`, or correct `vault.key`.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyInvalid = "vault.key_invalid" {
        meaning: "The source of the master key does not hold a valid key.",
        remedy: "Restore the key as `keepfresh init` wrote it.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyExists = "vault.key_exists" {
        meaning: "The key file already exists and is not overwritten.",
        remedy: "Choose another path.",
        exit: Failed, retryable: false, acts: Operator,
    }
    KeyUnwritable = "vault.key_unwritable" {
        meaning: "The new key file cannot be written.",
        remedy: "Give the user that runs Keepfresh permission to write to the folder.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Random = "vault.random" {
        meaning: "The operating system returned no random bytes for encryption.",
        remedy: "Try again; if it fails again, check whether `getrandom` is blocked for this process.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
