//! The database.

use crate::model::code::table::codes;

codes! {
    Storage: "The database could not do what was asked.";

    Unavailable = "storage.unavailable" {
        meaning: "The database cannot be opened or made.",
        remedy: "Check the folder and its permissions.",
        exit: Config, retryable: false, acts: Operator,
    }
    Damaged = "storage.damaged" {
        meaning: "The file is not a database, or is damaged.",
        remedy: "Restore it from a backup.",
        exit: Config, retryable: false, acts: Operator,
    }
    SchemaNewer = "storage.schema_newer" {
        meaning: "A newer version of Keepfresh has changed the database.",
        remedy: "Install that version, or restore a backup from before.",
        exit: Config, retryable: false, acts: Operator,
    }
    MigrationFailed = "storage.migration_failed" {
        meaning: "The database could not be brought up to date; it is as it was before.",
        remedy: "Check disk space and permissions, then start again.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Full = "storage.full" {
        meaning: "The disk of the database is full.",
        remedy: "Free some space.",
        exit: Failed, retryable: true, acts: Operator,
    }
    ReadOnly = "storage.read_only" {
        meaning: "The database cannot be written.",
        remedy: "Check its permissions and the mount.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Busy = "storage.busy" {
        meaning: "Another process has held the database's write lock for too long.",
        remedy: "Try again; look for programs that keep the file open for writing.",
        exit: Busy, retryable: true, acts: Nobody,
    }
    IoError = "storage.io_error" {
        meaning: "The disk or the file system failed while the database was read or written.",
        remedy: "Check the disk.",
        exit: Failed, retryable: true, acts: Operator,
    }
    RowUnreadable = "storage.row_unreadable" {
        meaning: "One row of the database cannot be understood; the others can.",
        remedy: "Restore the row from a backup.",
        exit: Failed, retryable: false, acts: Operator,
    }
    AnswerHeld = "storage.answer_held" {
        meaning: "A provider's answer is here and cannot be stored; it is held in memory, and nothing is sent for that connection meanwhile.",
        remedy: "Make the disk writable before keepfresh ends: free some space, or end what holds the write lock.",
        exit: Failed, retryable: true, acts: Operator,
    }
    AnswerLost = "storage.answer_lost" {
        meaning: "Keepfresh was stopped before an answer that it held in memory could be stored.",
        remedy: "If the connection needs a person now, connect it again.",
        exit: Failed, retryable: false, acts: Operator,
    }
    AnswerUnreadable = "storage.answer_unreadable" {
        meaning: "A file beside the database that should hold an answer cannot be read.",
        remedy: "Check its permissions; keepfresh leaves it where it is.",
        exit: Failed, retryable: false, acts: Operator,
    }
    Failed = "storage.failed" {
        meaning: "The database reported something else.",
        remedy: "Read the message; if it goes on, restore a backup and report it.",
        exit: Failed, retryable: true, acts: Operator,
    }
}
