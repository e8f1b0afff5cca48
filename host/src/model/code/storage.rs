//! The database.

use crate::model::code::table::codes;

codes! {
    Storage: "The database could not be read or written.";

    Unavailable = "storage.unavailable" {
        meaning: "The database cannot be opened or created.",
        remedy: "Check the folder and its permissions.",
        exit: Config, retryable: false, acts: Operator,
    }
    Damaged = "storage.damaged" {
        meaning: "The file is not a database, or is damaged.",
        remedy: "Restore it from a backup.",
        exit: Config, retryable: false, acts: Operator,
    }
    SchemaNewer = "storage.schema_newer" {
        meaning: "The database was written by a newer version of Keepfresh.",
        remedy: "Install that version, or restore an older backup.",
        exit: Config, retryable: false, acts: Operator,
    }
    MigrationFailed = "storage.migration_failed" {
        meaning: "The database could not be migrated; it is unchanged.",
        remedy: "Check disk space and permissions, then start again.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Full = "storage.full" {
        meaning: "The disk of the database is full.",
        remedy: "Free some space.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ReadOnly = "storage.read_only" {
        meaning: "The database is read-only.",
        remedy: "Check its permissions and the mount.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Busy = "storage.busy" {
        meaning: "The database is locked: another process has held the write lock for too long.",
        remedy: "Try again; look for programs that keep a write transaction open.",
        exit: Busy, retryable: true, acts: Nobody,
    }
    IoError = "storage.io_error" {
        meaning: "The disk or the file system failed while reading or writing the database.",
        remedy: "Check the disk.",
        exit: Failed, retryable: true, acts: Operator,
    }
    RowUnreadable = "storage.row_unreadable" {
        meaning: "One row of the database cannot be read; it is left unchanged, and the others are not affected.",
        remedy: "Restore the row from a backup, or remove the connection and add it again.",
        exit: Person, retryable: false, acts: Operator,
    }
    WriterGone = "storage.writer_gone" {
        meaning: "A thread that writes to the database or reads from it has stopped, so nothing can be stored, and the daemon exits.",
        remedy: "Start Keepfresh again, and report the log lines before this error.",
        exit: Failed, retryable: true, acts: Operator,
    }
    AnswerHeld = "storage.answer_held" {
        meaning: "A provider's answer has arrived but cannot be stored; it is held in memory, and nothing else is sent for that connection meanwhile.",
        remedy: "Make the disk writable before Keepfresh exits: free some space, or stop the process that holds the write lock.",
        exit: Failed, retryable: true, acts: Operator,
    }
    AnswerLost = "storage.answer_lost" {
        meaning: "Keepfresh was stopped before an answer that it held in memory could be stored.",
        remedy: "Check `keepfresh status`, and connect the connection again if it needs a person.",
        exit: Failed, retryable: false, acts: Operator,
    }
    AnswerUnreadable = "storage.answer_unreadable" {
        meaning: "A file beside the database that should hold a provider's answer cannot be read.",
        remedy: "Check its permissions; Keepfresh does not touch the file.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Failed = "storage.failed" {
        meaning: "The database reported another error.",
        remedy: "Read the message; if it happens again, restore a backup and report it.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
