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
