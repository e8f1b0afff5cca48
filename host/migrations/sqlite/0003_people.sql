-- Connections of people: rows that a person, a caller or a file added, with settings and secrets of
-- their own. The manifest is never written; what it lists stays its own.

alter table connections add column origin text not null default 'manifest';  -- manifest, added
alter table connections add column settings text not null default '{}';      -- JSON object
alter table connections add column labels text not null default '[]';        -- JSON list
alter table connections add column enrolled blob;                            -- keyed digest of what it was added with

-- Secrets of a connection of its own, sealed.
create table credentials (
    connection text primary key not null references connections (id) on delete cascade,
    sealed     blob not null,
    created_at integer not null
) strict, without rowid;

-- Which of a provider's connections were asked for lately.
create index connections_active on connections (provider, active_at);

-- The same view, which knows that a connection nobody asks for is at rest and does not fail anybody.
drop view token_status;
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
        when expires_at <= unixepoch() * 1000 and failures = 0 and doubt_since is null
             and due_at is null then 'paused'
        when issued_at is null or expires_at <= unixepoch() * 1000 then 'expired'
        when failures > 0 or doubt_since is not null then 'late'
        else 'fresh'
    end as state,
    failures,
    error_code,
    datetime(due_at / 1000, 'unixepoch') as next_refresh_at
from connections;
