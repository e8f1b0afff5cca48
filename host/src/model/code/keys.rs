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
        meaning: "The file that holds the secret is not there.",
        remedy: "Create it, or correct its path in the manifest.",
        exit: Config, retryable: false, acts: Operator,
    }
    FileUnreadable = "secret.file_unreadable" {
        meaning: "The file that holds the secret cannot be read.",
        remedy: "Let the user that runs Keepfresh read it.",
        exit: Config, retryable: false, acts: Operator,
    }
    FileMode = "secret.file_mode" {
        meaning: "Others may read or change the file of the key.",
        remedy: "Run `chmod 600` on the file.",
        exit: Config, retryable: false, acts: Operator,
    }
    CredentialMissing = "secret.credential_missing" {
        meaning: "systemd passed no such credential.",
        remedy: "Add `LoadCredentialEncrypted=NAME` to the unit, or start Keepfresh through systemd.",
        exit: Config, retryable: false, acts: Operator,
    }
    ExecFailed = "secret.exec_failed" {
        meaning: "The command that prints the secret did not start, or reported failure.",
        remedy: "Run it by hand as the same user to see why.",
        exit: Config, retryable: true, acts: Operator,
    }
    ExecTimeout = "secret.exec_timeout" {
        meaning: "The command that prints the secret did not end in time and was killed.",
        remedy: "Run it by hand as the same user to see what it waits for.",
        exit: Config, retryable: true, acts: Operator,
    }
    Empty = "secret.empty" {
        meaning: "The place of the secret holds nothing.",
        remedy: "Put the secret there.",
        exit: Config, retryable: false, acts: Operator,
    }
    NotText = "secret.not_text" {
        meaning: "The place of the secret holds bytes that are not UTF-8 text.",
        remedy: "Store the secret as text.",
        exit: Config, retryable: false, acts: Operator,
    }
    TooLarge = "secret.too_large" {
        meaning: "The place of the secret holds more than a secret can be.",
        remedy: "Correct which place the manifest names.",
        exit: Config, retryable: false, acts: Operator,
    }
    SourceForm = "secret.source_form" {
        meaning: "The text does not say where a secret is.",
        remedy: "Write env:NAME, file:PATH, credential:NAME or exec:[\"program\",\"argument\"].",
        exit: Config, retryable: false, acts: Operator,
    }
}

codes! {
    Vault: "The key, or something sealed with it, cannot be used.";

    WrongKey = "vault.wrong_key" {
        meaning: "The database was sealed with another master key.",
        remedy: "Restore the key that it was sealed with, and set `vault.key` to it.",
        exit: Config, retryable: false, acts: Operator,
    }
    AnswerUnopenable = "vault.answer_unopenable" {
        meaning: "The answer to an earlier refresh was kept and cannot be opened: the key that sealed it is missing, or the row is damaged.",
        remedy: "Bring the key back and run `keepfresh plugin replay`, or get a new token with `keepfresh connect` or `keepfresh token set`.",
        exit: Config, retryable: false, acts: Operator,
    }
    UnknownKey = "vault.unknown_key" {
        meaning: "A sealed value names a data key that the keyring does not have.",
        remedy: "Restore the keyring table from a backup of the same time as the value.",
        exit: Config, retryable: false, acts: Operator,
    }
    BadContext = "vault.bad_context" {
        meaning: "A sealed value was changed, or moved from another place.",
        remedy: "Restore the row from a backup.",
        exit: Config, retryable: false, acts: Operator,
    }
    Malformed = "vault.malformed" {
        meaning: "Something sealed is in a form that this version cannot have written.",
        remedy: "Restore the row from a backup, or use the version that wrote it.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeysMissing = "vault.keys_missing" {
        meaning: "The database holds sealed values and no data keys.",
        remedy: "Restore it from a backup: a new key could open nothing.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyMissing = "vault.key_missing" {
        meaning: "There is a database that was sealed, and its key is missing.",
        remedy: "Restore the key: a new one could open nothing.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyInvalid = "vault.key_invalid" {
        meaning: "The place of the master key holds something that is not one.",
        remedy: "Put back the key as `keepfresh init` wrote it.",
        exit: Config, retryable: false, acts: Operator,
    }
    KeyExists = "vault.key_exists" {
        meaning: "A new key would be written over a file that is there.",
        remedy: "Choose another path.",
        exit: Failed, retryable: false, acts: Operator,
    }
    KeyUnwritable = "vault.key_unwritable" {
        meaning: "The file of the new key cannot be written.",
        remedy: "Let the user that runs Keepfresh write to the folder.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Random = "vault.random" {
        meaning: "The operating system gave no random bytes to seal with.",
        remedy: "Try again; if it goes on, look for what forbids `getrandom` to the process.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
