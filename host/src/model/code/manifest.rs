//! The manifest: invalid values, and conflicts between it and a plugin.

use crate::model::code::table::codes;

codes! {
    Manifest: "The manifest is not valid.";

    Unreadable = "manifest.unreadable" {
        meaning: "The manifest does not exist, or cannot be read.",
        remedy: "Create one with `keepfresh init`, select one with `--config`, or correct its permissions.",
        exit: Config, retryable: false, acts: Operator,
    }
    Invalid = "manifest.invalid" {
        meaning: "The manifest, or what it names, has problems, each of which is listed with its place.",
        remedy: "Correct each problem as it says; `keepfresh check` lists them all.",
        exit: Config, retryable: false, acts: Operator,
    }
    Syntax = "manifest.syntax" {
        meaning: "The manifest is not valid TOML.",
        remedy: "Correct the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    DuplicateKey = "manifest.duplicate_key" {
        meaning: "A key appears twice in the same table.",
        remedy: "Remove one of them.",
        exit: Config, retryable: false, acts: Operator,
    }
    UnknownKey = "manifest.unknown_key" {
        meaning: "Neither Keepfresh nor the plugin knows this key.",
        remedy: "Correct the spelling, or remove the key.",
        exit: Config, retryable: false, acts: Operator,
    }
    MissingKey = "manifest.missing_key" {
        meaning: "A required key is missing.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    Type = "manifest.type" {
        meaning: "The value has the wrong type.",
        remedy: "Write the value as the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    Range = "manifest.range" {
        meaning: "The number is too small, too large or too long.",
        remedy: "Write a number in the range that the message gives.",
        exit: Config, retryable: false, acts: Operator,
    }
    Name = "manifest.name" {
        meaning: "The name contains a character that is not allowed.",
        remedy: "Write the name as the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    DuplicateConnection = "manifest.duplicate_connection" {
        meaning: "Two connections of a provider have the same name.",
        remedy: "Rename one of them.",
        exit: Config, retryable: false, acts: Operator,
    }
    Duration = "manifest.duration" {
        meaning: "The value is not a duration, or is out of range.",
        remedy: "Write a number with its unit, such as \"30s\", \"5m\" or \"2d\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Rate = "manifest.rate" {
        meaning: "The value is not a rate.",
        remedy: "Write \"10/s\", \"600/m\" or \"5000/h\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Schedule = "manifest.schedule" {
        meaning: "The value is not a valid cron expression.",
        remedy: "Write five fields: minute, hour, day of the month, month, day of the week.",
        exit: Config, retryable: false, acts: Operator,
    }
    Timezone = "manifest.timezone" {
        meaning: "There is no time zone of this name.",
        remedy: "Write an IANA name, such as \"Asia/Tashkent\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Rotation = "manifest.rotation" {
        meaning: "The value is not a rotation rule.",
        remedy: "Write \"none\", \"strict\", \"until-used\", \"unknown\" or { grace = \"30s\" }.",
        exit: Config, retryable: false, acts: Operator,
    }
    StorageUrl = "manifest.storage_url" {
        meaning: "The value is not a database URL that this version supports.",
        remedy: "Write \"sqlite:\" followed by the path of a file.",
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
    Dashboard = "manifest.dashboard" {
        meaning: "The dashboard is given an issuer, a claim or a group that cannot be one.",
        remedy: "Correct the value as the message says; `docs/dashboard-access.md` has examples.",
        exit: Config, retryable: false, acts: Operator,
    }
    Proxy = "manifest.proxy" {
        meaning: "The proxy of a provider is given an address, a method or a place for the token that it cannot have.",
        remedy: "Correct the value as the message shows; see `docs/proxy.md`.",
        exit: Config, retryable: false, acts: Operator,
    }
    Channel = "manifest.channel" {
        meaning: "A channel, or the heartbeat, has a value that does not fit.",
        remedy: "Write the value as the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    Sink = "manifest.sink" {
        meaning: "A sink has a value that does not fit, or a template that cannot work.",
        remedy: "Write the value as the message shows; see `docs/sinks.md`.",
        exit: Config, retryable: false, acts: Operator,
    }
    Grant = "manifest.grant" {
        meaning: "There is no such grant.",
        remedy: "Write one of the grants that the message lists.",
        exit: Config, retryable: false, acts: Operator,
    }
    Network = "manifest.network" {
        meaning: "The value is not a network in CIDR notation.",
        remedy: "Write an address and a prefix length, such as \"127.0.0.0/8\".",
        exit: Config, retryable: false, acts: Operator,
    }
    Secret = "manifest.secret" {
        meaning: "The value is not a source of a secret.",
        remedy: "Write `{ env = \"NAME\" }`, or another form that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SecretLiteral = "manifest.secret_literal" {
        meaning: "A secret was written into the manifest.",
        remedy: "Write its source instead, and change the secret if other users could read the file.",
        exit: Config, retryable: false, acts: Operator,
    }
    SecretMissing = "manifest.secret_missing" {
        meaning: "The plugin requires a secret that the manifest does not have.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SettingMissing = "manifest.setting_missing" {
        meaning: "The plugin requires a setting that the manifest does not have.",
        remedy: "Add the line that the message shows.",
        exit: Config, retryable: false, acts: Operator,
    }
    SettingInvalid = "manifest.setting_invalid" {
        meaning: "The value of a setting does not make a valid request.",
        remedy: "Correct the setting; `keepfresh provider add NAME` lists those of its plugin.",
        exit: Config, retryable: false, acts: Operator,
    }
    ProviderInvalid = "manifest.provider_invalid" {
        meaning: "A provider's section has several problems with its plugin.",
        remedy: "Fix what `keepfresh check` reports.",
        exit: Config, retryable: false, acts: Operator,
    }
    ProviderMissing = "manifest.provider_missing" {
        meaning: "The connection's provider is not in the manifest.",
        remedy: "Add its section, or remove the connection.",
        exit: Config, retryable: false, acts: Operator,
    }
    NotReloaded = "manifest.not_reloaded" {
        meaning: "The changed manifest has problems, so the daemon keeps using the last valid one.",
        remedy: "Fix what `keepfresh check` reports; the daemon reloads the file automatically.",
        exit: Config, retryable: false, acts: Operator,
    }
}
