//! What people and scripts ask for: commands, logins, connections and files of them.

use crate::model::code::table::codes;

codes! {
    Command: "A command cannot be understood.";

    Unknown = "command.unknown" {
        meaning: "The daemon does not know the command.",
        remedy: "Use the same version for the command and the daemon.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Usage = "usage" {
        meaning: "The command line or the environment says something that cannot be.",
        remedy: "Read the message, and the command's `--help`.",
        exit: Usage, retryable: false, acts: Person,
    }
}

codes! {
    Connection: "A connection is not there, or not to be changed so.";

    Unknown = "connection.unknown" {
        meaning: "There is no such connection.",
        remedy: "Look for its name with `keepfresh connection list`.",
        exit: Failed, retryable: false, acts: Person,
    }
    OfManifest = "connection.of_manifest" {
        meaning: "The connection cannot be removed, because the manifest lists it.",
        remedy: "Take it out there, or forget its tokens with `keepfresh token clear CONNECTION`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

codes! {
    Import: "Connections of a file cannot be added.";

    Unreadable = "import.unreadable" {
        meaning: "The file cannot be read.",
        remedy: "Correct its path or its permissions.",
        exit: Failed, retryable: false, acts: Person,
    }
    BadRows = "import.bad_rows" {
        meaning: "Some rows of the file cannot be read, so nothing was imported.",
        remedy: "Correct the rows, or leave them out with `--skip-bad`.",
        exit: Failed, retryable: false, acts: Person,
    }
}

codes! {
    Connect: "A person's login came to nothing.";

    Unsupported = "connect.unsupported" {
        meaning: "The plugin cannot be connected in this way.",
        remedy: "Do what the message says: it logs in by itself, or takes a token.",
        exit: Failed, retryable: false, acts: Person,
    }
    Denied = "connect.denied" {
        meaning: "The person or the provider did not agree; nothing has changed.",
        remedy: "Connect again and agree; check client, scopes and redirect address if the provider refused.",
        exit: Failed, retryable: false, acts: Person,
    }
    Expired = "connect.expired" {
        meaning: "Nobody came back in time, or the login is over.",
        remedy: "Connect again, and wait longer with `--wait` if need be.",
        exit: Failed, retryable: true, acts: Person,
    }
    Stopped = "connect.stopped" {
        meaning: "The command was stopped before the person came back; nothing was saved.",
        remedy: "Connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
    StateMismatch = "connect.state_mismatch" {
        meaning: "Something came back that belongs to another login; it was not used.",
        remedy: "Connect again, and open only the address that the command shows.",
        exit: Failed, retryable: true, acts: Person,
    }
    IssuerMismatch = "connect.issuer_mismatch" {
        meaning: "What came back comes from another issuer than the one that was asked; it was not used.",
        remedy: "Check the setting `issuer`, then connect again.",
        exit: Failed, retryable: false, acts: Operator,
    }
    CallbackInvalid = "connect.callback_invalid" {
        meaning: "What came back from the provider cannot be understood; nothing was saved.",
        remedy: "Connect again, and report it to the provider if it goes on.",
        exit: Failed, retryable: true, acts: Person,
    }
    NonceMismatch = "connect.nonce_mismatch" {
        meaning: "The provider's id token was made for another login; nothing was saved.",
        remedy: "Connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
    NoRefreshToken = "connect.no_refresh_token" {
        meaning: "The provider gave no refresh token, because the person had agreed before.",
        remedy: "The person is asked anew; if it goes on, take the consent back at the provider and connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
    RedirectInvalid = "connect.redirect_invalid" {
        meaning: "A browser cannot safely come back to this address.",
        remedy: "Use https, or http on this machine alone.",
        exit: Failed, retryable: false, acts: Operator,
    }
    PortTaken = "connect.port_taken" {
        meaning: "The port that the browser comes back to is in use.",
        remedy: "Free it, or name another with `--port`.",
        exit: Failed, retryable: true, acts: Person,
    }
}
