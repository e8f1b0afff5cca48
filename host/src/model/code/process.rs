//! The process itself: the daemon, its lock, and what should not happen inside.

use crate::model::code::table::codes;

codes! {
    Daemon: "The daemon failed, or cannot be reached.";

    Unreachable = "daemon.unreachable" {
        meaning: "The daemon does not answer correctly, or a daemon is required and none is running.",
        remedy: "Start the daemon if none is running; run the command as the daemon's user, with the daemon's version.",
        exit: NoDaemon, retryable: true, acts: Operator,
    }
    ForeignUser = "daemon.foreign_user" {
        meaning: "The process at the other end of the socket belongs to a user who is not allowed; nothing was sent.",
        remedy: "Find out who that user is, and remove the socket.",
        exit: NoDaemon, retryable: false, acts: Operator,
    }
    Failed = "daemon.failed" {
        meaning: "The daemon could not start, or did not shut down cleanly.",
        remedy: "Read the message and the log before it.",
        exit: Failed, retryable: true, acts: Operator,
    }
}

codes! {
    Instance: "The lock that allows only one process per database.";

    Locked = "instance.locked" {
        meaning: "Another Keepfresh process is using the database.",
        remedy: "Wait until it has finished, or stop it.",
        exit: Busy, retryable: true, acts: Nobody,
    }
    LockUnusable = "instance.lock_unusable" {
        meaning: "The lock file beside the database cannot be used.",
        remedy: "Give the user that runs Keepfresh permission to write to the database folder.",
        exit: Config, retryable: false, acts: Operator,
    }
}

codes! {
    Init: "The initial files could not be created.";

    Unwritable = "init.unwritable" {
        meaning: "The manifest cannot be written.",
        remedy: "Choose a folder that you may write to, or another file with `--config`.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

codes! {
    Internal: "Something failed inside Keepfresh.";

    Panic = "internal.panic" {
        meaning: "A part of Keepfresh crashed; the others keep running.",
        remedy: "See the log, and please report it.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Stopping = "internal.stopping" {
        meaning: "Keepfresh was stopped before this began.",
        remedy: "Run it again.",
        exit: Failed, retryable: true, acts: Nobody,
    }
    Engine = "internal.engine" {
        meaning: "The WebAssembly engine cannot start.",
        remedy: "Give the process more address space, and allow it to map executable memory.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Runtime = "internal.runtime" {
        meaning: "The process cannot start its threads.",
        remedy: "Increase the limits on threads and open files for this process.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Random = "internal.random" {
        meaning: "The operating system returned no random bytes for a login.",
        remedy: "Try again; if it fails again, check whether `getrandom` is blocked for this process.",
        exit: Failed, retryable: true, acts: Operator,
    }
    NoToken = "internal.no_token" {
        meaning: "A plugin was called without the token that the call needs; nothing was sent.",
        remedy: "Please report it.",
        exit: Failed, retryable: false, acts: Nobody,
    }
    Serialise = "internal.serialise" {
        meaning: "The provider's answer could not be stored before it was read.",
        remedy: "Please report it.",
        exit: Failed, retryable: false, acts: Nobody,
    }
    Callback = "internal.callback" {
        meaning: "The page for the browser's callback stopped too early.",
        remedy: "Connect again.",
        exit: Failed, retryable: true, acts: Person,
    }
}
