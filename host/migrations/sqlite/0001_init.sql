-- Times are milliseconds since 1970 in UTC. Sealed values open only for the row they were sealed for.
-- What is readable here is readable by design: names, times, scopes, error texts. Never a secret.

-- Who this database is: a copy of it must not be taken for it.
create table meta (
    key   text primary key not null,
    value text not null
) strict, without rowid;

-- Data keys, each wrapped by the master key, which is never in here.
create table keyring (
    id         integer primary key not null,
    master_id  text not null,             -- which master key wraps it, so that an error can say so
    state      text not null,             -- primary, decrypt-only
    blob       blob not null,
    created_at integer not null
) strict;

-- One set of credentials at one provider.
create table connections (
    id                 text primary key not null,   -- provider/name, the name always written
    provider           text not null,
    name               text not null,
    generation         integer not null default 0,  -- 0: no token set was ever stored
    -- Facts of the current token set; null in `issued_at` means that there is none.
    token_type         text,
    issued_at          integer,
    expires_at         integer,                     -- null: does not expire
    refresh_expires_at integer,
    fingerprint        text,                        -- first 8 hex digits of the SHA-256
    scopes             text,                        -- JSON list
    metadata           text,                        -- JSON list of pairs
    profile            text,                        -- JSON object, from the plugin's `profile`
    -- How it is doing.
    failures           integer not null default 0,  -- since the last success
    problem            text,                        -- reconnect, misconfigured: only a person can help
    problem_config     blob,                        -- keyed digest of what it was configured with then
    error_code         text,
    error_message      text,
    doubt_since        integer,                     -- a request left and nobody knows its outcome
    paused_at          integer,
    paused_until       integer,
    paused_reason      text,
    -- When it is looked at next. Null is at rest: a person or a caller has to ask.
    due_at             integer,
    due_trigger        text,
    probe_at           integer,                     -- when `profile` is asked next
    active_at          integer,                     -- when a caller last asked for its token
    last_attempt       text,
    created_at         integer not null
) strict, without rowid;

-- The due query costs what is due, not what is stored.
create index connections_due on connections (due_at) where due_at is not null;
create index connections_due_provider on connections (provider, due_at) where due_at is not null;
create index connections_probe on connections (probe_at) where probe_at is not null;
create index connections_provider on connections (provider, name);

-- The current token set of each connection, sealed. Older ones are removed when a new one is stored.
create table generations (
    connection text not null references connections (id) on delete cascade,
    generation integer not null,
    sealed     blob not null,
    attempt    text,                                -- null: set by a person
    created_at integer not null,
    primary key (connection, generation)
) strict, without rowid;

-- Tries. An open one (outcome is null) is the intent to send, and the claim on the connection.
create table attempts (
    id            text primary key not null,        -- UUID v7: sorts by time
    connection    text not null,
    provider      text not null,
    trigger       text not null,
    outcome       text,                             -- success, failed, skipped
    reason        text,
    error_code    text,
    error_message text,
    rotation      text not null,                    -- class of the provider when it was sent, as JSON
    digest        text,                             -- of the plugin that ran
    owner         text not null,                    -- process that holds the claim
    lease_until   integer not null,                 -- when another process may adopt it
    generation    integer not null,                 -- sent from; once finished: current
    started_at    integer not null,
    duration_ms   integer
) strict, without rowid;

-- At most one open intent for each connection, whatever the code does.
create unique index attempts_open on attempts (connection) where outcome is null;
create index attempts_connection on attempts (connection, id);
create index attempts_provider on attempts (provider, id);

-- Answers that were made durable before anybody read them. A row that is here is not spent.
create table captures (
    connection text not null references connections (id) on delete cascade,
    generation integer not null,                    -- the one the request was sent from
    seq        integer not null,                    -- its place in the attempt
    attempt    text not null,
    request    text not null,                       -- method and URL without its query
    sealed     blob not null,
    created_at integer not null,
    primary key (connection, generation, seq)
) strict, without rowid;

-- What happened, for whoever must be told. Written with the change, delivered at least once.
create table outbox (
    id           integer primary key not null,
    at           integer not null,
    kind         text not null,
    connection   text not null,
    generation   integer not null,
    code         text,
    delivered_at integer
) strict;

create index outbox_waiting on outbox (id) where delivered_at is null;

-- For people who look with SQL.
create view token_status as
select
    id as connection,
    provider,
    generation,
    datetime(issued_at / 1000, 'unixepoch') as issued_at,
    datetime(expires_at / 1000, 'unixepoch') as expires_at,
    case
        when paused_at is not null then 'paused'
        when problem is not null then problem
        when issued_at is null and failures = 0 then 'new'
        when issued_at is null or expires_at <= unixepoch() * 1000 then 'expired'
        when failures > 0 or doubt_since is not null then 'late'
        else 'fresh'
    end as state,
    failures,
    error_code,
    datetime(due_at / 1000, 'unixepoch') as next_refresh_at
from connections;
