-- Keys of programs that use the HTTP API, and who did what.

-- A key is shown once. What is here opens nothing without the vault's key, and a row that was changed by
-- hand opens nothing at all: the digest covers the grant.
create table api_keys (
    id text primary key not null,        -- the part of the key that is no secret
    name text not null,
    grants text not null,                -- JSON: scopes, providers, labels, end
    digest blob not null,                -- keyed, over secret and grant
    created_at integer not null,
    revoked_at integer,                  -- a row stays, so that the audit log can name it
    last_used_at integer                 -- to the minute
) strict, without rowid;

create unique index api_keys_names on api_keys (name) where revoked_at is null;

create table audit (
    id integer primary key autoincrement, -- never used again, so that a page can go on behind it
    at integer not null,                 -- of what is counted: the last time
    actor text not null,                 -- key:ID or user:UID
    action text not null,
    subject text not null,
    detail text,
    hour integer,                        -- of what is counted; null for an entry of its own
    count integer not null
) strict;

create unique index audit_counted on audit (hour, actor, action, subject) where hour is not null;
