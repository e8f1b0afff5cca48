//! The manifest: what it says that cannot be, and what does not fit between it and a plugin.

use crate::model::code::table::codes;

codes! {
    Manifest: "The manifest cannot be used as it is.";

    Unreadable = "manifest.unreadable" {
        meaning: "The manifest is not there, or cannot be read.",
        remedy: "Write one with `keepfresh init`, name it with `--config`, or correct its permissions.",
        exit: Config, retryable: false, acts: Operator,
    }
    Syntax = "manifest.syntax" {
        meaning: "The manifest is not valid TOML.",
        remedy: "Correct the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    DuplicateKey = "manifest.duplicate_key" {
        meaning: "A key stands twice in the same table.",
        remedy: "Keep one of them.",
        exit: Config, retryable: false, acts: Operator,
    }
    UnknownKey = "manifest.unknown_key" {
        meaning: "Neither Keepfresh nor the plugin knows this key.",
        remedy: "Correct its spelling, or remove it.",
        exit: Config, retryable: false, acts: Operator,
    }
    MissingKey = "manifest.missing_key" {
        meaning: "A key that must be there is missing.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    NotYet = "manifest.not_yet" {
        meaning: "The section belongs to a later version of Keepfresh.",
        remedy: "Remove it until then.",
        exit: Config, retryable: false, acts: Operator,
    }
    Type = "manifest.type" {
        meaning: "The value is of another kind than the key takes.",
        remedy: "Write it as the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    Range = "manifest.range" {
        meaning: "The number is too small, too large or too long.",
        remedy: "Write a number that the message allows.",
        exit: Config, retryable: false, acts: Operator,
    }
    Name = "manifest.name" {
        meaning: "The name has characters in it that names do not have.",
        remedy: "Write it as the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    DuplicateConnection = "manifest.duplicate_connection" {
        meaning: "Two connections of a provider have the same name.",
        remedy: "Give one of them another name.",
        exit: Config, retryable: false, acts: Operator,
    }
    Duration = "manifest.duration" {
        meaning: "The value is not a length of time, or not one that the key takes.",
        remedy: "Write a number with its unit, such as \"30s\", \"5m\" or \"2d\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Rate = "manifest.rate" {
        meaning: "The value is not a number of requests in a time.",
        remedy: "Write \"10/s\", \"600/m\" or \"5000/h\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Schedule = "manifest.schedule" {
        meaning: "The value is not a cron expression.",
        remedy: "Write five fields: minute, hour, day of the month, month, day of the week.",
        exit: Config, retryable: false, acts: Operator,
    }
    Timezone = "manifest.timezone" {
        meaning: "There is no time zone of this name.",
        remedy: "Write a name of the IANA database, such as \"Asia/Tashkent\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Rotation = "manifest.rotation" {
        meaning: "The value is not a rule of rotation.",
        remedy: "Write \"none\", \"strict\", \"until-used\", \"unknown\" or { grace = \"30s\" }.",
        exit: Config, retryable: false, acts: Operator,
    }
    StorageUrl = "manifest.storage_url" {
        meaning: "The value is not the URL of a database that this version can use.",
        remedy: "Write \"sqlite:\" and the path of a file.",
        exit: Config, retryable: false, acts: Operator,
    }
    Path = "manifest.path" {
        meaning: "The path is empty.",
        remedy: "Write the path of a folder, such as \"plugins\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Listen = "manifest.listen" {
        meaning: "The value is not an IP address with a port.",
        remedy: "Write \"127.0.0.1:7420\", or \"[::1]:7420\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Grant = "manifest.grant" {
        meaning: "There is no such grant.",
        remedy: "Write one of those that the message lists.",
        exit: Config, retryable: false, acts: Operator,
    }
    Network = "manifest.network" {
        meaning: "The value is not a network.",
        remedy: "Write an address and a size, such as \"127.0.0.0/8\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Secret = "manifest.secret" {
        meaning: "The value does not say where a secret is.",
        remedy: "Write `{ env = \"NAME\" }`, or another form that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SecretLiteral = "manifest.secret_literal" {
        meaning: "A secret was written into the manifest.",
        remedy: "Write where it is instead, and change the secret if others could read the file.",
        exit: Config, retryable: false, acts: Operator,
    }
    SecretMissing = "manifest.secret_missing" {
        meaning: "The plugin needs a secret that the manifest does not name.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SettingMissing = "manifest.setting_missing" {
        meaning: "The plugin needs a setting that the manifest does not have.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SettingInvalid = "manifest.setting_invalid" {
        meaning: "No request can be made of a setting's value.",
        remedy: "Correct the setting; `keepfresh plugin list` shows what it is for.",
        exit: Config, retryable: false, acts: Operator,
    }
    ProviderInvalid = "manifest.provider_invalid" {
        meaning: "Several things do not fit between a provider's section and its plugin.",
        remedy: "Correct what `keepfresh check` shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    ProviderMissing = "manifest.provider_missing" {
        meaning: "The connection's provider is not in the manifest.",
        remedy: "Add its section, or remove the connection.",
        exit: Config, retryable: false, acts: Operator,
    }
    NotReloaded = "manifest.not_reloaded" {
        meaning: "The changed manifest has problems, so the daemon goes on with the last good one.",
        remedy: "Correct what `keepfresh check` shows; the daemon reads the file again by itself.",
        exit: Config, retryable: false, acts: Operator,
    }
}
