//! What people and scripts ask for: commands, logins, connections and files of them.

use crate::model::code::table::codes;

codes! {
    Command: "A command is not known, or not valid.";

    Unknown = "command.unknown" {
        meaning: "The daemon does not know the command.",
        remedy: "Use the same version for the command and the daemon.",
        exit: Failed, retryable: false, acts: Operator,
    }
    TooLong = "command.too_long" {
        meaning: "The command holds more than a daemon takes at once.",
        remedy: "Give it less: a token is at most a few kilobytes long.",
        exit: Failed, retryable: false, acts: Person,
    }
    Unprinted = "command.unprinted" {
        meaning: "The command was carried out, but its result could not be written to standard output.",
        remedy: "Make room on the disk, or write the result elsewhere; a token can be printed again with `keepfresh token get`.",
        exit: Failed, retryable: true, acts: Person,
    }
    Usage = "usage" {
        meaning: "The command line or the environment is not valid.",
        remedy: "Read the message and the command's `--help`.",
        exit: Usage, retryable: false, acts: Person,
    }
}

codes! {
    Connection: "A connection does not exist, or cannot be changed.";

    Unknown = "connection.unknown" {
        meaning: "There is no connection of this name.",
        remedy: "Look it up with `keepfresh connection list`.",
        exit: Failed, retryable: false, acts: Person,
    }
    ProviderUnknown = "connection.provider_unknown" {
        meaning: "There is no provider of this name, neither in the manifest nor in the database.",
        remedy: "Use the name that the message suggests, or see `keepfresh connection list`.",
        exit: Failed, retryable: false, acts: Person,
    }
    Exists = "connection.exists" {
        meaning: "There is already a connection of this name.",
        remedy: "Choose another name, or change the one that is there.",
        exit: Failed, retryable: false, acts: Person,
    }
    OfManifest = "connection.of_manifest" {
        meaning: "The connection cannot be removed, because it is in the manifest.",
        remedy: "Remove it from the manifest, or delete its tokens with `keepfresh token clear CONNECTION`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

codes! {
    ApiKey: "An API key cannot be made, or is not there.";

    Unknown = "api_key.unknown" {
        meaning: "There is no API key in force with this id or name.",
        remedy: "Look it up with `keepfresh api-key list`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    NameTaken = "api_key.name_taken" {
        meaning: "A key in force already has this name.",
        remedy: "Choose another name, or revoke that key first.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Invalid = "api_key.invalid" {
        meaning: "A key of this kind cannot be made.",
        remedy: "Correct what the message names.",
        exit: Usage, retryable: false, acts: Operator,
    }
}

codes! {
    Import: "A file of connections cannot be imported.";

    Unreadable = "import.unreadable" {
        meaning: "The file cannot be read, or is no text.",
        remedy: "Correct its path or its permissions, or save it as UTF-8.",
        exit: Failed, retryable: false, acts: Person,
    }
    BadColumns = "import.bad_columns" {
        meaning: "The columns of the file are not all understood, so nothing was imported.",
        remedy: "Say what they mean with `--map`, or leave them out with `--ignore`.",
        exit: Failed, retryable: false, acts: Person,
    }
    LaravelKey = "import.laravel_key" {
        meaning: "What was given as the key of a Laravel application is none.",
        remedy: "Name the source of its `APP_KEY`, such as `--laravel-key env:APP_KEY` or `--laravel-key file:.env`.",
        exit: Failed, retryable: false, acts: Person,
    }
    BadRows = "import.bad_rows" {
        meaning: "Some rows of the file are not valid, or not allowed, so nothing was imported.",
        remedy: "Correct these rows, or skip them with `--skip-bad`.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Export: "Connections cannot be exported.";

    Unconfirmed = "export.unconfirmed" {
        meaning: "Nobody has agreed that tokens and secrets are written in clear, so nothing was written.",
        remedy: "Answer the question with `y`, or say `--yes`.",
        exit: Usage, retryable: false, acts: Person,
    }
    Nothing = "export.nothing" {
        meaning: "There is no connection to export.",
        remedy: "See `keepfresh connection list`.",
        exit: Failed, retryable: false, acts: Person,
    }
    Exists = "export.exists" {
        meaning: "The file exists already, and is not overwritten.",
        remedy: "Name another file.",
        exit: Failed, retryable: false, acts: Person,
    }
    Unwritable = "export.unwritable" {
        meaning: "The file cannot be written; nothing is left of it.",
        remedy: "Name a file in a folder that you may write to, with enough space.",
        exit: Failed, retryable: false, acts: Person,
    }
    Unfit = "export.unfit" {
        meaning: "A value cannot be written in this format so that it is read back the same.",
        remedy: "Use `--format jsonl`.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Connect: "A login was not completed.";

    Unsupported = "connect.unsupported" {
        meaning: "The plugin does not support this way to log in.",
        remedy: "Do what the message says: the plugin logs in by itself, or takes a token.",
        exit: Failed, retryable: false, acts: Person,
    }
    Denied = "connect.denied" {
        meaning: "The person denied access, or the provider refused the login; nothing has changed.",
        remedy: "Do what the message says; it repeats what the provider says, if it says anything.",
        exit: Failed, retryable: false, acts: Person,
    }
    Expired = "connect.expired" {
        meaning: "The login was not completed in time.",
        remedy: "Connect again, and wait longer with `--wait` if necessary.",
        exit: Failed, retryable: true, acts: Person,
    }
    Stopped = "connect.stopped" {
        meaning: "The command was stopped before the login was completed.",
        remedy: "Connect again; if it was stopped while the login was being stored, look at `keepfresh status` first.",
        exit: Failed, retryable: true, acts: Person,
    }
    StateMismatch = "connect.state_mismatch" {
        meaning: "The callback belongs to another login and was not used.",
        remedy: "Connect again, and open only the URL that the command prints.",
        exit: Failed, retryable: true, acts: Person,
    }
    IssuerMismatch = "connect.issuer_mismatch" {
        meaning: "The callback comes from another issuer than expected and was not used.",
        remedy: "Check the setting `issuer`, then connect again.",
        exit: Failed, retryable: false, acts: Operator,
    }
    CallbackInvalid = "connect.callback_invalid" {
        meaning: "The provider's callback is not valid; nothing was saved.",
        remedy: "Connect again; if it happens again, report it to the provider.",
        exit: Failed, retryable: true, acts: Person,
    }
    NonceMismatch = "connect.nonce_mismatch" {
        meaning: "The provider's ID token does not belong to this login, or does not say so; nothing was saved.",
        remedy: "Connect again; for a provider whose ID tokens never have a nonce, set `nonce = \"none\"`.",
        exit: Failed, retryable: true, acts: Person,
    }
    NoRefreshToken = "connect.no_refresh_token" {
        meaning: "The provider gave no refresh token, because the person had agreed before.",
        remedy: "The person is asked for consent again; if that does not help, revoke the access at the provider and connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
    OtherAccount = "connect.other_account" {
        meaning: "The person logged in as another account than the one that is connected; nothing has changed.",
        remedy: "Log in as the account of before, allow the other one with `--other-account`, or connect it under a name of its own.",
        exit: Failed, retryable: false, acts: Person,
    }
    NoUrl = "connect.no_url" {
        meaning: "A link for a person cannot be made, because nobody knows where browsers reach this server.",
        remedy: "Set `server.url` in the manifest, and register its `/connect/callback` at the provider.",
        exit: Failed, retryable: false, acts: Operator,
    }
    ReturnTo = "connect.return_to" {
        meaning: "The address to return to after a login is not in the manifest.",
        remedy: "Add it to `server.return_to`, or use one that is there.",
        exit: Failed, retryable: false, acts: Operator,
    }
    RedirectInvalid = "connect.redirect_invalid" {
        meaning: "The redirect URI is not safe.",
        remedy: "Use https, or http on loopback.",
        exit: Failed, retryable: false, acts: Operator,
    }
    PortTaken = "connect.port_taken" {
        meaning: "The port of the redirect URI is already in use.",
        remedy: "Free the port, or choose another with `--port`.",
        exit: Failed, retryable: true, acts: Person,
    }
}
