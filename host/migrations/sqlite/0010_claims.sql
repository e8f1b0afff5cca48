-- An attempt is written once, when it has ended. One that is open is a claim: a row of its own, and the
-- only one for its connection. So a refresh changes its connection once, and finished attempts never.

create table claims (
    connection  text primary key not null references connections (id) on delete cascade,
    attempt     text not null,
    provider    text not null,
    trigger     text not null,
    rotation    text not null,                      -- class of the provider when it was sent, as JSON
    digest      text not null,                      -- of the plugin that runs
    owner       text not null,                      -- process that holds the claim
    lease_until integer not null,                   -- when another process may adopt it, and looks at it
    generation  integer not null,                   -- sent from
    started_at  integer not null
) strict;

insert into claims (connection, attempt, provider, trigger, rotation, digest, owner, lease_until,
                    generation, started_at)
select a.connection, a.id, a.provider, a.trigger, a.rotation, coalesce(a.digest, ''), a.owner, a.lease_until,
       a.generation, a.started_at
from attempts a join connections c on c.id = a.connection
where a.outcome is null;

create table finished (
    id            text primary key not null,        -- UUID v7: sorts by time
    connection    text not null,
    provider      text not null,
    trigger       text not null,
    outcome       text not null,                    -- success, failed, skipped
    reason        text,
    error_case    text,
    error_code    text,
    error_message text,
    rotation      text not null,                    -- class of the provider when it was sent, as JSON
    digest        text,                             -- of the plugin that ran
    generation    integer not null,                 -- current when it ended
    started_at    integer not null,
    duration_ms   integer
) strict, without rowid;

insert into finished
select id, connection, provider, trigger, outcome, reason, error_case, error_code, error_message, rotation,
       digest, generation, started_at, duration_ms
from attempts where outcome is not null;

drop table attempts;
alter table finished rename to attempts;

create index attempts_connection on attempts (connection, id);
create index attempts_provider on attempts (provider, id);
create index attempts_unsuccessful on attempts (id) where outcome <> 'success';

-- I6: an attempt has one outcome. A process that was slow does not overwrite what another found out.
create trigger attempts_stay before update on attempts
begin select raise(abort, 'I6: a finished attempt stays as it is'); end;

-- One token set for each connection, replaced in its place. Blobs are in tables with a row number: in the
-- others every long one takes a page of its own.
create table current_sets (
    connection text primary key not null references connections (id) on delete cascade,
    generation integer not null,
    sealed     blob not null,
    attempt    text,                                -- null: set by a person
    created_at integer not null
) strict;

insert into current_sets
select g.connection, g.generation, g.sealed, g.attempt, g.created_at
from generations g join connections c on c.id = g.connection and c.generation = g.generation;

drop table generations;
alter table current_sets rename to generations;

-- I5: what is sealed for a connection is its current generation, and not another one.
create trigger generations_current before insert on generations
when new.generation is not (select generation from connections where id = new.connection)
begin select raise(abort, 'I5: only the current generation is stored'); end;

create trigger generations_follow before update on generations
when new.generation is not (select generation from connections where id = new.connection)
begin select raise(abort, 'I5: only the current generation is stored'); end;

create table answers (
    connection text not null references connections (id) on delete cascade,
    attempt    text not null,
    seq        integer not null,                    -- its place in the attempt
    generation integer not null,                    -- the one the request was sent from
    request    text not null,                       -- method and URL without its query
    sealed     blob,                                -- null: no answer yet
    readings   integer not null default 1,          -- how often the plugin was given it
    created_at integer not null,
    primary key (connection, attempt, seq)
) strict;

insert into answers
select connection, attempt, seq, generation, request, sealed, readings, created_at from captures;

drop table captures;
alter table answers rename to captures;

-- What is due is asked provider by provider.
drop index connections_due;
