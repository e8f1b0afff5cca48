//! The process itself: the daemon, its lock, and what should not happen inside.

use crate::model::code::table::codes;

codes! {
    Daemon: "The daemon, or the way to it.";

    Unreachable = "daemon.unreachable" {
        meaning: "The daemon is there and does not answer as it should, or is not there and is needed.",
        remedy: "Run the command as the daemon's user, with the daemon's version, and again once it is up.",
        exit: NoDaemon, retryable: true, acts: Operator,
    }
    ForeignUser = "daemon.foreign_user" {
        meaning: "The socket is answered, or was asked, by a user who may not; nothing was sent.",
        remedy: "Find out who that is, and remove the socket.",
        exit: NoDaemon, retryable: false, acts: Operator,
    }
    Failed = "daemon.failed" {
        meaning: "The daemon could not start, or did not stop in order.",
        remedy: "Read the message and the log before it.",
        exit: Failed, retryable: true, acts: Operator,
    }
}

codes! {
    Instance: "The lock that keeps two processes from one database.";

    Locked = "instance.locked" {
        meaning: "Another Keepfresh works on the database.",
        remedy: "Wait for it, or stop it.",
        exit: Busy, retryable: true, acts: Nobody,
    }
    LockUnusable = "instance.lock_unusable" {
        meaning: "The lock file beside the database cannot be used.",
        remedy: "Let the user that runs Keepfresh write to the folder of the database.",
        exit: Config, retryable: false, acts: Operator,
    }
}

codes! {
    Init: "The first files could not be made.";

    Unwritable = "init.unwritable" {
        meaning: "The manifest cannot be written.",
        remedy: "Choose a folder that you may write to, or name a file with `--config`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

codes! {
    Internal: "Something failed inside Keepfresh.";

    Panic = "internal.panic" {
        meaning: "A part of Keepfresh failed in a way that it should not; the others go on.",
        remedy: "See the log, and please report it.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Stopping = "internal.stopping" {
        meaning: "Keepfresh was told to stop before this began.",
        remedy: "Run it again.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Engine = "internal.engine" {
        meaning: "The engine that runs plugins cannot start.",
        remedy: "Give the process more address space, and let it map executable memory.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Runtime = "internal.runtime" {
        meaning: "The process cannot start its threads.",
        remedy: "Raise the limit of threads or of open files for the process.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Random = "internal.random" {
        meaning: "The operating system gave no random bytes for a login.",
        remedy: "Try again; if it goes on, look for what forbids `getrandom` to the process.",
        exit: Failed, retryable: true, acts: Operator,
    }
    NoToken = "internal.no_token" {
        meaning: "A plugin was asked to work on a token that is not there; nothing was sent.",
        remedy: "Please report it.",
        exit: Failed, retryable: false, acts: Nobody,
    }
    Serialise = "internal.serialise" {
        meaning: "An answer of the provider could not be written down before it was read.",
        remedy: "Please report it.",
        exit: Failed, retryable: false, acts: Nobody,
    }
    Callback = "internal.callback" {
        meaning: "The page that a browser comes back to ended too early.",
        remedy: "Connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
}
