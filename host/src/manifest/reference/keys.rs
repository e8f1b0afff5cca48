//! The table of keys. Text for people stands here and nowhere else.

use crate::manifest::reference::Section::{
    Alerts, Channel, Connection, Dashboard, Egress, Heartbeat, Oidc, Plugins, Provider, Proxy,
    Retry, Root, Server, Sink, SinkSql, SinkWebhook, Storage, Tls, Vault,
};
use crate::manifest::reference::{Key, Kind, Usual};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// Makes the table; each key is a block of its own.
macro_rules! keys {
    ($($section:ident . $name:literal: $kind:expr, $usual:expr;
       $meaning:literal;
       $example:literal;)+) => {
        pub(super) const KEYS: &[Key] = &[$(Key {
            section: $section,
            name: $name,
            kind: $kind,
            usual: $usual,
            meaning: $meaning,
            example: $example,
        }),+];
    };
}

use Usual::{Required, Value, Words};

keys! {
    Root."storage": Kind::Table(Storage), Words("all defaults");
        "Where tokens are stored.";
        "{ url = \"sqlite:keepfresh.db\" }";
    Root."vault": Kind::Table(Vault), Words("all defaults");
        "Where the key is that encrypts every token.";
        "{ key = \"file:keepfresh.key\" }";
    Root."plugins": Kind::Table(Plugins), Words("all defaults");
        "Where plugins are.";
        "{ dir = \"plugins\" }";
    Root."server": Kind::Table(Server), Words("all defaults");
        "Where the HTTP API listens.";
        "{ listen = \"127.0.0.1:7420\" }";
    Root."dashboard": Kind::Table(Dashboard), Words("all defaults");
        "Pages for people, at `/ui/` of the HTTP API.";
        "{ enabled = false }";
    Root."providers": Kind::Named(Provider), Words("none");
        "One table for each provider. Its name is the first part of a connection's id.";
        "{ eskiz = {} }";
    Root."alerts": Kind::Table(Alerts), Words("all defaults");
        "What holds for all channels.";
        "{ critical_within = \"2h\" }";
    Root."channels": Kind::Tables(Channel), Words("none");
        "Who is told when something is wrong, and when it is over.";
        "[{ kind = \"slack\", url = { env = \"SLACK_URL\" } }]";
    Root."sinks": Kind::Tables(Sink), Words("none");
        "Where tokens are delivered to, as they are now: files, programs, addresses, tables.";
        "[{ connection = \"eskiz\", file = \"/run/keepfresh/eskiz.env\", template = \"ESKIZ_TOKEN={{ token }}\\n\" }]";
    Root."heartbeat": Kind::Table(Heartbeat), Words("none");
        "A sign of life for a service that notices when it does not come.";
        "{ url = { env = \"HEARTBEAT_URL\" } }";

    Storage."url": Kind::Database, Value("\"sqlite:keepfresh.db\"");
        "The file of the database. It must be on a local disk. The daemon's socket is beside it, with the ending `.sock`.";
        "\"sqlite:/var/lib/keepfresh/keepfresh.db\"";

    Storage."retention": Kind::Time(DAY, 10 * YEAR), Value("\"30d\"");
        "How long attempts, events and the audit log are kept. Statistics know longer how refreshes went.";
        "\"90d\"";

    Vault."key": Kind::VaultKey, Value("\"file:keepfresh.key\"");
        "Where the key is, never the key itself. As text: `file:PATH`, `env:NAME`, `credential:NAME` or `exec:[\"COMMAND\"]`. Without the key the tokens are lost.";
        "{ credential = \"keepfresh-key\" }";

    Plugins."dir": Kind::Path, Value("\"plugins\"");
        "The folder of plugins. It is watched: a `.wasm` file that is put there can be used at once.";
        "\"/usr/lib/keepfresh/plugins\"";

    Server."listen": Kind::Address, Words("none: only the socket beside the database answers");
        "Where the HTTP API listens. An address that other machines reach needs `tls` or `behind_proxy`.";
        "\"127.0.0.1:7420\"";
    Server."hosts": Kind::Hosts, Words("none");
        "Names that it is called by, besides its address and `localhost`. Requests under other names are refused.";
        "[\"keepfresh.internal\"]";
    Server."behind_proxy": Kind::Boolean, Value("false");
        "Whether a proxy in front has TLS. Then the last address in `X-Forwarded-For` is the caller's.";
        "true";
    Server."tls": Kind::Table(Tls), Words("none");
        "The certificate. Its files are read again when they change.";
        "{ certificate = \"cert.pem\", key = \"key.pem\" }";
    Server."url": Kind::Url, Words("none: no links can be made");
        "Where browsers reach this server, for links by which people connect accounts.";
        "\"https://keepfresh.example.com\"";
    Server."return_to": Kind::Urls, Words("none");
        "Where a person may be sent after connecting an account.";
        "[\"https://app.example.com/settings\"]";

    Tls."certificate": Kind::File, Required;
        "The certificate in PEM form, with those between it and its authority behind it.";
        "\"cert.pem\"";
    Tls."key": Kind::File, Required;
        "Its private key in PEM form.";
        "\"key.pem\"";

    Dashboard."enabled": Kind::Boolean, Value("true");
        "Whether there are pages for people where `server.listen` says.";
        "false";
    Dashboard."oidc": Kind::Table(Oidc), Words("none: people log in with passwords of their own");
        "A provider of OpenID Connect that logs people in, besides passwords. See `docs/dashboard-access.md`.";
        "{ issuer = \"https://id.example.com\", client_id = \"keepfresh\", operators = [\"ops\"] }";

    Oidc."issuer": Kind::Text, Required;
        "The issuer, exactly as its discovery document says it. Register `SERVER_URL/ui/login/openid/callback` there.";
        "\"https://id.example.com\"";
    Oidc."client_id": Kind::Text, Required;
        "How the provider knows this installation.";
        "\"keepfresh\"";
    Oidc."client_secret": Kind::Secret, Words("none: a public client");
        "What the provider knows it by.";
        "{ env = \"OIDC_CLIENT_SECRET\" }";
    Oidc."scopes": Kind::Texts, Value("[\"openid\", \"profile\"]");
        "What is asked for. Some providers need one more to send groups.";
        "[\"openid\", \"profile\", \"groups\"]";
    Oidc."groups_claim": Kind::Text, Value("\"groups\"");
        "The claim of the ID token that lists the groups of a person. A dot leads into an object.";
        "\"realm_access.roles\"";
    Oidc."name_claim": Kind::Text, Value("\"preferred_username\"");
        "The claim that an account gets its name from. It is a name alone: who a person is, issuer and subject say.";
        "\"email\"";
    Oidc."operators": Kind::Texts, Words("none; one of `operators` and `viewers` is needed");
        "Groups whose people may do everything.";
        "[\"keepfresh-operators\"]";
    Oidc."viewers": Kind::Texts, Words("none");
        "Groups whose people may look, and change nothing.";
        "[\"keepfresh-viewers\"]";
    Oidc."egress": Kind::Table(Egress), Words("public addresses over `https` alone");
        "Addresses that are refused otherwise; see `[providers.NAME.egress]`.";
        "{ networks = [\"10.0.0.0/8\"] }";

    Provider."plugin": Kind::Name, Words("NAME");
        "The plugin's file in the plugin folder, without `.wasm`.";
        "\"oauth2\"";
    Provider."schedule": Kind::Cron, Words("the plugin's own schedule; if it has none, two thirds of a token's lifetime decide");
        "When tokens are refreshed that would not live until the tick after it. The expiry overrides it.";
        "\"0 2 */10 * *\"";
    Provider."backup_schedule": Kind::Cron, Words("none: every 15 minutes");
        "When refreshes are tried again that have failed, after the retries.";
        "\"30 6,18 * * *\"";
    Provider."timezone": Kind::Zone, Value("\"UTC\"");
        "The time zone of both schedules, and of the plugin's own.";
        "\"Asia/Tashkent\"";
    Provider."refresh_before": Kind::Time(0, YEAR), Words("`5m` with a schedule, else a third of a token's lifetime");
        "How long before its expiry a token is refreshed at the latest. Never more than a third of its lifetime: `check` says where that is less than this. Tokens that expire together are refreshed apart: each up to a quarter of this time earlier.";
        "\"2d\"";
    Provider."retry": Kind::Table(Retry), Words("all defaults");
        "How often a provider that is down is asked again.";
        "{ attempts = 3, backoff = \"60s\" }";
    Provider."timeout": Kind::Time(1, 60), Value("\"30s\"");
        "How long one call of the plugin may take, with all its requests.";
        "\"45s\"";
    Provider."jitter": Kind::Time(0, HOUR), Value("\"30s\"");
        "The window after a tick over which refreshes are spread.";
        "\"5m\"";
    Provider."concurrency": Kind::Count(1, 1024, "at a time"), Value("8");
        "The most refreshes at a time. More than 480 count as 480: no provider takes all the places where plugins run.";
        "16";
    Provider."rate": Kind::Rate, Words("no limit");
        "The most requests in a stretch of time, in every such stretch.";
        "\"50/s\"";
    Provider."settings": Kind::Settings, Words("those of the plugin");
        "Values for the plugin: texts, whole numbers, `true` or `false`. `keepfresh provider add NAME` lists them.";
        "{ base_url = \"https://notify.eskiz.uz\" }";
    Provider."secrets": Kind::Secrets, Words("none");
        "Where the plugin's secrets are, never the secrets themselves. `keepfresh provider add NAME` lists them.";
        "{ email = { env = \"ESKIZ_EMAIL\" }, password = { file = \"/run/secrets/eskiz\" } }";
    Provider."egress": Kind::Table(Egress), Words("public addresses over `https` alone");
        "Addresses that are refused otherwise.";
        "{ networks = [\"127.0.0.0/8\"], plaintext = true }";
    Provider."grants": Kind::Grants, Value("[]");
        "What the plugin may do beyond what every plugin may: `reveal` shows it secrets in plain text, `memory:256MiB` gives it more memory than 64 MiB.";
        "[\"memory:256MiB\"]";
    Provider."rotation": Kind::Rotation, Words("what the plugin says");
        "What the provider does with a used refresh token, where the plugin is wrong: `\"none\"`, `\"until-used\"`, `\"strict\"`, `\"unknown\"` or `{ grace = \"30s\" }`.";
        "{ grace = \"30s\" }";
    Provider."fallback_token": Kind::Secret, Words("none");
        "Where a token is that is served while there is no better one.";
        "{ env = \"FALLBACK_TOKEN\" }";
    Provider."probe": Kind::Time(10, YEAR), Words("never");
        "How often the account's profile is fetched, which detects a token that was revoked before its expiry.";
        "\"30m\"";
    Provider."active_within": Kind::Time(HOUR, YEAR), Words("all tokens are refreshed");
        "A token that no caller has requested for so long is not refreshed until one does.";
        "\"7d\"";
    Provider."proxy": Kind::Table(Proxy), Words("none: nothing passes");
        "What programs may send to the provider through Keepfresh, with the token put in on the way: [the proxy](proxy.md).";
        "{ to = [\"https://notify.eskiz.uz/api/\"], methods = [\"GET\", \"POST\"] }";
    Provider."connections": Kind::Tables(Connection), Words("one, called `default`");
        "Several connections of the provider. `[]` for those alone that are added while Keepfresh runs.";
        "[{ name = \"reports\" }]";

    Retry."attempts": Kind::Count(0, 20, "tries"), Value("3");
        "Tries in a row, the first among them. It is tried once in any case.";
        "5";
    Retry."backoff": Kind::Time(1, DAY), Value("\"60s\"");
        "The wait before the second try. It doubles each time, up to an hour, and half of it is chance.";
        "\"2m\"";

    Egress."networks": Kind::Networks, Value("[]");
        "Networks that are not public and may be reached all the same, such as this machine's own.";
        "[\"192.168.0.0/16\"]";
    Egress."plaintext": Kind::Boolean, Value("false");
        "Whether `http://` may be used, which shows secrets to everybody on the way.";
        "true";

    Proxy."to": Kind::Urls, Required;
        "Where requests may go: everything below an address that ends in a slash, else that address alone. The first one is meant where a program names none.";
        "[\"https://notify.eskiz.uz/api/\"]";
    Proxy."methods": Kind::Methods, Value("[\"GET\", \"HEAD\"]");
        "The methods that may be used.";
        "[\"GET\", \"POST\"]";
    Proxy."basic": Kind::Text, Words("none");
        "The user and the password of HTTP Basic, where the token is one of them: `{token}` stands for it.";
        "\"{token}:\"";
    Proxy."header": Kind::Text, Words("`Authorization`, with the type that came with the token");
        "The header that the token is put into.";
        "\"X-Api-Key\"";
    Proxy."prefix": Kind::Text, Words("none");
        "What stands before the token in `header`.";
        "\"Token \"";
    Proxy."query": Kind::Text, Words("none");
        "The parameter of the query that the token is put into.";
        "\"api_key\"";
    Proxy."without_token": Kind::Word(&["refuse", "forward"]), Value("\"refuse\"");
        "What becomes of a request while there is no token: it is refused, or sent without one.";
        "\"forward\"";

    Connection."name": Kind::ConnectionName, Required;
        "The second part of its id.";
        "\"reports\"";
    Connection."settings": Kind::Settings, Words("the provider's");
        "Values that override the provider's.";
        "{ scopes = \"kyc:read\" }";
    Connection."secrets": Kind::Secrets, Words("the provider's");
        "Secrets that override the provider's.";
        "{ client_secret = { env = \"REPORTS_SECRET\" } }";

    Alerts."critical_within": Kind::Time(60, YEAR), Value("\"2h\"");
        "A token that ends within this time, while refreshing it fails, is critical.";
        "\"6h\"";

    Channel."kind": Kind::ChannelKind, Required;
        "How it is told: `\"email\"`, `\"webhook\"` or `\"slack\"`.";
        "\"slack\"";
    Channel."name": Kind::Name, Words("the kind");
        "What it is called. Two channels have two names.";
        "\"night-shift\"";
    Channel."on": Kind::AlertKinds, Words("all but `\"summary\"`");
        "What it is told of: `failed`, `critical`, `expired`, `reconnect`, `misconfigured`, `approval`, `recovered`, `summary`.";
        "[\"expired\", \"reconnect\", \"recovered\"]";
    Channel."after": Kind::Time(0, DAY), Value("\"1m\"");
        "How long something must be wrong before it is told. What is over by then is not told.";
        "\"15m\"";
    Channel."summary_at": Kind::TimeOfDay, Words("no summary");
        "When the summary of a day is sent.";
        "\"08:00\"";
    Channel."timezone": Kind::Zone, Value("\"UTC\"");
        "The time zone of the summary, and of times in messages.";
        "\"Asia/Tashkent\"";
    Channel."url": Kind::Endpoint, Words("required for `webhook` and `slack`");
        "Where messages are sent: a URL, or where it is if it is secret.";
        "{ env = \"SLACK_URL\" }";
    Channel."secret": Kind::Secret, Words("none: not signed");
        "What webhooks are signed with, as Standard Webhooks has it: `whsec_` and base64.";
        "{ env = \"WEBHOOK_SECRET\" }";
    Channel."egress": Kind::Table(Egress), Words("public addresses over `https` alone");
        "Addresses that are refused otherwise; see `[providers.NAME.egress]`.";
        "{ networks = [\"10.0.0.0/8\"] }";
    Channel."smtp": Kind::Smtp, Words("required for `email`");
        "The mail server. `smtp://` requires STARTTLS unless the host is this machine; `?starttls=required` requires it there too. `smtps://` has TLS from the first byte.";
        "\"smtp://mailer@smtp.example.com:587\"";
    Channel."password": Kind::Secret, Words("none: no login");
        "The password of the mail server's user.";
        "{ env = \"SMTP_PASSWORD\" }";
    Channel."from": Kind::Mailbox, Words("required for `email`");
        "Who mail is from.";
        "\"Keepfresh <keepfresh@example.com>\"";
    Channel."to": Kind::Mailboxes, Words("required for `email`");
        "Who gets mail.";
        "[\"ops@example.com\"]";
    Channel."notify_person": Kind::Boolean, Value("false");
        "Whether the person of a connection gets a mail when they have to log in again, if the profile has their address.";
        "true";

    Channel."title": Kind::Template, Words("what has happened");
        "The first line of a message, or the subject of a mail, for `slack` and `email`.";
        "\"[prod] {{ title }}\"";
    Channel."text": Kind::Template, Words("since when, which connections, why");
        "What follows it.";
        "\"{{ text }}\\nRunbook: https://wiki.example.com/{{ provider }}\"";

    Heartbeat."url": Kind::Endpoint, Required;
        "Where the sign of life is sent: a URL, or where it is if it is secret.";
        "{ env = \"HEARTBEAT_URL\" }";
    Heartbeat."every": Kind::Time(1, DAY), Value("\"5m\"");
        "How often.";
        "\"1m\"";
    Heartbeat."egress": Kind::Table(Egress), Words("public addresses over `https` alone");
        "Addresses that are refused otherwise; see `[providers.NAME.egress]`.";
        "{ networks = [\"10.0.0.0/8\"] }";

    Sink."name": Kind::Name, Words("the kind and the selection: `file:eskiz`");
        "What it is called. Two sinks have two names.";
        "\"eskiz-env\"";
    Sink."connection": Kind::Connection, Words("required, or `provider` or `label`");
        "Of which connection it delivers what is current.";
        "\"eskiz\"";
    Sink."provider": Kind::Name, Words("required, or `connection` or `label`");
        "The same of all connections of a provider.";
        "\"propelauth\"";
    Sink."label": Kind::Text, Words("required, or `connection` or `provider`");
        "The same of all connections with a label.";
        "\"gold\"";
    Sink."file": Kind::Template, Words("required, or `command`, `webhook` or `sql`");
        "The file that is written: whole, or not at all. Where there may be several connections, `{{ name }}` makes a path for each. In a file whose name ends in `.env` or `.json`, a value that would break out of its place is refused.";
        "\"/run/keepfresh/eskiz.env\"";
    Sink."template": Kind::Template, Words("required for `file`; for `command` the token; for `webhook` an event");
        "What is delivered, as a template of Jinja.";
        "\"ESKIZ_TOKEN={{ token }}\\n\"";
    Sink."mode": Kind::Mode, Value("\"0600\"");
        "Who may read and write the file: its owner, and its group. Others may not.";
        "\"0640\"";
    Sink."owner": Kind::User, Words("the daemon's user");
        "Whom the file belongs to: a name or a number of this machine. Only root may give files away.";
        "\"www-data\"";
    Sink."group": Kind::User, Words("the daemon's group");
        "Which group the file belongs to.";
        "\"www-data\"";
    Sink."remove": Kind::Boolean, Value("false");
        "Whether the file is removed when its connection is.";
        "true";
    Sink."command": Kind::Command, Words("required, or `file`, `webhook` or `sql`");
        "The program that is run, without a shell, when what it would read has changed. Its arguments may name the connection, and never the token: that comes by its standard input.";
        "[\"redis-cli\", \"-x\", \"SET\", \"eskiz\"]";
    Sink."timeout": Kind::Time(1, HOUR), Value("\"30s\"");
        "How long the program may take.";
        "\"2m\"";
    Sink."webhook": Kind::Table(SinkWebhook), Words("required, or `file`, `command` or `sql`");
        "Where JSON is posted to.";
        "{ url = \"https://hooks.example.com/tokens\" }";
    Sink."sql": Kind::Table(SinkSql), Words("required, or `file`, `command` or `webhook`");
        "The table whose rows are written.";
        "{ url = { env = \"APP_DATABASE_URL\" }, table = \"users\", key = { id = \"{{ name }}\" } }";
    Sink."set": Kind::Columns, Words("none");
        "Columns that are always written.";
        "{ synced_at = \"{{ now }}\" }";
    Sink."on_token": Kind::Columns, Words("none");
        "Columns that are written while there is a token and no person is needed.";
        "{ access_token = \"{{ token }}\" }";
    Sink."on_failure": Kind::Columns, Words("none");
        "Columns that are written as well while refreshing fails.";
        "{ last_error = \"{{ message }}\" }";
    Sink."on_reconnect": Kind::Columns, Words("none");
        "Columns that are written instead of those of `on_token` while a person is needed.";
        "{ access_token = \"{{ none }}\" }";
    Sink."on_removed": Kind::Columns, Words("none");
        "Columns that are written once when the connection is removed.";
        "{ access_token = \"{{ none }}\" }";
    Sink."on_attempt": Kind::Columns, Words("none");
        "Columns of a row that is added for each attempt that has ended; instead of all others.";
        "{ status = \"{{ attempt.outcome }}\" }";

    SinkWebhook."url": Kind::Endpoint, Required;
        "Where to: a URL, or where it is if it is secret.";
        "\"https://hooks.example.com/tokens\"";
    SinkWebhook."secret": Kind::Secret, Words("none: not signed");
        "What is posted is signed with it, as Standard Webhooks has it: `whsec_` and base64.";
        "{ env = \"WEBHOOK_SECRET\" }";
    SinkWebhook."egress": Kind::Table(Egress), Words("public addresses over `https` alone");
        "Addresses that are refused otherwise; see `[providers.NAME.egress]`.";
        "{ networks = [\"10.0.0.0/8\"] }";

    SinkSql."url": Kind::DatabaseUrl, Required;
        "Where the database is, PostgreSQL, MySQL or SQLite: a source, because it has a password in it, or a URL without one.";
        "{ env = \"APP_DATABASE_URL\" }";
    SinkSql."table": Kind::Text, Required;
        "The table, with its schema before it if it needs one.";
        "\"app.users\"";
    SinkSql."key": Kind::Columns, Required;
        "The columns that a row is found by. They name one row.";
        "{ id = \"{{ name }}\" }";
    SinkSql."insert": Kind::Boolean, Value("false");
        "Whether a row is added where there is none; without it, that is an error of the connection.";
        "true";
}
