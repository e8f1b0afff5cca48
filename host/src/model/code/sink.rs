//! Why what is current was not delivered.

use crate::model::code::table::codes;

codes! {
    Sink: "A sink could not deliver what is current of a connection.";

    Unknown = "sink.unknown" {
        meaning: "The manifest has no sink of this name, or the sink does not deliver this connection.",
        remedy: "List the sinks with `keepfresh sink list`.",
        exit: Usage, retryable: false, acts: Person,
    }
    Template = "sink.template" {
        meaning: "A template of the sink cannot be evaluated for this connection.",
        remedy: "Correct the template as the message says; a value that may be missing needs a default.",
        exit: Failed, retryable: false, acts: Operator,
    }
    ValueRefused = "sink.value_refused" {
        meaning: "A value would be taken for something else where the template prints it, such as a line break in a file of lines.",
        remedy: "Print it with the filter that the message names.",
        exit: Failed, retryable: false, acts: Operator,
    }
    PlaceTaken = "sink.place_taken" {
        meaning: "Another connection is delivered to the same file.",
        remedy: "Name both `{{ provider }}` and `{{ name }}` in the path of the file.",
        exit: Failed, retryable: false, acts: Operator,
    }
    FolderMissing = "sink.folder_missing" {
        meaning: "The folder of the file does not exist.",
        remedy: "Create it, owned by the user of the daemon and closed to others.",
        exit: Failed, retryable: true, acts: Operator,
    }
    FileRefused = "sink.file_refused" {
        meaning: "The file could not be written: the folder is read-only, or belongs to another user.",
        remedy: "Give the user of the daemon the right to write in the folder; a systemd unit also needs `ReadWritePaths=`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    DiskFull = "sink.disk_full" {
        meaning: "There is no room for the file.",
        remedy: "Free some space; the file is written again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    File = "sink.file" {
        meaning: "The file could not be written.",
        remedy: "Correct what the message says; the file is written again by itself.",
        exit: Failed, retryable: true, acts: Operator,
    }
    Owner = "sink.owner" {
        meaning: "The file cannot be given to the user or the group that the sink names.",
        remedy: "Name a user and a group of this machine; only root may give a file to another user.",
        exit: Failed, retryable: true, acts: Operator,
    }
    CommandMissing = "sink.command_missing" {
        meaning: "The command of a sink could not be started.",
        remedy: "Check its path and that Keepfresh's user may run it.",
        exit: Failed, retryable: true, acts: Operator,
    }
    CommandFailed = "sink.command_failed" {
        meaning: "The command of a sink ended with another exit code than 0.",
        remedy: "Run it as Keepfresh's user with only PATH, HOME, USER, LANG and XDG_* in the environment to see why.",
        exit: Failed, retryable: true, acts: Operator,
    }
    CommandTimeout = "sink.command_timeout" {
        meaning: "The command of a sink took longer than its `timeout` and was killed.",
        remedy: "Find out what it waits for, or give it a longer `timeout`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    WebhookStatus = "sink.webhook_status" {
        meaning: "The receiver of a sink answered with a status that is no success.",
        remedy: "Look into the receiver's log; it is sent again, at least every hour.",
        exit: Failed, retryable: true, acts: Operator,
    }
    WebhookRedirect = "sink.webhook_redirect" {
        meaning: "The receiver of a sink answered with a redirect, which is not followed.",
        remedy: "Write the address that it leads to into the manifest.",
        exit: Failed, retryable: false, acts: Operator,
    }
    WebhookGone = "sink.webhook_gone" {
        meaning: "The receiver of a sink answered with 410: it wants nothing any more.",
        remedy: "Correct its address, or remove the sink.",
        exit: Failed, retryable: false, acts: Operator,
    }
    WebhookUrl = "sink.webhook_url" {
        meaning: "The URL of a sink's webhook, read from its source, is not an http or https URL.",
        remedy: "Correct what its source holds.",
        exit: Config, retryable: false, acts: Operator,
    }
    WebhookSecret = "sink.webhook_secret" {
        meaning: "The secret that a sink signs with is not `whsec_` and base64 of 24 to 64 bytes.",
        remedy: "Use the secret as the receiver shows it, or make one with `openssl rand -base64 32` and `whsec_` before it.",
        exit: Config, retryable: false, acts: Operator,
    }
    DatabaseUrl = "sink.database_url" {
        meaning: "The URL of a sink's database is not one of PostgreSQL, MySQL or SQLite.",
        remedy: "Write `postgres://USER:PASSWORD@HOST/DATABASE`, `mysql://...`, or `sqlite:` with an absolute path into its source.",
        exit: Config, retryable: false, acts: Operator,
    }
    DatabaseUnreachable = "sink.database_unreachable" {
        meaning: "The database of a sink could not be reached.",
        remedy: "Check that it runs, and host, port or path of its URL; it is tried again, at least every hour.",
        exit: Failed, retryable: true, acts: Operator,
    }
    DatabaseTls = "sink.database_tls" {
        meaning: "No TLS was agreed on with the database of a sink, and it is on another machine.",
        remedy: "Turn TLS on in the database, name its authority with `sslrootcert` (`ssl-ca` for MySQL) in the URL, or write `sslmode` there.",
        exit: Failed, retryable: false, acts: Operator,
    }
    DatabaseLogin = "sink.database_login" {
        meaning: "The database of a sink does not accept the user, the password, or the name of the database.",
        remedy: "Correct the URL in its source, or the user in the database.",
        exit: Failed, retryable: false, acts: Operator,
    }
    DatabaseDenied = "sink.database_denied" {
        meaning: "The user of a sink's database may not write to the table, or nobody may now.",
        remedy: "Grant `select`, `update` and `insert` on the table, and use the primary and not a replica.",
        exit: Failed, retryable: false, acts: Operator,
    }
    DatabaseBusy = "sink.database_busy" {
        meaning: "The row or the table of a sink was in use by somebody else for too long.",
        remedy: "Look for long transactions in the database; it is tried again, at least every hour.",
        exit: Failed, retryable: true, acts: Operator,
    }
    DatabaseFailed = "sink.database_failed" {
        meaning: "The database of a sink refused a row for a reason that Keepfresh does not know.",
        remedy: "Look up the code that the message names, and look into the database's log.",
        exit: Failed, retryable: true, acts: Operator,
    }
    TableMissing = "sink.table_missing" {
        meaning: "The database of a sink has no such table, or its user cannot see it.",
        remedy: "Correct `table`, with its schema and a dot before it if it has another one, or grant the user access.",
        exit: Failed, retryable: false, acts: Operator,
    }
    ColumnMissing = "sink.column_missing" {
        meaning: "The table of a sink has no such column.",
        remedy: "Correct the name of the column in the manifest, or add the column to the table.",
        exit: Failed, retryable: false, acts: Operator,
    }
    RowMissing = "sink.row_missing" {
        meaning: "No row of the table has the key of the connection.",
        remedy: "Check `key`, wait until the application has made the row, or write `insert = true`.",
        exit: Failed, retryable: true, acts: Operator,
    }
    RowsMany = "sink.rows_many" {
        meaning: "Several rows of the table have the key of the connection, and none was changed.",
        remedy: "Name columns in `key` that belong to one row only.",
        exit: Failed, retryable: false, acts: Operator,
    }
    RowKey = "sink.row_key" {
        meaning: "A column of the key has no value for the connection.",
        remedy: "Name something in `key` that each connection has, such as `{{ name }}`.",
        exit: Failed, retryable: false, acts: Operator,
    }
    RowRefused = "sink.row_refused" {
        meaning: "A constraint of the table refuses the row.",
        remedy: "Write what the constraint asks for into the sink, or change the constraint that the message names.",
        exit: Failed, retryable: false, acts: Operator,
    }
    RowValue = "sink.row_value" {
        meaning: "A value does not fit into its column.",
        remedy: "Compare the type of the column with what its template gives.",
        exit: Failed, retryable: false, acts: Operator,
    }
}

impl Sink {
    /// Whether it is about one connection, so that nothing follows from it for the others of the sink.
    pub fn is_of_one(self) -> bool {
        matches!(
            self,
            Self::Unknown
                | Self::Template
                | Self::ValueRefused
                | Self::PlaceTaken
                | Self::RowMissing
                | Self::RowsMany
                | Self::RowKey
                | Self::RowRefused
                | Self::RowValue
        )
    }
}
